"""Begin a returning customer's conversation with what their earlier ones settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.conversation.context import TurnContext
    from worker.conversation.domain import EarlierConversation

TICKETS_MAX = 3


def recall(turn: TurnContext, earlier: Sequence[EarlierConversation]) -> None:
    """Note name, booking, seat preference and open tickets of earlier conversations, newest first, each with its date.

    Only of those in which the gateway vouched for the sender with every message, as it does for this one: what
    somebody wrote under a forged address tells nothing. A booking proved there is proved here, for the same sender and
    under the name that proved it.
    """
    vouched = [one for one in earlier if one.context.vouched_for]
    for one in vouched:
        _note_booking(turn, one)
    for one in vouched:
        _note_person(turn, one)
    tickets = [f"{ticket} of {opened:%Y-%m-%d}" for one in vouched for ticket, opened in one.tickets]
    if tickets:
        turn.airline.facts = {**turn.airline.facts, "open_tickets": ", ".join(tickets[:TICKETS_MAX])}


def _note_booking(turn: TurnContext, one: EarlierConversation) -> None:
    airline, then = turn.airline, one.context
    number = one.vault.get(then.verified_confirmation_number or "")
    if airline.confirmation_number is not None or number is None or not then.verified or not then.passenger_name:
        return
    placeholder = turn.vault.keep("CONFIRMATION_NUMBER", number)
    airline.confirmation_number = airline.verified_confirmation_number = placeholder
    airline.passenger_name = then.passenger_name
    airline.verified = True
    airline.verified_sender_key = turn.sender_key
    told = {"booking": f"{placeholder}, proved on {one.heard_at:%Y-%m-%d}"}
    airline.facts = {**airline.facts, **told}


def _note_person(turn: TurnContext, one: EarlierConversation) -> None:
    airline, then, on = turn.airline, one.context, f"{one.heard_at:%Y-%m-%d}"
    if airline.passenger_name is None and then.passenger_name:
        airline.passenger_name = then.passenger_name
        airline.facts = {**airline.facts, "name": f"{then.passenger_name}, on {on}"}
    if airline.seat_preference is None and then.seat_preference:
        airline.seat_preference = then.seat_preference
        airline.facts = {**airline.facts, "seat_preference": f"{then.seat_preference}, on {on}"}
