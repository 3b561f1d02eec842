"""Make a quote of an offer, and take it up once the customer has said yes to it: the same way for every kind."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from worker.conversation.context import Quote
from worker.conversation.effects import Effect
from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.kinds import PROPOSE
from worker.domains.airline.rules.consent import Offered, is_a_yes, own_words
from worker.domains.airline.tools.access import OTHER_BOOKING, open_booking, remember_flight
from worker.tools.results import give, refuse

if TYPE_CHECKING:
    from agents.tool_context import ToolContext

    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Kind, Offer, Request
    from worker.domains.airline.records.booking import Booking

_NO_QUOTE = Refusal("no_such_quote", "That offer is no longer open. Shall I make a new one?", counts=False)
_NOT_YET_CONFIRMED = Refusal(
    "not_yet_confirmed", "I make this change once you have said yes to the offer. Shall I go ahead?", counts=False
)
_ONE_AT_A_TIME = Refusal(
    "one_at_a_time", "I am making one change now. Tell me after it what else I can do for you.", counts=False
)


async def quote(context: ToolContext[TurnContext], kind: Kind, request: Request) -> str:
    """Answer a tool call with a quote for what is asked for, or with why it is not possible; nothing is changed.

    One quote is open at a time: a newer one takes the place of an older.
    """
    turn = context.context
    if turn.effects:  # what the backend shows is not yet what the booking will be, so no price would hold
        return refuse(turn, _ONE_AT_A_TIME)
    booking = await open_booking(context, request.get("flight_number") or "")
    if isinstance(booking, Refusal):
        return refuse(turn, booking)
    offer = await PROPOSE[kind](turn, booking, request)
    if isinstance(offer, Refusal):
        return refuse(turn, offer)
    if kind == "seat_change":
        remember_flight(turn, booking)
    return give(turn, quote=_open_quote(turn, kind, booking, offer))


async def confirm(context: ToolContext[TurnContext], quote_id: str) -> str:
    """Take up the open quote: stage its effect when this message, later than the quote, is a yes to exactly it.

    The offer is worked out anew from what is true now. When anything that it relied on has changed, or it has expired,
    nothing is staged and a fresh quote is opened instead.
    """
    turn = context.context
    quoted = _find_quote(turn, quote_id)
    if isinstance(quoted, Refusal):
        return refuse(turn, quoted)
    booking = await _open_quoted(context, quoted)
    if isinstance(booking, Refusal):
        return refuse(turn, booking)
    offer = await PROPOSE[quoted.kind](turn, booking, quoted.details["request"])
    if isinstance(offer, Refusal):
        turn.airline.quote = None
        return refuse(turn, offer)
    said = "\n".join(own_words(message) for message in turn.messages)
    if not is_a_yes(said, Offered(quoted.details["summary"], offer.new_terms, offer.verbs)):
        return refuse(turn, _NOT_YET_CONFIRMED)
    if turn.now >= quoted.expires_at or quoted.details["relied_on"] != _relied_on(booking, offer):
        return _offer_afresh(turn, quoted.kind, booking, offer)
    return _stage(context, quoted.kind, booking, offer)


def _find_quote(turn: TurnContext, quote_id: str) -> Quote | Refusal:
    quoted = turn.airline.quote
    if quoted is None or quoted.quote_id != quote_id or not {"request", "relied_on"} <= quoted.details.keys():
        return _NO_QUOTE
    if quoted.kind not in PROPOSE:  # of a newer release
        return _NO_QUOTE
    # What was accepted before the offer was made, as after an outage, was not written in answer to it.
    answers_it = turn.position > quoted.details.get("seen_position", 0)
    return quoted if answers_it and quoted.made_in_turn < turn.airline.turn_count else _NOT_YET_CONFIRMED


async def _open_quoted(context: ToolContext[TurnContext], quoted: Quote) -> Booking | Refusal:
    booking = await open_booking(context, quoted.details["request"].get("flight_number") or "")
    if isinstance(booking, Refusal):
        return booking
    is_for_it = quoted.details["relied_on"]["reservation_id"] == booking.reservation.reservation_id
    return booking if is_for_it else OTHER_BOOKING


def _open_quote(turn: TurnContext, kind: str, booking: Booking, offer: Offer) -> dict[str, Any]:
    relied_on = _relied_on(booking, offer)
    # Made from what it offers and where, so that a turn run again offers the same id.
    identity = json.dumps([*turn.key, turn.position, kind, relied_on], sort_keys=True)
    made = Quote(
        quote_id="q_" + hashlib.sha256(identity.encode()).hexdigest()[:12],
        kind=kind,
        details={
            "summary": offer.summary,
            "request": dict(offer.request),
            "relied_on": relied_on,
            "seen_position": turn.seen_position,
        },
        price_usd=offer.price_usd,
        made_in_turn=turn.airline.turn_count,
        expires_at=turn.now + timedelta(minutes=turn.quote_minutes),
    )
    turn.airline.quote = made
    return {"quote_id": made.quote_id, "kind": kind, "summary": offer.summary, "price_usd": offer.price_usd}


def _relied_on(booking: Booking, offer: Offer) -> dict[str, Any]:
    """Give what must be the same when the quote is taken up; as JSON has it, since a quote is stored between turns."""
    return {
        "reservation_id": booking.reservation.reservation_id,
        "version": booking.reservation.version,
        "price_usd": offer.price_usd,
        "summary": offer.summary,  # names the flights with their times, the seats, the way to pay
        "change": dict(offer.change),
    }


def _offer_afresh(turn: TurnContext, kind: str, booking: Booking, offer: Offer) -> str:
    shown = _open_quote(turn, kind, booking, offer)
    refusal = Refusal(
        "quote_expired", f"That offer has expired. The offer now is: {offer.summary}. Shall I go ahead?", counts=False
    )
    return refuse(turn, refusal, quote=shown)


def _stage(context: ToolContext[TurnContext], kind: str, booking: Booking, offer: Offer) -> str:
    turn = context.context
    parameters = {
        "reservation_id": booking.reservation.reservation_id,
        "version": booking.reservation.version,
        "conversation_id": turn.key.conversation,
        "tool_call_id": context.tool_call_id,
        "details": dict(offer.ledger),
        **offer.change,
    }
    turn.effects.append(Effect(offer.query, parameters, f"{kind} of reservation {booking.reservation.reservation_id}"))
    turn.airline.quote = None
    for name, value in offer.facts.items():
        setattr(turn.airline, name, value)
    turn.airline.issue_resolved = True
    turn.airline.refusals = 0
    return give(turn, kind=kind, summary=offer.done, price_usd=offer.price_usd, **offer.shown)
