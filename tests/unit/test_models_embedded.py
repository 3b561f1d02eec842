"""Test the embedded models at the SDK's boundary: ids, replay, latency, and the stub's three calls."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from agents import ModelSettings, RunConfig, Runner
from agents.models.interface import Model, ModelTracing
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from tests.unit.airline_stand_ins import MemoryKnowledge, make_turn
from worker.conversation.effects import Passage
from worker.domains.airline.agents.graph import AgentGraph, build_graph
from worker.domains.airline.local.model import LocalModel
from worker.models.latency import LATENCY_MILLISECONDS_MAX, parse_latency, simulated_latency
from worker.models.output import fingerprint
from worker.models.provider import OneModelProvider
from worker.models.stub import StubModel

PASSAGE = Passage("Baggage", "Checked bags", "baggage", "One checked bag is free.", 1.0)


@pytest.fixture(scope="module")
def graph() -> AgentGraph:
    return build_graph()


async def ask(model: Model, text: str, instructions: str = "You are the Triage Agent of Larkfield Air.") -> Any:
    response = await model.get_response(
        system_instructions=instructions,
        input=[{"role": "user", "content": text}],
        model_settings=ModelSettings(),
        tools=[],
        output_schema=None,
        handoffs=[],
        tracing=ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )
    return response.output[0]


async def test_the_same_call_gives_the_same_answer_with_the_same_ids() -> None:
    first = await ask(LocalModel(), "hello")
    second = await ask(LocalModel(), "hello")

    assert isinstance(first, ResponseOutputMessage)
    assert first == second


async def test_another_turn_gives_other_ids() -> None:
    first = await ask(LocalModel(), "hello", 'You are the Triage Agent of X.\n## Known facts\n{"turn_count": 1}')
    second = await ask(LocalModel(), "hello", 'You are the Triage Agent of X.\n## Known facts\n{"turn_count": 2}')

    assert first.id != second.id


def test_the_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint("i", [{"role": "user", "content": "x"}]) == fingerprint("i", [{"content": "x", "role": "user"}])


async def test_every_call_of_a_turn_has_an_id_of_its_own(graph: AgentGraph) -> None:
    turn = make_turn(text="how many bags can I check for free?")
    turn.knowledge = MemoryKnowledge(PASSAGE)

    result = await Runner.run(
        graph.triage,
        turn.text,
        context=turn,
        run_config=RunConfig(model_provider=OneModelProvider(LocalModel()), tracing_disabled=True),
    )

    calls = [
        item
        for response in result.raw_responses
        for item in response.output
        if isinstance(item, ResponseFunctionToolCall)
    ]
    assert [call.name for call in calls] == ["transfer_to_faq_agent", "faq_lookup"]
    assert len({call.call_id for call in calls}) == len(calls)
    assert all(call.call_id for call in calls)
    assert result.context_wrapper.usage.requests == 3
    assert result.context_wrapper.usage.output_tokens > 0


async def test_the_stub_plays_exactly_three_calls(graph: AgentGraph) -> None:
    turn = make_turn(text="anything at all")
    knowledge = MemoryKnowledge(PASSAGE)
    turn.knowledge = knowledge

    result = await Runner.run(
        graph.triage,
        turn.text,
        context=turn,
        run_config=RunConfig(model_provider=OneModelProvider(StubModel()), tracing_disabled=True),
    )

    assert len(result.raw_responses) == 3
    assert knowledge.asked == [("acme", "anything at all")]
    assert result.final_output == "One checked bag is free.\n\nSource: Baggage \u203a Checked bags"
    assert result.last_agent.name == "FAQ Agent"


async def test_the_stub_plays_on_at_the_faq_agent_in_the_next_turn(graph: AgentGraph) -> None:
    turn = make_turn(text="and now?", turn_count=2)
    history: list[Any] = [
        {"role": "user", "content": "before"},
        {"type": "function_call", "call_id": "c1", "name": "transfer_to_faq_agent", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": '{"assistant": "FAQ Agent"}'},
        {"role": "assistant", "content": "answer"},
        {"role": "user", "content": "and now?"},
    ]

    result = await Runner.run(
        graph.faq,
        history,
        context=turn,
        run_config=RunConfig(model_provider=OneModelProvider(StubModel()), tracing_disabled=True),
    )

    assert len(result.raw_responses) == 2
    assert "no article" in str(result.final_output)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("200..800", (200, 800)),
        ("500", (500, 500)),
        (" 0.5..1.5 ", (0.5, 1.5)),
        ("0", (0, 0)),
        ("800..200", None),
        (f"0..{LATENCY_MILLISECONDS_MAX + 1}", None),
        ("-5", None),
        ("fast", None),
        ("", None),
        (None, None),
    ],
)
def test_latency_is_read_from_metadata(text: str | None, span: tuple[float, float] | None) -> None:
    assert parse_latency(text) == span


async def test_a_simulated_call_takes_as_long_as_told() -> None:
    token = simulated_latency.set((60, 80))
    started = time.perf_counter()
    try:
        await ask(LocalModel(), "hello")
    finally:
        simulated_latency.reset(token)

    assert time.perf_counter() - started >= 0.06


async def test_streaming_is_refused() -> None:
    with pytest.raises(NotImplementedError):
        LocalModel().stream_response()


def test_arguments_are_json(graph: AgentGraph) -> None:
    model = LocalModel()
    step = model.decide(
        "You are the Triage Agent of X",
        [{"role": "user", "content": "K\u00f6ln [CONFIRMATION_NUMBER_1]"}],
        frozenset({"transfer_to_booking_agent"}),
    )

    assert json.loads(json.dumps(dict(step.arguments)))["confirmation_number"] == "[CONFIRMATION_NUMBER_1]"  # type: ignore[union-attr]
