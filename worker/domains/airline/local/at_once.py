"""Answer at once what is said about the conversation itself, before any agent decides what it wants."""

from __future__ import annotations

import re

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.asking import asks
from worker.domains.airline.local.attending import attend
from worker.domains.airline.local.privacy import asks_about_card
from worker.domains.airline.local.reading.meta import (
    has_no_words,
    is_other_language,
    speaks_of,
    subject_of_signs,
    without_robot_question,
)
from worker.domains.airline.local.reading.wishes import WEAK
from worker.domains.airline.local.situation import Situation
from worker.domains.airline.local.smalltalk import is_smalltalk
from worker.models.output import Say

_WORDS_MIN = 3
"""Words beside a question for who answers that are worth an answer of their own."""

_FILLERS = frozenset(
    {
        "hi", "hello", "hey", "there", "so", "ok", "and", "or", "but", "then", "also", "just", "only", "really",
        "exactly", "actually", "please", "wait", "a", "an", "the", "i", "is", "it", "that", "this", "hm", "hmm", "oh",
        "tell", "me", "curious", "first", "by", "way", "human", "person", "bot", "robot", "machine", "computer",
        "program", "ai", "assistant",
    }
)  # fmt: skip
"""Words beside such a question that ask for nothing themselves."""


def answer_at_once(situation: Situation) -> Say | None:
    """Return the reply to a message that is only about the conversation itself; None for any other."""
    if situation.done or situation.agent == "Escalation Agent" or not situation.message:
        return None
    if asks_about_card(situation):
        return Say(phrases.card_not_kept())
    if speaks_of(situation.message, "auto_reply"):
        return Say(phrases.AUTOMATIC)
    return _unreadable(situation) or attend(situation) or _ticket_news(situation) or _about_itself(situation)


def _unreadable(situation: Situation) -> Say | None:
    """Answer signs without words, and other languages; None where such a message may answer what was asked."""
    facts, message = situation.facts, situation.message
    if facts.agrees or facts.agrees_to_person or facts.quote is not None:
        return None
    if has_no_words(message):
        return Say(phrases.ask_about_signs(subject_of_signs(message)))
    return Say(phrases.ENGLISH_ONLY) if is_other_language(message) else None


def introduce(situation: Situation) -> list[str]:
    """Return what has to be said before the answer: that no person writes, that attachments are not seen."""
    message, before = situation.message, []
    if speaks_of(message, "robot"):
        before.append(phrases.DIGITAL)
    if speaks_of(message, "attachment"):
        before.append(phrases.NOTHING_ATTACHED)
    return before


def _about_itself(situation: Situation) -> Say | None:
    message, reading = situation.message, situation.reading
    was_asked = phrases.ASKED_FOR_DETAILS.search(situation.last_reply) is not None
    rest = set(re.findall(r"\w+", without_robot_question(message).lower())) - _FILLERS
    is_alone = not (reading.wishes or reading.own_questions or reading.policy_questions or reading.confirmation_number)
    answers: tuple[tuple[bool, str], ...] = (
        (was_asked and speaks_of(message, "where_number"), offers.where_number_stands()),
        (speaks_of(message, "robot") and len(rest) < _WORDS_MIN, f"{phrases.DIGITAL} {phrases.OR_A_PERSON}"),
        (speaks_of(message, "abilities"), phrases.ABILITIES),
        (is_alone and speaks_of(message, "language"), phrases.ENGLISH_ONLY),
        (is_alone and speaks_of(message, "attachment"), f"{phrases.NOTHING_ATTACHED} {phrases.TELL_IN_WORDS}"),
        (is_alone and speaks_of(message, "undo") and _has_changed_something(situation), offers.cannot_undo()),
    )
    return next((Say(text) for holds, text in answers if holds), None)


def _has_changed_something(situation: Situation) -> bool:
    return any(done.name == "confirm_quote" and done.is_ok for done in situation.done_before)


def _goes_on(situation: Situation) -> bool:
    """Check whether a message only says more about what was handed over, and asks or wishes nothing new."""
    message, reading = situation.message, situation.reading
    says_more = speaks_of(message, "adds_on") or speaks_of(message, "describes")
    is_taken_for_a_question = situation.intent.label == "faq"
    return (
        says_more
        and is_taken_for_a_question
        and not (reading.wishes or reading.own_questions or asks(message) or is_smalltalk(situation))
    )


def _ticket_news(situation: Situation) -> Say | None:
    """Tell how the customer's ticket stands, where they have one and ask for it."""
    ticket_id = situation.facts.ticket_id
    if ticket_id is None:
        return None
    answer_by = situation.answer_by
    if speaks_of(situation.message, "decided_by_person"):
        return Say(phrases.person_decides(ticket_id, answer_by))
    if ticket_id in situation.last_reply and _goes_on(situation):
        return Say(phrases.already_handed_over(ticket_id))
    asks = speaks_of(situation.message, "ticket_status") and not set(situation.reading.wishes) - WEAK - {"documents"}
    if not asks:
        return None
    told = phrases.ticket_stands(ticket_id, answer_by)
    return Say(f"{phrases.DIGITAL} {told}" if speaks_of(situation.message, "robot") else told)
