"""Bring an answer of the Responses API into its one form."""

from __future__ import annotations

import uuid
from typing import Any

from worker.models.wire.chat import FILTERED
from worker.models.wire.faults import Malformed, UnusableAnswer, raise_error_inside
from worker.models.wire.parts import (
    CALLS_MAX,
    TEXT_CHARACTERS_MAX,
    CallIds,
    clean,
    clean_all,
    count,
    is_blank,
    read_arguments,
    text_of,
)

_HOSTED = frozenset({"file_search_call", "web_search_call"})
"""Calls of tools that the provider runs itself; what else is neither a message nor a call nor reasoning is dropped."""


def taken_ids(asked: dict[str, Any]) -> set[str]:
    """Return the ids of the calls in the conversation that was sent."""
    items = asked.get("input")
    return {
        str(item["call_id"])
        for item in (items if isinstance(items, list) else ())
        if item.get("type") == "function_call"
    }


def normalise_response(body: dict[str, Any], ids: CallIds, *, is_stored: bool) -> dict[str, Any]:
    """Return the answer with the items that a turn reads, in the form that the API documents.

    Where the provider keeps no state, reasoning without its encrypted content is dropped: sent back, it would name
    what nobody has. Raises Malformed, ErrorInside, and UnusableAnswer for a text that was cut off or does not end.
    """
    raise_error_inside(body.get("error"))
    items = body.get("output")
    status = body.get("status") or "completed"
    if not isinstance(items, list):
        raise Malformed("no output")
    if status not in ("completed", "incomplete"):
        raise Malformed(f"the status {status}" if isinstance(status, str) and status.isalpha() else "no known status")
    if status == "incomplete":
        details = body.get("incomplete_details")
        if not isinstance(details, dict) or details.get("reason") != "content_filter":
            raise UnusableAnswer("the answer was cut off at its length")
        output = [_message([_refusal(FILTERED)], {})]
    else:
        output = _items_of(items, ids, is_stored=is_stored)
    return {
        "id": str(body.get("id") or "resp"),
        "object": "response",
        "created_at": count(body.get("created_at")),
        "model": str(body.get("model") or ""),
        "status": "completed",
        "output": output,
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": _usage_of(body.get("usage")),
    }


def _items_of(raw: list[Any], ids: CallIds, *, is_stored: bool) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = []
    calls = characters = 0
    for item in raw:
        if not isinstance(item, dict):
            continue
        kind = item.get("type")
        made: dict[str, Any] | None = None
        if kind == "message":
            made = _message_of(item)
            characters += len(text_of(made["content"])) if made else 0
        elif kind == "function_call" and calls < CALLS_MAX:
            made = _call_of(item, ids)
            calls += made is not None
        elif kind == "reasoning":
            made = _reasoning_of(item, is_stored=is_stored)
        elif kind in _HOSTED:
            made = clean_all(item)
        if made is not None:
            output.append(made)
    if characters > TEXT_CHARACTERS_MAX:
        raise UnusableAnswer(f"the answer has {characters} characters, more than {TEXT_CHARACTERS_MAX}")
    return output


def _message_of(item: dict[str, Any]) -> dict[str, Any] | None:
    content = item.get("content")
    parts: list[dict[str, Any]] = []
    for part in content if isinstance(content, list) else [content]:
        refusal = part.get("refusal") if isinstance(part, dict) else None
        if isinstance(refusal, str) and not is_blank(refusal):
            parts.append(_refusal(refusal))
        elif text := text_of([part]):
            parts.append({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
    phase = item.get("phase")
    kept = {"phase": phase} if phase in ("commentary", "final_answer") else {}
    return _message(parts, {"id": item.get("id"), **kept}) if parts else None


def _message(parts: list[dict[str, Any]], known: dict[str, Any]) -> dict[str, Any]:
    written = {"type": "message", "role": "assistant", "status": "completed", "content": parts}
    return {**written, **known, "id": _id_of(known, "msg")}


def _refusal(text: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": clean(text)[:TEXT_CHARACTERS_MAX]}


def _call_of(item: dict[str, Any], ids: CallIds) -> dict[str, Any] | None:
    name = item.get("name")
    if not isinstance(name, str) or is_blank(name):
        return None
    arguments = read_arguments(item.get("arguments"))
    return {
        "type": "function_call",
        "id": _id_of(item, "fc"),
        "call_id": ids.give(item.get("call_id"), is_readable=arguments is not None),
        "name": clean(name).strip(),
        "arguments": arguments or "{}",
        "status": "completed",
    }


def _reasoning_of(item: dict[str, Any], *, is_stored: bool) -> dict[str, Any] | None:
    encrypted = item.get("encrypted_content")
    if not isinstance(encrypted, str) and not is_stored:
        return None
    summary = [
        {"type": "summary_text", "text": text_of([{"text": part.get("text")}])}
        for part in (item.get("summary") if isinstance(item.get("summary"), list) else None) or ()
        if isinstance(part, dict)
    ]
    kept = {"encrypted_content": encrypted} if isinstance(encrypted, str) else {}
    return {"type": "reasoning", "id": _id_of(item, "rs"), "summary": summary, **kept}


def _id_of(item: dict[str, Any], kind: str) -> str:
    given = item.get("id")
    return clean(given) if isinstance(given, str) and given else f"{kind}_{uuid.uuid4().hex}"


def _usage_of(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("input_tokens_details"), usage.get("output_tokens_details")
    tokens_in, tokens_out = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    return {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "input_tokens_details": {
            "cached_tokens": count(read.get("cached_tokens")) if isinstance(read, dict) else 0,
            "cache_write_tokens": count(read.get("cache_write_tokens")) if isinstance(read, dict) else 0,
        },
        "output_tokens_details": {
            "reasoning_tokens": count(written.get("reasoning_tokens")) if isinstance(written, dict) else 0
        },
    }
