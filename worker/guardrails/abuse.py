"""Tell abuse from anger: threats, hate, slurs, sexual harassment, degrading insults, heavy profanity aimed at people.

Local and deterministic. Three things make a word abusive: what it is, whom it is aimed at, and who says it. "Your agent
called me an idiot" holds the word and is a complaint; "would it kill you to answer" holds the verb and is an idiom.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from runtime.patterns import load_patterns
from worker.guardrails.disguise import undisguise
from worker.guardrails.learned import SUSPECT_MIN, load_judge

AbuseReason = Literal["none", "threat", "hate", "slur", "harassment", "insult", "profanity"]


@dataclass(frozen=True)
class AbuseVerdict:
    """Whether a message is abusive, how sure that is (0 to 1), and of what kind it is."""

    is_abusive: bool
    confidence: float
    reason: AbuseReason


_CLASSES: tuple[tuple[AbuseReason, float, str], ...] = (
    ("threat", 0.95, "threat"),
    ("hate", 0.9, "hate"),
    ("slur", 0.9, "slur"),
    ("harassment", 0.85, "harassing"),
    ("insult", 0.85, "insulting"),
    ("profanity", 0.8, "profanity"),
)
"""The gravest first: reason, confidence, and the section of `abuse.patterns` that detects it."""

_HATEFUL = AbuseVerdict(is_abusive=True, confidence=0.75, reason="hate")
_CALM = AbuseVerdict(is_abusive=False, confidence=0.9, reason="none")


def assess_abuse(text: str) -> AbuseVerdict:
    """Judge one normalised, masked message of a customer."""
    text = _without_quotations(text)
    judge = load_judge("abuse")
    learned = judge.judge(text)
    if learned.probability < SUSPECT_MIN:
        return _CALM
    spoken = undisguise(text)
    for reason, confidence, section in _CLASSES:
        if _is_said(spoken, _word(section)):
            return AbuseVerdict(is_abusive=True, confidence=confidence, reason=reason)
    if _hates_a_group(spoken):
        return _HATEFUL
    if learned.probability < judge.threshold:
        return _CALM
    return AbuseVerdict(is_abusive=True, confidence=learned.probability, reason=cast("AbuseReason", learned.label))


_QUOTATION = re.compile(r"[\"\u201c\u201e][^\"\u201c\u201d\u201e]{1,200}[\"\u201d\u201c]")
_WORDS_BESIDE_MIN = 3
"""Words outside of quotation marks that make what is within them somebody else's."""


def _without_quotations(text: str) -> str:
    """Cut what a message quotes; what is nothing but a quotation, or hardly more, is the writer's own."""
    rest = _QUOTATION.sub(" ", text)
    return rest if len(rest.split()) >= _WORDS_BESIDE_MIN else text


_REACH_CHARACTERS = 60


def _is_said(spoken: str, pattern: re.Pattern[str]) -> bool:
    """Check whether a pattern is met by the customer's own words: not told, quoted, denied or objected to."""
    match = pattern.search(spoken)
    while match is not None:
        before = spoken[max(0, match.start() - _REACH_CHARACTERS) : match.start()]
        clause = re.split(r"[.!?;]", before)[-1]
        is_others = _OTHERS_WORDS.match(spoken, match.end()) is not None
        if not is_others and not any(excuse.search(clause) for excuse in _excuses()):
            return True
        match = pattern.search(spoken, match.start() + 1)
    return False


_OTHERS_WORDS = re.compile(
    r" (?:[a-z]+ ){0,2},? ?(?:(?:is|was) (?:what|not how|how|not what) |who says? |(?:some|people|they|many) say |"
    r"(?:he|she|they|your [a-z]+|the [a-z]+|one [a-z]+) (?:said|told|yelled|shouted|screamed|replied|wrote) )"
)
"""Matches what follows words that somebody else said."""


def _hates_a_group(spoken: str) -> bool:
    """Check whether a message names a group and something hateful, and neither speaks for the group nor of our matters.

    Hate has more grammars than rules; away from an airline's business, a group beside one of these words is enough.
    """
    return all(_word(section).search(spoken) for section in ("group", "hateful")) and not any(
        _word(section).search(spoken) for section in ("fair", "our_matter")
    )


@cache
def _word(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<= ){_patterns()[section]}(?= )")


@cache
def _patterns() -> Mapping[str, str]:
    return load_patterns("worker.guardrails", "abuse.patterns")


@cache
def _excuses() -> tuple[re.Pattern[str], ...]:
    """Build the patterns of words right before a match that take it back, with the words that may stand between."""
    known = _patterns()
    return (
        re.compile(rf"\b{known['reported']}\b(?: [a-z0-9,]+){{0,7}} $"),
        re.compile(rf"(?<!if you )(?<!if u )(?<!if they )\b{known['denied']}\b(?: [a-z0-9,]+){{0,3}} $"),
        re.compile(rf"\b{known['about_myself']}(?: {known['softener']})* $"),
        re.compile(rf"\b{known['about_mine']} $"),
    )
