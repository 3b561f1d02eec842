"""Choose the agent that a turn starts at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.conversation.effects import LookedUp
from worker.domains.airline.agents.handoffs import prepare
from worker.domains.airline.agents.instructions import write_known_facts
from worker.domains.airline.local.asking import subject_before
from worker.domains.airline.local.reading.asides import without_asides
from worker.domains.airline.local.routing import SURE_FOR_ANY_MODEL, route
from worker.domains.airline.local.situation import KnownFacts
from worker.tools.knowledge import PASSAGES_MAX

if TYPE_CHECKING:
    from agents import Agent

    from schema.settings.models import ModelSettings
    from worker.conversation.context import TurnContext
    from worker.domains.airline.agents.graph import AgentGraph


async def choose_start(
    graph: AgentGraph, turn: TurnContext, items: list[Any], last_agent: str | None, settings: ModelSettings
) -> Agent[TurnContext]:
    """Return the agent to start at: the last one, or whoever the message surely is for, its context prepared.

    A turn that goes there directly saves the model calls of the handoffs. Where the local model answers, it makes its
    own handoffs beforehand, however sure it is; any other model is led past its own reading only where a sure one
    exists. Decided from the guarded message and the conversation as it was read: a resumed turn starts alike.
    """
    here = graph.start(last_agent)
    if settings.model == "stub":  # a benchmark's turn is always the same work
        return here
    turn.looked_up = await look_up(turn, items)
    if not settings.route_locally:
        return here
    name = route(
        KnownFacts.model_validate_json(write_known_facts(turn)),
        [*items, {"role": "user", "content": turn.text}],
        {agent.name: callable_names(agent) for agent in graph.by_name.values()},
        at=here.name,
        sure_min=0.0 if settings.model == "local" else SURE_FOR_ANY_MODEL,
    )
    chosen = graph.by_name[name]
    if chosen is not here:
        await prepare(chosen, turn)
    return chosen


async def look_up(turn: TurnContext, items: list[Any]) -> LookedUp:
    """Search the articles for a turn's message, and for a follow-up with the question before it.

    Before anything is declined, asked or handed to a person, since only a search knows what the articles answer. A
    tool that looks the same up again costs a fraction of a millisecond.
    """
    said = [str(item["content"]) for item in items if item.get("role") == "user"]
    question, about = without_asides(turn.text), subject_before(said, turn.text)
    passages = await turn.knowledge.search(turn.key.tenant, question, PASSAGES_MAX, about)
    return LookedUp(question, about, tuple(passages))


def callable_names(agent: Agent[TurnContext]) -> frozenset[str]:
    """Name the tools and handoffs that an agent may call."""
    handoffs = {getattr(handoff, "tool_name", "") for handoff in agent.handoffs}
    return frozenset({tool.name for tool in agent.tools} | handoffs)
