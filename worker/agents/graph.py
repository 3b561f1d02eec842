"""Tie the agents into a graph."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.agents import booking, escalation, faq, triage
from worker.agents.handoffs import to_booking, to_escalation, to_faq, to_triage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents import Agent

    from worker.agents.context import TurnContext

AIRLINE = "Larkfield Air"
"""The airline of the sample data."""

GRAPHS_MAX = 16
"""Graphs of one process."""


@dataclass(frozen=True, slots=True)
class AgentGraph:
    """Hold the agents. They carry no state of a conversation, so any turn may use any graph."""

    triage: Agent[TurnContext]
    faq: Agent[TurnContext]
    booking: Agent[TurnContext]
    escalation: Agent[TurnContext]

    def start(self, last_agent: str | None) -> Agent[TurnContext]:
        """Give the agent where a conversation goes on: the last one.

        Triage receives new conversations, those whose agent this release does not know, and what a customer writes
        after an escalation: the escalation agent is an end point, and the next wish may be any.
        """
        ongoing = {self.faq.name: self.faq, self.booking.name: self.booking}
        return ongoing.get(last_agent or "", self.triage)


class GraphPool:
    """Spread the runs under way over a few graphs.

    The SDK compares an agent's tools over all runs that use that very agent then, several times in each run: with 256
    turns on one graph that took a sixth of a worker's CPU. A graph takes 2 ms to build, so not every run gets its own.
    """

    def __init__(self, build: Callable[[], AgentGraph]) -> None:
        self._build = build
        self._graphs: list[AgentGraph] = []
        self._runs: list[int] = []

    @contextmanager
    def borrow(self) -> Iterator[AgentGraph]:
        """Lend the graph with the fewest runs for the length of the block."""
        if len(self._graphs) < GRAPHS_MAX and all(self._runs):
            self._graphs.append(self._build())
            self._runs.append(0)
        number = self._runs.index(min(self._runs))
        self._runs[number] += 1
        try:
            yield self._graphs[number]
        finally:
            self._runs[number] -= 1


def build_graph(airline: str = AIRLINE) -> AgentGraph:
    """Make the agents and their handoffs."""
    graph = AgentGraph(
        triage=triage.build_triage(airline),
        faq=faq.build_faq(airline),
        booking=booking.build_booking(airline),
        escalation=escalation.build_escalation(airline),
    )
    graph.triage.handoffs = [to_faq(graph.faq), to_booking(graph.booking), to_escalation(graph.escalation)]
    graph.faq.handoffs = [to_triage(graph.triage)]
    graph.booking.handoffs = [to_triage(graph.triage)]
    return graph
