"""Prepare the conversation's context when it goes from one agent to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import Agent, Handoff, RunContextWrapper, handoff

from worker.conversation.context import TurnContext
from worker.conversation.out_of_service import find_agent_switch
from worker.conversation.refusal import Refusal
from worker.domains.airline.agents import booking, escalation, faq
from worker.domains.airline.agents.facts import StatedFacts, note_facts, note_message
from worker.domains.airline.tools.access import open_verified, remember_flight
from worker.tools.schemas import shorten_schema

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agents.agent import AgentBase

    SdkAgent = Agent[TurnContext]
    SdkHandoff = Handoff[TurnContext, Agent[TurnContext]]
    Preparation = Callable[[RunContextWrapper[TurnContext]], Awaitable[None]]


def to_triage(agent: SdkAgent) -> SdkHandoff:
    """Hand back to triage; the wish is a new one, so nothing of the context is prepared."""
    return handoff(agent, tool_description_override=agent.handoff_description, is_enabled=_while_on(agent))


def to_faq(agent: SdkAgent) -> SdkHandoff:
    """Hand to the FAQ agent."""
    return handoff(
        agent,
        on_handoff=_prepare_faq,
        tool_description_override=agent.handoff_description,
        is_enabled=_while_on(agent),
    )


def to_booking(agent: SdkAgent) -> SdkHandoff:
    """Hand to the booking agent, with what the model has read; `{}` is as good."""
    made = handoff(
        agent,
        on_handoff=_prepare_booking,
        input_type=StatedFacts,
        tool_description_override=agent.handoff_description,
        is_enabled=_while_on(agent),
    )
    made.input_json_schema = shorten_schema(made.input_json_schema)
    return made


def to_escalation(agent: SdkAgent) -> SdkHandoff:
    """Hand to the escalation agent."""
    return handoff(
        agent,
        on_handoff=_prepare_escalation,
        tool_description_override=agent.handoff_description,
        is_enabled=_while_on(agent),
    )


def _while_on(target: SdkAgent) -> Callable[[RunContextWrapper[TurnContext], AgentBase[TurnContext]], bool]:
    """Offer a handoff unless operators have switched off the agent that it leads to."""

    def is_on(context: RunContextWrapper[TurnContext], agent: AgentBase[TurnContext]) -> bool:  # noqa: ARG001 - the SDK's signature
        return find_agent_switch(context.context, target.name) is None

    return is_on


async def _prepare_faq(context: RunContextWrapper[TurnContext]) -> None:
    context.context.airline.issue_type = "faq"


async def _prepare_booking(context: RunContextWrapper[TurnContext], facts: StatedFacts) -> None:
    turn = context.context
    turn.airline.issue_type = "booking"
    turn.airline.issue_resolved = False
    note_facts(turn, facts)
    note_message(turn)  # after the model's reading: what stands in the message is surer
    if turn.is_verified:
        booking = await open_verified(turn)
        if not isinstance(booking, Refusal):
            remember_flight(turn, booking)


async def _prepare_escalation(context: RunContextWrapper[TurnContext]) -> None:
    airline = context.context.airline
    if airline.issue_type != "complaint":
        airline.issue_type = "escalation"
    airline.issue_resolved = False


async def prepare(agent: SdkAgent, turn: TurnContext) -> None:
    """Prepare the context for an agent that a turn starts at, as the handoff to it would."""
    context = RunContextWrapper(turn)
    if agent.name == faq.NAME:
        await _prepare_faq(context)
    elif agent.name == booking.NAME:
        await _prepare_booking(context, StatedFacts())
    elif agent.name == escalation.NAME:
        await _prepare_escalation(context)
