"""Answer a follow-up from a passage that was just quoted: with the sentences that speak of what is asked now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from worker.domains.airline.local import phrases
from worker.domains.airline.local.situation import SOURCE

_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_STEM_CHARACTERS: Final = 4
_FACETS: Final = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(told, re.IGNORECASE))
    for asked, told in (
        (r"\b(?:how much|costs?|prices?|fees?|charges?|pay|free|expensive)\b", r"\$|\bfree\b|\bno charge\b|\bpaid\b"),
        (r"\b(?:sizes?|big|large|dimensions?|measure\w*)\b", r"\binch|\bcm\b"),
        (r"\b(?:weights?|weigh|heavy)\b", r"\b(?:lbs|kg|pounds)\b"),
        (r"\b(?:ages?|old|young)\b", r"\bfrom \d+|\bunder \d+|\bolder\b|\byounger\b|\byears\b"),
        (r"\bhow many\b", r"(?<![$\d.])\b(?:at most|up to|one|two|three|four|\d+) (?!x\b|inch|lbs|hours|minutes)[a-z]"),
        (r"\b(?:long|when|early|late|advance|hours?|open|close|until|till|time)\b", r"\b(?:hours?|days?|minutes?|weeks?|months?|morning|until)\b"),
        (r"\b(?:where|cit(?:y|ies)|airports?|places?)\b", r"\b(?:in|at) [A-Z]"),
    )
)  # fmt: skip
"""What a question asks for, and how a sentence looks that tells it."""


def narrow(reply: str, question: str, before: Sequence[str]) -> str:
    """Return a reply of the passages that were just quoted, cut to the sentences that answer, and none of `before`.

    Where no sentence speaks of what is asked, it is said that the rules say no more.
    """
    passages = [part for part in reply.split("\n\n") if part]
    text, source = passages[0], next((part for part in passages if part.startswith(SOURCE)), "")
    fitting = [one for one in _SENTENCE_END.split(text) if _tells(one, question)]
    told = f"{' '.join(fitting)}\n\n{source}"
    ways = (told, *phrases.told_before(told)) if fitting else phrases.no_more_than(source)
    return next((way for way in ways if way not in before), phrases.nothing_found())


def _tells(sentence: str, question: str) -> bool:
    asked = {word[:_STEM_CHARACTERS] for word in re.findall(r"[a-z]{4,}", question.lower()) if word not in _COMMON}
    said = {word[:_STEM_CHARACTERS] for word in re.findall(r"[a-z]{4,}", sentence.lower())}
    facets = [told for asked_for, told in _FACETS if asked_for.search(question)]
    return any(told.search(sentence) for told in facets) if facets else bool(asked & said)


_COMMON: Final = frozenset(
    "what when where which much many does have they them that this with from then must will".split()
)
