"""Decide as the Triage Agent: route, settle what is simple, and never send a conversation in a circle."""

from __future__ import annotations

from typing import Any

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.amending import wants_other_payment
from worker.domains.airline.local.answers import accepts_person, answer_offer, is_unclear_too_often
from worker.domains.airline.local.beside import asks_about_own
from worker.domains.airline.local.counter_offers import wants_another
from worker.domains.airline.local.details import collect_details
from worker.domains.airline.local.escalation import REFUSALS_MAX, refusals_in
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.intent import Intent, calls_for_person, flatten
from worker.domains.airline.local.reading.meta import speaks_of
from worker.domains.airline.local.reading.names import find_name
from worker.domains.airline.local.reading.places import asks_where_we_fly, find_route
from worker.domains.airline.local.reading.slots import (
    declines,
    find_confirmation_number,
    find_flight_number,
    says_no_code,
)
from worker.domains.airline.local.reading.wishes import PLAIN, WEAK, find_wish
from worker.domains.airline.local.situation import Situation
from worker.domains.airline.local.smalltalk import answer_smalltalk, is_closing, is_smalltalk
from worker.domains.airline.local.wanting import asks_price_of_listed, chooses_flight, takes_up_next
from worker.models.output import Call, Say, Step

TO_FAQ, TO_BOOKING, TO_ESCALATION = "transfer_to_faq_agent", "transfer_to_booking_agent", "transfer_to_escalation_agent"

_SURE = 0.45
_VERY_SURE = 0.8
_VAGUE_WORDS_MAX = 6


def decide(situation: Situation) -> Step:
    """Choose the next step."""
    latest = situation.latest
    if latest is not None and latest.name == "confirm_quote":
        return Say(_tell_confirmed(latest.output) if latest.is_ok else _tell_refused(latest.output))
    if accepts_person(situation) or is_unclear_too_often(situation):
        return _hand(situation, TO_ESCALATION)
    offers_person = phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) is not None
    if offers_person and declines(situation.message) and not says_no_code(situation.message, asked=True):
        return Say(phrases.acknowledge())
    offered = situation.open_offer
    wants_other = offered is not None and wants_another(situation, offered.kind)
    step = answer_offer(
        situation,
        wants_other=wants_other or find_wish(situation.message) is not None,
    )
    if step is not None:
        return step
    if situation.handoffs_made:
        return _reroute(situation)
    return _route(situation)


def _tell_confirmed(output: dict[str, Any]) -> str:
    return f"{offers.confirm(output)} {phrases.ANYTHING_ELSE}"


def _tell_refused(output: dict[str, Any]) -> str:
    if output.get("refusal") == "answer_unclear":
        return phrases.hand_over_unclear(output)
    return phrases.refuse(str(output.get("message", "")))


def _route(situation: Situation) -> Step:
    label, confidence = settled_intent(situation)
    if label == "smalltalk" or is_closing(situation) or (is_smalltalk(situation) and label != "escalation"):
        return answer_smalltalk(situation)
    ticket_id = situation.facts.ticket_id
    asks = label == "faq" and confidence >= _SURE and _is_question(situation)
    asks = asks or bool(PLAIN & set(situation.reading.wishes)) or asks_about_own(situation)
    if ticket_id and not asks and (confidence < _VERY_SURE or label == "off_topic") and not _is_other_trade(situation):
        return Say(phrases.already_handed_over(ticket_id))
    adds_to_ticket = ticket_id is not None and _only_adds(situation)
    if label == "off_topic" and not adds_to_ticket:
        return Say(phrases.decline_off_topic(booking_open=situation.facts.verified))
    if confidence < _SURE and _may_ask(situation):
        return Say(phrases.ask_to_clarify())
    if confidence < _SURE or adds_to_ticket:
        return _hand(situation, TO_ESCALATION)
    return _hand(situation, {"faq": TO_FAQ, "booking": TO_BOOKING}.get(label, TO_ESCALATION))


def _reroute(situation: Situation) -> Step:
    """Send on what an agent handed back: once to another agent, and to a person when it has been around already.

    What the Booking Agent hands back about a booking is what no tool can do.
    """
    label = settled_intent(situation).label if len(situation.handoffs_made) == 1 else "escalation"
    wanted = {"faq": TO_FAQ, "booking": TO_BOOKING}.get(label, TO_ESCALATION)
    started_at_booking = situation.facts.issue_type == "booking"
    if (wanted == TO_BOOKING and started_at_booking) or refusals_in(situation) >= REFUSALS_MAX:
        wanted = TO_ESCALATION
    return _hand(situation, wanted)


def settled_intent(situation: Situation) -> Intent:
    """Return the intent, with what only makes sense within a booking talk read as booking."""
    label, confidence = situation.intent
    message = situation.message
    surely = _sure_intent(situation)
    if surely is not None:
        return surely
    if label == "escalation":
        return _without_complaint(situation)
    asked_for_name = bool(phrases.ASKED_FOR_NAME.search(situation.last_reply))
    answers_booking = situation.facts.issue_type == "booking" and (
        find_wish(message) is not None or find_name(message, asked=asked_for_name) is not None
    )
    if answers_booking and (confidence < _VERY_SURE or label == "booking"):
        return Intent("booking", 1.0)
    return Intent(label, confidence)


def _sure_intent(situation: Situation) -> Intent | None:
    """Return what is said in so many words; None where the classifier's odds are all there is."""
    message, reading = situation.message, situation.reading
    if speaks_of(message, "legal"):
        return Intent("escalation", 1.0)
    says_what = len(message.split()) > _VAGUE_WORDS_MAX or "ours" in cues_in(flatten(message))
    is_first_unread = says_what and not situation.last_reply and not set(reading.wishes) - WEAK
    if situation.intent.label == "escalation" and (is_first_unread or calls_for_person(message)):
        return situation.intent
    was_asked = phrases.ASKED_FOR_DETAILS.search(situation.last_reply) is not None
    lacks_code = was_asked and says_no_code(message, asked=True)
    is_choice = (
        chooses_flight(situation)
        or asks_price_of_listed(situation)
        or takes_up_next(situation)
        or asks_where_we_fly(message)
    )
    if (
        lacks_code
        or reading.confirmation_number
        or situation.tells_name
        or is_choice
        or _asks_about_own_trip(situation)
    ):
        return Intent("booking", 1.0)
    return None


def _asks_about_own_trip(situation: Situation) -> bool:
    """Check whether a message asks for facts of the customer's own booking, or for flights on a route and day."""
    if asks_about_own(situation) or (situation.open_offer and wants_other_payment(situation.message)):
        return True
    route = find_route(situation.message)
    today = situation.facts.today
    if route.origin is None or route.destination is None or today is None:
        return False
    return find_day(situation.message, today) is not None and "new_booking" in situation.reading.wishes


def _without_complaint(situation: Situation) -> Intent:
    """Return what a message is about that sounds like a complaint to the classifier, and holds no word of one."""
    reading = situation.reading
    if reading.wishes:
        return Intent("booking", _SURE)
    if reading.policy_questions or _is_question(situation):
        return Intent("faq", _SURE)
    if situation.facts.issue_type == "booking":
        return Intent("booking", 0.0)
    return Intent("faq" if len(situation.message.split()) <= _VAGUE_WORDS_MAX else "off_topic", 0.0)


def _only_adds(situation: Situation) -> bool:
    """Check whether a message gives details for the ticket that is open, and no new wish."""
    message = situation.message
    if find_wish(message) is not None or "?" in message:
        return False
    is_detail = find_confirmation_number(message) or find_name(message, asked=False) or find_flight_number(message)
    return is_detail is not None or situation.intent.label in {"booking", "escalation"}


def _is_question(situation: Situation) -> bool:
    return "?" in situation.message or bool(cues_in(flatten(situation.message)) & {"policy", "how_question"})


def _is_other_trade(situation: Situation) -> bool:
    return bool(cues_in(flatten(situation.message)) & {"trade", "brand"})


def _may_ask(situation: Situation) -> bool:
    is_vague = len(situation.message.split()) <= _VAGUE_WORDS_MAX
    return is_vague and not phrases.ASKED_TO_CLARIFY.search(situation.last_reply)


def _hand(situation: Situation, name: str) -> Step:
    if not situation.can(name):
        return Say(phrases.ask_to_clarify())
    return Call(name, collect_details(situation).as_arguments() if name == TO_BOOKING else {})
