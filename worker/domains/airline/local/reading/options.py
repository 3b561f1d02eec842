"""Tell which of the options offered a customer takes: "option 2", "the cheapest", "the earlier one", "LF 118"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from worker.domains.airline.local.reading.slots import find_flight_number
from worker.domains.airline.local.reading.sums import sums_in
from worker.domains.airline.rules.calendar_words import NUMBERS

Option = dict[str, Any]

_SHOWN = re.compile(r"^Option (?P<number>\d+): (?P<flights>.*)$", re.MULTILINE)
_FLIGHT_SHOWN = re.compile(r"\b([A-Z]{2}\d{2,4}) [A-Z]{3} (\d\d:\d\d)")
_CLOCK = re.compile(
    r"\b(?P<hour>[01]?\d|2[0-3])[:.h](?P<minute>[0-5]\d)(?: ?(?P<half>[ap])\.?m\b)?|"
    r"\b(?P<full>1[0-2]|0?[1-9]) ?(?P<fullhalf>[ap])\.?m\b|"
    r"\bat (?P<at>1[0-2]|0?[1-9])\b(?! ?(?:bags?|people|of us))"
)
_ROUNDED_SHARE_MAX = 0.05
"""How far a price may be from the sum by which it is called."""
_NOON, _MORNING, _EVENING, _NIGHT = 12, 4, 17, 24
_TIMES_OF_DAY: tuple[tuple[re.Pattern[str], range], ...] = (
    (re.compile(r"\bmornings?\b|\bbefore noon\b"), range(_MORNING, _NOON)),
    (re.compile(r"\bafternoons?\b|\bafter (?:noon|lunch)\b|\bmid-?day\b"), range(_NOON, _EVENING + 1)),
    (re.compile(r"\b(?:evenings?|nights?|tonight)\b|\bafter work\b"), range(_EVENING, _NIGHT)),
)
_TIME_OF_DAY_NAMES = ("morning", "afternoon", "evening")
_BOUND = re.compile(
    r"\b(?P<way>before|by|until|after|from|later than|earlier than) (?P<hour>\d{1,2})(?::(?P<minute>\d\d))?"
    r"(?: ?(?P<half>[ap])\.?m)?\b"
)
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_NUMBER = re.compile(
    r"\b(?:option|number|no\.?|choice|#) ?#?(?P<number>[1-8]|one|two|three|four)\b|"
    r"^\W*(?:(?:i'?ll|i'?d|i would|i will|let'?s|take|have|go|with|for|like|the|number|please|ok|okay|yes|then)\W+)*"
    r"(?P<bare>[1-8]|one|two|three|four)(?:\W+(?:please|pls|thanks|thank you|then|is (?:fine|good|ok)))*\W*$"
)
_ORDINAL = re.compile(rf"\b(?P<ordinal>{'|'.join(_ORDINALS)})(?: (?:one|option|choice|flight))?\b(?! class)")
_LAST = re.compile(r"\blast (?:one|option)\b")
_CHEAPEST = re.compile(
    r"\b(?:cheap(?:est|er)|lowest|least expensive|costs? the least|least (?:money|costly)|lower (?:price|fare)|"
    r"what (?:do|would|can) you (?:recommend|suggest|pick|take))\b"
)
_OF_A_DAY = r"(?<!\bday )(?<!\bdays )(?<!\bweek )(?<!\bweeks )"
"""What "a day later" says of the day, it does not say of the flight."""
_EARLIEST = re.compile(rf"{_OF_A_DAY}\b(?:earl(?:y|ier|iest)|soonest|sooner|first flight)\b")
_LATEST = re.compile(rf"{_OF_A_DAY}\b(?:lat(?:er|est)|last flight)\b")
_FASTEST = re.compile(r"\b(?:fast(?:est|er)|quick(?:est|er)|short(?:est|er)|takes? the least)\b")
_DIRECT = re.compile(r"\b(?:direct|non-?stop)\b")


def price_of(option: Option, cabin: str) -> int | None:
    """Return an option's price in US dollars in a cabin, per passenger; None where the cabin is sold out."""
    fare = option.get("cabins", {}).get(cabin)
    return int(fare["price_usd"]) if isinstance(fare, dict) else None


def is_choosing(text: str) -> bool:
    """Check whether a message holds any word that picks one of several options."""
    said = text.lower()
    choices = (_NUMBER, _ORDINAL, _LAST, _CHEAPEST, _EARLIEST, _LATEST, _FASTEST, _DIRECT, _CLOCK)
    return any(pattern.search(said) for pattern in choices) or bool(sums_in(said)) or time_of_day_in(text) is not None


def options_shown(reply: str, options: Sequence[Option]) -> list[Option]:
    """Return the options that a reply listed, in its order and under its numbers; none when it listed none of these.

    What a tool numbered 1, 3 or 4, 1, 2 stands in the reply as 1, 2, 3: whoever says "the second one" has that.
    """
    shown = []
    for line in _SHOWN.finditer(reply):
        flights = _FLIGHT_SHOWN.findall(line["flights"])
        fitting = [option for option in options if _departures(option) == flights]
        shown += [{**fitting[0], "option": int(line["number"])}] if fitting else []
    return shown


def time_of_day_in(text: str) -> str | None:
    """Name the time of day that a message wishes: morning, afternoon or evening."""
    said = text.lower()
    found = (name for name, (pattern, _) in zip(_TIME_OF_DAY_NAMES, _TIMES_OF_DAY, strict=True) if pattern.search(said))
    return next(found, None)


def options_at(text: str, options: Sequence[Option]) -> list[Option]:
    """Keep the options that leave when a message wishes: at a time of day, before or after an hour; all without one."""
    said = text.lower()
    bound = _BOUND.search(said)
    if bound is not None:
        hour = _hour_of(int(bound["hour"]), bound["half"])
        minutes = hour * 60 + int(bound["minute"] or 0)
        is_before = bound["way"] in {"before", "by", "until", "earlier than"}
        return [option for option in options if (_minutes_of(option) <= minutes) == is_before]
    hours = next((hours for pattern, hours in _TIMES_OF_DAY if pattern.search(said)), None)
    return [option for option in options if hours is None or _minutes_of(option) // 60 in hours]


def _departures(option: Option) -> list[tuple[str, str]]:
    return [(str(one.get("flight_number")), str(one.get("departs", ""))[-5:]) for one in option.get("flights", [])]


def _minutes_of(option: Option) -> int:
    hour, _, minute = _departs(option)[-5:].partition(":")
    return int(hour or 0) * 60 + int(minute or 0)


def _hour_of(hour: int, half: str | None) -> int:
    return hour if half is None else hour % _NOON + (_NOON if half == "p" else 0)


def _at_clock(said: str, options: Sequence[Option]) -> Option | None:
    """Return the option that leaves at a time that is named; "at 9" is 9:05 where no other leaves in that hour."""
    for match in _CLOCK.finditer(said):
        if match["hour"]:
            at = _hour_of(int(match["hour"]), match["half"]) * 60 + int(match["minute"])
            named = [option for option in options if _minutes_of(option) == at]
        else:
            hour = _hour_of(int(match["full"] or match["at"]), match["fullhalf"])
            hours = {hour} if match["full"] else {hour, hour + _NOON}
            named = [option for option in options if _minutes_of(option) // 60 in hours]
        if len(named) == 1:
            return named[0]
    return None


def _at_price(said: str, options: Sequence[Option], cabin: str) -> Option | None:
    """Return the option of a sum that is named, exactly or as people round: "the 400 dollar one" is $408."""
    sums = sums_in(said)
    named = [option for option in options if price_of(option, cabin) in sums]
    near = [option for option in options if any(_is_about(price_of(option, cabin), stated) for stated in sums)]
    return next((fitting[0] for fitting in (named, near) if len(fitting) == 1), None)


def _is_about(price: int | None, stated: int) -> bool:
    return price is not None and abs(price - stated) <= _ROUNDED_SHARE_MAX * stated


def choose_option(text: str, options: Sequence[Option], cabin: str) -> Option | None:
    """Return the option that a message picks; None when it picks none, or one that is not there."""
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
    chosen = _at_clock(said, options) or _at_price(said, options, cabin) or choose_by_wish(said, options, cabin)
    if chosen is not None or time_of_day_in(text) is None:
        return chosen
    fitting = options_at(text, options)
    return fitting[0] if len(fitting) == 1 else None


def choose_by_wish(text: str, options: Sequence[Option], cabin: str) -> Option | None:
    """Give the option that fits best what a message wishes: cheapest, direct, fastest, earliest, latest; else None."""
    said = text.lower()
    choices: tuple[tuple[re.Pattern[str], Callable[[Option], Any]], ...] = (
        (_CHEAPEST, lambda option: price_of(option, cabin) or 0),
        (_DIRECT, lambda option: len(option.get("flights", []))),
        (_FASTEST, _minutes_under_way),
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
        return NUMBERS.get(written) or int(written)
    ordinal = _ORDINAL.search(said)
    return _ORDINALS[ordinal["ordinal"]] if ordinal is not None and "first flight" not in said else None


def _minutes_under_way(option: Option) -> float:
    """Return how long an option takes by the clocks of its ends, which all options for a trip share."""
    flights = option.get("flights") or [{}]
    begins, ends = (str(one.get(side, "")) for one, side in ((flights[0], "departs"), (flights[-1], "arrives")))
    try:
        return (datetime.fromisoformat(ends) - datetime.fromisoformat(begins)).total_seconds() / 60
    except ValueError:
        return math.inf


def _departs(option: Option) -> str:
    flights = option.get("flights") or [{}]
    return str(flights[0].get("departs", ""))
