"""Simulate messages through workers: slots, one turn at a time per conversation, bursts, model calls, processors."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ops.lab.simulate.cores import SimulatedClock, SimulatedCores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ops.lab.load.schedule import DueMessage
    from ops.lab.simulate.system import SimulatedSystem


@dataclass(slots=True)
class SimulatedMessage:
    """One message; times in seconds of the simulation."""

    due_seconds: float
    phase: int
    tenant: int
    is_hot: bool
    model_before: float
    """How long models had worked for its conversation when it came."""
    begun_seconds: float = 0.0
    """When the turn that answers it began."""
    answered_seconds: float = 0.0
    model_seconds: float = 0.0
    """How long models worked for its conversation while it waited."""


@dataclass(slots=True)
class SimulatedRun:
    """What a simulation came to."""

    messages: list[SimulatedMessage]
    turns: int = 0
    overtaken: int = 0
    """Runs of turns that were thrown away because a message came meanwhile."""
    slots_most: int = 0
    slot_seconds: float = 0.0
    """Seconds that slots were taken, in all."""
    core_seconds: float = 0.0
    worker_seconds: list[float] = field(default_factory=list)
    """Of the processors, those of each worker."""
    end_seconds: float = 0.0


@dataclass(slots=True)
class _Conversation:
    tenant: int
    waiting: deque[SimulatedMessage] = field(default_factory=deque)
    is_under_way: bool = False
    model_seconds: float = 0.0
    call_began: float | None = None

    def model_until(self, now: float) -> float:
        """Return how long models have worked for it so far."""
        return self.model_seconds + (now - self.call_began if self.call_began is not None else 0.0)


@dataclass(slots=True)
class _Turn:
    conversation: _Conversation
    worker: int
    messages: list[SimulatedMessage]
    began: float
    is_late: bool
    calls_left: int = 0
    parts: int = 1
    overtaken: int = 0


def simulate(system: SimulatedSystem, schedule: Iterable[DueMessage], *, seed: int = 1) -> SimulatedRun:
    """Run a schedule's messages through a system; the same arguments give the same run."""
    return _Simulation(system, seed).run(schedule)


class _Simulation:
    def __init__(self, system: SimulatedSystem, seed: int) -> None:
        self._system = system
        self._chance = random.Random(f"simulate {seed}")  # noqa: S311 - no secret depends on it
        self._clock = SimulatedClock()
        self._cores = SimulatedCores(
            self._clock, cores=system.cores, workers=system.workers, others=system.others_runnable
        )
        self._conversations: dict[str, _Conversation] = {}
        self._ready: list[deque[_Conversation]] = [deque() for _ in range(system.tenants)]
        self._under_way = [[0] * system.tenants for _ in range(system.workers)]
        self._taken = [0] * system.workers
        self._run = SimulatedRun([])

    def run(self, schedule: Iterable[DueMessage]) -> SimulatedRun:
        """Let every message come when it is due, and answer all."""
        self._await_next(iter(schedule))
        self._clock.run()
        self._run.core_seconds = self._cores.busy_seconds
        self._run.worker_seconds = self._cores.worker_seconds
        self._run.end_seconds = max((message.answered_seconds for message in self._run.messages), default=0.0)
        return self._run

    def _await_next(self, coming: Iterator[DueMessage]) -> None:
        due = next(coming, None)
        if due is not None:
            self._clock.after(due.due_seconds - self._clock.now, partial(self._arrive, due, coming))

    def _arrive(self, due: DueMessage, coming: Iterator[DueMessage]) -> None:
        tenant = 0 if due.is_hot else due.conversation % self._system.tenants
        conversation = self._conversations.setdefault(due.name, _Conversation(tenant))
        so_far = conversation.model_until(self._clock.now)
        message = SimulatedMessage(due.due_seconds, due.phase, tenant, due.is_hot, so_far)
        self._run.messages.append(message)
        conversation.waiting.append(message)
        if not conversation.is_under_way and len(conversation.waiting) == 1:
            self._ready[tenant].append(conversation)
            self._dispatch()
        self._await_next(coming)

    def _dispatch(self) -> None:
        """Give free slots to conversations that are ready, of the tenant that has the fewest."""
        while (place := self._find_place()) is not None:
            tenant, worker = place
            self._begin(self._ready[tenant].popleft(), worker)

    def _find_place(self) -> tuple[int, int] | None:
        ready = [tenant for tenant, conversations in enumerate(self._ready) if conversations]
        if len(ready) > 1:
            ready.sort(key=lambda tenant: sum(counts[tenant] for counts in self._under_way))
        for tenant in ready:
            free = [
                worker
                for worker, taken in enumerate(self._taken)
                if taken < self._system.concurrency and self._under_way[worker][tenant] < self._system.tenant_slots
            ]
            if free:
                return tenant, min(free, key=self._taken.__getitem__)
        return None

    def _begin(self, conversation: _Conversation, worker: int) -> None:
        now = self._clock.now
        conversation.is_under_way = True
        self._taken[worker] += 1
        self._under_way[worker][conversation.tenant] += 1
        self._run.slots_most = max(self._run.slots_most, sum(self._taken))
        waited = now - conversation.waiting[0].due_seconds
        turn = _Turn(conversation, worker, [], began=now, is_late=waited >= self._system.late_seconds)
        self._start_run(turn)

    def _start_run(self, turn: _Turn) -> None:
        """Begin a turn, or begin it again, with all that waits by now."""
        while turn.conversation.waiting and len(turn.messages) < self._system.burst_messages_max:
            message = turn.conversation.waiting.popleft()
            message.begun_seconds = self._clock.now
            turn.messages.append(message)
        turn.calls_left = self._system.draw_calls(self._chance)
        turn.parts = turn.calls_left + 1
        self._compute(turn)

    def _compute(self, turn: _Turn) -> None:
        """Spend what a turn computes before, between and after its model calls."""
        worker_seconds, shared_seconds = (
            self._chance.uniform(0.5, 1.5) * milliseconds / 1_000 / turn.parts
            for milliseconds in (self._system.worker_cpu_ms, self._system.shared_cpu_ms)
        )
        go_on = partial(self._call if turn.calls_left else self._commit, turn)
        then_others = partial(self._cores.spend, None, shared_seconds, go_on)
        self._cores.spend(turn.worker, worker_seconds, then_others)

    def _call(self, turn: _Turn) -> None:
        turn.calls_left -= 1
        turn.conversation.call_began = self._clock.now
        self._clock.after(self._system.model.draw_seconds(self._chance), partial(self._answered, turn))

    def _answered(self, turn: _Turn) -> None:
        turn.conversation.model_seconds = turn.conversation.model_until(self._clock.now)
        turn.conversation.call_began = None
        self._compute(turn)

    def _commit(self, turn: _Turn) -> None:
        may_start_over = not turn.is_late and turn.overtaken < self._system.overtaken_max
        has_room = len(turn.messages) < self._system.burst_messages_max
        if turn.conversation.waiting and may_start_over and has_room:
            turn.overtaken += 1
            self._run.overtaken += 1
            self._start_run(turn)
            return
        self._clock.after(self._system.io_ms / 1_000, partial(self._end, turn))

    def _end(self, turn: _Turn) -> None:
        now, conversation = self._clock.now, turn.conversation
        for message in turn.messages:
            message.answered_seconds = now
            message.model_seconds = conversation.model_until(now) - message.model_before
        self._run.turns += 1
        self._run.slot_seconds += now - turn.began
        self._taken[turn.worker] -= 1
        self._under_way[turn.worker][conversation.tenant] -= 1
        conversation.is_under_way = False
        if conversation.waiting:
            self._ready[conversation.tenant].append(conversation)
        self._dispatch()
