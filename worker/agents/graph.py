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
    """Lend each run a graph of its own, and use graphs again.

    The SDK compares an agent's tools over all runs that use that very agent then, several times in each run: with
    256 turns on one graph that took a sixth of a worker's CPU. A graph takes 2 ms to build, so it is kept; there are as
    many as there were turns at once.
    """

    def __init__(self, build: Callable[[], AgentGraph]) -> None:
        self._build = build
        self._free: list[AgentGraph] = []

    @contextmanager
    def borrow(self) -> Iterator[AgentGraph]:
        """Lend a graph for the length of the block."""
        graph = self._free.pop() if self._free else self._build()
        try:
            yield graph
        finally:
            self._free.append(graph)


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
