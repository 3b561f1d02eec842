"""Record what a guardrail found, without a word of the message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents import GuardrailFunctionOutput

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext


def note_verdict(
    turn: TurnContext, guardrail: str, *, tripped: bool, confidence: float, reason: str
) -> GuardrailFunctionOutput:
    """Add a verdict to the turn's, and return it as the SDK wants it."""
    verdict = {"guardrail": guardrail, "tripped": tripped, "confidence": confidence, "reason": reason}
    turn.verdicts.append(verdict)
    return GuardrailFunctionOutput(output_info=verdict, tripwire_triggered=tripped)
