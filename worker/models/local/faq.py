"""Decide as the FAQ Agent: look it up, answer with the source, or say honestly that nothing was found."""

from __future__ import annotations

import re

from worker.models.local import phrases
from worker.models.local.situation import Situation
from worker.models.local.slots import find_confirmation_number, find_yes_no
from worker.models.local.smalltalk import answer_smalltalk, is_smalltalk
from worker.models.output import Call, Say, Step

QUESTION_CHARACTERS_MAX = 500
SHORT_QUESTION_WORDS_MAX = 4
_SURE = 0.5
_FOLLOW_UP = re.compile(r"\W*(?:and|what about|how about|what if|also|or|but)\b.{0,60}\?\W*$", re.IGNORECASE)
"""A short question that leans on the one before; alone it could be about anything."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SECRET = re.compile(r"\[(?:CARD_NUMBER|SSN)\]")
_TO_TRIAGE = "transfer_to_triage_agent"


def decide(situation: Situation) -> Step:
    """Choose the next step."""
    latest = situation.latest
    if latest is not None and latest.name == "faq_lookup":
        results = latest.output.get("results") if latest.output.get("found") else None
        return Say(phrases.cite(results[0]) if results else phrases.nothing_found())
    sent_here = "transfer_to_faq_agent" in situation.handoffs_made
    if not sent_here:
        step = _settle_otherwise(situation)
        if step is not None:
            return step
    if not situation.can("faq_lookup"):
        return Say(phrases.nothing_found())
    return Call("faq_lookup", {"question": question_in(situation)})


def _settle_otherwise(situation: Situation) -> Step | None:
    """Answer small talk, and hand back what is no question; None when it is one."""
    label, confidence = situation.intent
    answered = find_yes_no(situation.message)
    if answered and (situation.open_offer or phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply)):
        return Call(_TO_TRIAGE) if situation.can(_TO_TRIAGE) else None
    is_nod = answered is not None and len(situation.message.split()) <= SHORT_QUESTION_WORDS_MAX
    if is_nod or label == "smalltalk" or is_smalltalk(situation):
        return answer_smalltalk(situation)

    if label == "off_topic" and confidence >= _SURE:
        return Say(phrases.decline_off_topic(booking_open=situation.facts.verified))
    if _FOLLOW_UP.match(situation.message):
        return None
    is_elsewhere = label in {"booking", "escalation"} and confidence >= _SURE
    if (is_elsewhere or find_confirmation_number(situation.message)) and situation.can(_TO_TRIAGE):
        return Call(_TO_TRIAGE)
    return None


def question_in(situation: Situation) -> str:
    """Give the question to look up; a short one ("and for cats?") takes the previous one along.

    A sentence that held a card number is left out where there is another: the question is not about the card.
    """
    harmless = [sentence for sentence in _SENTENCE_END.split(situation.message) if not _SECRET.search(sentence)]
    question = " ".join(harmless) or situation.message
    if len(question.split()) <= SHORT_QUESTION_WORDS_MAX and len(situation.customer_texts) > 1:
        question = f"{situation.customer_texts[-2]} {question}"
    return " ".join(question.split())[:QUESTION_CHARACTERS_MAX]
