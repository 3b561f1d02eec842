"""Find names of people in a reply that nobody in the conversation has given."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache, lru_cache
from typing import Final

from runtime.patterns import load_patterns

_WORD: Final = r"[A-Z][a-z]+(?:['’-][A-Z]?[a-z]+)?(?![A-Za-z])"
_RUN: Final = re.compile(rf"(?<![\w\[’'.-]){_WORD}(?: {_WORD})+")
_CUED: Final = re.compile(
    rf"\b(?:(?:Mr|Mrs|Ms|Miss|Mx|Dr)\.?|Dear|Hi|Hello|Hey|[Cc]olleague|[Mm]anager|[Ss]upervisor|[Aa]gent|[Pp]assenger|"
    rf"named|called|name is|ask for|regards,?|[Ss]incerely,?)\s+(?P<name>{_WORD})"
)
_LETTERS: Final = re.compile(r"[a-z]+")
_STARTS: Final = re.compile(r"(?:^|[.!?:;\u203a\u201c\"]\s+|\n\s*(?:[-*\u2022]\s*|\d+[.)]\s*)?)$")


def strange_names(text: str, known_texts: Collection[str], names_nobody: Collection[str]) -> frozenset[str]:
    """Return the names in a text that none of the known texts holds.

    A name is two words or more in a row that begin with capitals, or one behind a word that announces it ("Dear").
    """
    candidates = set(_candidates(text))
    if not candidates:
        return frozenset()
    known = _ordinary_words().union(names_nobody, *(_words_of(one) for one in known_texts))
    return frozenset(name for name, firsts in candidates if _is_strange(name, is_first=firsts, known=known))


def _candidates(text: str) -> Iterator[tuple[str, bool]]:
    for found in _RUN.finditer(text):
        yield found[0], _STARTS.search(text[: found.start()]) is not None
    for found in _CUED.finditer(text):
        yield found["name"], False


def _is_strange(name: str, *, is_first: bool, known: Collection[str]) -> bool:
    """Check for a word that nobody knows; the first of a sentence has its capital anyway and does not count alone."""
    words = name.split()
    strange = [not _parts(word) <= set(known) for word in words]
    if is_first and len(words) > 1:
        return any(strange[1:])
    return any(strange)


def _parts(word: str) -> set[str]:
    return set(_LETTERS.findall(re.sub(r"['’]s$", "", word).lower()))


@lru_cache(maxsize=512)  # instructions and tools' answers come again in each turn
def _words_of(text: str) -> frozenset[str]:
    return frozenset(_LETTERS.findall(text.lower()))


@cache
def _ordinary_words() -> frozenset[str]:
    words = load_patterns("worker.guardrails", "claims.patterns")["capitalised"]
    return frozenset(_LETTERS.findall(words))
