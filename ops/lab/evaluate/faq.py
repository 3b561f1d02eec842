"""Judge replies to questions of policy: the right passage, none where none is right, or what else went wrong."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, share
from ops.lab.evaluate.sets import Dialogue, Expectation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.lab.evaluate.judging import Played
    from ops.lab.evaluate.sets import FaqRow

GOOD_MIN, WRONG_MAX = 0.75, 0.10

Verdict = Literal[
    "right",
    "rightly not answered",
    "only a part answered",
    "other section of the article",
    "other article",
    "answered though nothing covers it",
    "not found though covered",
    "not looked up",
]
GOOD: Final[tuple[Verdict, ...]] = ("right", "rightly not answered")
WRONG: Final[tuple[Verdict, ...]] = (
    "other section of the article",
    "other article",
    "answered though nothing covers it",
)
FAILINGS: Final[tuple[Verdict, ...]] = (
    *WRONG,
    "not found though covered",
    "not looked up",
    "only a part answered",
)
"""What is no good answer, the gravest first."""

_SOURCE = re.compile(r"^\s*Source:\s*(?P<article>.+?)\s*\u203a\s*(?P<section>.+?)\s*$", re.MULTILINE | re.IGNORECASE)
_CLAIMS_NOTHING = re.compile(
    r"\b(?:could|can|did) ?n[o'’]t (?:find|locate)|\bno published (?:answer|polic)|\brather not guess\b|"
    r"\boutside (?:of )?what I can help\b|\bticket number is\b",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"\b(?:could|can|did) ?n[o'’]t (?:find|locate)|\bno published|\brather not guess\b", re.IGNORECASE
)


def as_dialogue(row: FaqRow) -> Dialogue:
    """Make what is played of a question: a conversation of its own, by somebody whom the airline does not know."""
    return Dialogue(id=row.id, turns=row.asked, expect=Expectation())


def measure_faq(rows: Sequence[FaqRow], played: Sequence[Played]) -> Measured:
    """Return the figures of a set's questions; `played` are their conversations, in the rows' order."""
    judged = [(row, one, verdict_on(row, _reply_of(one))) for row, one in zip(rows, played, strict=True)]
    counts = Counter(verdict for _, _, verdict in judged)
    total = len(judged)
    good, wrong = (sum(counts[one] for one in kinds) for kinds in (GOOD, WRONG))
    figures = [
        Figure("questions", "answered well", share(good, total), total, Target("≥", GOOD_MIN)),
        Figure("questions", "answered wrongly", share(wrong, total), total, Target("≤", WRONG_MAX)),
        *(Figure("questions", kind, share(counts[kind], total), total) for kind in (*GOOD, *FAILINGS)),
    ]
    misses = [
        Miss("questions", row.id, f"{verdict}, not {' or '.join(row.sources) or 'answered'}", _transcript(row, one))
        for row, one, verdict in judged
        if verdict not in GOOD
    ]
    return Measured(tuple(figures), tuple(misses))


def verdict_on(row: FaqRow, reply: str) -> Verdict:
    """Judge the reply to a question's last turn.

    A reply is right when it cites a section that the row accepts, or holds all that the row says a good answer has; of
    several such parts, holding some is a part. Where no article covers the question, one that claims nothing is right.
    """
    cited = {f"{found['article']} \u203a {found['section']}".casefold() for found in _SOURCE.finditer(reply)}
    accepted = {source.casefold() for source in row.sources}
    claims_nothing = not cited and _CLAIMS_NOTHING.search(reply) is not None
    if not accepted:
        return "rightly not answered" if claims_nothing else "answered though nothing covers it"
    held = [re.search(part, reply, re.IGNORECASE | re.DOTALL) is not None for part in row.must_contain]
    is_cited = bool(cited & accepted)
    if (held and all(held)) or (is_cited and len(held) <= 1):
        return "right"
    if is_cited or any(held):
        return "only a part answered"
    if not cited:
        is_not_found = _NOT_FOUND.search(reply) is not None
        if row.either and is_not_found:
            return "rightly not answered"
        return "not found though covered" if is_not_found else "not looked up"
    return "other section of the article" if _articles(cited) & _articles(accepted) else "other article"


def _articles(sources: set[str]) -> set[str]:
    return {source.partition(" \u203a ")[0] for source in sources}


def _reply_of(played: Played) -> str:
    return played.turns[-1].reply if played.is_complete else ""


def _transcript(row: FaqRow, played: Played) -> str:
    said = " / ".join(row.asked)
    return f"{said}\n    → {_reply_of(played)}"
