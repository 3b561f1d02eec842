"""Write what a tool answers: JSON that always parses and never exceeds its limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext
    from worker.conversation.refusal import Refusal

_TEXT_CHARACTERS_MIN = 20


def give(context: TurnContext, **payload: Any) -> str:
    """Answer a tool call with what was found or staged."""
    return _write({"ok": True, **payload}, context.tool_output_characters_max)


def refuse(context: TurnContext, refusal: Refusal, **payload: Any) -> str:
    """Answer a tool call with a refusal, and count it where it is one of the airline's: two of them call a human."""
    if refusal.counts:
        context.airline.refusals += 1
    payload = {"ok": False, "refusal": refusal.code, "message": refusal.message, **payload}
    return _write(payload, context.tool_output_characters_max)


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
