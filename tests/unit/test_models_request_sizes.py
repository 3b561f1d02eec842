"""What a request is made of: both APIs' bodies of one conversation divide alike, and nothing in them is left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.models.request_sizes import PARTS, SEARCHES, count_tokens, divide, size_parts
from worker.tools.knowledge import KNOWLEDGE_TOOLS

INSTRUCTIONS = "You are the FAQ Agent.\n\n## Known facts\nnothing"
TOOL = {"type": "function", "name": "faq_lookup", "description": "Search the articles.", "parameters": {}}
FORM = {"type": "json_schema", "name": "verdict", "schema": {"type": "object"}}
QUESTION, FOUND, STATUS, ANSWER = (
    "How heavy may a bag be?",
    '{"text": "50 lbs"}',
    '{"status": "late"}',
    "It may be 50 lbs.",
)

RESPONSES: dict[str, Any] = {
    "instructions": INSTRUCTIONS,
    "tools": [TOOL],
    "input": [
        {"role": "user", "content": QUESTION},
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA"},
        {"type": "function_call", "call_id": "1", "name": "faq_lookup", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": FOUND},
        {"type": "function_call", "call_id": "2", "name": "flight_status", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "2", "output": STATUS},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ANSWER}]},
    ],
    "text": {"format": FORM},
}
CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": INSTRUCTIONS},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "faq_lookup", "arguments": "{}"}},
                {"id": "2", "type": "function", "function": {"name": "flight_status", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": FOUND},
        {"role": "tool", "tool_call_id": "2", "content": STATUS},
        {"role": "assistant", "content": ANSWER},
    ],
    "tools": [TOOL],
    "response_format": FORM,
}


def test_both_apis_divide_a_conversation_alike() -> None:
    responses, chat = size_parts(RESPONSES), size_parts(CHAT)

    assert tuple(responses) == PARTS
    assert {part: responses[part] for part in PARTS if part != "other"} == {
        part: chat[part] for part in PARTS if part != "other"
    }
    assert responses["other"] > chat["other"] > 0  # reasoning goes back over Responses alone


@pytest.mark.parametrize(
    ("part", "longer"),
    [
        ("instructions", {**RESPONSES, "instructions": f"{INSTRUCTIONS} {QUESTION}"}),
        ("tools", {**RESPONSES, "tools": [TOOL, TOOL]}),
        ("history", {**RESPONSES, "input": [{"role": "user", "content": QUESTION}, *RESPONSES["input"]]}),
        ("passages", {**RESPONSES, "input": [*RESPONSES["input"], RESPONSES["input"][3]]}),
        ("results", {**RESPONSES, "input": [*RESPONSES["input"], RESPONSES["input"][5]]}),
        ("other", {**RESPONSES, "input": [*RESPONSES["input"], RESPONSES["input"][1]]}),
    ],
)
def test_what_is_added_to_a_part_makes_that_part_larger_and_no_other(part: str, longer: dict[str, Any]) -> None:
    before, after = size_parts(RESPONSES), size_parts(longer)

    assert {name for name in PARTS if before[name] != after[name]} == {part}
    assert after[part] > before[part]


def test_a_text_alone_and_a_body_of_nothing_are_sized_too() -> None:
    assert size_parts({"input": QUESTION}) == {"history": count_tokens(QUESTION)}
    assert size_parts({}) == {}


def test_searches_are_the_tools_that_search_articles() -> None:
    assert {tool.name for tool in KNOWLEDGE_TOOLS} == SEARCHES


@given(st.dictionaries(st.sampled_from(PARTS), st.integers(1, 5_000), min_size=1), st.integers(1, 100_000))
def test_parts_add_up_to_what_the_provider_counted(sizes: dict[str, int], tokens: int) -> None:
    divided = divide(tokens, sizes)

    assert sum(divided.values()) == tokens
    assert divided.keys() == sizes.keys()
    assert all(abs(divided[part] - size * tokens / sum(sizes.values())) < len(sizes) for part, size in sizes.items())


def test_without_a_count_the_estimate_stands() -> None:
    assert divide(0, {"tools": 7}) == {"tools": 7}
    assert divide(9, {}) == {}


@pytest.mark.parametrize("text", ["x" * 40_000, "{" * 40_000, "\u4e2d" * 40_000, "a_" * 20_000])
def test_a_text_without_blanks_is_counted_within_its_length(text: str) -> None:
    assert 0 < count_tokens(text) <= 4 * len(text)
