"""Judge conversations on the shipped bookings by what each reply must and must not say; none is sent twice running."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ops.lab.evaluate.sets import CheckedConversation

_FINE_MIN = 0.85


def judge_conversations(played: Sequence[tuple[CheckedConversation, Sequence[str]]]) -> Measured:
    """Return how many conversations went as they should, those of each kind as well, and what the others lack."""
    complaints = {talk.id: list(_complaints_of(talk, replies)) for talk, replies in played}
    judged = [talk for talk, _ in played if talk.says]
    kinds = Counter(talk.kind for talk in judged)
    fine = [not complaints[talk.id] for talk in judged]
    repeated = [_repeats(replies) for _, replies in played]
    figures = [
        Figure("conversations", "fine", *count_shares(fine), Target("≥", _FINE_MIN)),
        *(
            Figure(
                "conversations", f"{kind}: fine", *count_shares(not complaints[t.id] for t in judged if t.kind == kind)
            )
            for kind in sorted(kinds)
        ),
        Figure("conversations", "the same reply twice", *count_shares(repeated), Target("≤", 0.0)),
    ]
    return Measured(
        tuple(figure for figure in figures if figure.out_of),
        tuple(
            Miss("conversations", talk.id, "; ".join(complaints[talk.id]), _transcript(talk, replies))
            for talk, replies in played
            if complaints[talk.id]
        ),
    )


def _complaints_of(talk: CheckedConversation, replies: Sequence[str]) -> Iterable[str]:
    if len(replies) < len(talk.turns):
        yield f"turn {len(replies)} had no reply"
    for number, reply in enumerate(replies):
        says = talk.says[number] if number < len(talk.says) else ""
        never = talk.never[number] if number < len(talk.never) else ""
        if says and not re.search(says, reply, re.IGNORECASE | re.DOTALL):
            yield f"turn {number} does not say {says}"
        if never and re.search(never, reply, re.IGNORECASE | re.DOTALL):
            yield f"turn {number} says {never}"
    if _repeats(replies):
        yield "a reply was sent twice"


def _repeats(replies: Sequence[str]) -> bool:
    return any(one == other != "" for one, other in pairwise(replies))


def _transcript(talk: CheckedConversation, replies: Sequence[str]) -> str:
    return "\n".join(f"{said}\n    → {reply}" for said, reply in zip(talk.turns, replies, strict=False))
