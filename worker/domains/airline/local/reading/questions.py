"""Find the questions of a message that asks several: numbered, in a list, or strung together."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

from runtime.patterns import load_patterns

_CACHED_TEXTS_MAX = 2_048
CONTEXT_WORDS_MAX = 14
"""Words of a statement that is taken along with the question after it: "We fly with a cello. May it come on board?"."""


_SAYING_WORDS_MIN = 3
"""Words of a part that says something; fewer greet, nod or thank."""


class Question(NamedTuple):
    """One question of a message: its words, and what it leans on; empty when it stands alone."""

    text: str
    about: str = ""


@cache
def _pattern(section: str, begin: str = "", end: str = "") -> re.Pattern[str]:
    known = load_patterns("worker.domains.airline.local.reading", "questions.patterns")
    return re.compile(f"{begin}(?:{known[section]}){end}", re.IGNORECASE)


_LEANS = re.compile(
    r"\b(?:it|its|that|this|those|these|them|they|one|ones|(?<!is )(?<!are )there|then|he|she|him|her)\b|"
    r"^\W*(?:and |or )?(?:how (?:much|long|many|come)|when|where|why|who|what)\W*$",
    re.IGNORECASE,
)


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def split_questions(text: str) -> tuple[Question, ...]:
    """Return a message's questions in their order, where it says more than one thing; none for a single question.

    A question that points back, or says too little alone, leans on what stands before it.
    """
    found: list[Question] = []
    subject = context = ""
    parts = _parts(text)
    is_list = sum(is_item for _, is_item in parts) > 1
    for part, is_item in parts:
        if not (is_item and is_list) and not _is_question(part, goes_on=bool(found)):
            context = part if len(part.split()) <= CONTEXT_WORDS_MAX else ""
            continue
        leans = _LEANS.search(part) is not None or (bool(found) and _is_indirect(part))
        subject = context or subject if leans else part
        found.append(Question(part, subject if leans else ""))
        context = ""
    says = sum(len(part.split()) >= _SAYING_WORDS_MIN for part, _ in parts)
    return tuple(found) if len(found) > 1 or (found and says > 1) else ()


_SUBJECT_ALONE = r"\s+(?:i|we|you|u|he|she|it|they|there)\s*$"
"""Ends what only begins a question, whose "also" stands within it: "do you also take bikes?"."""


def _parts(text: str) -> list[tuple[str, bool]]:
    """Cut a text where a question may end; says of each part whether it is an item of a list."""
    mark = _pattern("mark")
    begun, cut = "", []
    for piece in _pattern("end").split(text):
        part = f"{begun} {piece}".lstrip()
        begun = part if _pattern("verb", r"^\W*(?:\w+ ){0,2}", _SUBJECT_ALONE).match(part) else ""
        if not begun and re.search(r"\w", mark.sub("", part)):
            cut.append(part)
    cut += [begun] if begun else []
    return [(mark.sub("", part).strip(" ,;:-\t"), mark.match(part) is not None) for part in cut]


def _is_question(part: str, *, goes_on: bool) -> bool:
    """Check whether a part asks: by its sign, by its first words, or as one of several that hang on one "tell me"."""
    said = _without_filler(part)
    if part.endswith("?") or _pattern("asking", "^").match(said) or _pattern("verb", "^", r"\s+\w+").match(said):
        return True
    return goes_on and _is_indirect(part)


def _is_indirect(part: str) -> bool:
    said = _without_filler(part)
    return not _pattern("asking", "^").match(said) and _pattern("indirect", "^", r"\b").match(said) is not None


def _without_filler(part: str) -> str:
    return _pattern("filler", r"^\W*(?:", r"\b\W*)*").sub("", part)
