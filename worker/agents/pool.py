"""Spread agent runs over a few graphs of agents."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Graph = TypeVar("Graph")

GRAPHS_MAX = 16
"""Most graphs that one process builds."""


class GraphPool(Generic[Graph]):
    """A few graphs of agents, over which the runs under way are spread.

    The SDK compares an agent's tools over all runs that use that object then, several times in each run: with 256
    turns on one graph that took a sixth of a worker's CPU. A graph takes 2 ms to build, so not every run gets its own.
    """

    def __init__(self, build: Callable[[], Graph]) -> None:
        self._build = build
        self._lent: list[_Lent[Graph]] = []

    @contextmanager
    def borrow(self) -> Iterator[Graph]:
        """Lend the graph with the fewest runs for the length of the block."""
        if len(self._lent) < GRAPHS_MAX and all(lent.runs for lent in self._lent):
            self._lent.append(_Lent(self._build()))
        lent = min(self._lent, key=lambda candidate: candidate.runs)
        lent.runs += 1
        try:
            yield lent.graph
        finally:
            lent.runs -= 1

    def renew(self) -> None:
        """Build new graphs from the next run on, since the agents' tools changed; runs under way keep theirs."""
        self._lent = []


@dataclass(slots=True)
class _Lent(Generic[Graph]):
    """A graph and the number of runs that use it now."""

    graph: Graph
    runs: int = 0
