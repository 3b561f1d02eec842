"""Leave out what is said before a question and is no part of it: courtesies, apologies, mishaps with other things."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from runtime.patterns import load_patterns
from worker.domains.airline.local.reading.cues import cues_in

_CACHED_TEXTS_MAX = 2_048
_SAYING_WORDS_MIN = 3
"""Words of a question that stands alone once what is before it is gone."""

_END = re.compile(
    r"(?<=[.!?])\s+|\n+|\s+[-\u2013]\s+|\s*[,;:]\s*(?:but|so|and|yet)?\s*"
    r"(?=(?:how|what|when|where|which|who|is|are|do|does|can|could|may|will|would|should|until|till|must|if)\b)|"
    r"\s*[,;]?\s+but\s+",
    re.IGNORECASE,
)
_LEANS_BACK = re.compile(
    r"\b(?:it|its|that|this|those|these|them|they|one|ones|he|she|his|him|her|still|then|so)\b", re.IGNORECASE
)
_BODY = re.compile(r"\b(?:leg|arm|foot|feet|hip|ankle|knee|back|wrist|toe|hand|nose|rib|neck|head|glasses)s?\b")
"""A mishap with one of these may need a person, or help on the way."""
_OF_OURS = frozenset({"ours", "medical", "bereavement", "left_item", "compensation", "refund_dispute", "human"})


@cache
def _pattern(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.domains.airline.local.reading", "asides.patterns")[section])


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def without_asides(text: str) -> str:
    """Return a message without the asides before its question; as it is where the question leans on what they say.

    "I missed the bus, how early must I be there?" asks how early one must be there; "I missed my flight, what now?"
    stays whole, since a flight is the airline's matter.
    """
    parts = [part for part in _END.split(text) if part.strip()]
    kept = [part for part in parts if part.rstrip().endswith("?") or not _is_aside(part)]
    if len(kept) == len(parts) or not kept:
        return text
    first = kept[0]
    if len(first.split()) < _SAYING_WORDS_MIN or _LEANS_BACK.search(first):
        return text
    return " ".join(part.strip() for part in kept)


def _is_aside(part: str) -> bool:
    """Check whether a part is an aside, or several: "this is my first flight, I'm a bit nervous"."""
    phrases = re.split(r",\s+", part)
    return _is_one_aside(part) or (len(phrases) > 1 and all(map(_is_one_aside, phrases)))


def _is_one_aside(part: str) -> bool:
    said = " ".join(part.lower().replace("\u2019", "'").split())
    if "[" in said:
        return False
    if _pattern("opening").match(said) is not None:
        return not cues_in(said) & (_OF_OURS - {"ours"})
    concerns_us = bool(cues_in(said) & _OF_OURS) or _BODY.search(said) is not None
    return _pattern("aside").match(said) is not None and not concerns_us
