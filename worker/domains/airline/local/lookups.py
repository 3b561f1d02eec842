"""Look up in the articles what the newest message asks, by itself or beside what else it needs."""

from __future__ import annotations

import re
from typing import Any

from worker.domains.airline.local.asking import asks, subject_before
from worker.domains.airline.local.reading.asides import without_asides
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.questions import split_questions
from worker.domains.airline.local.situation import FinishedCall, Situation
from worker.models.output import Call, Calls, Step

QUESTION_CHARACTERS_MAX = 500
QUESTIONS_MAX = 5
"""Questions of one message that are looked up, each by itself."""

FOUND_BESIDE_MIN = 1.4
"""Rank from which what a search found is told beside a ticket, or beside what is asked of a customer who wants more."""

CORRECTION = re.compile(
    r"^\W*(?:(?:no|nope|sorry|wait|oops|ah|oh|actually)\b\W*)*(?:i|we) (?:meant|mean)\b\W*", re.IGNORECASE
)
"""How a question is put right that was understood wrongly: "no, I meant wifi"."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SECRET = re.compile(r"\[(?:CARD_NUMBER|SSN)\]")


def asks_published(situation: Situation) -> bool:
    """Check whether the newest message asks what the articles answer, beside whatever else it needs."""
    published = situation.facts.published
    found = published is not None and published.rank >= FOUND_BESIDE_MIN
    return found and ("?" in situation.message or asks(situation.message)) and not situation.was_called("faq_lookup")


def asks_before_booking(situation: Situation) -> bool:
    """Check whether a message asks about the rules of what it wishes, and names nothing yet of what it should be."""
    reading, today = situation.reading, situation.facts.today
    names_what = reading.seats or reading.preference or reading.confirmation_number or reading.names
    names_day = today is not None and find_day(situation.message, today) is not None
    return asks_published(situation) and asks(situation.message) and not (names_what or names_day)


def look_up(situation: Situation) -> Step:
    """Look up the newest message, and where it asks several things, or tells much beside, each question as well."""
    whole = Call("faq_lookup", _whole_question(situation))
    several = split_questions(without_asides(situation.message))[:QUESTIONS_MAX]
    parts = (Call("faq_lookup", _arguments(one.text, one.about)) for one in several)
    return Calls((whole, *parts)) if several else whole


def results_of(looked_up: FinishedCall) -> list[dict[str, Any]]:
    """Return the passages that a search has found, best first; none when nothing answers."""
    return list(looked_up.output["results"]) if looked_up.output.get("found") else []


def source_of(result: dict[str, Any]) -> tuple[str, str]:
    """Name the article and section of a passage."""
    return str(result.get("article")), str(result.get("section"))


def _whole_question(situation: Situation) -> dict[str, str]:
    """Return the arguments of a lookup of the newest message, with the one before it where it leans on that."""
    texts = situation.customer_texts
    return _arguments(without_asides(situation.message), subject_before(texts[:-1], situation.message))


def _arguments(question: str, about: str) -> dict[str, str]:
    asked = {"question": _question_of(question)}
    return {**asked, "about": _question_of(about)} if about else asked


def _question_of(text: str) -> str:
    """Leave a sentence that held a card number out where there is another: the question is not about the card."""
    text = CORRECTION.sub("", text) or text
    harmless = [sentence for sentence in _SENTENCE_END.split(text) if not _SECRET.search(sentence)]
    return _shorten(" ".join(harmless) or text)


def _shorten(question: str) -> str:
    return " ".join(question.split())[:QUESTION_CHARACTERS_MAX]
