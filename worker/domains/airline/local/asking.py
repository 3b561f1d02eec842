"""Tell whether a message asks for what the airline has published, with what a search of the articles found beforehand.

A classifier that has never seen "vegan" or "plug socket" takes them for another trade's; the articles know better.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import Intent, flatten, urgent_cue

FOLLOW_UP_WORDS_MAX = 12
SHORT_WORDS_MAX = 4
QUESTION_WORDS_MIN = 2

FOUND_MIN = 1.3
"""Rank from which what a search found answers the message; of the index of articles, about the least that it gives."""

FOUND_DESPITE_COMPLAINT_MIN = 1.45
"""Rank from which it does although a message of more than a few words reads as a complaint."""

FOUND_DESPITE_TRADE_MIN, FOUND_DESPITE_OTHER_MIN = 1.55, 1.95
"""Rank from which it does although a word of another trade stands in it ("wifi", but also "Can I top up by card?"),
and where the message surely reads as that trade's."""

FOUND_WELL_MIN = 1.85
"""Rank from which it surely does, since a phrasing says nearly the same."""

SURE_OF_OTHER, SURE_OF_WISH = 0.9, 0.98
"""Confidence from which a question is small talk or another trade's, and from which it wants something done.

Measured on our tuning questions and triage set: wishes and complaints are read with 0.98 and more, nearly all of them,
and policy questions that are taken for one with less.
"""
SURE_OF_WORDS, SURE_OF_STORY = 0.75, 0.5
"""The same for a few words without the form of a question ("vegan options"), and for many, which mostly tell a case."""

FEW_WORDS_MAX = 8
QUESTION_WORDS_MAX = 20
"""Words from which a message that ends in a question tells a case all the same."""

_FACET: Final = re.compile(
    r"^(?:hm+|and|or|but|ok|okay|so|then|also|please|in|on|at|for|from|to|until|till|since|by|up|how|what|which|when|where|"
    r"who|why|much|many|long|big|large|heavy|far|often|soon|early|late|old|far|about|is|are|was|does|do|did|can|could|"
    r"may|must|will|would|should|have|has|be|come|go|get|open|close|say|tell|take|takes|cost|costs|price|prices|fee|"
    r"fees|charge|charges|extra|free|size|sizes|weight|limit|limits|age|ages|cit(?:y|ies)|airports?|places?|flights?|"
    r"routes?|times?|hours?|days?|each|per|way|the|a|an|of|it|its|that|this|those|these|them|they|there|one|ones|you|i|"
    r"we|me|us|if|any|exactly|again|in advance|advance|ahead|before|after|kids?|child(?:ren)?|adults?|members?|gold|"
    r"silver|business|economy|basic|class|along|with|too|everyone|anyone|all|only|more|less|thanks?|good|great)$",
    re.IGNORECASE,
)
"""Words of which a question consists that asks for another side of what was asked before: "and in which cities"."""
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
    r"(?:(?:in|at|on|for|from|to|with|by|until|till|since) (?:how|what|which|when)|"
    r"how|what|what's|whats|when|which|where|why|who|whose|is|are|am|do|does|did|can|could|may|might|will|would|"
    r"should|shall|must|has|have|any|until when|till when|if|price|fee|cost|"
    r"(?:please )?(?:tell|explain to) (?:me|us))\b",
    re.IGNORECASE,
)
_PLEASE_DO: Final = re.compile(
    r"^\W*(?:(?:hi|hello|hey|so|ok|and|also|please|pls)\b\W*)*"
    r"(?:can|could|would|will) (?:(?:you|u)\b(?! (?:please )?(?:tell|explain|say))|(?:some|any)(?:one|body)\b)|"
    r"^\W*(?:so |and |but )*(?:please|pls|plz) (?!tell|explain|say|let|advise|clarify|confirm|how|what)\w+ "
    r"(?:me|us|my|our|him|her|them|it|this|that)\b",
    re.IGNORECASE,
)
_WANTS: Final = re.compile(
    r"^\W*(?:(?:hi|hello|hey|ok|and|also|please|pls|just)\b\W*)*"
    r"(?:(?:i|we)(?:'d| would)? (?:just )?(?:want|need|like|prefer|wish|wanna|gotta)|add|change|cancel|move|put|give|"
    r"book|switch|swap|upgrade|downgrade|get|take|make|remove|rebook|send|fix|correct)\b",
    re.IGNORECASE,
)
_OWN_BOOKING: Final = re.compile(
    r"\b(?:my|our) (?:\w+ )?(?:bookings?|reservations?|itinerary)\b|"
    r"^\W*(?:(?:hi|hello|hey|so|ok|and)\b\W*)*(?:can|could) (?:i|we) (?:please )?"
    r"(?:change|move|cancel|switch|swap|upgrade) (?:my|our)\b[^?.]{0,25}\?*$",
    re.IGNORECASE,
)
_HELP: Final = re.compile(r"\bhelp\W*$", re.IGNORECASE)
_SURE_OF_TRADE: Final = 0.8
_TRADES: Final = frozenset({"trade", "brand", "bank", "shop", "gadget"})
_CLAUSE_END: Final = re.compile(r"(?<=[.!?,;])\s+|\n+|\s-\s")


def leans_on_last(text: str) -> bool:
    """Check whether a message continues the question before it, and says too little alone: "and in the hold?".

    One that neither asks nor goes on ("perfect, that helps") is no question, whatever was asked before.
    """
    words = len(text.split())
    points_back = words <= SHORT_WORDS_MAX or _POINTS_BACK.search(text) is not None
    return is_follow_up(text) or (words <= FOLLOW_UP_WORDS_MAX and points_back and ("?" in text or asks(text)))


def subject_before(texts: Sequence[str], newest: str) -> str:
    """Return the question that a newest message leans on: the last one that names a subject; "" where it leans on none.

    `texts` are the customer's messages before it. "How much?" after "and for children?" still asks about what stands
    before both.
    """
    if not texts or not (leans_on_last(newest) or is_facet(newest)):
        return ""
    return next((text for text in reversed(texts) if not is_facet(text)), texts[-1])


def is_facet(text: str) -> bool:
    """Check whether a message only asks for another side of a subject, and names none: "from what age?"."""
    words = re.findall(r"[^\W_]+", text)
    return (
        0 < len(words) <= FOLLOW_UP_WORDS_MAX
        and ("?" in text or asks(text) or _LEANS.search(text) is not None)
        and all(map(_FACET.match, words))
    )


def is_follow_up(text: str) -> bool:
    """Check whether a message begins as one that continues a question: "and", "what about", "ok and"."""
    return len(text.split()) <= FOLLOW_UP_WORDS_MAX and _LEANS.search(text) is not None


def asks(text: str) -> bool:
    """Check whether a message has the form of a question to be answered, rather than of a favour to be done."""
    clauses = [clause for clause in _CLAUSE_END.split(text) if len(clause.split()) >= QUESTION_WORDS_MIN]
    asked = [clause for clause in clauses if clause.rstrip().endswith("?") or _QUESTION.search(clause)]
    if "?" not in text and len(text.split()) > QUESTION_WORDS_MAX:
        return False  # a long story: "When I asked the crew, they did nothing"
    return any(not _HELP.search(clause) for clause in asked) and not any(map(_PLEASE_DO.search, clauses))


def weigh_published(likely: Intent, text: str, rank: float, *, is_in_booking: bool) -> Intent:
    """Read a message as a question of policy where the articles answer it and nothing surer speaks against it.

    `rank` is the best passage's, 0 for none; `is_in_booking` says whether the conversation is about a booking, whose
    questions are often its own. What must reach a person does.
    """
    if rank < _found_min(likely, text) or urgent_cue(flatten(text)) is not None:
        return likely
    if likely.label == "faq":
        return Intent("faq", max(likely.confidence, SURE_OF_OTHER))
    is_asked = asks(text)
    is_own = likely.label == "booking" and _OWN_BOOKING.search(text) is not None
    is_wish = likely.label in {"booking", "escalation"} and not is_asked and _WANTS.search(text) is not None
    if is_own or is_wish or (is_in_booking and not is_asked):
        return likely
    gives_way = likely.confidence < _sure_min(likely, len(text.split()), rank, is_asked=is_asked)
    if not gives_way or "thanks" in cues_in(flatten(text)):
        return likely
    return Intent("faq", max(likely.confidence, SURE_OF_OTHER))


def _found_min(likely: Intent, text: str) -> float:
    """Return the rank from which the articles have a say against what a message reads as."""
    if likely.label == "escalation" and len(text.split()) > FOLLOW_UP_WORDS_MAX:
        return FOUND_DESPITE_COMPLAINT_MIN
    cues = cues_in(flatten(text))
    if likely.label != "off_topic" or "ours" in cues or not cues & _TRADES:
        return FOUND_MIN
    return FOUND_DESPITE_OTHER_MIN if likely.confidence >= _SURE_OF_TRADE else FOUND_DESPITE_TRADE_MIN


def _sure_min(likely: Intent, words: int, rank: float, *, is_asked: bool) -> float:
    """Return the confidence from which a reading stands although an article has an answer."""
    if not is_asked and (rank < FOUND_WELL_MIN or words > QUESTION_WORDS_MAX):
        return SURE_OF_WORDS if words <= FEW_WORDS_MAX else SURE_OF_STORY
    if not is_asked:
        return SURE_OF_OTHER
    if likely.label == "escalation" and words > QUESTION_WORDS_MAX:
        return SURE_OF_WORDS
    return SURE_OF_OTHER if likely.label in {"smalltalk", "off_topic"} else SURE_OF_WISH
