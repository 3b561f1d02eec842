"""Sum up a simulation: waiting times, and how busy everything was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from ops.verify.tally import Distribution, distribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ops.lab.simulate.engine import SimulatedMessage, SimulatedRun
    from ops.lab.simulate.system import SimulatedSystem

SATURATED_SHARE: Final = 0.97
"""Part of their time from which processors or slots count as overloaded: waiting grows for as long as that lasts."""


class GroupWaits(TypedDict):
    """How long the messages of one group waited."""

    group: str
    messages: int
    wait_ms: Distribution
    latency_ms: Distribution


class SimulatedFigures(TypedDict):
    """The outcome of a simulation, as `fte simulate --json` prints it."""

    messages: int
    turns: int
    overtaken: int
    offered_per_s: float
    wait_ms: Distribution
    """From when a message came to when the turn that answers it had a slot."""
    latency_ms: Distribution
    """From when it came to its reply."""
    overhead_ms: Distribution
    """The latency without the time in which a model worked for the conversation."""
    slots: int
    slots_mean: float
    slots_most: int
    cores_busy: float
    """Work for the processors, as a part of their time while messages came; over 1 there is more work than time."""
    worker_busy: float
    """The same of the busiest worker, which computes on one processor at most."""
    is_saturated: bool
    groups: list[GroupWaits]


def sum_up(system: SimulatedSystem, run: SimulatedRun, *, warm_up_seconds: float = 0.0) -> SimulatedFigures:
    """Return a run's figures; messages of the first `warm_up_seconds` count for how busy all was, not for waiting."""
    messages = [message for message in run.messages if message.due_seconds >= warm_up_seconds]
    came_seconds = max((message.due_seconds for message in run.messages), default=0.0) or 0.001
    cores_busy = run.core_seconds / system.cores / came_seconds
    worker_busy = max(run.worker_seconds) / came_seconds
    busiest = max(cores_busy, worker_busy, run.slot_seconds / system.slots / came_seconds)
    return SimulatedFigures(
        messages=len(run.messages),
        turns=run.turns,
        overtaken=run.overtaken,
        offered_per_s=round(len(run.messages) / came_seconds, 2),
        wait_ms=_distribution(messages, _wait_ms),
        latency_ms=_distribution(messages, _latency_ms),
        overhead_ms=_distribution(messages, _overhead_ms),
        slots=system.slots,
        slots_mean=round(run.slot_seconds / max(run.end_seconds, 0.001), 1),
        slots_most=run.slots_most,
        cores_busy=round(cores_busy, 3),
        worker_busy=round(worker_busy, 3),
        is_saturated=busiest >= SATURATED_SHARE,
        groups=_groups(system, messages),
    )


def _groups(system: SimulatedSystem, messages: list[SimulatedMessage]) -> list[GroupWaits]:
    """Return the waits of those that are told apart: hot conversations and the others, the tenants."""
    groups: dict[str, list[SimulatedMessage]] = {}
    for message in messages:
        groups.setdefault("hot conversations" if message.is_hot else "other conversations", []).append(message)
        if system.tenants > 1:
            groups.setdefault(f"tenant {message.tenant + 1}", []).append(message)
    if len(groups) == 1:
        return []
    return [
        GroupWaits(
            group=name,
            messages=len(some),
            wait_ms=_distribution(some, _wait_ms),
            latency_ms=_distribution(some, _latency_ms),
        )
        for name, some in sorted(groups.items())
    ]


def _distribution(messages: Iterable[SimulatedMessage], value: Callable[[SimulatedMessage], float]) -> Distribution:
    return distribution([value(message) for message in messages])


def _wait_ms(message: SimulatedMessage) -> float:
    return (message.begun_seconds - message.due_seconds) * 1_000


def _latency_ms(message: SimulatedMessage) -> float:
    return (message.answered_seconds - message.due_seconds) * 1_000


def _overhead_ms(message: SimulatedMessage) -> float:
    return _latency_ms(message) - message.model_seconds * 1_000
