"""Bring an answer of the Chat Completions API into its one form."""

from __future__ import annotations

from typing import Any

from worker.models.wire.faults import Malformed, UnusableAnswer, raise_error_inside
from worker.models.wire.parts import (
    CALLS_MAX,
    TEXT_CHARACTERS_MAX,
    CallIds,
    clean,
    count,
    is_blank,
    read_arguments,
    text_of,
)

FILTERED = "the provider's content filter withheld the answer"
"""Is put in the refusal of an answer that a provider's filter has cut off."""


def taken_ids(asked: dict[str, Any]) -> set[str]:
    """Return the ids of the calls in the conversation that was sent."""
    messages = asked.get("messages")
    calls = (
        [call for one in messages if isinstance(one, dict) for call in one.get("tool_calls") or ()] if messages else []
    )
    return {str(call.get("id")) for call in calls}


def fill_null_contents(asked: dict[str, Any]) -> bool:
    """Write an empty text for the null content of messages that only call tools; return whether there were any.

    The API takes null, none and an empty text there. Compatible servers are known that refuse null ("Input should be a
    valid string") and whose templates break without the field ("no attribute 'content'"); llama-cpp-python is both.
    """
    found = False
    for message in asked.get("messages") or ():
        if isinstance(message, dict) and message.get("tool_calls") and message.get("content", "") is None:
            message["content"] = ""
            found = True
    return found


def normalise_completion(body: dict[str, Any], ids: CallIds) -> dict[str, Any]:
    """Return the answer with the one choice that is read, in the form that the API documents.

    Raises Malformed, ErrorInside, and UnusableAnswer for a text that was cut off at its length or does not end.
    """
    choice = _first_choice(body)
    message = choice["message"]
    finish = choice.get("finish_reason")
    if finish == "error":
        raise Malformed("the finish reason error")
    refusal = message.get("refusal")
    if finish == "content_filter":
        refusal = FILTERED
    if finish == "length":
        raise UnusableAnswer("the answer was cut off at its length")
    written: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    calls: list[dict[str, Any]] = []
    if isinstance(refusal, str) and not is_blank(refusal):
        written["refusal"] = clean(refusal)[:TEXT_CHARACTERS_MAX]
    else:
        calls = _calls_of(message, ids)
        text = text_of(message.get("content"))
        if len(text) > TEXT_CHARACTERS_MAX:
            raise UnusableAnswer(f"the answer has {len(text)} characters, more than {TEXT_CHARACTERS_MAX}")
        written |= {"content": text or None} | ({"tool_calls": calls} if calls else {}) | _reasoning_of(message)
    return {
        "id": str(body.get("id") or "chatcmpl"),
        "object": "chat.completion",
        "created": count(body.get("created")),
        "model": str(body.get("model") or ""),
        "choices": [{"index": 0, "message": written, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": _usage_of(body.get("usage")),
    }


def _first_choice(body: dict[str, Any]) -> dict[str, Any]:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict):
        raise_error_inside(body.get("error"))
        raise Malformed("no choices")
    if not isinstance(first.get("message"), dict):
        raise_error_inside(first.get("error") or body.get("error"))
        raise Malformed("a choice without a message")
    return first


def _calls_of(message: dict[str, Any], ids: CallIds) -> list[dict[str, Any]]:
    """Return the message's calls of functions; where there are none, the one that older servers write beside them."""
    raw = message.get("tool_calls")
    found = [each for each in raw if isinstance(each, dict)] if isinstance(raw, list) else []
    if not found and isinstance(message.get("function_call"), dict):
        found = [{"function": message["function_call"]}]
    calls = []
    for each in found[:CALLS_MAX]:
        function = each.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(function, dict) or not isinstance(name, str) or is_blank(name):
            continue
        arguments = read_arguments(function.get("arguments"))
        call_id = ids.give(each.get("id"), is_readable=arguments is not None)
        calls.append(
            {
                "id": call_id,
                "type": "function",
                "function": {"name": clean(name).strip(), "arguments": arguments or "{}"},
            }
        )
    return calls


def _reasoning_of(message: dict[str, Any]) -> dict[str, Any]:
    """Keep a text of reasoning, which some models want back with the results of their calls."""
    text = message.get("reasoning_content")
    return {"reasoning_content": clean(text)[:TEXT_CHARACTERS_MAX]} if isinstance(text, str) and text else {}


def _usage_of(usage: Any) -> dict[str, Any] | None:
    if not isinstance(usage, dict):
        return None
    read = usage.get("prompt_tokens_details")
    written = usage.get("completion_tokens_details")
    tokens_in, tokens_out = count(usage.get("prompt_tokens")), count(usage.get("completion_tokens"))
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": count(read.get("cached_tokens")) if isinstance(read, dict) else 0},
        "completion_tokens_details": {
            "reasoning_tokens": count(written.get("reasoning_tokens")) if isinstance(written, dict) else 0
        },
    }
