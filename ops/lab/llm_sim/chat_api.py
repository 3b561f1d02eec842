"""The Chat Completions API of the simulator: POST /v1/chat/completions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.lab.llm_sim.asked import Asked, BadRequest, WireFormat, count_characters, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ops.lab.llm_sim.asked import Output


def _read(body: Mapping[str, Any]) -> Asked:
    """Parse a request; raises BadRequest."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise BadRequest("messages is not a list of messages")
    told = [text_of(message.get("content")) for message in messages if message.get("role") in {"system", "developer"}]
    tools = [] if body.get("tool_choice") == "none" else body.get("tools") or []
    form = body.get("response_format") or {}
    return Asked(
        model=str(body.get("model", "")),
        instructions="\n".join(filter(None, told)),
        items=[item for message in messages for item in _items_of(message)],
        callable_names=frozenset(str(tool["function"]["name"]) for tool in tools if tool.get("type") == "function"),
        schema=form["json_schema"].get("schema") if form.get("type") == "json_schema" else None,
        defined_characters=count_characters(tools, form),
    )


def _write(asked: Asked, output: Output, created_at: int) -> dict[str, Any]:
    """Return the body of an answer."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if output.calls:
        message["tool_calls"] = [
            {
                "id": f"call_{asked.input_hash}_{at}",
                "type": "function",
                "function": {"name": call.name, "arguments": call.text},
            }
            for at, call in enumerate(output.calls)
        ]
    else:
        message["refusal" if output.kind == "refusal" else "content"] = output.text
    finish_reason = "tool_calls" if output.kind == "call" else "stop"
    return {
        "id": f"chatcmpl-{asked.input_hash}",
        "object": "chat.completion",
        "created": created_at,
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}],
        "usage": {
            "prompt_tokens": asked.tokens,
            "completion_tokens": output.tokens,
            "total_tokens": asked.tokens + output.tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _items_of(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a message as items of the Responses API; those that the instructions hold already are left out."""
    role, content = message.get("role"), text_of(message.get("content"))
    if role == "tool":
        yield {"type": "function_call_output", "call_id": message.get("tool_call_id"), "output": content}
    elif role == "user" or (role == "assistant" and content):
        yield {"role": role, "content": content}
    for call in message.get("tool_calls") or []:
        yield {"type": "function_call", "call_id": call.get("id"), **call["function"]}


CHAT = WireFormat("chat", _read, _write)
