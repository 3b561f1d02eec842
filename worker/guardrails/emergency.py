"""Tell an emergency from a complaint: somebody is hurt, ill, threatened, held, lost or about to harm themselves.

Local and deterministic, and it stands before every agent and model. Missing one costs more than a false alarm, so a
plain statement of danger counts whoever makes it; a question about policy, an idiom, a story and what is long over do
not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from runtime.patterns import load_patterns
from worker.conversation.vocabulary import EmergencyKind
from worker.guardrails.learned import SUSPECT_MIN, load_judge
from worker.guardrails.letters import without_accents


@dataclass(frozen=True)
class EmergencyVerdict:
    """Kind of emergency that a message tells of, None for none, and how sure that is (0 to 1)."""

    kind: EmergencyKind | None
    confidence: float


_KINDS: tuple[EmergencyKind, ...] = (
    "poisoning",
    "medical",
    "self_harm",
    "security",
    "violence",
    "trafficking",
    "lost_child",
)
"""The order in which a message that tells of several is answered: what kills within minutes first."""

_BODILY = frozenset({"poisoning", "medical"})
_NOT_JOKED_ABOUT = frozenset({"security", "violence", "trafficking", "lost_child"})
_THREATENED = frozenset({"poisoning", "medical", "self_harm", "violence"})
"""What is also said to those who read it, as a threat or a wish."""
_WEAK_MIN = 2
_SENTENCE_WORDS_MAX = 120
_OVERLAP_WORDS = 30
_NONE = EmergencyVerdict(None, 0.9)


def assess_emergency(text: str) -> EmergencyVerdict:
    """Judge one normalised, masked message of a customer."""
    judge = load_judge("emergency")
    learned = judge.judge(text)
    if learned.probability < SUSPECT_MIN:
        return _NONE
    sentences = list(_sentences(text))
    for kind in _KINDS:
        if any(_tells_of(kind, sentence) for sentence in sentences):
            return EmergencyVerdict(kind, 0.9)
    weak = {match[0] for sentence in sentences for match in _compile("weak_self_harm").finditer(sentence)}
    if len(weak) >= _WEAK_MIN:
        return EmergencyVerdict("self_harm", 0.6)
    if learned.probability < judge.threshold:
        return _NONE
    return EmergencyVerdict(cast("EmergencyKind", learned.label), learned.probability)


def _sentences(text: str) -> Iterator[str]:
    """Return the sentences of a text: lower case, no accents, no apostrophes, a blank on both sides of each word.

    One without an end is read in parts that overlap, so that reading takes no longer than in proportion to the text.
    """
    plain = without_accents(text.lower().replace("\u2019", "'")).replace("'", "")
    for sentence in re.split(r"[.!?;\n]+", _LAUGHING.sub(" lol ", plain)):
        words = re.sub(r"[^a-z0-9,]+", " ", sentence).replace(",", " , ").split()
        for begins in range(0, max(1, len(words) - _OVERLAP_WORDS), _SENTENCE_WORDS_MAX - _OVERLAP_WORDS):
            part = words[begins : begins + _SENTENCE_WORDS_MAX]
            if set(part) - {","}:
                yield f" {' '.join(part)} "


_LAUGHING = re.compile("[\U0001f602\U0001f923\U0001f605\U0001f606\U0001f604]+")


def _tells_of(kind: EmergencyKind, sentence: str) -> bool:
    """Check whether a sentence states this danger: some match of it that nothing in the sentence takes back."""
    return any(
        not _is_harmless(kind, sentence, match)
        for section in (kind, f"{kind}_sign")
        for match in _compile(section).finditer(sentence)
    )


def _is_harmless(kind: EmergencyKind, sentence: str, match: re.Match[str]) -> bool:
    before, after = sentence[: match.start()], sentence[match.end() - 1 :]
    excuses = ("idiom", "aimed") if kind in _THREATENED else ("idiom",)
    if any(_overlaps(one, match) for section in excuses for one in _compile(section).finditer(sentence)):
        return True
    if _ends_with("asked").search(before) or _compile("asked_after").match(after) or _is_asked(sentence, match):
        return True
    if _compile("story").search(sentence):
        return True
    if kind in _BODILY and _compile("past_care").search(sentence):
        return True
    return kind not in _NOT_JOKED_ABOUT and _compile("joking").search(sentence) is not None


def _overlaps(one: re.Match[str], other: re.Match[str]) -> bool:
    return one.start() < other.end() and other.start() < one.end()


def _is_asked(sentence: str, match: re.Match[str]) -> bool:
    """Check whether a match begins within a question: a pattern may swallow the words that ask it."""
    asked = _compile("asked").match(sentence, 1)
    return asked is not None and asked.end() > match.start()


@cache
def _compile(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<= ){_patterns()[section]}(?= )")


@cache
def _ends_with(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?<= ){_patterns()[section]} $")


@cache
def _patterns() -> Mapping[str, str]:
    return load_patterns("worker.guardrails", "emergency.patterns")
