"""Tell which facts of their own booking a customer asks for: free bags, insurance, what was paid, when they fly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Literal, get_args

from runtime.patterns import load_patterns
from worker.domains.airline.local.reading.clauses import clauses_in

Fact = Literal[
    "bags_included", "bags_booked", "insured", "paid", "membership", "payment_methods", "departure", "arrival", "cabin",
    "number", "bookings", "passengers", "seat_kind", "stop",
]  # fmt: skip

OF_ANY_CUSTOMER = frozenset[Fact]({"bags_included", "payment_methods", "seat_kind", "cabin"})
"""Facts that are asked about in the words of a question of policy, as long as no booking is spoken of."""

_CACHED_TEXTS_MAX = 2_048


@cache
def _facts() -> Mapping[Fact, re.Pattern[str]]:
    known = load_patterns("worker.domains.airline.local.reading", "own_questions.patterns")
    return MappingProxyType({fact: re.compile(rf"\b{known[fact]}") for fact in get_args(Fact)})


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def find_own_questions(text: str) -> tuple[Fact, ...]:
    """Name the facts that a message asks for, in its order, each once."""
    found = (fact for clause in clauses_in(text) for fact in own_questions_in(clause))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def asks_what_if(text: str) -> bool:
    """Check whether a message asks what a change would come to, and does not wish it: "what if I cancelled?"."""
    said = " ".join(text.lower().replace("\u2019", "'").split())
    return _pattern("what_if").search(said) is not None and _pattern("wished").search(said) is None


@cache
def _pattern(section: str) -> re.Pattern[str]:
    known = load_patterns("worker.domains.airline.local.reading", "own_questions.patterns")
    return re.compile(rf"\b(?:{known[section]})")


def own_questions_in(clause: str) -> tuple[Fact, ...]:
    """Name the facts that one clause asks for."""
    said = " ".join(clause.lower().replace("\u2019", "'").split())
    return tuple(fact for fact, pattern in _facts().items() if pattern.search(said))
