"""The SDK's input guardrails: they judge this turn's guarded message, note a verdict each, and can end the run.

The local ones block, because they cost less than starting an agent beside them. The one that asks a model runs beside
the agents, so that a customer does not wait for it.
"""

from __future__ import annotations

from typing import Any

from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    RunContextWrapper,
    TResponseInputItem,
    input_guardrail,
)

from schema.settings.guardrails import AbuseSettings
from worker.conversation.context import TurnContext
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.abuse_agent import model_abuse_guardrail
from worker.guardrails.emergency import assess_emergency
from worker.guardrails.relevance import RELEVANT, assess_relevance
from worker.guardrails.verdicts import note_verdict

EMERGENCY = "emergency"
"""The name of the guardrail that answers an emergency."""


@input_guardrail(name=EMERGENCY, run_in_parallel=False)
def emergency_guardrail(
    context: RunContextWrapper[TurnContext],
    agent: Agent[Any],  # noqa: ARG001 - the SDK's signature
    items: str | list[TResponseInputItem],  # noqa: ARG001 - the history too, which was judged when it came in
) -> GuardrailFunctionOutput:
    """Trip when somebody is in danger; `reason` is the kind."""
    found = assess_emergency(context.context.text)
    return note_verdict(
        context.context,
        EMERGENCY,
        tripped=found.kind is not None,
        confidence=found.confidence,
        reason=found.kind or "none",
    )


@input_guardrail(name="abuse", run_in_parallel=False)
def abuse_guardrail(
    context: RunContextWrapper[TurnContext],
    agent: Agent[Any],  # noqa: ARG001 - the SDK's signature
    items: str | list[TResponseInputItem],  # noqa: ARG001 - the history too, which was judged when it came in
) -> GuardrailFunctionOutput:
    """Trip on threats, hate, degrading insults and profanity aimed at people."""
    found = assess_abuse(context.context.text)
    return note_verdict(
        context.context, "abuse", tripped=found.is_abusive, confidence=found.confidence, reason=found.reason
    )


@input_guardrail(name="relevance", run_in_parallel=False)
def relevance_guardrail(
    context: RunContextWrapper[TurnContext],
    agent: Agent[Any],  # noqa: ARG001 - the SDK's signature
    items: str | list[TResponseInputItem],  # noqa: ARG001 - the history too, which was judged when it came in
) -> GuardrailFunctionOutput:
    """Trip on what is surely not the airline's matter, and on prompt injection.

    What the airline's own articles answer is its matter, whatever trade it sounds like.
    """
    turn = context.context
    found = assess_relevance(turn.text, turn.vocabulary)
    if found.reason == "off_topic" and turn.looked_up.passages:
        found = RELEVANT
    return note_verdict(
        turn, "relevance", tripped=not found.is_relevant, confidence=found.confidence, reason=found.reason
    )


def input_guardrails(settings: AbuseSettings) -> list[InputGuardrail[TurnContext]]:
    """Return the guardrails of a run: emergencies first, so that none is taken for abuse or as off topic.

    They stand in the run's configuration and not at an agent, so they hold whatever agent a turn starts at. Embedded
    models judge abuse by nothing that the local detector does not know, so only others are asked.
    """
    asks_a_model = settings.abuse_asks_model and not settings.is_embedded_model
    return [
        emergency_guardrail,
        abuse_guardrail,
        relevance_guardrail,
        *([model_abuse_guardrail(settings)] if asks_a_model else []),
    ]
