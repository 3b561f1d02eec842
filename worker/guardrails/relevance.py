"""Refuse off-topic messages and prompt injections before any model is asked.

Off-topic means: a pattern of another trade, and not one word of ours. Both are the domain's vocabulary. A doubtful
message goes on to the agents, who can still decline it with the conversation in view.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from runtime.patterns import load_patterns
from worker.conversation.vocabulary import Vocabulary

RelevanceReason = Literal["relevant", "off_topic", "injection"]


@dataclass(frozen=True)
class RelevanceVerdict:
    """Whether a message is the airline's matter, how sure that is (0 to 1), and why."""

    is_relevant: bool
    confidence: float
    reason: RelevanceReason


RELEVANT = RelevanceVerdict(is_relevant=True, confidence=0.8, reason="relevant")
_OFF_TOPIC = RelevanceVerdict(is_relevant=False, confidence=0.9, reason="off_topic")
_INJECTION = RelevanceVerdict(is_relevant=False, confidence=0.95, reason="injection")


def assess_relevance(text: str, vocabulary: Vocabulary) -> RelevanceVerdict:
    """Judge one normalised, masked message, wherever in a conversation it stands."""
    said = " ".join(text.lower().replace("\u2019", "'").split())
    if _injection().search(said):
        return _INJECTION
    return _OFF_TOPIC if _is_foreign(said, vocabulary) else RELEVANT


def _is_foreign(said: str, vocabulary: Vocabulary) -> bool:
    return _compile(vocabulary.other_trade).search(said) is not None and _compile(vocabulary.ours).search(said) is None


@cache
def _injection() -> re.Pattern[str]:
    return re.compile(load_patterns("worker.guardrails", "relevance.patterns")["injection"])


@lru_cache(maxsize=16)  # two for each domain
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
