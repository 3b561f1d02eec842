"""Pick the details out of what a customer writes: confirmation number, flight, a corrected name, a no."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from runtime.patterns import load_patterns
from worker.conversation.vault import find_placeholders
from worker.domains.airline.local.reading.names import clean_name, find_name

_FLIGHT = re.compile(r"\b([A-Z]{2,3}) ?(\d{2,4})\b")


_FIRST_OF_TWO = re.compile(
    r"\b(?:to|on|for|in|with|of) (?:the )?(?:first|former|1st)"
    r"(?: one| booking| reservation| of (?:them|these))?\b(?! class)",
    re.IGNORECASE,
)


_SECOND_OF_TWO = re.compile(_FIRST_OF_TWO.pattern.replace("first|former|1st", "second|latter|other|2nd"), re.IGNORECASE)


def find_confirmation_numbers(text: str) -> list[str]:
    """Return the placeholders of confirmation numbers in a text, in its order."""
    return [one.written for one in find_placeholders(text, "CONFIRMATION_NUMBER") if one.number is not None]


def pick_by_ordinal(text: str, numbers: Sequence[str]) -> str | None:
    """Return which of two numbers that were given before a text means: "a bag on the first one"; None for none."""
    if len(numbers) != 2:  # noqa: PLR2004 - a first and a second
        return None
    if _FIRST_OF_TWO.search(text):
        return numbers[0]
    return numbers[1] if _SECOND_OF_TWO.search(text) else None


def find_confirmation_number(text: str) -> str | None:
    """Give the last placeholder of a confirmation number, or the one that is called the first; the number is unseen."""
    found = find_confirmation_numbers(text)
    if len(found) > 1 and _FIRST_OF_TWO.search(text):
        return found[0]
    return found[-1] if found else None


def find_flight_number(text: str) -> str | None:
    """Return the last flight number, as `LF 1042` or `LF1042`, in its short form."""
    found = [f"{airline}{number}" for airline, number in _FLIGHT.findall(text)]
    return found[-1] if found else None


@cache
def _no() -> re.Pattern[str]:
    known = load_patterns("worker.domains.airline.local.reading", "slots.patterns")
    return re.compile(rf"^(?:{known['before_no']}\W+)*{known['no']}", re.IGNORECASE)


def declines(text: str) -> bool:
    """Check whether a message begins with a no."""
    return _no().match(" ".join(text.replace("\u2019", "'").split())) is not None


@cache
def _pattern(section: str) -> re.Pattern[str]:
    written = load_patterns("worker.domains.airline.local.reading", "slots.patterns")[section]
    return re.compile(written, re.IGNORECASE)


def says_no_code(text: str, *, asked: bool) -> bool:
    """Check whether a message tells that there is no confirmation number; `asked`: it had just been asked for."""
    said = text.replace("\u2019", "'")
    if find_confirmation_number(said):
        return False
    sections = ("no_code", "no_code_answer") if asked else ("no_code",)
    return any(_pattern(section).search(said) for section in sections)


_NAME_WORD = r"[^\W\d_][^\W\d_'.\-]*(?:['.\-][^\W\d_]+)*"


class CorrectedName(NamedTuple):
    """How a name should read, and how it reads now where that was said."""

    after: str
    before: str | None = None


_PLAIN_NAME = rf"{_NAME_WORD}(?: {_NAME_WORD}){{0,2}}"
_CORRECTED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<before>{_PLAIN_NAME}) ?(?:->|=>|-->|\u2192|\u21d2) ?(?P<after>{_PLAIN_NAME})",
        (
            rf"\b(?:says|said|reads|shows|wrote|typed|spel(?:led|t)|written) (?:it )?(?:as )?(?P<before>{_NAME_WORD})"
            rf"[,;:.]? (?:and |but )?(?:it'?s|its|it is|(?:it |that |and )*(?:should|must|ought to) (?:say|be|read)) "
            rf"(?P<after>{_PLAIN_NAME})"
        ),
        rf"\bfrom (?P<before>{_PLAIN_NAME}) to (?P<after>{_PLAIN_NAME})",
        rf"\b(?P<after>{_PLAIN_NAME}),? (?:and )?(?:not|instead of|rather than) (?P<before>{_PLAIN_NAME})",
        rf"\b(?P<before>{_PLAIN_NAME}) (?:should|must|ought to|needs to) (?:be|read|say) (?P<after>{_PLAIN_NAME})",
        rf"\b(?:should|must|needs to) (?:be|read|say)(?: spell?ed| spelt)?:? (?P<after>{_PLAIN_NAME})",
        rf"\b(?:correct|right|proper) (?:\w+ )?(?:name|spelling|surname) (?:is|would be):? (?P<after>{_PLAIN_NAME})",
        rf"\b(?:change|correct|fix|update) (?:it|the (?:\w+ )?name|my (?:\w+ )?name) to (?P<after>{_PLAIN_NAME})",
        rf"\b(?:is|it'?s) (?:actually |really )?(?:spelled|spelt|written) (?P<after>{_PLAIN_NAME})",
    )
)


_QUOTES = re.compile("[\"\u201c\u201d\u201e\u00ab\u00bb]|(?<!\\w)'|'(?!\\w)")


def find_corrected_name(text: str, *, asked: bool) -> CorrectedName | None:
    """Return the right spelling of a name; `asked` says that the airline had just asked for it."""
    said = _QUOTES.sub("", text.replace("\u2019", "'"))
    for pattern in _CORRECTED:
        match = pattern.search(said)
        if match is None:
            continue
        after = clean_name(match["after"])
        if after is not None:
            before = clean_name(match["before"].rpartition(" name ")[2]) if "before" in match.groupdict() else None
            return CorrectedName(after, before)
    name = find_name(said, asked=True) if asked else None
    return CorrectedName(name) if name is not None else None
