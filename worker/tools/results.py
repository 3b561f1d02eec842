"""Write what a tool answers: JSON that always parses and never exceeds its limit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from worker.conversation.context import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Write JSON of at most so many characters: half an object is no answer that a model can read.

    First the texts become shorter, then the lists, then everything but the verdict goes.
    """
    text_max = characters_max
    while len(written := _dump(payload)) > characters_max and text_max > _TEXT_CHARACTERS_MIN:
        text_max //= 2
        payload = _shorten(payload, text_max)
    while len(written) > characters_max and (longest := max(_lists_in(payload), key=len, default=[])):
        del longest[len(longest) // 2 :]
        written = _dump(payload)
    if len(written) > characters_max:
        written = _dump({"ok": payload["ok"], "refusal": "too_long", "message": _TOO_LONG})
    return written


_TOO_LONG = "The answer is too long to be given. Ask for less, or hand over to a person."


def _dump(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False)


def _lists_in(value: Any) -> Iterator[list[Any]]:
    """Yield the lists within a payload that hold anything, which may be cut in place."""
    if isinstance(value, list) and value:
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _lists_in(part)


def _shorten(value: Any, text_max: int) -> Any:
    if isinstance(value, str):
        return cut(value, text_max)
    if isinstance(value, dict):
        return {key: _shorten(item, text_max) for key, item in value.items()}
    if isinstance(value, list):
        return [_shorten(item, text_max) for item in value]
    return value
