"""Set the SDK's input guardrails: they read this turn's guarded message, note a verdict each, and can end the run.

They block, because they are local and cost less than starting an agent beside them. A detector that asks a model would
be one more guardrail in `input_guardrails`, running in parallel.
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

from schema.settings import Settings
from worker.agents.context import TurnContext
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.relevance import assess_relevance


@input_guardrail(name="abuse", run_in_parallel=False)
def abuse_guardrail(
    context: RunContextWrapper[TurnContext],
    agent: Agent[Any],  # noqa: ARG001 - the SDK's signature
    items: str | list[TResponseInputItem],  # noqa: ARG001 - the history too, which was judged when it came in
) -> GuardrailFunctionOutput:
    """Trip on threats, hate, degrading insults and profanity aimed at people."""
    found = assess_abuse(context.context.text)
    return _note(context.context, "abuse", tripped=found.is_abusive, confidence=found.confidence, reason=found.reason)


@input_guardrail(name="relevance", run_in_parallel=False)
def relevance_guardrail(
    context: RunContextWrapper[TurnContext],
    agent: Agent[Any],  # noqa: ARG001 - the SDK's signature
    items: str | list[TResponseInputItem],  # noqa: ARG001 - the history too, which was judged when it came in
) -> GuardrailFunctionOutput:
    """Trip on what is surely not the airline's matter, and on attempts to turn the agents around."""
    turn = context.context
    found = assess_relevance(turn.text, under_way=turn.airline.turn_count > 1)
    return _note(turn, "relevance", tripped=not found.is_relevant, confidence=found.confidence, reason=found.reason)


def input_guardrails(settings: Settings) -> list[InputGuardrail[TurnContext]]:  # noqa: ARG001 - a detector may be a setting
    """Give the guardrails of a run, in the order they are asked: abuse first, because it goes to a human."""
    return [abuse_guardrail, relevance_guardrail]


def _note(
    turn: TurnContext, guardrail: str, *, tripped: bool, confidence: float, reason: str
) -> GuardrailFunctionOutput:
    verdict = {"guardrail": guardrail, "tripped": tripped, "confidence": confidence, "reason": reason}
    turn.verdicts.append(verdict)
    return GuardrailFunctionOutput(output_info=verdict, tripwire_triggered=tripped)
