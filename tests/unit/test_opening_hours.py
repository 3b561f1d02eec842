from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.tenants import EscalationHours, OpeningHours, Weekday, check_tenant_settings
from worker.conversation.opening_hours import add_open_time

OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}
DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def hours_of(*hours: dict[str, Any], zone: str = "UTC") -> EscalationHours:
    return check_tenant_settings({"escalation_hours": {"time_zone": zone, "hours": list(hours)}}).escalation_hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("hours", "start", "minutes", "over"),
    [
        (hours_of(), "2026-11-29T03:00Z", 60, "2026-11-29T04:00Z"),
        (hours_of(OFFICE), "2026-11-30T10:00Z", 60, "2026-11-30T11:00Z"),  # a Monday
        (hours_of(OFFICE), "2026-11-30T08:59Z", 60, "2026-11-30T10:00Z"),
        (hours_of(OFFICE), "2026-11-30T16:00Z", 60, "2026-11-30T17:00Z"),
        (hours_of(OFFICE), "2026-11-30T16:30Z", 60, "2026-12-01T09:30Z"),
        (hours_of(OFFICE), "2026-11-27T16:30Z", 60, "2026-11-30T09:30Z"),  # over a weekend
        (hours_of(OFFICE), "2026-11-28T12:00Z", 60, "2026-11-30T10:00Z"),
        (hours_of(OFFICE, zone="America/New_York"), "2026-11-30T12:00Z", 60, "2026-11-30T15:00Z"),
        (hours_of(OFFICE, zone="Pacific/Auckland"), "2026-11-29T19:00Z", 60, "2026-11-29T21:00Z"),
        (hours_of(OFFICE), "2026-11-30T09:00Z", 20 * 60, "2026-12-02T13:00Z"),
        (
            hours_of({"days": ["mon"], "opens": "20:00", "closes": "00:00"}),
            "2026-11-30T23:30Z",
            60,
            "2026-12-07T20:30Z",
        ),
        (
            hours_of({"days": list(DAYS), "opens": "00:00", "closes": "00:00"}),
            "2026-11-30T23:30Z",
            60,
            "2026-12-01T00:30Z",
        ),
        (  # hours that overlap count once, in whatever order they are given
            hours_of({**OFFICE, "opens": "12:00", "closes": "20:00"}, OFFICE),
            "2026-11-30T16:00Z",
            120,
            "2026-11-30T18:00Z",
        ),
        (  # the clock goes back at 03:00: that night is an hour longer
            hours_of({"days": ["sun"], "opens": "01:00", "closes": "05:00"}, zone="Europe/Berlin"),
            "2026-10-24T12:00Z",
            300,
            "2026-10-25T04:00Z",
        ),
    ],
)
def test_time_counts_while_people_answer(hours: EscalationHours, start: str, minutes: int, over: str) -> None:
    assert add_open_time(at(start), timedelta(minutes=minutes), hours) == at(over)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds it
    st.integers(1, 3_000),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 22),
    st.sampled_from(["UTC", "Europe/Oslo", "Asia/Kolkata", "America/New_York"]),
)
def test_it_is_over_no_sooner_than_around_the_clock_and_never_at_a_closed_time(
    start: datetime, minutes: int, days: set[Weekday], opens: int, zone: str
) -> None:
    one = OpeningHours(days=tuple(days), opens=time(opens), closes=time(opens + 1))
    span = timedelta(minutes=minutes)

    over = add_open_time(start, span, EscalationHours(time_zone=zone, hours=(one,)))

    local = (over - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    assert over >= start + span
    assert DAYS[local.weekday()] in days
    assert local.hour == opens
