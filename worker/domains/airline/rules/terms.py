"""Find what a text says of an offer: seats, flights, days, times, sums, bags, cabins and ways to pay, written alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import date

from worker.domains.airline.rules.calendar_words import MONTH_PATTERN, MONTHS, NUMBERS, WEEKDAYS

_COUNTS = {"a": 1} | NUMBERS
_SAME_WORD = {"voucher": "certificate", "mastercard": "card", "visa": "card", "amex": "card"}
_CABINS = frozenset({"basic economy", "economy", "business"})
_WAYS_TO_PAY = frozenset({"gift card", "certificate", "card"})
_NOON = 12


def _iso_date(found: re.Match[str]) -> set[str]:
    with suppress(ValueError):
        day = date.fromisoformat(found[0])
        return {f"day {day.month}-{day.day}", WEEKDAYS[day.weekday()]}
    return set()


def _named_day(found: re.Match[str]) -> set[str]:
    return {f"day {MONTHS.index(found['month'][:3]) + 1}-{int(found['day'])}"}


def _time(found: re.Match[str]) -> set[str]:
    hour = int(found[1])
    if found[3]:
        hour = hour % _NOON + (_NOON if found[3] == "p" else 0)
    return {f"time {hour}:{found[2]}"}


_READERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], set[str]]], ...] = (
    (
        re.compile(r"\$ ?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.00)?(?![.,]?[0-9])|\b([0-9]+) (?:dollars|usd|bucks)\b"),
        lambda found: {f"${(found[1] or found[2]).replace(',', '')}"},
    ),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b"), _iso_date),
    (re.compile(r"\b([01]?[0-9]|2[0-3]):([0-5][0-9])\b(?: ?([ap])\.?m\b\.?)?"), _time),
    (
        re.compile(rf"\b{MONTH_PATTERN} (?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?\b"),
        _named_day,
    ),
    (
        re.compile(rf"\b(?:the )?(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?{MONTH_PATTERN}(?=\W|$)"),
        _named_day,
    ),
    (re.compile(r"\bthe ([0-9]{1,2})(?:st|nd|rd|th)\b"), lambda found: {f"the {found[1]}th"}),
    (
        re.compile(
            rf"\b(basic economy|economy|business|gift card|certificate|voucher|{'|'.join(WEEKDAYS)}|today|tomorrow|"
            r"option [0-9a-d]|window|aisle|middle|card|mastercard|visa|amex)\b"
        ),
        lambda found: {_SAME_WORD.get(found[1], found[1])},
    ),
    (
        re.compile(
            r"\b(a|one|two|three|four|five|six|[0-9]+) (?:(?:more|extra|additional|checked|free) )*(?:bag|bags)\b"
        ),
        lambda found: {f"{_COUNTS.get(found[1], found[1])} bags"},
    ),
    (re.compile(r"\b0?([1-9]|[12][0-9]|30)[ -]?([a-f])\b"), lambda found: {f"seat {found[1]}{found[2]}"}),
    (
        re.compile(
            r"\b(?!(?:am|an|as|at|be|by|do|go|if|in|is|it|me|my|no|of|ok|on|or|pm|so|to|up|us|we)[ -])"
            r"([a-z]{2})[ -]?([0-9]{2,4})\b"
        ),
        lambda found: {f"flight {found[1]}{int(found[2])}"},
    ),
)


def terms_of(text: str) -> frozenset[str]:
    """Find the terms in a text, each in one spelling: `seat 12a`, `flight lf118`, `day 3-7`, `$35`, `2 bags`."""
    found: set[str] = set()
    said = text.lower()
    for pattern, read in _READERS:
        found.update(*(read(match) for match in pattern.finditer(said)))
        said = pattern.sub(" ", said)
    return frozenset(found)


def mark_terms(text: str, allowed: Collection[str], new: Collection[str]) -> str:
    """Put marks in the place of an offer's own terms: <new> <old> <pay> <sum> <also>; other terms stay as written.

    `text` is in lower case, `allowed` are the terms of the offer, of which `new` are those that it brings. A term is
    old where the offer brings another of its kind.
    """
    said = text
    for name in sorted((term[5:] for term in new if term.startswith("name ")), key=len, reverse=True):
        said = re.sub(rf"\b{re.escape(name)}\b", " <new> ", said)
    kinds = {kind_of(term) for term in new}
    days = {term.rpartition("-")[2]: term for term in allowed if term.startswith("day ")}
    days.update({term.rpartition("-")[2]: term for term in new if term.startswith("day ")})

    def mark(found: re.Match[str], read: Callable[[re.Match[str]], set[str]]) -> str:
        terms = {days.get(term[4:-2], term) if term.startswith("the ") else term for term in read(found)}
        if not terms or not terms <= set(allowed):
            return found[0]
        if terms & set(new):
            return " <new> "
        kind = kind_of(next(iter(terms)))
        return " <old> " if kind in kinds else f" <{kind if kind in {'pay', 'sum'} else 'also'}> "

    for pattern, read in _READERS:
        said = pattern.sub(lambda found, read=read: mark(found, read), said)  # type: ignore[misc]
    return said


def kind_of(term: str) -> str:
    """Name the kind of a term: sum, day, time, cabin, pay, bags, seat, flight, name, or a word that is its own kind."""
    if term.startswith("$"):
        return "sum"
    if term.startswith(("day ", "the ")) or term in WEEKDAYS:
        return "day"
    if term in _CABINS:
        return "cabin"
    if term in _WAYS_TO_PAY:
        return "pay"
    return "bags" if term.endswith(" bags") else term.partition(" ")[0]
