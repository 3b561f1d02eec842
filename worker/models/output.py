"""Build a model's answers as the SDK's output items; equal input gives equal output, ids included."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from agents.items import ModelResponse, TResponseInputItem, TResponseOutputItem
from agents.usage import Usage
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
)

from worker.models.wire.faults import UnusableAnswer
from worker.models.wire.parts import is_blank

CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English; an embedded model has no tokens, and usage records want a size."""


@dataclass(frozen=True)
class Call:
    """Step that calls a tool, or hands off by calling its handoff tool."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Say:
    """Step that answers the customer."""

    text: str


@dataclass(frozen=True)
class Calls:
    """Step that calls several tools at once, none of which needs what another gives."""

    calls: tuple[Call, ...]


Step: TypeAlias = Call | Calls | Say


def fingerprint(instructions: str | None, items: str | list[TResponseInputItem]) -> str:
    """Return 24 hex digits that identify this very call of a model.

    Ids derived from it are the same when a turn is replayed, and differ within a run, whose input grows with each call,
    and between turns, whose count stands in the instructions.
    """
    asked = orjson.dumps([instructions, items], option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(asked).hexdigest()[:24]


def respond(step: Step, identity: str, input_characters: int) -> ModelResponse:
    """Wrap one step as the SDK's response."""
    items: list[TResponseOutputItem]
    if isinstance(step, Say):
        items, written = [_message(step, identity)], len(step.text)
    else:
        calls = (step,) if isinstance(step, Call) else step.calls
        tool_calls = [_tool_call(call, f"{identity}_{at}" if at else identity) for at, call in enumerate(calls)]
        items, written = [*tool_calls], sum(len(one.name) + len(one.arguments) for one in tool_calls)
    tokens_in, tokens_out = input_characters // CHARACTERS_PER_TOKEN, written // CHARACTERS_PER_TOKEN
    usage = Usage(requests=1, input_tokens=tokens_in, output_tokens=tokens_out, total_tokens=tokens_in + tokens_out)
    return ModelResponse(output=items, usage=usage, response_id=f"resp_{identity}")


def check_usable(response: ModelResponse) -> None:
    """Check that an answer holds something a turn can go on with; raises UnusableAnswer.

    That is a call, a refusal, or a text in which a reader sees anything.
    """
    for item in response.output:
        if isinstance(item, ResponseOutputMessage):
            if any(isinstance(part, ResponseOutputRefusal) or not is_blank(part.text) for part in item.content):
                return
        elif getattr(item, "type", "") == "function_call":
            return
    raise UnusableAnswer("the answer is empty")


def _tool_call(call: Call, identity: str) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=f"fc_{identity}",
        call_id=f"call_{identity}",
        type="function_call",
        name=call.name,
        arguments=json.dumps(dict(call.arguments), ensure_ascii=False),
        status="completed",
    )


def _message(said: Say, identity: str) -> ResponseOutputMessage:
    return ResponseOutputMessage(
        id=f"msg_{identity}",
        type="message",
        role="assistant",
        status="completed",
        content=[ResponseOutputText(text=said.text, type="output_text", annotations=[], logprobs=[])],
    )
