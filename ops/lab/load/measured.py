"""Sum up a load test: over time, by phase, as a curve, and whether its generator kept up."""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, Final, TypedDict

from ops.verify.tally import Distribution, LoadReport, distribution, is_kept, nearest_rank

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ops.lab.load.options import LoadOptions
    from ops.verify.tally import CustomerWait, ModelWork, Sent, Tally

SLICES_MAX: Final = 120
SLICE_SECONDS: Final = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600)
CURVE_PERCENTS: Final = (1, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 94, 95, 96, 97, 98, 99, 99.5, 99.9, 100)


class PhaseFigures(TypedDict):
    """What became of the messages that were due in one phase."""

    name: str
    seconds: float
    offered_per_s: float
    messages: int
    """Accepted."""
    answered: int
    refused: int
    """Tries that were refused for the moment."""
    acceptance_ms: Distribution
    latency_ms: Distribution
    overhead_ms: Distribution


class Timeline(TypedDict):
    """The run in slices of equal length; each list has a figure for each slice."""

    slice_seconds: float
    offered_per_s: list[float]
    accepted_per_s: list[float]
    answered_per_s: list[float]
    backlog: list[int]
    """Messages accepted and not answered, at the end of the slice."""
    p50_ms: list[float | None]
    """Latency of the messages that were due in the slice; None where none was answered."""
    p95_ms: list[float | None]
    p99_ms: list[float | None]


KEPT: Final = "kept: everything accepted was answered, once and in order"


class MeasuredLoad(LoadReport):
    """The outcome of a load test, as `fte load --json` writes it."""

    lag_ms: Distribution
    """How late the generator took messages up: its own lateness, which nothing of the product explains."""
    reader_lag_ms: Distribution
    """How late the process that reads replies came to do anything at all."""
    lag_ms_max: float
    """Bound of the 99th percentile of both."""
    is_valid: bool
    """Whether the generator kept up; the figures of a run in which it did not mean nothing."""
    refused: int
    phases: list[PhaseFigures]
    timeline: Timeline
    curve: list[tuple[float, float]]
    """Percent of messages, and the latency in milliseconds that they do not exceed."""
    setup: dict[str, Any]
    """What was run, and on what: the profile, senders, how messages went in, cores."""


def measure(
    tally: Tally, work: ModelWork, states: Mapping[str, str], options: LoadOptions, reader_lags: Sequence[float]
) -> MeasuredLoad:
    """Return the figures of a run; `reader_lags` in seconds."""
    waits = list(tally.waits(work))
    accepted = [sent for sent in tally.sent.values() if sent.accepted]
    lag_ms = distribution([sent.lag_seconds * 1_000 for sent in accepted])
    reader_lag_ms = distribution([lag * 1_000 for lag in reader_lags])
    latencies = sorted(wait.latency_ms for wait in waits)
    return MeasuredLoad(
        **tally.report(work, states),
        lag_ms=lag_ms,
        reader_lag_ms=reader_lag_ms,
        lag_ms_max=options.lag_bound_ms,
        is_valid=max(lag_ms["p99"], reader_lag_ms["p99"]) <= options.lag_bound_ms,
        refused=sum(sent.refused for sent in accepted),
        phases=_by_phase(options, tally.sent.values(), waits),
        timeline=timeline_of(list(tally.sent.values()), waits),
        curve=[(percent, round(nearest_rank(latencies, percent), 1)) for percent in CURVE_PERCENTS if latencies],
        setup={
            "profile": options.phases.model_dump(mode="json", exclude_none=True),
            "senders": options.senders,
            "via": "http" if options.gateway else "library",
            "cores": os.cpu_count() or 1,
            "calls_of_turns": {str(calls): turns for calls, turns in sorted(work.calls_of_turns.items())},
        },
    )


def verdict_of(report: MeasuredLoad) -> str:
    """Return in one sentence whether the run counts, and whether promises were kept."""
    if not report["is_valid"]:
        lag = max(report["lag_ms"]["p99"], report["reader_lag_ms"]["p99"])
        return (
            f"invalid: the generator was late by {lag:,.0f} ms (99th percentile), over {report['lag_ms_max']:,.0f} ms; "
            "more --senders, a lower rate, or a machine of its own"
        )
    if not is_kept(report):
        return "broken: not everything accepted was answered once and in order"
    return KEPT


def _by_phase(options: LoadOptions, sent: Iterable[Sent], waits: Iterable[CustomerWait]) -> list[PhaseFigures]:
    profile = options.phases
    all_sent: list[list[Sent]] = [[] for _ in profile.phases]
    all_waits: list[list[CustomerWait]] = [[] for _ in profile.phases]
    for message in sent:
        all_sent[message.phase].append(message)
    for wait in waits:
        all_waits[wait.sent.phase].append(wait)
    return [
        PhaseFigures(
            name=phase.name,
            seconds=round(phase.seconds, 3),
            offered_per_s=round(len(due) / phase.seconds, 2),
            messages=sum(message.accepted for message in due),
            answered=len(waited),
            refused=sum(message.refused for message in due),
            acceptance_ms=distribution([message.acceptance_seconds * 1_000 for message in due if message.accepted]),
            latency_ms=distribution([wait.latency_ms for wait in waited]),
            overhead_ms=distribution([wait.overhead_ms for wait in waited]),
        )
        for phase, due, waited in zip(profile.phases, all_sent, all_waits, strict=True)
    ]


def timeline_of(sent: Sequence[Sent], waits: Sequence[CustomerWait]) -> Timeline:
    """Return a run in at most SLICES_MAX slices, from when its first message was due to its last answer."""
    begin = min((message.due_at for message in sent), default=0.0)
    moments = [moment for message in sent for moment in (message.due_at, message.accepted_at, message.answered_at)]
    end = max((moment for moment in moments if moment is not None), default=begin)
    width = next((width for width in SLICE_SECONDS if (end - begin) / width < SLICES_MAX), SLICE_SECONDS[-1])
    slices = math.floor((end - begin) / width) + 1

    def place(moment: float) -> int:
        return min(slices - 1, max(0, int((moment - begin) / width)))

    def per_second(moments: Iterable[float]) -> list[float]:
        counts = [0] * slices
        for moment in moments:
            counts[place(moment)] += 1
        return [round(count / width, 2) for count in counts]

    latencies: list[list[float]] = [[] for _ in range(slices)]
    for wait in waits:
        latencies[place(wait.sent.due_at)].append(wait.latency_ms)
    for some in latencies:
        some.sort()
    accepted = sorted(message.accepted_at for message in sent if message.accepted_at is not None)
    answered = sorted(wait.sent.answered_at for wait in waits if wait.sent.answered_at is not None)
    ends = [begin + width * (number + 1) for number in range(slices)]
    p50, p95, p99 = (
        [round(nearest_rank(some, percent), 1) if some else None for some in latencies] for percent in (50, 95, 99)
    )
    return Timeline(
        slice_seconds=width,
        offered_per_s=per_second(message.due_at for message in sent),
        accepted_per_s=per_second(accepted),
        answered_per_s=per_second(answered),
        backlog=[max(0, bisect_right(accepted, until) - bisect_right(answered, until)) for until in ends],
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
    )
