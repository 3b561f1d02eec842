"""Decide about cancelling a whole booking, and what is paid back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.flight_changes import fee_of_change, waived_fee
from worker.domains.airline.rules.flights import check_booked, check_none_flown

if TYPE_CHECKING:
    from datetime import datetime

    from worker.domains.airline.records.backend import Reservation

CancellationReason = Literal["change_of_plan", "airline_cancelled", "health", "weather", "other"]

FREE_AFTER_BOOKING = timedelta(hours=24)
DISPUTE_USD = 500
"""A refund of more than this, once refused, is for a person to discuss."""

_INSURED_REASONS = frozenset({"health", "weather"})


def paid_for(reservation: Reservation) -> int:
    """Return what has been paid for a booking, less what was paid back."""
    return sum(payment.amount_usd for payment in reservation.payments)


def refund_of_cancellation(reservation: Reservation, reason: CancellationReason, now: datetime) -> int | Refusal:
    """Return what is paid back when a booking is cancelled now for this reason, or say why it cannot be.

    That the airline cancelled a flight is read off the flights; a customer's word for it is not needed and not enough.
    """
    refusal = check_booked(reservation) or check_none_flown(reservation, now, "a cancellation")
    if refusal:
        return refusal
    paid_usd = paid_for(reservation)
    if any(segment.status == "cancelled" for segment in reservation.segments):
        return max(0, paid_usd)
    if not (
        now - reservation.created_at <= FREE_AFTER_BOOKING
        or reservation.cabin == "business"
        or (reservation.insured and reason in _INSURED_REASONS)
    ):
        return _refuse(reservation, reason, paid_usd)
    return max(0, paid_usd - fee_of_change(reservation.segments, now))


def waived_of_cancellation(reservation: Reservation, now: datetime) -> int:
    """Return what of the fee falls away when a booking is cancelled: all where we cancelled one of its flights."""
    waived_usd = waived_fee(reservation.segments, now)
    is_cancelled = any(segment.status == "cancelled" for segment in reservation.segments)
    return waived_usd + fee_of_change(reservation.segments, now) if is_cancelled else waived_usd


def _refuse(reservation: Reservation, reason: CancellationReason, paid_usd: int) -> Refusal:
    if reason == "airline_cancelled":
        why = "We have not cancelled any flight of this booking"
    elif reservation.insured:
        why = "The insurance of this booking covers cancelling for health or weather, and for no other reason"
    else:
        why = (
            "A booking can be cancelled with a refund within 24 hours of booking, in business class, when we cancelled "
            "a flight, or with insurance for health or weather, and none of these is the case here"
        )
    if paid_usd > DISPUTE_USD:
        return Refusal(
            "refund_needs_person",
            f"{why}. As more than ${DISPUTE_USD} is concerned, a colleague decides if you disagree. Shall I pass this "
            "on to a colleague?",
        )
    return Refusal("cancellation_not_allowed", f"{why}.")
