"""Test the path to an OpenAI-compatible endpoint: the true client and SDK against a server on loopback."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from agents import RunConfig, Runner
from agents.exceptions import ModelRefusalError

from tests.integration.model_endpoint import Endpoint, Fail, Late, call, say, serving
from tests.unit.airline_stand_ins import PLACEHOLDER, MemoryKnowledge, make_turn
from worker.conversation.context import TurnContext
from worker.conversation.effects import Passage
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.models.failures import classify_model_error
from worker.models.provider import build_model_provider

PASSAGE = Passage("Baggage", "Checked bags", "baggage", "One checked bag is free.", 1.0)


async def run(endpoint: Endpoint, turn: TurnContext, *, model: str = "openai:gpt-x", **changes: Any) -> Any:
    provider = build_model_provider(endpoint.settings(model, **changes), local=AIRLINE.local_model)
    try:
        return await Runner.run(
            build_graph().triage,
            turn.text,
            context=turn,
            run_config=RunConfig(model_provider=provider, tracing_disabled=True),
        )
    finally:
        await provider.aclose()


def a_turn(text: str) -> TurnContext:
    turn = make_turn(text=text)
    turn.knowledge = MemoryKnowledge(PASSAGE)
    return turn


async def test_a_turn_runs_over_handoff_and_tool_through_the_true_client() -> None:
    async with serving(
        call("transfer_to_faq_agent"),
        call("faq_lookup", question="bags"),
        say("One bag is free. Source: Baggage \u203a Checked bags"),
    ) as endpoint:
        result = await run(endpoint, a_turn("how many bags?"))

    assert result.final_output.startswith("One bag is free.")
    assert result.last_agent.name == "FAQ Agent"
    assert result.context_wrapper.usage.total_tokens == 330
    first, second, third = endpoint.asked
    assert {asked["model"] for asked in endpoint.asked} == {"gpt-x"}
    assert {tool["name"] for tool in first["tools"]} >= {
        "faq_lookup",
        "transfer_to_faq_agent",
        "transfer_to_booking_agent",
    }
    assert first["instructions"].startswith("You are the Triage Agent of ")
    assert second["instructions"].startswith("You are the FAQ Agent of ")
    outputs = {item["call_id"]: item["output"] for item in third["input"] if item.get("type") == "function_call_output"}
    assert json.loads(outputs["call_transfer_to_faq_agent"]) == {"assistant": "FAQ Agent"}
    assert json.loads(outputs["call_faq_lookup"])["results"][0]["text"] == PASSAGE.text


async def test_a_handoff_carries_what_the_model_read() -> None:
    handoff = call(
        "transfer_to_booking_agent",
        passenger_name="Ada Okafor",
        confirmation_number=PLACEHOLDER,
        flight_number=None,
        seat_preference=None,
    )
    async with serving(
        handoff, call("look_up_reservation", confirmation_number=PLACEHOLDER, surname="Okafor"), say("Welcome, Ada.")
    ) as endpoint:
        turn = a_turn(f"change my seat, Ada Okafor {PLACEHOLDER}")
        await run(endpoint, turn)

    assert turn.airline.verified
    assert '"passenger_name": "Ada Okafor"' in endpoint.asked[1]["instructions"]
    assert "DEMO42" not in json.dumps(endpoint.asked)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "invalid_api_key", "transient"),
        (400, "context_length_exceeded", "refused"),
    ],
)
async def test_an_error_that_a_second_request_would_meet_again_is_raised_at_once(
    status: int, code: str | None, kind: str
) -> None:
    async with serving(Fail(status, code)) as endpoint:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its class is what the next lines look at
            await run(endpoint, a_turn("how many bags?"))

    assert classify_model_error(raised.value) == kind
    assert len(endpoint.asked) == 1


async def test_chat_completions_carry_tools_and_handoffs_too() -> None:
    async with serving(
        call("transfer_to_faq_agent"), call("faq_lookup", question="bags"), say("One bag is free.")
    ) as endpoint:
        result = await run(endpoint, a_turn("how many bags?"), model="openai-chat:gpt-x")

    assert result.final_output == "One bag is free."
    assert result.last_agent.name == "FAQ Agent"
    assert result.context_wrapper.usage.total_tokens == 330
    first, _, third = endpoint.asked
    assert first["model"] == "gpt-x"
    assert {tool["function"]["name"] for tool in first["tools"]} >= {"faq_lookup", "transfer_to_faq_agent"}
    outputs = {
        message["tool_call_id"]: message["content"] for message in third["messages"] if message["role"] == "tool"
    }
    assert json.loads(outputs["call_transfer_to_faq_agent"]) == {"assistant": "FAQ Agent"}
    assert json.loads(outputs["call_faq_lookup"])["results"][0]["text"] == PASSAGE.text


async def test_an_endpoint_that_does_not_answer_is_given_up_in_time() -> None:
    silence = asyncio.Event()
    async with serving(Late(silence, [])) as endpoint:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its class is what the next lines look at
            await run(endpoint, a_turn("how many bags?"), model_call_seconds_max=0.3)
        silence.set()

    assert classify_model_error(raised.value) == "transient"


async def test_an_endpoint_that_is_not_there_is_transient() -> None:
    async with serving() as endpoint:
        pass

    with pytest.raises(Exception) as raised:  # noqa: PT011 - its class is what the next line looks at
        await run(endpoint, a_turn("how many bags?"))
    assert classify_model_error(raised.value) == "transient"


async def test_an_answer_that_the_providers_filter_cut_off_is_refused() -> None:
    async with serving({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}) as endpoint:
        with pytest.raises(ModelRefusalError) as raised:
            await run(endpoint, a_turn("how many bags?"))

    assert classify_model_error(raised.value) == "refused"
