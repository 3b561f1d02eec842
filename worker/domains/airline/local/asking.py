"""Tell whether a message asks for what the airline has published, with what a search of the articles found beforehand.

A classifier that has never seen "vegan" or "plug socket" takes them for another trade's; the articles know better.
"""

from __future__ import annotations

import re
from typing import Final

from worker.domains.airline.local.cues import cues_in
from worker.domains.airline.local.intent import Intent, flatten, urgent_cue

FOLLOW_UP_WORDS_MAX = 12
SHORT_WORDS_MAX = 4

FOUND_MIN = 1.3
"""Rank from which what a search found answers the message; of the index of articles, about the least that it gives."""

SURE_OF_OTHER = 0.9
"""Confidence from which a message is small talk or another trade's, whatever an article has of its words."""

SURE_OF_WISH, SURE_OF_WISH_ASKED = 0.75, 0.97
"""Confidence from which a message wants something done, if it asks nothing, and if it has the form of a question.

Measured on our tuning questions and triage set: wishes and complaints are read with 0.97 and more, nearly all of them,
and policy questions that are taken for one with less.
"""

_LEANS: Final = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|thanks?|thank you|great|good|cool|alright|fine)\b\W*)?"
    r"(?:and|but|or|also|so|then|what about|how about|what if)\b",
    re.IGNORECASE,
)
_POINTS_BACK: Final = re.compile(
    r"\b(?:it|that|this|those|these|them|they|one|ones|there|too|then)\b\W*", re.IGNORECASE
)
_QUESTION: Final = re.compile(
    r"^\W*(?:(?:hi|hello|hey|so|ok|and|also|but|or|well|quick question|question)\b\W*)*"
    r"(?:how|what|what's|whats|when|which|where|why|who|whose|is|are|am|do|does|did|can|could|may|might|will|would|"
    r"should|shall|must|has|have|any|until when|till when|if)\b",
    re.IGNORECASE,
)
_PLEASE_DO: Final = re.compile(
    r"\b(?:can|could|would|will) (?:you|u)\b(?! (?:please )?(?:tell|explain|say))", re.IGNORECASE
)


def leans_on_last(text: str) -> bool:
    """Say whether a message continues the question before it, and says too little alone: "and in the hold?"."""
    words = len(text.split())
    if words <= SHORT_WORDS_MAX:
        return True
    return words <= FOLLOW_UP_WORDS_MAX and (_LEANS.search(text) is not None or _POINTS_BACK.search(text) is not None)


def is_follow_up(text: str) -> bool:
    """Say whether a message begins as one that continues a question: "and", "what about", "ok and"."""
    return len(text.split()) <= FOLLOW_UP_WORDS_MAX and _LEANS.search(text) is not None


def asks(text: str) -> bool:
    """Say whether a message has the form of a question to be answered, rather than of a favour to be done."""
    return ("?" in text or _QUESTION.search(text) is not None) and _PLEASE_DO.search(text) is None


def weigh_published(likely: Intent, text: str, rank: float, *, is_in_booking: bool) -> Intent:
    """Read a message as a question of policy where the articles answer it and nothing surer speaks against it.

    `rank` is the best passage's, 0 for none; `is_in_booking` says whether the conversation is about a booking, whose
    questions are often its own. What must reach a person does.
    """
    if rank < FOUND_MIN or likely.label == "faq" or urgent_cue(flatten(text)) is not None:
        return likely
    is_asked = asks(text)
    if is_in_booking and not is_asked:
        return likely
    if likely.label in {"smalltalk", "off_topic"}:
        gives_way = likely.confidence < SURE_OF_OTHER and not cues_in(flatten(text)) & {"thanks"}
    else:
        gives_way = likely.confidence < (SURE_OF_WISH_ASKED if is_asked else SURE_OF_WISH)
    return Intent("faq", max(likely.confidence, SURE_OF_OTHER)) if gives_way else likely
