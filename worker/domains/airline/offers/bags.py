"""Offer more checked bags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.offer import Offer, settle
from worker.domains.airline.rules.bags import check_bags, price_of_bags
from worker.domains.airline.rules.terms import terms_of

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Request
    from worker.domains.airline.records.booking import Booking


async def offer_bags(turn: TurnContext, booking: Booking, request: Request) -> Offer | Refusal:
    """Offer `additional_bags` on top of those booked, paid with `payment_method` if one is named."""
    reservation = booking.reservation
    additional: int = request["additional_bags"]
    refusal = check_bags(reservation, additional, turn.now)
    if refusal:
        return refusal
    price = settle(reservation, request.get("payment_method"), price_of_bags(reservation, additional))
    if isinstance(price, Refusal):
        return price
    total = reservation.checked_bags + additional
    bags = f"{additional} checked bag{'' if additional == 1 else 's'}"
    booked = "the booking"
    if sum(name.startswith("[CONFIRMATION_NUMBER_") for name in turn.vault.entries) > 1:  # so it must be said which
        first = reservation.segments[0]
        booked = f"the booking of {first.flight_number} on {first.flight_date.isoformat()}"
    return Offer(
        summary=f"Add {bags} to {booked}, {total} in all, {price.words}",
        done=f"T{booked[1:]} now has {total} checked bag{'' if total == 1 else 's'}, {additional} more {price.words}.",
        price_usd=price.usd,
        query="add_bags",
        change={"bags": additional, "amount_usd": price.usd, "method_number": price.method_number},
        request=request,
        new_terms=terms_of(bags),
        ledger={"bags": additional},
        shown={"checked_bags": total},
    )
