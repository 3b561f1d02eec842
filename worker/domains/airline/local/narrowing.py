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
    (re.compile(rf"\b(?:{asked})\b", re.IGNORECASE), re.compile(told))
    for asked, told in (
        ("how much|costs?|prices?|fees?|charges?|pay|free|expensive", r"\$|\b(?:free|no charge|paid)\b"),
        (
            "wife|husband|partner|spouse|friends?|guests?|companions?|kids?|child(?:ren)?|son|daughter|mother|family",
            r"\b(?:guests?|companions?|accompan\w+|child(?:ren)?|adults?|family|each|per passenger|passengers)\b",
        ),
        (
            "heavier|bigger|larger|longer|over|above|exceeds?|too (?:heavy|big|large|long)|overweight|oversized?",
            r"\b(?:over|more than|above|longer|larger|heavier|beyond|exceed\w*)\b",
        ),
        (r"sizes?|big|large|dimensions?|measure\w*", r"\b(?:inch|cm\b)"),
        ("weights?|weigh|heavy", r"\b(?:lbs|kg|pounds)\b"),
        ("ages?|old|young", r"\b(?:(?:[Ff]rom|[Uu]nder) \d+|older\b|younger\b|years\b)"),
        (
            "how many",
            r"(?<![$\d.])\b(?:at most|up to|one|two|three|four|\d+) (?!x\b|inch|lbs|hours|minutes)[a-z]",
        ),
        (
            "long|when|early|late|advance|hours?|open|close|until|till|time",
            r"\b(?:hours?|days?|minutes?|weeks?|months?|morning|until)\b",
        ),
        ("where|cit(?:y|ies)|airports?|places?", r"\b(?:in|at) [A-Z]"),
    )
)
"""What a question asks for, and how a sentence looks that tells it."""


def narrow(reply: str, question: str, before: Sequence[str]) -> str:
    """Return a reply of the passages that were just quoted, cut to the sentences that answer, and none of `before`.

    Where no sentence speaks of what is asked, it is said that no more is found.
    """
    if asks_other_way(question):
        return next((way for way in _told_before(reply)[1:] if way not in before), phrases.nothing_found())
    parts = [part for part in reply.split("\n\n") if part]
    sources = [part for part in parts if part.startswith(SOURCE)]
    for text, source in zip((part for part in parts if part not in sources), sources, strict=False):
        fitting = [one for one in _SENTENCE_END.split(text) if _tells(one, question)]
        told = f"{' '.join(fitting)}\n\n{source}"
        if fitting:
            return next((way for way in (told, *_told_before(told)) if way not in before), phrases.nothing_found())
    return next((way for way in _no_more_than(sources[0]) if way not in before), phrases.nothing_found())


def _tells(sentence: str, question: str) -> bool:
    asked = {
        word[:_STEM_CHARACTERS] for word in re.findall(r"[a-z]{4,}", question.lower()) if word not in _SAYING_NOTHING
    }
    said = {word[:_STEM_CHARACTERS] for word in re.findall(r"[a-z]{4,}", sentence.lower())}
    facets = [told for asked_for, told in _FACETS if asked_for.search(question)]
    return any(told.search(sentence) for told in facets) if facets else bool(asked & said)


_SAYING_NOTHING: Final = frozenset(
    {
        "what", "when", "where", "which", "much", "many", "does", "have", "they", "them", "that", "this", "with",
        "from", "then", "must", "will",
    }
)  # fmt: skip


def asks_other_way(message: str) -> bool:
    """Check whether a message only asks whether an answer holds for the other way as well: "on the way back too?"."""
    return _OTHER_WAY.search(message) is not None


_OTHER_WAY: Final = re.compile(
    r"^\W*(?:(?:and|also|but|ok)\W+)*(?:is (?:that|it) the same |the same )?(?:at|on|for|in|during) (?:the |my |our )*"
    r"(?:return|way (?:back|home|out)|returns?|inbound|outbound|flight (?:back|home)|return flight|arrival|"
    r"other (?:flight|direction|way)|second flight|both (?:ways|flights|directions))(?: flight| trip| journey)?"
    r"(?: too| as well| also)?\W*$",
    re.IGNORECASE,
)


def _told_before(passage: str) -> tuple[str, ...]:
    """Quote once more, in several ways, what answers a follow-up as well."""
    return f"That stands in what I quoted: {passage}", f"The same rule answers this, too: {passage}"


def _no_more_than(source: str) -> tuple[str, ...]:
    """Say in several ways that what was just quoted is all there is on a follow-up."""
    return (
        f"I find no more on this in our published rules than what I quoted. {phrases.ANYTHING_ELSE}\n\n{source}",
        f"{phrases.FOUND_NOTHING} beyond what I quoted. Shall I pass this on to a colleague?",
    )
