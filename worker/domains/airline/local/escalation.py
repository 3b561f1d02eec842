"""Decide as the Escalation Agent: open the ticket with everything known, then tell the customer what happens next."""

from __future__ import annotations

import re

from schema.messages.escalation import EscalationCategory, Priority
from worker.domains.airline.local import phrases
from worker.domains.airline.local.answers import is_unclear_too_often
from worker.domains.airline.local.lookups import asks_published, look_up, results_of
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import flatten, urgent_cue
from worker.domains.airline.local.reading.wishes import find_wishes
from worker.domains.airline.local.situation import FinishedCall, Situation
from worker.models.output import Call, Say, Step

SUMMARY_CHARACTERS_MAX = 1_500
MESSAGES_QUOTED_MAX = 6
REFUSALS_MAX = 2
"""Refusals of tools after which a person takes over, from the airline's list of what must reach one."""

ONLY_A_STEP = frozenset(
    {
        "not_yet_confirmed", "quote_expired", "already_yours", "no_such_quote", "one_at_a_time", "not_verified",
        "channel_not_verified", "bad_arguments", "date_past", "no_such_date", "same_airport", "which_airport",
        "no_such_name", "wrong_flights", "no_such_payment_method", "seat_taken", "no_such_seat", "no_such_airport",
        "no_such_flight",
    }
)  # fmt: skip
"""Refusals after which the customer can name something else; they call nobody."""

_SAFETY = re.compile(
    r"\b(?:emergency|threat\w*|weapon|assault\w*|unsafe|police|bomb|attack\w*|suicid\w*|stroke|heart attack)\b"
)
_SOON = re.compile(
    r"\b(?:today|tonight|right now|this (?:morning|afternoon|evening)|boarding|i'?m at the (?:airport|gate)|stranded|"
    r"stuck)\b"
)
_GRAVE = frozenset(
    {"angry", "lost_bag", "damaged", "bereavement", "medical", "compensation", "refund_dispute", "stuck", "complaint"}
)


def decide(situation: Situation) -> Step:
    """Choose the next step."""
    latest = situation.latest
    if situation.facts.ticket_id or (latest is not None and latest.name == "escalate_to_human"):
        return call_person(situation)
    if not situation.can("escalate_to_human"):
        return Say(phrases.nothing_found())
    is_calm = "angry" not in cues_in(flatten(situation.message)) and _cue_of(situation) != "human"
    if is_calm and asks_published(situation) and situation.can("faq_lookup"):
        return look_up(situation)
    return _open_ticket(situation)


def call_person(situation: Situation) -> Step:
    """Open a ticket, unless there is one, and tell the customer; also where what is needed is out of service."""
    latest = situation.latest
    if latest is not None and latest.name == "escalate_to_human":
        return Say(_told(situation, latest) if latest.is_ok else phrases.refuse(str(latest.output.get("message", ""))))
    ticket_id = situation.facts.ticket_id
    if ticket_id:
        return Say(phrases.already_handed_over(ticket_id))
    return _open_ticket(situation)


def _open_ticket(situation: Situation) -> Step:
    category = category_of(situation)
    return Call(
        "escalate_to_human",
        {
            "category": category,
            "reason": _REASONS[category],
            "summary": summarise(situation),
            "priority": priority_of(situation),
        },
    )


def _told(situation: Situation, opened: FinishedCall) -> str:
    """Tell the ticket, and what the articles say on what was asked beside the need for a person."""
    told = phrases.handed_over(
        opened.output.get("ticket_id"), opened.output.get("answer_by"), feeling=_feeling(situation)
    )
    found = next((done for done in situation.done if done.name == "faq_lookup" and results_of(done)), None)
    return f"{told}\n\n{phrases.until_then(results_of(found)[0])}" if found else told


_REASONS: dict[EscalationCategory, str] = {
    "customer_request": "The customer asks for a person or complains.",
    "missing_knowledge": "The published articles do not answer the customer's question.",
    "unsupported_request": "The customer needs something that only a person can arrange.",
    "policy_restriction": "The customer disputes what policy or a tool refuses.",
    "tool_failure": "A tool failed.",
    "pending_clarification": "It is not clear what the customer needs.",
    "usage_limit": "The conversation reached a limit.",
    "abuse": "The customer is abusive.",
    "emergency": "Somebody may be in danger.",
    "system_error": "The system failed.",
}


def category_of(situation: Situation) -> EscalationCategory:
    """Return why a person is needed: by the message's gravest cue, else by how the conversation got here."""
    cue = _cue_of(situation)
    refusals = refusals_in(situation)
    offered = phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) is not None
    disputed = refusals >= REFUSALS_MAX or (refusals > 0 and offered) or cue in {"refund_dispute", "compensation"}
    about_booking = situation.intent.label == "booking" or situation.facts.issue_type == "booking"
    came_back = "transfer_to_triage_agent" in situation.handoffs_made
    reasons: tuple[tuple[bool, EscalationCategory], ...] = (
        (is_unclear_too_often(situation), "pending_clarification"),
        (cue == "human", "customer_request"),
        (disputed, "policy_restriction"),
        (cue is not None and cue != "complaint", "unsupported_request"),
        (phrases.FOUND_NOTHING in situation.last_reply, "missing_knowledge"),
        (was_looked_up_in_vain(situation), "missing_knowledge"),
        (situation.intent.label == "escalation", "customer_request"),
        (about_booking or came_back or offered, "unsupported_request"),
    )
    return next((category for holds, category in reasons if holds), "pending_clarification")


def was_looked_up_in_vain(situation: Situation) -> bool:
    """Check whether this turn searched the articles and found nothing."""
    looked_up = [done for done in situation.done if done.name == "faq_lookup"]
    return bool(looked_up) and not any(map(results_of, looked_up))


def priority_of(situation: Situation) -> Priority:
    """Return how soon a person must answer: safety and travel within the day first, then anger, need and money."""
    flat = flatten(" ".join(situation.customer_texts[-2:]))
    cues = cues_in(flat)
    if _SAFETY.search(flat) or (_SOON.search(flat) and cues & {"medical", "bereavement"}):
        return "urgent"
    return "high" if cues & _GRAVE else "normal"


def summarise(situation: Situation) -> str:
    """Write what a person should know, in the customer's words; placeholders stay."""
    facts = situation.facts
    known = {
        "name": facts.passenger_name,
        "confirmation number": facts.confirmation_number,
        "verified": "yes" if facts.verified else "no",
        "flight": " ".join(part for part in (facts.flight_number, facts.flight_date) if part),
        "seat": facts.seat_number,
    }
    details = ", ".join(f"{name} {value}" for name, value in known.items() if value)
    refused = [
        str(done.output.get("refusal"))
        for done in (*situation.done_before, *situation.done)
        if done.output.get("refusal")
    ]
    tried = f" Refused: {', '.join(refused)}." if refused else ""
    wishes = dict.fromkeys(wish for text in situation.customer_texts for wish in find_wishes(text))
    wanted = f" Wishes: {', '.join(wish.replace('_', ' ') for wish in wishes)}." if wishes else ""
    quoted = " / ".join(" ".join(text.split()) for text in situation.customer_texts[-MESSAGES_QUOTED_MAX:])
    return f"Known: {details}.{wanted}{tried} The customer wrote: {quoted}"[:SUMMARY_CHARACTERS_MAX]


def refusals_in(situation: Situation) -> int:
    """Count the tool refusals in sight that leave nothing else to name; several of one tool in a turn are one."""
    return len(
        {
            (done.turn, done.name)
            for done in (*situation.done_before, *situation.done)
            if done.output.get("ok") is False and done.output.get("refusal") not in ONLY_A_STEP
        }
    )


def _cue_of(situation: Situation) -> str | None:
    flat = flatten(situation.message)
    cue = urgent_cue(flat)
    return cue or ("compensation" if "compensation" in cues_in(flat) else None)


def _feeling(situation: Situation) -> str:
    flat = flatten(" ".join(situation.customer_texts[-3:]))
    cues = cues_in(flat)
    if "bereavement" in cues:
        return "I am so sorry for what you and your family are going through."
    if cues & {"lost_bag", "damaged", "left_item"}:
        return "I'm sorry about your belongings; I know how upsetting that is."
    if "medical" in cues:
        return "Thank you for telling us; we want this trip to be safe and comfortable."
    is_upset = cues & {"angry", "stuck", "waiting", "compensation", "refund_dispute", "complaint", "complain"}
    if is_upset and "human" not in cues_in(flatten(situation.message)):
        return "I'm truly sorry; this is not the experience you should have with us, and I understand your frustration."
    if "human" in cues:
        return "Of course, I'm glad to bring in a colleague." if not is_upset else f"Of course. {phrases.SORRY}"
    return "I cannot settle this one myself, but a colleague can."
