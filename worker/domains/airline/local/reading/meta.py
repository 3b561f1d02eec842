"""Tell what a message says about the conversation itself: who answers, in which language, what cannot be seen here."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from runtime.patterns import load_patterns
from worker.conversation.vault import without_placeholders
from worker.domains.airline.local.reading.clauses import own_text

_CACHED_TEXTS_MAX = 2_048
_FOREIGN_WORDS_MIN = 2
_OTHER_SCRIPT_SHARE_MIN = 0.3
_SIGNS: dict[str, str] = {
    "🧳": "your baggage", "👜": "your baggage", "🎒": "your baggage", "💼": "your baggage",
    "✈": "a flight", "🛫": "a flight", "🛬": "a flight", "💺": "a seat", "💰": "a payment or a refund",
    "💵": "a payment or a refund", "💸": "a payment or a refund", "🐶": "travelling with a pet",
    "🐕": "travelling with a pet", "🐱": "travelling with a pet", "🐈": "travelling with a pet",
    "👶": "travelling with a baby", "🍽": "a meal on board", "📄": "your documents", "🛂": "your documents",
}  # fmt: skip
"""What a picture alone is about."""


@cache
def _pattern(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.domains.airline.local.reading", "meta.patterns")[section])


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def speaks_of(text: str, section: str) -> bool:
    """Check whether a message is of a section of `meta.patterns`."""
    said = " ".join(own_text(text).lower().replace("\u2019", "'").split())
    return _pattern(section).search(said) is not None


def without_robot_question(text: str) -> str:
    """Leave out where a message asks who answers: "are you human?" is no wish for a person."""
    said = " ".join(text.lower().replace("\u2019", "'").split())
    return _pattern("robot").sub(" ", said) if _pattern("robot").search(said) else text


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def is_other_language(text: str) -> bool:
    """Check whether a message is in another language than English: by its script, or by words that English has not."""
    said = without_placeholders(own_text(text))
    letters = [character for character in said if character.isalpha()]
    foreign = [character for character in letters if not unicodedata.name(character, "LATIN").startswith("LATIN")]
    if letters and len(foreign) / len(letters) >= _OTHER_SCRIPT_SHARE_MIN:
        return True
    words = re.findall(r"[^\W\d_]+", said.lower())
    of_others = sum(_pattern("foreign").fullmatch(word) is not None for word in words)
    of_english = sum(_pattern("english").fullmatch(word) is not None for word in words)
    return of_others >= _FOREIGN_WORDS_MIN and of_others > of_english


def has_no_words(text: str) -> bool:
    """Check whether a message consists of signs alone: dots, question marks, emoji."""
    return re.search(r"\w", text) is None


def subject_of_signs(text: str) -> str | None:
    """Return what the pictures of a message without words are about; None where nobody could tell."""
    return next((subject for sign, subject in _SIGNS.items() if sign in text), None)
