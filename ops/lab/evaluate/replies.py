"""Measure the review of replies: do good ones pass, are bad ones stopped, and how long does one take."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares
from worker.domains.airline.claims import load_vocabulary
from worker.guardrails.grounds import Grounds, OpenOffer
from worker.guardrails.outputs import find_breach
from worker.guardrails.shaping import shape_reply

if TYPE_CHECKING:
    from ops.lab.evaluate.sets import ReplyContext, ReplyRow

PASSED_MIN = 0.97
STOPPED_MIN = 0.97
MILLISECONDS_MAX = 2.0
_TIMED_ROUNDS = 3
_BRAND = "Larkfield Air"


def measure_replies(rows: Sequence[ReplyRow], tuned: Sequence[ReplyRow], contexts: Sequence[ReplyContext]) -> Measured:
    """Measure replies that the rules were not made for, and apart from them, for comparison, those that they were."""
    grounds = {context.id: grounds_of(context) for context in contexts}
    judged = [(row, _complaint(row, grounds)) for row in rows]
    figures = [
        Figure("replies", "good ones passed", *_share_right(judged, good=True), Target("≥", PASSED_MIN)),
        Figure("replies", "bad ones stopped", *_share_right(judged, good=False), Target("≥", STOPPED_MIN)),
        Figure(
            "replies", "time per reply", _milliseconds(rows, grounds), len(rows), Target("≤", MILLISECONDS_MAX), "ms"
        ),
    ]
    told = [(row, _complaint(row, grounds)) for row in tuned]
    if told:
        figures += [
            Figure("replies", "good ones passed, of those tuned on", *_share_right(told, good=True)),
            Figure("replies", "bad ones stopped, of those tuned on", *_share_right(told, good=False)),
        ]
    return Measured(tuple(figures), tuple(_misses([*judged, *told])))


def grounds_of(context: ReplyContext) -> Grounds:
    """Return what a reply may rest on in a labelled context."""
    ticket, offered = context.ticket, context.offered
    return Grounds(
        written=context.written,
        told=[answer.output for answer in context.told],
        told_now=[answer.output for answer in context.told if answer.now],
        vault=context.vault,
        changes=frozenset(context.staged),
        staged=frozenset(context.staged),
        tickets=frozenset({ticket.id} if ticket else ()),
        known=ticket.answer_by if ticket else "",
        claims=load_vocabulary().claims,
        offered=OpenOffer(offered.summary, offered.query, offered.usd) if offered else None,
        agent=context.agent,
        brand=_BRAND,
    )


def _complaint(row: ReplyRow, grounds: Mapping[str, Grounds]) -> str | None:
    """Say how a reply was judged otherwise than it is labelled; None where it was not."""
    shaped = shape_reply(row.text)
    breach = find_breach(shaped, grounds[row.context]) if shaped else None
    is_stopped = breach is not None or not shaped
    if not row.good:
        return None if is_stopped else f"passed, though its fault is {row.kind}"
    if breach is not None:
        return f"stopped as {breach.kind}: {'; '.join(breach.shown)}"
    wanted = row.becomes or row.text
    return None if shaped == wanted else f"became {shaped!r}"


def _share_right(judged: Iterable[tuple[ReplyRow, str | None]], *, good: bool) -> tuple[float, int]:
    return count_shares(complaint is None for row, complaint in judged if row.good is good)


def _misses(judged: Iterable[tuple[ReplyRow, str | None]]) -> Iterator[Miss]:
    for row, complaint in judged:
        if complaint is not None:
            yield Miss("replies", row.id, complaint, row.text)


def _milliseconds(rows: Sequence[ReplyRow], grounds: Mapping[str, Grounds]) -> float:
    """Return the mean CPU time of the fastest round: noise of the machine only ever adds."""
    fastest = float("inf")
    for _ in range(_TIMED_ROUNDS):
        started = time.process_time()
        for row in rows:
            find_breach(shape_reply(row.text), grounds[row.context])
        fastest = min(fastest, time.process_time() - started)
    return fastest / max(1, len(rows)) * 1_000
