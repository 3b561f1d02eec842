"""Refuse, before any model is asked, what is surely not the airline's matter, or tries to turn the agents around.

Sure means: a pattern of another trade, and not one word of ours. What is merely doubtful goes on to the agents, who can
still decline it with the conversation in view.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from runtime.patterns import load_patterns

RelevanceReason = Literal["relevant", "off_topic", "injection"]


@dataclass(frozen=True)
class RelevanceVerdict:
    """Say whether a message is the airline's matter, how sure that is (0 to 1), and why."""

    is_relevant: bool
    confidence: float
    reason: RelevanceReason


SHORT_ANSWER_WORDS_MAX = 4

_RELEVANT = RelevanceVerdict(is_relevant=True, confidence=0.8, reason="relevant")
_OFF_TOPIC = RelevanceVerdict(is_relevant=False, confidence=0.9, reason="off_topic")
_INJECTION = RelevanceVerdict(is_relevant=False, confidence=0.95, reason="injection")


def assess_relevance(text: str, *, under_way: bool) -> RelevanceVerdict:
    """Judge one normalised, masked message; `under_way` says that the conversation has begun before it.

    A short answer within a conversation ("yes", "12A", "thanks") is always relevant.
    """
    said = " ".join(text.lower().replace("\u2019", "'").split())
    if _compile("injection").search(said):
        return _INJECTION
    if under_way and len(said.split()) <= SHORT_ANSWER_WORDS_MAX and not _sure(said):
        return _RELEVANT
    if _sure(said):
        return _OFF_TOPIC
    return _RELEVANT


def _sure(said: str) -> bool:
    return _compile("other_trade").search(said) is not None and _ours().search(said) is None


@cache
def _compile(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.guardrails", "relevance.patterns")[section])


@cache
def _ours() -> re.Pattern[str]:
    return re.compile(
        rf"\b{load_patterns('worker.guardrails', 'relevance.patterns')['ours']}\b|\[confirmation_number_\d+\]"
    )
