"""Estimate how the tokens of a request divide over its parts, from the body that goes over the wire."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

from worker.models.word_vectors import load_word_vectors

Part = Literal["instructions", "tools", "history", "passages", "results", "other"]
"""Instructions with what is known; definitions of tools and handoffs; what customer and agents said and called;
what searches of articles gave; what other tools gave; the rest: a form for the answer, reasoning that goes back."""

PARTS: tuple[Part, ...] = get_args(Part)

_SECTION = "\n## "

SEARCHES = frozenset({"faq_lookup"})
"""Tools whose results are passages."""

_WORD = re.compile(r"[^\W_]{1,24}|_+|[^\w\s]{1,4}")
"""A word, or signs in a row: JSON has few blanks to cut at, and a tokenizer takes the square of what is left whole."""


TEXTS_KEPT_MAX = 512
"""Texts whose count is remembered: a tool's definition, a section of instructions and an old message come again."""


def size_parts(asked: Mapping[str, Any]) -> dict[str, int]:
    """Estimate the tokens of each part of a request's body, of either API; parts without any are left out.

    Counted with the tokenizer of the word vectors (Llama 2's vocabulary), which every worker has in memory: the shares
    hold for other tokenizers too, the sum is some 10 % off.
    """
    sizes: Counter[Part] = Counter()
    for part, value in _parts_of(asked):
        sizes[part] += count_tokens(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return {part: sizes[part] for part in PARTS if sizes[part]}


@lru_cache(maxsize=TEXTS_KEPT_MAX)
def count_tokens(text: str) -> int:
    """Estimate how many tokens a text has."""
    return len(load_word_vectors().tokenize(" ".join(_WORD.findall(text))))


def divide(tokens: int, sizes: Mapping[str, int]) -> Mapping[str, int]:
    """Divide a provider's count of tokens in proportion to sizes; where it counted none, the sizes stand."""
    estimated = sum(sizes.values())
    if not estimated or not tokens:
        return sizes
    shares = {part: size * tokens // estimated for part, size in sizes.items()}
    largest = max(shares, key=shares.__getitem__)
    return {**shares, largest: shares[largest] + tokens - sum(shares.values())}


def _parts_of(asked: Mapping[str, Any]) -> Iterator[tuple[Part, Any]]:
    for tool in asked.get("tools") or []:
        yield "tools", tool
    if "messages" in asked:  # Chat Completions
        yield from _messages(asked["messages"])
        yield "other", asked.get("response_format") or ""
        return
    yield from _sections(str(asked.get("instructions") or ""))
    given = asked.get("input") or ""
    yield from _items([{"role": "user", "content": given}] if isinstance(given, str) else given)
    yield "other", (asked.get("text") or {}).get("format") or ""


def _items(items: list[dict[str, Any]]) -> Iterator[tuple[Part, Any]]:
    named = {item.get("call_id"): item.get("name") for item in items if item.get("type") == "function_call"}
    for item in items:
        kind = item.get("type", "message")
        if kind == "function_call_output":
            yield "passages" if named.get(item.get("call_id")) in SEARCHES else "results", item.get("output")
        elif kind == "function_call":
            yield "history", f"{item.get('name')} {item.get('arguments')}"
        elif kind == "message":
            yield from _said(item, _text_of(item.get("content")))
        else:
            yield "other", item


def _messages(messages: list[dict[str, Any]]) -> Iterator[tuple[Part, Any]]:
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    named = {call.get("id"): call["function"]["name"] for call in calls}
    for message in messages:
        text = _text_of(message.get("content"))
        if message.get("role") == "tool":
            yield "passages" if named.get(message.get("tool_call_id")) in SEARCHES else "results", text
            continue
        yield from _said(message, text)
        for call in message.get("tool_calls") or []:
            yield "history", f"{call['function']['name']} {call['function']['arguments']}"


def _said(message: Mapping[str, Any], text: str) -> Iterator[tuple[Part, str]]:
    if message.get("role") in {"system", "developer"}:
        yield from _sections(text)
    else:
        yield "history", text


def _sections(instructions: str) -> Iterator[tuple[Part, str]]:
    """Yield instructions section by section: all but the known facts are the same in every call."""
    return (("instructions", section) for section in instructions.split(_SECTION))


def _text_of(content: object) -> str:
    """Return a message's text, whether it is one or a list of parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")
