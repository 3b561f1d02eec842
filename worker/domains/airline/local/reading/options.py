"""Tell which of the options offered a customer takes: "option 2", "the cheapest", "the earlier one", "LF 118"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from worker.domains.airline.local.reading.slots import find_flight_number

Option = dict[str, Any]

_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_NUMBER = re.compile(
    r"\b(?:option|number|no\.?|choice|#) ?#?(?P<number>[1-8]|one|two|three|four)\b|^\W*(?P<bare>[1-8])\W*$"
)
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4}
_ORDINAL = re.compile(rf"\b(?P<ordinal>{'|'.join(_ORDINALS)})(?: (?:one|option|choice|flight))?\b(?! class)")
_LAST = re.compile(r"\blast (?:one|option)\b")
_CHEAPEST = re.compile(r"\b(?:cheap(?:est|er)|lowest|least expensive|lower (?:price|fare))\b")
_EARLIEST = re.compile(r"\b(?:earl(?:y|ier|iest)|soonest|sooner|morning|first flight)\b")
_LATEST = re.compile(r"\b(?:lat(?:er|est)|last flight|evening|night)\b")
_DIRECT = re.compile(r"\b(?:direct|non-?stop)\b")


def price_of(option: Option, cabin: str) -> int | None:
    """Give an option's price in US dollars in a cabin, per passenger; None where the cabin is sold out."""
    fare = option.get("cabins", {}).get(cabin)
    return int(fare["price_usd"]) if isinstance(fare, dict) else None


def is_choosing(text: str) -> bool:
    """Say whether a message holds any word that picks one of several options."""
    said = text.lower()
    return any(pattern.search(said) for pattern in (_NUMBER, _ORDINAL, _LAST, _CHEAPEST, _EARLIEST, _LATEST, _DIRECT))


def choose_option(text: str, options: Sequence[Option], cabin: str) -> Option | None:
    """Give the option that a message picks; None when it picks none, or one that is not there."""
    if not options:
        return None
    said = text.lower()
    number = _number_in(said)
    if number is not None:
        return next((option for option in options if option.get("option") == number), None)
    flight_number = find_flight_number(text)
    named = [o for o in options if flight_number in {flight.get("flight_number") for flight in o.get("flights", [])}]
    if flight_number is not None and named:
        return named[0]
    if _LAST.search(said):
        return options[-1]
    return choose_by_wish(said, options, cabin)


def choose_by_wish(text: str, options: Sequence[Option], cabin: str) -> Option | None:
    """Give the option that fits best what a message wishes: cheapest, direct, earliest, latest; None without a wish."""
    said = text.lower()
    choices: tuple[tuple[re.Pattern[str], Callable[[Option], Any]], ...] = (
        (_CHEAPEST, lambda option: price_of(option, cabin) or 0),
        (_DIRECT, lambda option: len(option.get("flights", []))),
        (_EARLIEST, _departs),
        (_LATEST, lambda option: [-ord(letter) for letter in _departs(option)]),
    )
    for pattern, rank in choices:
        if pattern.search(said):
            return min(options, key=rank)
    return None


def _number_in(said: str) -> int | None:
    numbered = _NUMBER.search(said)
    if numbered is not None:
        written = numbered["number"] or numbered["bare"]
        return _WORDS.get(written) or int(written)
    ordinal = _ORDINAL.search(said)
    return _ORDINALS[ordinal["ordinal"]] if ordinal is not None and "first flight" not in said else None


def _departs(option: Option) -> str:
    flights = option.get("flights") or [{}]
    return str(flights[0].get("departs", ""))
