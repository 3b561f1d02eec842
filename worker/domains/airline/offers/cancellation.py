"""Offer to cancel a whole booking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import UNKNOWN_PAYMENT, Offer
from worker.domains.airline.rules.cancellation import paid_for, refund_of_cancellation, waived_of_cancellation
from worker.domains.airline.rules.payment import describe_price, methods_paid_with

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Request
    from worker.domains.airline.records.booking import Booking


async def offer_cancellation(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer to cancel for the `reason` given; what was paid goes back to where it came from."""
    reservation = booking.reservation
    refund_usd = refund_of_cancellation(reservation, request["reason"], turn.now)
    if isinstance(refund_usd, Refusal):
        return refund_usd
    if refund_usd and any(payment.method_number is None for payment in reservation.payments):
        return UNKNOWN_PAYMENT
    fee_usd = max(0, paid_for(reservation)) - refund_usd
    fee = f", after a fee of ${fee_usd}" if fee_usd else ""
    words = describe_price(-refund_usd, methods_paid_with(reservation)) if refund_usd else "without a refund"
    flights = " and ".join(f"{s.flight_number} on {s.flight_date.isoformat()}" for s in reservation.segments)
    people = " and ".join(passenger.name for passenger in reservation.passengers)
    return Offer(
        summary=f"Cancel the whole booking, {flights} for {people}, {words}{fee}",
        done=f"The booking, {flights}, is cancelled, {words}{fee}.",
        price_usd=-refund_usd,
        query="cancel_reservation",
        change={"refund_usd": refund_usd},
        request=request,
        waived_usd=waived_of_cancellation(reservation, turn.now),
        ledger={"reason": request["reason"]},
        facts={"seat_number": None},
        shown={"refund_usd": refund_usd},
    )
