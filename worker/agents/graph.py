"""Tie the agents into a graph."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.agents import booking, escalation, faq, triage
from worker.agents.handoffs import to_booking, to_escalation, to_faq, to_triage
from worker.tools.journaled import journal_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from agents import Agent, Tool

    from worker.agents.context import TurnContext

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

    @property
    def by_name(self) -> Mapping[str, Agent[TurnContext]]:
        """Give every agent by its name."""
        return {agent.name: agent for agent in (self.triage, self.faq, self.booking, self.escalation)}


class GraphPool:
    """Spread the runs under way over a few graphs.

    The SDK compares an agent's tools over all runs that use that very agent then, several times in each run: with 256
    turns on one graph that took a sixth of a worker's CPU. A graph takes 2 ms to build, so not every run gets its own.
    """

    def __init__(self, build: Callable[[], AgentGraph]) -> None:
        self._build = build
        self._lent: list[_Lent] = []

    @contextmanager
    def borrow(self) -> Iterator[AgentGraph]:
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
        """Build graphs anew from the next run on, since the agents' tools changed; runs under way keep theirs."""
        self._lent = []


@dataclass(slots=True)
class _Lent:
    """Count the runs that use a graph now."""

    graph: AgentGraph
    runs: int = 0


def build_graph(documentation: Sequence[Tool] = ()) -> AgentGraph:
    """Make the agents and their handoffs; `documentation` is what the FAQ Agent may search besides the articles."""
    graph = AgentGraph(
        triage=triage.build_triage(),
        faq=faq.build_faq(documentation),
        booking=booking.build_booking(),
        escalation=escalation.build_escalation(),
    )
    for agent in (graph.triage, graph.faq, graph.booking, graph.escalation):
        agent.tools = journal_tools(agent.tools, apart=documentation)
    graph.triage.handoffs = [to_faq(graph.faq), to_booking(graph.booking), to_escalation(graph.escalation)]
    graph.faq.handoffs = [to_triage(graph.triage)]
    graph.booking.handoffs = [to_triage(graph.triage)]
    return graph
