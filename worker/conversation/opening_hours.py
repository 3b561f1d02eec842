"""Count time in the hours in which people answer."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from schema.tenants import EscalationHours

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_MAX: Final = 366
"""How far ahead to look: a span that is not over by then is counted around the clock."""


def add_open_time(start: datetime, span: timedelta, hours: EscalationHours) -> datetime:
    """Return when a span of open time that begins at `start` is over, in UTC; without hours time counts always.

    Days are those of the hours' time zone; an hour that a clock change skips or repeats is counted as it passes.
    """
    start = start.astimezone(UTC)
    if not hours.hours:
        return start + span
    zone = ZoneInfo(hours.time_zone)
    first = start.astimezone(zone).date() - timedelta(days=1)
    counted_to, left = start, span
    for ahead in range(DAYS_MAX + 1):
        for opens, closes in _openings(first + timedelta(days=ahead), hours, zone):
            begins = max(opens, counted_to)
            if begins >= closes:
                continue
            if closes - begins >= left:
                return begins + left
            left -= closes - begins
            counted_to = closes
    return start + span


def _openings(day: date, hours: EscalationHours, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield when it opens and closes on a day, in order, in UTC."""
    today = [one for one in hours.hours if _DAYS[day.weekday()] in one.days]
    for one in sorted(today, key=lambda one: one.opens):
        last = day + timedelta(days=1) if one.closes == time(0) else day
        opens, closes = datetime.combine(day, one.opens, zone), datetime.combine(last, one.closes, zone)
        yield opens.astimezone(UTC), closes.astimezone(UTC)
