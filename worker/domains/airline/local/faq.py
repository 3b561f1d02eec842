"""Decide as the FAQ Agent: look it up, answer with the source, or say honestly that nothing was found."""

from __future__ import annotations

import re

from worker.domains.airline.local import phrases
from worker.domains.airline.local.answers import accepts_person
from worker.domains.airline.local.asking import is_follow_up, leans_on_last
from worker.domains.airline.local.reading.intent import calls_for_person, classify
from worker.domains.airline.local.reading.slots import declines, find_confirmation_number
from worker.domains.airline.local.situation import FinishedCall, Situation
from worker.domains.airline.local.smalltalk import answer_smalltalk, is_smalltalk
from worker.models.output import Call, Say, Step

QUESTION_CHARACTERS_MAX = 500
SHORT_ANSWER_WORDS_MAX = 4
QUESTIONS_MAX = 3
"""Questions of one turn that are looked up, each by itself."""
PASSAGES_QUOTED_MAX = 2
_SURE = 0.5
_PARAGRAPH = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SECRET = re.compile(r"\[(?:CARD_NUMBER|SSN)\]")
_TO_TRIAGE = "transfer_to_triage_agent"


def decide(situation: Situation) -> Step:
    """Choose the next step."""
    looked_up = [done for done in situation.done if done.name == "faq_lookup"]
    if looked_up and situation.latest is looked_up[-1]:
        questions = questions_in(situation)
        if len(looked_up) < len(questions):
            return Call("faq_lookup", questions[len(looked_up)])
        return Say(_answer(looked_up))
    sent_here = "transfer_to_faq_agent" in situation.handoffs_made
    if not sent_here:
        step = _settle_otherwise(situation)
        if step is not None:
            return step
    if not situation.can("faq_lookup"):
        return Say(phrases.nothing_found())
    return Call("faq_lookup", questions_in(situation)[0])


def _answer(looked_up: list[FinishedCall]) -> str:
    """Return what was found, each passage once: two where one question was looked up and both are close to it."""
    quoted = PASSAGES_QUOTED_MAX if len(looked_up) == 1 else 1
    found = [result for done in looked_up if done.output.get("found") for result in done.output["results"][:quoted]]
    return "\n\n".join(dict.fromkeys(map(phrases.cite, found))) or phrases.nothing_found()


def _settle_otherwise(situation: Situation) -> Step | None:
    """Answer small talk, and hand back what is no question; None when it is one."""
    label, confidence = situation.intent
    refuses, offered = declines(situation.message), situation.open_offer
    offers_person = phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) is not None
    answers_offer = offered is not None and (offered.said_yes or refuses)
    if answers_offer or situation.tells_name or accepts_person(situation) or (offers_person and refuses):
        return Call(_TO_TRIAGE) if situation.can(_TO_TRIAGE) else None
    if is_follow_up(situation.message) and situation.facts.published is not None:
        return None
    is_nod = (refuses or situation.facts.agrees) and len(situation.message.split()) <= SHORT_ANSWER_WORDS_MAX
    if is_nod or label == "smalltalk" or is_smalltalk(situation):
        return answer_smalltalk(situation)

    if label == "off_topic" and confidence >= _SURE:
        return Say(phrases.decline_off_topic(booking_open=situation.facts.verified))
    is_complaint = label == "escalation" and calls_for_person(situation.message)
    is_elsewhere = (label == "booking" or is_complaint) and confidence >= _SURE
    if (is_elsewhere or find_confirmation_number(situation.message)) and situation.can(_TO_TRIAGE):
        return Call(_TO_TRIAGE)
    return None


def questions_in(situation: Situation) -> list[dict[str, str]]:
    """Return the arguments of the lookups, at most QUESTIONS_MAX; one that leans on the question before takes it along.

    Several are looked up when several paragraphs ask: messages that came in a row are paragraphs of one.
    """
    paragraphs = [part for part in _PARAGRAPH.split(situation.message) if "?" in part and _is_policy(part)]
    if len(paragraphs) > 1:
        return [{"question": _question_of(paragraph)} for paragraph in paragraphs[:QUESTIONS_MAX]]
    question = {"question": _question_of(situation.message)}
    if leans_on_last(situation.message) and len(situation.customer_texts) > 1:
        question["about"] = _question_of(situation.customer_texts[-2])
    return [question]


def _is_policy(paragraph: str) -> bool:
    label, confidence = classify(paragraph)
    return label == "faq" and confidence >= _SURE


def _question_of(text: str) -> str:
    """Leave a sentence that held a card number out where there is another: the question is not about the card."""
    harmless = [sentence for sentence in _SENTENCE_END.split(text) if not _SECRET.search(sentence)]
    return _shorten(" ".join(harmless) or text)


def _shorten(question: str) -> str:
    return " ".join(question.split())[:QUESTION_CHARACTERS_MAX]
