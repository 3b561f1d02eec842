"""Make a quote of an offer, and take it up once the customer has said yes to it: the same way for every kind."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from schema.messages.escalation import SUMMARY_CHARACTERS_MAX
from worker.conversation.context import EscalationRequest, PendingApproval, Quote, call_human
from worker.conversation.effects import Effect
from worker.conversation.refusal import Refusal
from worker.domains.airline.offers.kinds import PROPOSE
from worker.domains.airline.rules.approval import costs_of, find_rule
from worker.domains.airline.tools.access import OTHER_BOOKING, open_booking, remember_flight
from worker.domains.airline.tools.answering import says_yes, was_just_offered
from worker.tools.escalation import ticket_of
from worker.tools.results import give, refuse

if TYPE_CHECKING:
    from agents.tool_context import ToolContext

    from worker.conversation.context import TurnContext
    from worker.domains.airline.offers.offer import Kind, Offer, Request
    from worker.domains.airline.records.booking import Booking

_NO_QUOTE = Refusal("no_such_quote", "That offer is no longer open. Shall I make a new one?", counts=False)
_UNCLEAR = Refusal(
    "answer_unclear",
    "I could not tell what you would like, so a colleague takes over. Nothing is changed.",
    counts=False,
)
_AWAITS_APPROVAL = Refusal(
    "awaits_approval",
    "A colleague has to confirm this first. Nothing is changed yet.",
    counts=False,
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
    return give(turn, quote=open_quote(turn, kind, booking, offer))


async def confirm(context: ToolContext[TurnContext], quote_id: str) -> str:
    """Take up the open quote: stage its effect when the last reply made its offer, and this message is a yes to it.

    The offer is worked out anew from what is true now. When anything that it relied on has changed, it has expired, or
    the customer has heard something else since, nothing is staged and a fresh quote is opened instead: whatever the
    caller takes the message for. An answer that is no plain yes is asked for again, in other words, and what stays
    unclear is left to a person.
    """
    turn = context.context
    found = await _find_offer(context, quote_id)
    if isinstance(found, Refusal):
        return refuse(turn, found)
    quoted, booking, offer = found
    heard_it, agrees = was_just_offered(turn, quoted), says_yes(turn, quoted)
    is_as_it_was = turn.now < quoted.expires_at and quoted.details["relied_on"] == relied_on(booking, offer)
    if heard_it and agrees and is_as_it_was:
        return _make(context, quoted.kind, booking, offer)
    asked = _count_asking(turn, quoted)
    if asked > ASKED_AGAIN_MAX:
        return _leave_to_a_person(turn, quoted)
    if heard_it and not agrees:
        _note_asking(turn, quoted, asked)
        return refuse(turn, _not_yet(quoted, asked))
    return _offer_afresh(turn, (quoted.kind, booking, offer), asked, has_expired=heard_it)


async def _find_offer(context: ToolContext[TurnContext], quote_id: str) -> tuple[Quote, Booking, Offer] | Refusal:
    """Return an open quote of an earlier turn with its booking, and the offer as it would be made now."""
    turn = context.context
    quoted = _find_quote(turn, quote_id)
    if isinstance(quoted, Refusal):
        return quoted
    booking = await _open_quoted(context, quoted)
    if isinstance(booking, Refusal):
        return booking
    offer = await PROPOSE[quoted.kind](turn, booking, quoted.details["request"])
    if isinstance(offer, Refusal):
        turn.airline.quote = None
        return offer
    return (quoted, booking, offer) if quoted.made_in_turn < turn.airline.turn_count else _not_yet(quoted, 0)


ASKED_AGAIN_MAX = 2
"""How often in a row an offer is made again because its answer was no plain yes; a person decides after that."""


def _count_asking(turn: TurnContext, quoted: Quote) -> int:
    """Count how often in a row the offer has been made again, this time included."""
    count, in_turn = quoted.details.get("asked_again", (0, -1))
    if in_turn == turn.airline.turn_count:
        return int(count)  # a model that calls twice in a turn has asked nobody in between
    return int(count) + 1 if in_turn == turn.airline.turn_count - 1 else 1


def _note_asking(turn: TurnContext, quoted: Quote, asked: int) -> None:
    details = {**quoted.details, "asked_again": [asked, turn.airline.turn_count]}
    turn.airline.quote = quoted.model_copy(update={"details": details})


def _not_yet(quoted: Quote, asked: int) -> Refusal:
    """Ask for the answer, in other words each time; the offer stands in it, so that a yes answers this reply."""
    summary = quoted.details["summary"]
    worded = (
        f"This change is made once you have said yes to it: {summary}. Shall I go ahead?",
        f"Nothing is changed yet, since that was no plain yes. The offer: {summary}. Shall I go ahead?",
        f"To be certain before anything is changed: {summary}. Would you like that? One word is enough, yes or no.",
    )
    return Refusal("not_yet_confirmed", worded[asked % len(worded)], counts=False)


def _leave_to_a_person(turn: TurnContext, quoted: Quote) -> str:
    summary = f"Offered and not made: {quoted.details['summary']}. The customer wrote: {turn.text}"
    reason = "The customer's answers to an offer stayed unclear."
    call_human(turn, EscalationRequest("pending_clarification", reason, summary[:SUMMARY_CHARACTERS_MAX], "normal"))
    return refuse(turn, _UNCLEAR, **ticket_of(turn))


def _find_quote(turn: TurnContext, quote_id: str) -> Quote | Refusal:
    quoted = turn.airline.quote
    if quoted is None or quoted.quote_id != quote_id or not {"request", "relied_on"} <= quoted.details.keys():
        return _NO_QUOTE
    if quoted.kind not in PROPOSE:  # of a newer release
        return _NO_QUOTE
    return quoted


async def _open_quoted(context: ToolContext[TurnContext], quoted: Quote) -> Booking | Refusal:
    booking = await open_booking(context, quoted.details["request"].get("flight_number") or "")
    if isinstance(booking, Refusal):
        return booking
    is_for_it = quoted.details["relied_on"]["reservation_id"] == booking.reservation.reservation_id
    return booking if is_for_it else OTHER_BOOKING


def open_quote(turn: TurnContext, kind: str, booking: Booking, offer: Offer) -> dict[str, Any]:
    """Open a quote for an offer, in place of an older one; return what is told of it."""
    relies_on = relied_on(booking, offer)
    # Made from what it offers and where, so that a turn run again offers the same id.
    identity = json.dumps([*turn.key, turn.position, kind, relies_on], sort_keys=True)
    made = Quote(
        quote_id="q_" + hashlib.sha256(identity.encode()).hexdigest()[:12],
        kind=kind,
        details={
            "summary": offer.summary,
            "query": offer.query,
            "request": dict(offer.request),
            "relied_on": relies_on,
            "seen_position": turn.seen_position,
            "new_terms": sorted(offer.new_terms),
        },
        price_usd=offer.price_usd,
        made_in_turn=turn.airline.turn_count,
        expires_at=turn.now + timedelta(minutes=turn.quote_minutes),
    )
    turn.airline.quote = made
    return {"quote_id": made.quote_id, "kind": kind, "summary": offer.summary, "price_usd": offer.price_usd}


def relied_on(booking: Booking, offer: Offer) -> dict[str, Any]:
    """Return what must be the same when the quote is taken up, as JSON has it: a quote is stored between turns."""
    return {
        "reservation_id": booking.reservation.reservation_id,
        "version": booking.reservation.version,
        "price_usd": offer.price_usd,
        "summary": offer.summary,  # names the flights with their times, the seats, the way to pay
        "change": dict(offer.change),
    }


def _offer_afresh(turn: TurnContext, found: tuple[str, Booking, Offer], asked: int, *, has_expired: bool) -> str:
    kind, booking, offer = found
    shown = open_quote(turn, kind, booking, offer)
    if turn.airline.quote is not None:
        _note_asking(turn, turn.airline.quote, asked)
    why = "That offer has expired. The offer now is" if has_expired else "Before anything is changed, once more"
    message = f"{why}: {offer.summary}. Shall I go ahead?"
    return refuse(turn, Refusal("quote_expired", message, counts=False), quote=shown)


def _make(context: ToolContext[TurnContext], kind: str, booking: Booking, offer: Offer) -> str:
    """Stage a change that the customer has said yes to, unless a person has to say yes as well."""
    turn = context.context
    rule = find_rule(costs_of(kind, offer.price_usd, offer.waived_usd, offer.change), turn.approvals)
    if rule is None:
        stage(turn, context.tool_call_id, kind, booking, offer)
        return give(turn, kind=kind, summary=offer.done, price_usd=offer.price_usd, **offer.shown)
    identity = json.dumps([*turn.key, turn.position, kind, relied_on(booking, offer)], sort_keys=True)
    turn.airline.pending_approval = PendingApproval(
        approval_id="ap_" + hashlib.sha256(f"fte approval {identity}".encode()).hexdigest()[:24],
        kind=kind,
        amount_usd=rule.amount_usd,
        policy=rule.words,
        summary=offer.summary,
        request=dict(offer.request),
        relied_on=relied_on(booking, offer),
        made_in_turn=turn.airline.turn_count,
    )
    turn.airline.quote = None
    return refuse(turn, _AWAITS_APPROVAL)


def stage(turn: TurnContext, call_id: str, kind: str, booking: Booking, offer: Offer) -> None:
    """Stage the effect of an offer for the turn's commit; `call_id` is the key by which it takes effect once."""
    parameters = {
        "reservation_id": booking.reservation.reservation_id,
        "version": booking.reservation.version,
        "conversation_id": turn.key.conversation,
        "tool_call_id": call_id,
        "details": dict(offer.ledger),
        **offer.change,
    }
    turn.effects.append(Effect(offer.query, parameters, f"{kind} of reservation {booking.reservation.reservation_id}"))
    turn.airline.quote = None
    for name, value in offer.facts.items():
        setattr(turn.airline, name, value)
    turn.airline.issue_resolved = True
    turn.airline.refusals = 0
