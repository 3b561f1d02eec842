"""Tie the agents into a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.conversation.out_of_service import switch_name_of
from worker.domains.airline.agents import booking, escalation, faq, triage
from worker.domains.airline.agents.handoffs import to_booking, to_escalation, to_faq, to_triage
from worker.journal.tool_calls import journal_tools
from worker.tools.switching import switchable_tools, with_person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents import Agent, Tool

    from schema.switches import SwitchKind
    from worker.conversation.context import TurnContext


@dataclass(frozen=True, slots=True)
class AgentGraph:
    """The agents. They carry no state of a conversation, so any turn may use any graph."""

    triage: Agent[TurnContext]
    faq: Agent[TurnContext]
    booking: Agent[TurnContext]
    escalation: Agent[TurnContext]

    def start(self, last_agent: str | None) -> Agent[TurnContext]:
        """Return the agent where a conversation goes on: the last one.

        Triage receives new conversations, those whose agent this release does not know, and what a customer writes
        after an escalation: the escalation agent is an end point, and the next wish may be any.
        """
        ongoing = {self.faq.name: self.faq, self.booking.name: self.booking}
        return ongoing.get(last_agent or "", self.triage)

    @property
    def by_name(self) -> Mapping[str, Agent[TurnContext]]:
        """Return every agent by its name."""
        return {agent.name: agent for agent in (self.triage, self.faq, self.booking, self.escalation)}


def switchable_names() -> dict[SwitchKind, frozenset[str]]:
    """Name the agents and tools of the graph as operators switch them; tools of documentation servers are not known."""
    agents = build_graph().by_name.values()
    return {
        "agent": frozenset(switch_name_of(agent.name) for agent in agents),
        "tool": frozenset(tool.name for agent in agents for tool in agent.tools),
    }


def build_graph(documentation: Sequence[Tool] = ()) -> AgentGraph:
    """Make the agents and their handoffs; `documentation` is what the FAQ Agent may search besides the articles."""
    graph = AgentGraph(
        triage=triage.build_triage(),
        faq=faq.build_faq(documentation),
        booking=booking.build_booking(),
        escalation=escalation.build_escalation(),
    )
    for agent in (graph.triage, graph.faq, graph.booking, graph.escalation):
        agent.tools = switchable_tools(journal_tools(with_person(agent.tools), apart=documentation))
    graph.triage.handoffs = [to_faq(graph.faq), to_booking(graph.booking), to_escalation(graph.escalation)]
    graph.faq.handoffs = [to_triage(graph.triage)]
    graph.booking.handoffs = [to_triage(graph.triage)]
    return graph
