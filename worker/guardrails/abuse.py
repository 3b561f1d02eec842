"""Tell abuse from anger: threats, hate, slurs, degrading insults and heavy profanity aimed at people.

Local and deterministic. Three things make a word abusive: what it is, whom it is aimed at, and who says it. "Your agent
called me an idiot" holds the word and is a complaint; "would it kill you to answer" holds the verb and is an idiom.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from worker.patterns import load_patterns

AbuseReason = Literal["none", "threat", "hate", "slur", "insult", "profanity"]


@dataclass(frozen=True)
class AbuseVerdict:
    """Say whether a message is abusive, how sure that is (0 to 1), and of what kind it is."""

    is_abusive: bool
    confidence: float
    reason: AbuseReason


_CLASSES: tuple[tuple[AbuseReason, float, str], ...] = (
    ("threat", 0.95, "threat"),
    ("hate", 0.9, "hate"),
    ("slur", 0.9, "slur"),
    ("insult", 0.85, "insulting"),
    ("profanity", 0.8, "profanity"),
)
"""The gravest first: reason, confidence, and the section of `abuse.patterns` that tells it."""

_CALM = AbuseVerdict(is_abusive=False, confidence=0.9, reason="none")


def assess_abuse(text: str) -> AbuseVerdict:
    """Judge one normalised, masked message of a customer."""
    spoken = _undisguise(text)
    for reason, confidence, section in _CLASSES:
        if _is_said(spoken, _compile(section)):
            return AbuseVerdict(is_abusive=True, confidence=confidence, reason=reason)
    return _CALM


_LEET = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i", "|": "i"}
)
_SPACED = re.compile(r"(?<![^\W_])(?:[^\W\d_][\s.\-_*]{1,2}){3,}[^\W\d_](?![^\W_])")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_WORD = re.compile(r"[^\s]+")
_STARRED = {
    re.compile(r"(?<!\w)@ss(?=holes?\b|hats?\b|\b)"): "ass",
    re.compile(r"\bf[*#@u\-_]{1,3}c?k"): "fuck",
    re.compile(r"\bf\*+\b"): "fuck",
    re.compile(r"\bs[*#@\-_]{1,2}t\b"): "shit",
    re.compile(r"\bb[*#@\-_]{1,2}t?ch"): "bitch",
    re.compile(r"\ba[*#@$\-_]{2}(?=holes?\b|\b)"): "ass",
    re.compile(r"\bc[*#@\-_]nts?\b"): "cunt",
    re.compile(r"\b(?:fuk|fck|fvck|phuck|fuc|fcuk)(?=(?:ing|in|er|ers|ed|s)?\b)"): "fuck",
    re.compile(r"\bn[*i1!][*g]{2}[*e3a][*r]?s?\b"): "nigger",
}


def _undisguise(text: str) -> str:
    """Undo what hides a word: capitals, digits for letters, stars, spaces between letters, stretched vowels.

    Gives words and single sentence marks separated by blanks; apostrophes are dropped, so that "you're" is "youre".
    """
    lowered = text.lower().replace("\u2019", "'")
    lowered = _SPACED.sub(lambda match: re.sub(r"[\s.\-_*]", "", match[0]), lowered)
    for pattern, plain in _STARRED.items():
        lowered = pattern.sub(plain, lowered)
    words = [_undo_leet(word) for word in _WORD.findall(lowered)]
    joined = re.sub(r"'", "", " ".join(words))
    joined = re.sub(r"([.!?;,:])[.!?;,:]*", r" \1 ", joined)
    joined = re.sub(r"[^a-z0-9.!?;,: ]", " ", joined)
    return " " + re.sub(r"\s+", " ", _STRETCHED.sub(r"\1", joined)).strip() + " "


def _undo_leet(word: str) -> str:
    core = word.rstrip("!?.,;:")
    if not re.search(r"[a-z]", core) or not re.search(r"[0-9@$!|]", core) or core.startswith("@"):
        return word
    return core.translate(_LEET) + word[len(core) :]


_REACH_CHARACTERS = 60


def _is_said(spoken: str, pattern: re.Pattern[str]) -> bool:
    """Say whether a pattern is met by the customer's own words: not told, quoted, denied or objected to."""
    match = pattern.search(spoken)
    while match is not None:
        before = spoken[max(0, match.start() - _REACH_CHARACTERS) : match.start()]
        clause = re.split(r"[.!?;]", before)[-1]
        if not any(excuse.search(clause) for excuse in _excuses()):
            return True
        match = pattern.search(spoken, match.start() + 1)
    return False


@cache
def _patterns() -> Mapping[str, str]:
    return load_patterns("worker.guardrails", "abuse.patterns")


@cache
def _compile(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<= ){_patterns()[section]}(?= )")


@cache
def _excuses() -> tuple[re.Pattern[str], ...]:
    """Build what makes the words right before a match take it back, each with the words that may stand between."""
    known = _patterns()
    return (
        re.compile(rf"\b{known['reported']}\b(?: [a-z0-9,]+){{0,7}} $"),
        re.compile(rf"\b{known['denied']}\b(?: [a-z0-9,]+){{0,3}} $"),
        re.compile(rf"\b{known['about_myself']}(?: {known['softener']})* $"),
    )
