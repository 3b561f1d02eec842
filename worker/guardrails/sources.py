"""Check an answer from published articles against the passages that a search gave: its citations and its figures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SOURCE = re.compile(r"^\W*source:\s*(?P<article>.+?)\s*[\u203a>]\s*(?P<section>.+?)\W*$", re.IGNORECASE | re.MULTILINE)
_FIGURE = re.compile(
    r"\$\s?(?P<sum>\d[\d,]*(?:\.\d+)?)|\b(?P<number>\d[\d,]*(?:\.\d+)?)[\s-]?"
    r"(?:%|percent|lbs?|pounds?|kgs?|kilos?|inch(?:es)?|ounces?|oz|ml|miles|wh|minutes?|hours?|days?|weeks?|months?|"
    r"years?|dollars?)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
_FOUND_NOTHING = re.compile(r'"found":\s*false')


def is_unfounded(reply: str, told: Sequence[str], written: Sequence[str]) -> bool:
    """Check whether an answer cites a section that no tool has given, or has a figure that nobody has.

    Figures are sums, and numbers with a unit. They are looked at in a reply that cites a source, or that follows a
    search without a result: a figure in it can come from nowhere but a model's general knowledge. Any other reply rests
    on tools whose figures may have been added up.
    """
    sources = list(_SOURCE.finditer(reply))
    given = _plain(" ".join(told))
    if any(_plain(found[part]) not in given for found in sources for part in ("article", "section")):
        return True
    if not sources and not (told and _FOUND_NOTHING.search(told[-1])):
        return False
    known = set(_numbers_in(" ".join([*told, *written])))
    return any(number not in known for number in _figures_in(reply))


def _figures_in(text: str) -> Iterator[str]:
    return (_bare(found["sum"] or found["number"]) for found in _FIGURE.finditer(text))


def _numbers_in(text: str) -> Iterator[str]:
    return (_bare(found) for found in _NUMBER.findall(text))


def _bare(number: str) -> str:
    return number.replace(",", "").rstrip(".").removesuffix(".00")


def _plain(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").replace("\\u203a", "\u203a").casefold().split())
