"""The Responses API of the simulator: POST /v1/responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ops.lab.llm_sim.asked import Asked, BadRequest, WireFormat, count_characters, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.lab.llm_sim.asked import Output


def _read(body: Mapping[str, Any]) -> Asked:
    """Parse a request; raises BadRequest."""
    given = body.get("input", [])
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadRequest("input is neither a text nor a list of items")
    told = [str(body.get("instructions") or "")]
    told += [text_of(item.get("content")) for item in items if item.get("role") in {"system", "developer"}]
    tools = [] if body.get("tool_choice") == "none" else body.get("tools") or []
    form = (body.get("text") or {}).get("format") or {}
    return Asked(
        model=str(body.get("model", "")),
        instructions="\n".join(filter(None, told)),
        items=[_plain(item) for item in items],
        callable_names=frozenset(str(tool["name"]) for tool in tools if tool.get("type") == "function"),
        schema=form.get("schema") if form.get("type") == "json_schema" else None,
        defined_characters=count_characters(tools, form),
    )


def _write(asked: Asked, output: Output, created_at: int) -> dict[str, Any]:
    """Return the body of an answer."""
    identity = asked.input_hash
    return {
        "id": f"resp_{identity}",
        "object": "response",
        "created_at": created_at,
        "model": asked.model,
        "status": "completed",
        "output": _write_items(output, identity),
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": asked.tokens,
            "output_tokens": output.tokens,
            "total_tokens": asked.tokens + output.tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """Return a tool's output as one text, as the local model reads it."""
    return {**item, "output": text_of(item["output"])} if item.get("type") == "function_call_output" else item


def _write_items(output: Output, identity: str) -> list[dict[str, Any]]:
    if not output.calls:
        return [_write_message(output, identity)]
    return [
        {
            "type": "function_call",
            "id": f"fc_{identity}_{at}",
            "call_id": f"call_{identity}_{at}",
            "name": call.name,
            "arguments": call.text,
            "status": "completed",
        }
        for at, call in enumerate(output.calls)
    ]


def _write_message(output: Output, identity: str) -> dict[str, Any]:
    content = (
        {"type": "refusal", "refusal": output.text}
        if output.kind == "refusal"
        else {"type": "output_text", "text": output.text, "annotations": [], "logprobs": []}
    )
    return {
        "type": "message",
        "id": f"msg_{identity}",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }


RESPONSES = WireFormat("responses", _read, _write)
