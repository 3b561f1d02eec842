"""Tie the agents into a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.agents import booking, escalation, faq, triage
from worker.agents.handoffs import to_booking, to_escalation, to_faq, to_triage

if TYPE_CHECKING:
    from agents import Agent

    from worker.agents.context import TurnContext

AIRLINE = "Larkfield Air"
"""The airline of the sample data."""


@dataclass(frozen=True, slots=True)
class AgentGraph:
    """Hold the agents of a process. They carry no state of a conversation, so all turns share them."""

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


def build_graph(airline: str = AIRLINE) -> AgentGraph:
    """Make the agents and their handoffs; once per process."""
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
