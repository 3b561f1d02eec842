"""The rules of cancelling a booking, and of compensation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.airline_stand_ins import BACK, CUSTOMER, NOW, OUT, RESERVATION
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import FlightGivenUp, FlightStatus, Payment, Reservation
from worker.domains.airline.rules.cancellation import CancellationReason, refund_of_cancellation
from worker.domains.airline.rules.compensation import Complaint, asks_for_compensation, certificate_for

REASONS: tuple[CancellationReason, ...] = get_args(CancellationReason)
CHEAP = (Payment("card", 500, "fare", 1),)
CANCELLED = replace(OUT, status="cancelled")
DELAYED = replace(OUT, status="delayed")
SILVER = replace(RESERVATION, customer=replace(CUSTOMER, membership="silver"))


def changed(**changes: Any) -> Reservation:
    return replace(RESERVATION, **changes)


def code_of(refusal: object) -> str:
    assert isinstance(refusal, Refusal), refusal
    assert refusal.message
    return refusal.code


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(
    "reservation",
    [
        changed(created_at=NOW - timedelta(hours=24)),
        changed(created_at=NOW),
        changed(cabin="business"),
        changed(segments=(CANCELLED, BACK)),
        changed(segments=(OUT, replace(BACK, status="cancelled"))),
        changed(segments=(CANCELLED, BACK), cabin="basic_economy"),
    ],
    ids=["24 hours ago", "now", "business", "cancelled", "way back cancelled", "basic economy cancelled"],
)
def test_whoever_may_cancel_gets_everything_back(reservation: Reservation, reason: CancellationReason) -> None:
    assert refund_of_cancellation(reservation, reason, NOW) == 800


@pytest.mark.parametrize(
    ("reason", "refund"),
    [
        ("health", 800),
        ("weather", 800),
        ("change_of_plan", "refund_needs_person"),
        ("other", "refund_needs_person"),
        ("airline_cancelled", "refund_needs_person"),
    ],
)
def test_insurance_covers_health_and_weather_only(reason: CancellationReason, refund: object) -> None:
    given_back = refund_of_cancellation(changed(insured=True), reason, NOW)

    assert (given_back.code if isinstance(given_back, Refusal) else given_back) == refund


@pytest.mark.parametrize("reason", REASONS)
def test_without_any_of_the_conditions_nothing_is_cancelled(reason: CancellationReason) -> None:
    assert code_of(refund_of_cancellation(changed(payments=CHEAP), reason, NOW)) == "cancellation_not_allowed"


def test_the_24_hours_end_to_the_second_in_every_time_zone() -> None:
    reservation = changed(created_at=NOW - timedelta(hours=24), payments=CHEAP)

    for offset_hours in (-11, -5, 0, 14):
        local = NOW.astimezone(timezone(timedelta(hours=offset_hours)))
        assert refund_of_cancellation(reservation, "change_of_plan", local) == 500
        late = refund_of_cancellation(reservation, "change_of_plan", local + timedelta(seconds=1))
        assert code_of(late) == "cancellation_not_allowed"


def test_a_customers_word_that_the_airline_cancelled_is_not_enough() -> None:
    refusal = refund_of_cancellation(changed(payments=CHEAP), "airline_cancelled", NOW)

    assert code_of(refusal) == "cancellation_not_allowed"
    assert "not cancelled any flight" in getattr(refusal, "message", "")


@pytest.mark.parametrize(("paid_usd", "code"), [(500, "cancellation_not_allowed"), (501, "refund_needs_person")])
def test_a_dispute_about_more_than_500_dollars_is_offered_to_a_person(paid_usd: int, code: str) -> None:
    refusal = refund_of_cancellation(changed(payments=(Payment("card", paid_usd, "fare", 1),)), "other", NOW)

    assert code_of(refusal) == code
    assert ("Shall I pass this on to a colleague?" in getattr(refusal, "message", "")) == (paid_usd > 500)


@pytest.mark.parametrize(
    ("reservation", "code"),
    [
        (changed(status="cancelled", cabin="business"), "reservation_cancelled"),
        (changed(segments=(replace(OUT, status="landed"), BACK), cabin="business"), "already_flown"),
        (changed(segments=(replace(OUT, status="flying"), BACK), cabin="business"), "already_flown"),
        (changed(segments=(replace(OUT, status="landed"), replace(BACK, status="cancelled"))), "already_flown"),
    ],
)
def test_a_trip_begun_or_cancelled_is_not_cancelled(reservation: Reservation, code: str) -> None:
    assert code_of(refund_of_cancellation(reservation, "other", NOW)) == code


def test_a_trip_has_begun_when_its_first_flight_departs() -> None:
    business = changed(cabin="business")

    assert refund_of_cancellation(business, "other", OUT.departs_at - timedelta(seconds=1)) == 750
    assert code_of(refund_of_cancellation(business, "other", OUT.departs_at)) == "already_flown"


@pytest.mark.parametrize(
    ("hours_before", "segments", "refund_usd"),
    [(24, (OUT, BACK), 800), (23, (OUT, BACK), 750), (23, (DELAYED, BACK), 800), (23, (CANCELLED, BACK), 800)],
)
def test_in_the_last_24_hours_the_fee_is_kept_unless_the_airline_is_to_blame(
    hours_before: int, segments: Any, refund_usd: int
) -> None:
    now = OUT.departs_at - timedelta(hours=hours_before)

    assert refund_of_cancellation(changed(cabin="business", segments=segments), "other", now) == refund_usd


@given(st.lists(st.integers(-200, 900), max_size=5), st.sampled_from(REASONS), st.integers(0, 400))
def test_a_refund_is_never_negative_and_never_more_than_was_paid(
    amounts: list[int], reason: CancellationReason, hours: int
) -> None:
    booked_at = NOW - timedelta(hours=300)
    payments = tuple(Payment("card", amount, "fare", 1) for amount in amounts)
    reservation = changed(payments=payments, insured=True, created_at=booked_at)

    refund = refund_of_cancellation(reservation, reason, booked_at + timedelta(hours=hours))

    assert isinstance(refund, Refusal) or 0 <= refund <= max(0, sum(amounts))


@pytest.mark.parametrize(
    ("complaint", "segments", "certificate_usd"),
    [("cancelled_flight", (CANCELLED, BACK), 200), ("delayed_flight", (DELAYED, BACK), 100)],
)
@pytest.mark.parametrize(
    "entitled",
    [
        {"customer": replace(CUSTOMER, membership="silver")},
        {"customer": replace(CUSTOMER, membership="gold")},
        {"insured": True},
        {"cabin": "business"},
    ],
    ids=["silver", "gold", "insured", "business"],
)
def test_a_certificate_is_given_for_each_passenger(
    entitled: dict[str, Any], complaint: Complaint, segments: Any, certificate_usd: int
) -> None:
    reservation = changed(segments=segments, changed_at=NOW, **entitled)

    assert certificate_for(reservation, complaint, asked=True) == certificate_usd


@pytest.mark.parametrize(
    ("reservation", "complaint", "code"),
    [
        (changed(segments=(CANCELLED, BACK)), "cancelled_flight", "not_eligible"),
        (replace(SILVER, segments=(DELAYED, BACK)), "cancelled_flight", "no_such_disruption"),
        (replace(SILVER, segments=(CANCELLED, BACK), changed_at=NOW), "delayed_flight", "no_such_disruption"),
        (replace(SILVER, segments=(DELAYED, BACK)), "delayed_flight", "change_or_cancel_first"),
        (replace(SILVER, segments=(CANCELLED, BACK), certificates_usd=200), "cancelled_flight", "already_compensated"),
    ],
)
def test_compensation_that_is_not_due_is_refused(reservation: Reservation, complaint: Complaint, code: str) -> None:
    assert code_of(certificate_for(reservation, complaint, asked=True)) == code


def test_a_delay_is_compensated_after_a_cancellation_as_well() -> None:
    assert (
        certificate_for(replace(SILVER, segments=(DELAYED,), status="cancelled"), "delayed_flight", asked=True) == 100
    )


@pytest.mark.parametrize(
    ("status", "complaint", "certificate_usd"),
    [("delayed", "delayed_flight", 100), ("cancelled", "cancelled_flight", 200)],
)
def test_a_disrupted_flight_that_the_booking_was_changed_away_from_counts(
    status: FlightStatus, complaint: Complaint, certificate_usd: int
) -> None:
    left = FlightGivenUp(OUT.flight_number, OUT.flight_date, status)
    reservation = replace(SILVER, segments=(BACK,), changed_at=NOW, given_up=(left,))

    assert certificate_for(reservation, complaint, asked=True) == certificate_usd


def test_nothing_is_given_to_who_does_not_ask() -> None:
    refusal = certificate_for(replace(SILVER, segments=(CANCELLED, BACK)), "cancelled_flight", asked=False)

    assert code_of(refusal) == "not_asked"
    assert not getattr(refusal, "counts", True)


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("What compensation can I expect?", True),
        ("I'd like to be compensated for this", True),
        ("can I get a voucher", True),
        ("how will you make it up to me?", True),
        ("my flight was cancelled, put me on another", False),
        ("I want my money back", False),
        ("yes", False),
    ],
)
def test_asking_for_compensation_is_recognised(text: str, *, asks: bool) -> None:
    assert asks_for_compensation(text) is asks
