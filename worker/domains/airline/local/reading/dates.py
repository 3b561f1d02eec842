"""Read the day that a customer means: "May 24", "24.5.", "next Friday", "tomorrow", "a day earlier"."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, timedelta

from worker.domains.airline.rules.calendar_words import MONTH_PATTERN, MONTHS, NUMBERS, ORDINALS, WEEKDAYS

_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b"
_YEAR = r"(?:,? ?(?P<year>20\d\d))?"
_ISO = re.compile(r"\b(?P<year>20\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b")
_NAMED = (
    re.compile(rf"\b{MONTH_PATTERN} (?:the )?{_DAY}{_YEAR}"),
    re.compile(rf"\b{_DAY} (?:of )?{MONTH_PATTERN}{_YEAR}"),
)
_SLASHED = re.compile(r"(?<![\d/])(?P<month>1[0-2]|0?[1-9])/(?P<day>[0-3]?\d)(?:/(?P<year>20\d\d|\d\d))?(?![\d/])")
_DAY_FIRST = re.compile(
    r"(?<![\d/])(?P<day>1[3-9]|2\d|3[01])/(?P<month>1[0-2]|0?[1-9])(?:/(?P<year>20\d\d|\d\d))?(?![\d/])"
)
_DOTTED = re.compile(r"(?<![\d.:$])(?P<day>[0-3]?\d)\. ?(?P<month>1[0-2]|0?[1-9])\.(?: ?(?P<year>20\d\d))?(?![\d])")
_OF_MONTH = re.compile(r"\b(?:the|on|to) (?P<day>[0-3]?\d)(?:st|nd|rd|th)\b")
_WEEKDAY = re.compile(
    r"\b(?:(?P<after>next|following) )?(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|"
    r"thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b"
)
_TODAY = re.compile(r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b")
_DAY_WORDS = (
    rf"(?:(?:next |this |coming |the |my )*(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b|"
    r"today|tonight|tomorrow|(?:the )?\d{1,2}(?:st|nd|rd|th)\b|"
    rf"{MONTH_PATTERN.replace('?P<month>', '?:')} \d{{1,2}}(?:st|nd|rd|th)?\b)"
)
_NOT_THAT_DAY = re.compile(
    rf"\b(?:instead of|rather than|and not|not|isn't|can(?:'?t|not) (?:make it|make|fly|travel|go|come)|"
    rf"from(?= .{{0,25}}\bto\b))(?: on| for)? {_DAY_WORDS}"
)
"""A day that is named to say that it is not meant: "Sunday instead of Friday", "from Friday to Sunday"."""
_AFTER_TOMORROW = re.compile(r"\b(?:the )?day after tomorrow\b|\bovermorrow\b")
_TOMORROW = re.compile(r"\b(?:tomorrow|tmrw|tmr)\b")
_IN_DAYS = re.compile(r"\bin (?P<count>a|an|one|two|three|four|five|six|seven|\d{1,2}) (?P<unit>day|week)s?\b")
_APART = re.compile(
    r"\b(?P<count>a|an|one|two|three|four|five|\d{1,2}) (?P<unit>day|week)s? "
    r"(?P<way>earlier|sooner|before|later|after)\b"
)
_PUSHED = re.compile(
    r"\b(?:push|move|put|shift|delay|postpone)\w*\b.{0,25}\b(?:back|out|by|for) (?:by )?"
    r"(?P<count>a|an|one|two|three|four|five|24|48|\d{1,2}) (?P<unit>day|week|hour)s?\b(?! (?:earlier|sooner|forward))"
)
_DAY_AFTER = re.compile(r"\b(?:next|following) day\b|\bthe day after\b")
_DAY_BEFORE = re.compile(r"\b(?:previous day|(?:the )?day before)\b")
_SAME_DAY = re.compile(r"\bsame day\b|\bthat day\b")
_COUNTS = {"a": 1, "an": 1} | NUMBERS
_WEEK = 7
_DAY_HOURS = 24
_AT_HAND_DAYS_MAX = 4


_BESIDE_MONTH = MONTH_PATTERN.replace("?P<month>", "?:")
_IN_WORDS = re.compile(
    rf"\b(?P<ordinal>{'|'.join(one.replace('-', '[- ]') for one in reversed(ORDINALS))})\b(?= (?:of )?{_BESIDE_MONTH})|"
    rf"\b{_BESIDE_MONTH} (?:the )?(?P<after>{'|'.join(one.replace('-', '[- ]') for one in reversed(ORDINALS))})\b"
)


def _with_figures(said: str) -> str:
    """Write a day that stands in words beside its month in figures: "the fifth of december"."""

    def write(match: re.Match[str]) -> str:
        ordinal = match["ordinal"] or match["after"]
        return match[0].replace(ordinal, f"{ORDINALS.index(ordinal.replace(' ', '-')) + 1}th")

    return _IN_WORDS.sub(write, said)


def find_day(text: str, today: date, booked: date | None = None, near: date | None = None) -> date | None:
    """Return the last day named; one without a year is the next such day, and "a day earlier" counts from `booked`.

    A weekday is the one nearest to `near`, the day that was just spoken of, where one is given. None when no day is
    named, or one that does not exist.
    """
    said = _NOT_THAT_DAY.sub(" ", _with_figures(" ".join(text.lower().replace("\u2019", "'").split())))
    after_tomorrow = _AFTER_TOMORROW.search(said)
    if after_tomorrow is not None:
        return today + timedelta(days=2)
    if booked is not None:
        moved = _moved_from(said, booked)
        if moved is not None:
            return moved
    found = [
        day
        for pattern in (_ISO, *_NAMED, _DOTTED, _SLASHED, _DAY_FIRST)
        for match in pattern.finditer(said)
        if (day := _day_of(match, today))
    ]
    if found:
        return found[-1]
    return _relative(said, today, near) or _of_month(said, booked or today, today)


def _moved_from(said: str, booked: date) -> date | None:
    pushed = _PUSHED.search(said)
    if pushed is not None and not _APART.search(said):
        return booked + timedelta(_days(pushed))
    apart = _APART.search(said)
    if apart is not None:
        days = _days(apart)
        return booked - timedelta(days) if apart["way"] in {"earlier", "sooner", "before"} else booked + timedelta(days)
    if any(pattern.search(said) for pattern in (_ISO, *_NAMED)):
        return None  # "the next day, May 24": the date is surer
    if _DAY_AFTER.search(said):
        return booked + timedelta(days=1)
    if _DAY_BEFORE.search(said):
        return booked - timedelta(days=1)
    return booked if _SAME_DAY.search(said) else None


def _relative(said: str, today: date, near: date | None) -> date | None:
    if _TOMORROW.search(said):
        return today + timedelta(days=1)
    if _TODAY.search(said):
        return today
    in_days = _IN_DAYS.search(said)
    if in_days is not None:
        return today + timedelta(_days(in_days))
    weekdays = list(_WEEKDAY.finditer(said))
    if not weekdays:
        return None
    wanted = [day[:3] for day in WEEKDAYS].index(weekdays[-1]["weekday"][:3])
    if near is not None and not weekdays[-1]["after"]:
        nearest = near + timedelta((wanted - near.weekday() + _WEEK // 2) % _WEEK - _WEEK // 2)
        if nearest > today:
            return nearest
    ahead = (wanted - today.weekday()) % _WEEK or _WEEK
    # "Next Friday", said on a Wednesday, is for most the one after the one at hand; said on a Saturday, the next.
    of_next_week = weekdays[-1]["after"] and ahead <= _AT_HAND_DAYS_MAX
    return today + timedelta(ahead + (_WEEK if of_next_week else 0))


def _of_month(said: str, near: date, today: date) -> date | None:
    found = _OF_MONTH.findall(said)
    if not found:
        return None
    with suppress(ValueError):
        day = near.replace(day=int(found[-1]))
        return day if day >= today else _next_month(day)
    return None


def _next_month(day: date) -> date | None:
    with suppress(ValueError):
        return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1)
    return None


def _days(match: re.Match[str]) -> int:
    count = _COUNTS.get(match["count"]) or int(match["count"])
    if match["unit"] == "hour":
        return count // _DAY_HOURS
    return count * (_WEEK if match["unit"] == "week" else 1)


def _day_of(match: re.Match[str], today: date) -> date | None:
    month = match["month"]
    number = int(month) if month.isdigit() else MONTHS.index(month[:3]) + 1
    year = match["year"]
    with suppress(ValueError):
        if year:
            return date(int(year) if int(year) > 2_000 else 2_000 + int(year), number, int(match["day"]))  # noqa: PLR2004
        day = date(today.year, number, int(match["day"]))
        return day if day >= today else day.replace(year=today.year + 1)
    return None
