"""Simulated time, and processors that processes share."""

from __future__ import annotations

import heapq
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Act = Callable[[], None]
    Piece = tuple[float, int, int | None, Act]
    """The progress at which a piece of work is done, its number, its worker, and what follows."""


class SimulatedClock:
    """Runs what is to happen in the order of its time; what happens at once, in the order it was asked for."""

    def __init__(self) -> None:
        self.now = 0.0
        self._coming: list[tuple[float, int, Act]] = []
        self._asked = 0

    def after(self, seconds: float, act: Act) -> None:
        """Let something happen in so many seconds."""
        self._asked += 1
        heapq.heappush(self._coming, (self.now + seconds, self._asked, act))

    def run(self) -> None:
        """Let everything happen, until nothing is to come."""
        while self._coming:
            self.now, _, act = heapq.heappop(self._coming)
            act()


class SimulatedCores:
    """Processors that running tasks share evenly, each task on one of them at most.

    A worker process has one thread that matters, so of its pieces of work only one runs at a time. `others` is how many
    tasks of somebody else always run beside: they take their even part.

    All running pieces progress alike, so one figure says how far: what a piece would have done that had run from the
    beginning. A piece is done when that figure has grown by its work, whatever came and went meanwhile.
    """

    def __init__(self, clock: SimulatedClock, *, cores: int, workers: int, others: float = 0.0) -> None:
        self._clock = clock
        self._cores = cores
        self._others = others
        self._progress = 0.0
        self._looked = 0.0
        self._running: list[Piece] = []
        self._started = 0
        self._plan = 0
        self._engaged = [False] * workers
        self._queues: list[deque[tuple[float, Act]]] = [deque() for _ in range(workers)]
        self.busy_seconds = 0.0
        self.worker_seconds = [0.0] * workers

    def spend(self, worker: int | None, seconds: float, then: Act) -> None:
        """Work for so many seconds, in a worker process or (None) in any other; call `then` when it is done."""
        if seconds <= 0:
            then()
            return
        if worker is not None:
            if self._engaged[worker]:
                self._queues[worker].append((seconds, then))
                return
            self._engaged[worker] = True
        self._look()
        self._begin(worker, seconds, then)
        self._await_first()

    def _begin(self, worker: int | None, seconds: float, then: Act) -> None:
        self.busy_seconds += seconds
        if worker is not None:
            self.worker_seconds[worker] += seconds
        self._started += 1
        heapq.heappush(self._running, (self._progress + seconds, self._started, worker, then))

    def _speed(self) -> float:
        """Return how much work a running piece gets done in a second."""
        return min(1.0, self._cores / (len(self._running) + self._others))

    def _look(self) -> None:
        """Bring the progress up to now."""
        if self._running:
            self._progress += (self._clock.now - self._looked) * self._speed()
        self._looked = self._clock.now

    def _await_first(self) -> None:
        """Plan the end of the piece that ends first; whatever was planned before is void."""
        self._plan += 1
        if self._running:
            left = max(0.0, self._running[0][0] - self._progress) / self._speed()
            self._clock.after(left, partial(self._end_first, self._plan))

    def _end_first(self, plan: int) -> None:
        if plan != self._plan:
            return
        self._look()
        _, _, worker, then = heapq.heappop(self._running)
        if worker is not None:
            if self._queues[worker]:
                self._begin(worker, *self._queues[worker].popleft())
            else:
                self._engaged[worker] = False
        self._await_first()
        then()
