"""Read the values that a text states, each kind in one spelling: money, figures, dates, times, addresses, links.

The same reader reads a reply and what the reply may rest on, so "four hundred dollars" is found in `"price_usd": 400`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from functools import lru_cache
from itertools import combinations
from types import MappingProxyType
from typing import Final

from text_to_num import alpha2digit

ReadValues = Callable[[str], frozenset[str]]
"""Reads the values of one kind in a text; their spelling is the kind's own, and is shown to a model that has erred."""

_AMOUNT = r"\d[\d,]*(?:\.\d+)?"
_MONEY: Final = re.compile(
    rf"(?P<sign>[$£€])\s?(?P<before>{_AMOUNT})|\b(?P<after>{_AMOUNT}) ?(?:us )?"
    rf"(?P<word>dollars?|usd|bucks|euros?|eur)\b|"
    rf'\b\w*_usd":\s?-?(?P<field>{_AMOUNT})',
    re.IGNORECASE,
)

_UNITS: Final[Mapping[str, tuple[str, float]]] = MappingProxyType(
    {
        "%": ("%", 1), "percent": ("%", 1),
        "lb": ("lb", 1), "pound": ("lb", 1), "kg": ("kg", 1), "kilo": ("kg", 1), "kilogram": ("kg", 1),
        "ounce": ("oz", 1), "oz": ("oz", 1), "ml": ("ml", 1), "liter": ("l", 1), "litre": ("l", 1),
        "inch": ("in", 1), "inche": ("in", 1), "cm": ("cm", 1), "mile": ("mile", 1), "wh": ("wh", 1), "gb": ("gb", 1),
        "minute": ("minutes", 1), "min": ("minutes", 1), "hour": ("minutes", 60), "hr": ("minutes", 60),
        "day": ("minutes", 1_440), "night": ("minutes", 1_440), "week": ("minutes", 10_080),
        "month": ("months", 1), "year": ("months", 12),
    }
)  # fmt: skip
"""What each unit is counted in, so that "two days" is found in "48 hours"."""

_FIGURE: Final = re.compile(
    rf"(?<![\w.$£€])(?P<numbers>{_AMOUNT}(?:(?: ?(?:x|×|to|and|or|by|through|[-–]) ?){_AMOUNT})*)[ -]?"
    r"(?:(?:working|business|full|us|extra|bonus|free|linear|more) )?"
    r"(?P<unit>%|percent|lbs?|pounds?|kgs?|kilos?|kilograms?|ounces?|oz|ml|lit(?:er|re)s?|inch(?:es)?|cm|miles?|wh|gb|"
    r"minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|months?|years?)(?![A-Za-z])",
    re.IGNORECASE,
)
_WITHIN_ONE: Final = re.compile(
    r"\b(?:within|in|under|after|for|by|every) (?:the (?:next )?|an? |(?=half))(?P<half>half )?(?:an? )?"
    r"(?P<unit>minute|hour|day|week|month|year)\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(_AMOUNT)

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DATES: Final = (
    re.compile(r"\b\d{4}-(?P<number>\d{2})-(?P<day>\d{2})\b"),
    re.compile(rf"\b{_MONTH} (?-i:the )?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)", re.IGNORECASE),
    re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}", re.IGNORECASE),
)
_TIME: Final = re.compile(
    r"\b(?P<hour>2[0-3]|[01]?\d)(?::(?P<minute>[0-5]\d)(?::[0-5]\d)?(?!\d))?(?: ?(?P<half>[ap])\.?m\b\.?)?(?![\d:])"
    r"|\b(?P<word>noon|midnight)\b",
    re.IGNORECASE,
)
_TIME_OF_DAY: Final = re.compile(r"\b\d{1,2}(?::\d{2}(?: ?[ap]\.?m\b)?| ?[ap]\.?m\b)", re.IGNORECASE)
_NOON: Final = 12

_BARE_NUMBER: Final = re.compile(
    r"(?<![\w$£€.,:/#+()-])(?:[1-9]\d{1,2}(?:,\d{3})+|[1-9],\d{3}|[1-9]\d{1,5})(?:\.\d+)?"
    r"(?![\w%/:)]|-\w|[.,]\d| ?[x×] ?\d)"
)

_DAY: Final = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\btomorrow\b|\btonight\b|\bthis (?:afternoon|evening)\b|"
    r"\bnext week\b",
    re.IGNORECASE,
)
_ISO_DATE: Final = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_TODAY: Final = re.compile(r'"today": "(\d{4}-\d{2}-\d{2})"')

_LINK: Final = re.compile(
    r"\bhttps?://(?P<site>[^\s/)>\]]+)|(?<![@\w.-])(?P<bare>(?:[a-z0-9-]+\.)+(?:com|net|org|info|io|co|aero|app|biz|example|"
    r"travel|shop|us|uk|eu|gov))\b(?!@)",
    re.IGNORECASE,
)
_POSTAL: Final = re.compile(
    r"\b\d{1,5} (?:[A-Z][a-z]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Parade|Lane|Drive|Way|Square|"
    r"Plaza)\b"
)
_HANDLE: Final = re.compile(r"(?<![\w.])@[A-Za-z][\w-]{2,}")


@lru_cache(maxsize=512)  # tools' answers are read again in each turn of a conversation
def with_digits(text: str) -> str:
    """Write numbers in words as digits: "four hundred" becomes "400", "the fourth" becomes "the 4th"."""
    return str(alpha2digit(text, "en", threshold=0)) if text else text


def read_money(text: str) -> frozenset[str]:
    """Read sums: `$400`, `$8.50`; another currency than the dollar keeps its sign."""
    found = set()
    for match in _MONEY.finditer(with_digits(text)):
        amount = match["before"] or match["after"] or match["field"]
        is_euro = (match["word"] or "").lower().startswith("eur")
        sign = "€" if is_euro else match["sign"] or "$"
        found.add(f"{sign}{_bare(amount)}")
    return frozenset(found)


def follows_from(value: str, known: Iterable[str]) -> bool:
    """Check whether a sum in dollars is the sum or the difference of two known ones."""
    if not value.startswith("$"):
        return False
    sums = {float(one[1:]) for one in known if one.startswith("$")} - {0.0}
    wanted = float(value[1:])
    return any(wanted in {one + other, abs(one - other)} for one, other in combinations(sums, 2))


def read_figures(text: str) -> frozenset[str]:
    """Read numbers that have a unit: `50 lb`, `2880 minutes`; "5 to 7 days" are two of them."""
    written = with_digits(text)
    found = set()
    for match in _FIGURE.finditer(written):
        unit, times = _unit_of(match["unit"])
        found |= {f"{_bare(str(float(_bare(one)) * times))} {unit}" for one in _NUMBER.findall(match["numbers"])}
    for match in _WITHIN_ONE.finditer(written):
        unit, times = _unit_of(match["unit"])
        found.add(f"{_bare(str(times / (2 if match['half'] else 1)))} {unit}")
    return frozenset(found)


def read_dates(text: str) -> frozenset[str]:
    """Read days of the year, as `12-04`; a year is not part of it."""
    written = with_digits(text)
    return frozenset(
        f"{_month_of(match):02}-{int(match['day']):02}" for pattern in _DATES for match in pattern.finditer(written)
    )


def read_times(text: str) -> frozenset[str]:
    """Read times of day, as `16:15`."""
    found = set()
    for match in _TIME.finditer(with_digits(text)):
        if match["word"]:
            found.add("12:00" if match["word"].lower() == "noon" else "00:00")
        elif match["minute"] or match["half"]:
            hour = int(match["hour"])
            if match["half"]:
                hour = hour % _NOON + (_NOON if match["half"].lower() == "p" else 0)
            found.add(f"{hour:02}:{match['minute'] or '00'}")
    return frozenset(found)


def read_bare_numbers(text: str) -> frozenset[str]:
    """Read numbers from 10 up that are no sum, figure, date or time, nor part of a code or telephone number."""
    rest = with_digits(text)
    for pattern in (_MONEY, _FIGURE, *_DATES, _TIME_OF_DAY):
        rest = pattern.sub(" ", rest)
    return frozenset(_bare(found) for found in _BARE_NUMBER.findall(rest))


def read_all_numbers(text: str) -> frozenset[str]:
    """Read every number of a text, whatever it counts or is part of."""
    return frozenset(_bare(found) for found in _NUMBER.findall(with_digits(text)))


def read_days(text: str) -> frozenset[str]:
    """Read weekdays and days told from today: those written, and those that dates in full stand for."""
    found = {match[0].lower() for match in _DAY.finditer(text)}
    today = _TODAY.search(text)
    for written in _ISO_DATE.findall(text):
        with suppress(ValueError):
            day = date.fromisoformat(written)
            found.add(f"{day:%A}".lower())
            if today is not None and day - date.fromisoformat(today[1]) == timedelta(days=1):
                found.add("tomorrow")
    return frozenset(found)


def read_links(text: str) -> frozenset[str]:
    """Read the sites that links lead to, without `www.`."""
    sites = (match["site"] or match["bare"] for match in _LINK.finditer(text))
    return frozenset(site.lower().removeprefix("www.").rstrip(".,") for site in sites)


def read_addresses(text: str) -> frozenset[str]:
    """Read postal addresses and the handles of social networks."""
    return frozenset(match[0].lower() for pattern in (_POSTAL, _HANDLE) for match in pattern.finditer(text))


def numbers_in(text: str) -> Iterator[float]:
    """Give every number of a text, in digits or words."""
    return (float(_bare(found)) for found in _NUMBER.findall(with_digits(text)))


def _unit_of(written: str) -> tuple[str, float]:
    unit = written.lower()
    return _UNITS[unit] if unit in _UNITS else _UNITS[unit.removesuffix("s")]


def _month_of(match: re.Match[str]) -> int:
    groups = match.groupdict()
    return int(groups["number"]) if groups.get("number") else _MONTHS.index(groups["month"][:3].lower()) + 1


def _bare(number: str) -> str:
    plain = number.replace(",", "").rstrip(".")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
