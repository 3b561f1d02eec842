"""Take up a change that a person has approved: it is worked out anew, and made if it is the same to the dollar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.domain import TakenUp
from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.kinds import PROPOSE
from worker.domains.airline.tools.access import OTHER_BOOKING, open_verified
from worker.domains.airline.tools.quoting import open_quote, relied_on, stage

if TYPE_CHECKING:
    from worker.conversation.context import PendingApproval, TurnContext


async def take_up(turn: TurnContext, pending: PendingApproval) -> TakenUp:
    """Stage an approved change when nothing that it relied on has changed; else offer what is possible now."""
    if pending.kind not in PROPOSE:  # of a newer release
        return TakenUp("changed", OTHER_BOOKING.message)
    booking = await open_verified(turn, pending.request.get("flight_number") or "")
    if isinstance(booking, Refusal):
        return TakenUp("changed", f"Your request was approved, but I cannot make the change: {booking.message}")
    if pending.relied_on["reservation_id"] != booking.reservation.reservation_id:
        return TakenUp("changed", OTHER_BOOKING.message)
    offer = await PROPOSE[pending.kind](turn, booking, pending.request)
    if isinstance(offer, Refusal):
        return TakenUp("changed", f"Your request was approved, but it is no longer possible. {offer.message}")
    if relied_on(booking, offer) == pending.relied_on:
        stage(turn, pending.approval_id, pending.kind, booking, offer)
        return TakenUp("applied", f"Your request was approved. {offer.done}")
    open_quote(turn, pending.kind, booking, offer)
    return TakenUp(
        "changed",
        f"Your request was approved, but something has changed since. The offer now is: {offer.summary}. "
        "Shall I go ahead?",
    )
