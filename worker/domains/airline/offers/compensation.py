"""Offer a certificate for a disrupted trip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import Offer
from worker.domains.airline.rules.compensation import certificate_for

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Request
    from worker.domains.airline.records.booking import Booking


async def offer_compensation(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer what is due for the `complaint`, if the customer has asked for something."""
    complaint = request["complaint"]
    worth_usd = certificate_for(booking.reservation, complaint, asked=turn.airline.compensation_asked)
    if isinstance(worth_usd, Refusal):
        return worth_usd
    why = "the cancelled flight" if complaint == "cancelled_flight" else "the delayed flight"
    customer = booking.reservation.customer
    return Offer(
        summary=f"Give {customer.given_name} {customer.surname} a certificate of ${worth_usd} for {why}",
        done=f"A certificate of ${worth_usd} for {why} is now among your ways to pay.",
        price_usd=0,
        query="issue_certificate",
        change={"amount_usd": worth_usd, "reason": complaint},
        request=request,
        new_terms=frozenset({"certificate"}),
        shown={"certificate_usd": worth_usd},
    )
