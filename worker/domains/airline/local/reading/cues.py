"""Recognise what a customer's words point to: cues that the classifier weighs and some rules act on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from runtime.patterns import load_patterns


@cache
def load_cues() -> Mapping[str, re.Pattern[str]]:
    """Return every cue of `cues.patterns` by name."""
    known = load_patterns("worker.domains.airline.local.reading", "cues.patterns")
    return MappingProxyType({name: re.compile(rf"\b{pattern}\b") for name, pattern in known.items()})


_CACHED_TEXTS_MAX = 2_048
_ASIDE = frozenset({"unwanted", "person"})
"""Sections that are no cues, but parts of other ones and what is not to be heard."""


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def cues_in(flat: str) -> frozenset[str]:
    """Name the cues in a text that is flattened: lower case, single blanks, placeholders as `<kind>`.

    What is said not to be wanted is none: "no need for a human", "I am not complaining".
    """
    cues = load_cues()
    said = cues["unwanted"].sub(" ", flat)
    return frozenset(name for name, pattern in cues.items() if name not in _ASIDE and pattern.search(said))
