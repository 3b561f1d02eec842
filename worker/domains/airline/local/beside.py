"""Answer what stands beside the wish of a message: facts of the customer's booking, and questions of policy."""

from __future__ import annotations

import re

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.asking import is_facet
from worker.domains.airline.local.own_booking import answer_own_questions
from worker.domains.airline.local.reading.intent import classify
from worker.domains.airline.local.reading.own_questions import OF_ANY_CUSTOMER, asks_what_if
from worker.domains.airline.local.situation import Situation
from worker.domains.airline.local.verifying import find_reservation
from worker.models.output import Say

QUESTIONS_MAX = 2
"""Questions of policy that are looked up beside a wish: a turn has few calls."""
_SURE_OF_WISH = 0.9
_ASKED_FOR_WISH = "I have your booking here. What can I do for you?"
_TOLD_BOOKING = "What would you like me to do?"


_MINE = re.compile(r"\b(?:my|our|for (?:me|us)|am i|are we|mine|ours)\b|\b\d{1,2} ?[a-f]\b", re.IGNORECASE)


_OWN_TRIP = re.compile(r"\b(?:my|our) (?:\w+ )?(?:flights?|bookings?|reservations?|trips?|seats?)\b", re.IGNORECASE)
_LEANS_BACK = re.compile(r"\b(?:it|that|they|them|this|those|one)\b", re.IGNORECASE)
"""Words by which a question leans on the clause before it: "add a bag. How heavy may it be?"."""


def asks_about_own(situation: Situation) -> bool:
    """Check whether the newest message asks for facts of the customer's own booking, and not of anybody's."""
    facts = set(situation.reading.own_questions)
    if facts - OF_ANY_CUSTOMER:
        return True
    is_about_offer = situation.open_offer is not None and bool(facts & {"payment_methods", "seat_kind"})
    is_about_theirs = _MINE.search(situation.message) is not None or is_about_offer
    return bool(facts) and situation.facts.verified and is_about_theirs


def next_question(situation: Situation, *, has_wish: bool) -> str | None:
    """Return the next question of policy that the newest message asks and that was not looked up yet.

    `has_wish`: whether a wish is being served; what else such a message asks is taken to be about that.
    """
    if not situation.can("faq_lookup"):
        return None
    asked = sum(done.name == "faq_lookup" for done in situation.done)
    questions = _questions_of(situation, has_wish=has_wish)[:QUESTIONS_MAX]
    return questions[asked] if asked < len(questions) else None


def _questions_of(situation: Situation, *, has_wish: bool) -> tuple[str, ...]:
    """Return what articles may answer, and of a message without a wish whatever else it asks."""
    reading = situation.reading
    if asks_what_if(situation.message) and situation.message.count("?") <= 1:
        return ()  # the booking answers it
    may_be_asides = not (has_wish or reading.own_questions)
    asked, before = [], ""
    for clause in reading.clauses:
        is_aside = clause.kind == "aside" and clause.text.endswith("?") and not _is_about_own_trip(clause.text)
        if clause.kind == "policy_question" or (is_aside and may_be_asides):
            leans_back = _LEANS_BACK.search(clause.text) is not None or is_facet(clause.text)
            asked.append(f"{before}. {clause.text}" if leans_back and before else clause.text)
        before = clause.text
    return tuple(asked)


def _is_about_own_trip(text: str) -> bool:
    """Tell whether a clause is about the customer's own trip, also by wanting something done: "could I have 7F?"."""
    label, confidence = classify(text)
    return _OWN_TRIP.search(text) is not None or (label == "booking" and confidence >= _SURE_OF_WISH)


def with_answers(situation: Situation, said: Say) -> Say:
    """Put before a reply the answers to whatever else the message asks, if the booking is open and they are known."""
    reservation = find_reservation(situation)
    answers = answer_own_questions(situation, reservation) if reservation else []
    passages = _passages(situation)
    order = _order_of_wishes(situation) if "?" in said.text and not situation.was_called("confirm_quote") else ""
    if not answers and not passages and not order:
        return said
    rest = f"{order} {said.text}".lstrip()
    if _ASKED_FOR_WISH in rest or rest.endswith(_TOLD_BOOKING):
        rest = phrases.ANYTHING_ELSE
    return Say("\n\n".join(part for part in (" ".join(answers), *passages, rest) if part))


def _order_of_wishes(situation: Situation) -> str:
    """Return the order of the wishes where the newest message wishes several changes."""
    names = [offers.NAMES_OF_WISHES[wish] for wish in situation.reading.wishes if wish in offers.NAMES_OF_WISHES]
    return offers.one_at_a_time(names) if len(names) > 1 else ""


def _passages(situation: Situation) -> list[str]:
    """Return the passages that this turn looked up, each once, and say of which question nothing was found."""
    told = []
    for done in situation.done:
        if done.name != "faq_lookup":
            continue
        results = done.output.get("results") if done.output.get("found") else None
        told.append(phrases.cite(results[0]) if results else phrases.not_found(str(done.arguments.get("question"))))
    return list(dict.fromkeys(told))
