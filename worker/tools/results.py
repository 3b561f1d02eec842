"""Write what a tool answers: JSON that always parses and never exceeds its limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents import ModelBehaviorError
from agents.tool_context import ToolContext
from pydantic import ValidationError

if TYPE_CHECKING:
    from agents import RunContextWrapper

    from worker.agents.context import TurnContext
    from worker.tools.rules.refusal import Refusal

_TEXT_CHARACTERS_MIN = 20
_FAULTS_MAX = 5


def give(context: TurnContext, **payload: Any) -> str:
    """Answer a tool call with what was found or staged."""
    return _write({"ok": True, **payload}, context.tool_output_characters_max)


def refuse(context: TurnContext, refusal: Refusal, **payload: Any) -> str:
    """Answer a tool call with a refusal, and count it where it is one of the airline's: two of them call a human."""
    if refusal.counts:
        context.airline.refusals += 1
    payload = {"ok": False, "refusal": refusal.code, "message": refusal.message, **payload}
    return _write(payload, context.tool_output_characters_max)


def explain_bad_arguments(context: RunContextWrapper[Any], error: Exception) -> str:
    """Let the model correct arguments that do not fit the tool's schema; every other error goes up unchanged."""
    if not isinstance(error, ModelBehaviorError) or not isinstance(context, ToolContext):
        raise error
    cause = error.__cause__
    wrong = cause.errors(include_url=False, include_input=False) if isinstance(cause, ValidationError) else []
    listed = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in wrong[:_FAULTS_MAX])
    return json.dumps(
        {
            "ok": False,
            "refusal": "bad_arguments",
            "message": f"The arguments do not fit the schema of {context.tool_name}. Call it again with ones that do."
            + (listed and f" What is wrong: {listed}"),
        }
    )


def _write(payload: dict[str, Any], characters_max: int) -> str:
    written = json.dumps(payload, ensure_ascii=False)
    text_max = characters_max
    while len(written) > characters_max and text_max > _TEXT_CHARACTERS_MIN:
        text_max //= 2  # cut the texts, not the JSON: half an object is no answer a model can read
        written = json.dumps(_shorten(payload, text_max), ensure_ascii=False)
    return written


def _shorten(value: Any, text_max: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= text_max else value[: text_max - 1] + "…"
    if isinstance(value, dict):
        return {key: _shorten(item, text_max) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorten(item, text_max) for item in value]
    return value
