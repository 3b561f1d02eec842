"""Test the path to an OpenAI-compatible endpoint: the true client and SDK against a server on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from agents import RunConfig, Runner
from agents.exceptions import ModelBehaviorError
from aiohttp import web

from schema.settings import Settings
from tests.unit.airline_stand_ins import PLACEHOLDER, MemoryKnowledge, make_turn
from worker.agents.context import TurnContext
from worker.agents.graph import build_graph
from worker.models.provider import build_model_provider, classify_model_error
from worker.tools.backend import Passage

PASSAGE = Passage("Baggage", "Checked bags", "baggage", "One checked bag is free.", 1.0)


@dataclass
class Endpoint:
    """Speak /v1/responses from a script; an answer is output items, an HTTP error, or an event to wait on."""

    script: list[Any]
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer sk-test"
        self.asked.append(await request.json())
        step = self.script.pop(0)
        if isinstance(step, asyncio.Event):
            await step.wait()
            return web.json_response({}, status=500)
        if isinstance(step, tuple):
            status, code = step
            return web.json_response({"error": {"message": "no", "code": code, "type": "error"}}, status=status)
        return web.json_response(response_of(step, len(self.asked)))


def response_of(step: Any, number: int) -> dict[str, Any]:
    is_complete = isinstance(step, list)
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 0,
        "model": "gpt-x",
        "status": "completed" if is_complete else step["status"],
        "output": step if is_complete else [],
        "incomplete_details": None if is_complete else step["incomplete_details"],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "output_tokens": 10,
            "total_tokens": 110,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
    identity = f"call_{name}"
    return [
        {
            "type": "function_call",
            "id": f"fc_{name}",
            "call_id": identity,
            "name": name,
            "arguments": json.dumps(arguments),
            "status": "completed",
        }
    ]


def say(text: str) -> list[dict[str, Any]]:
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}]


@asynccontextmanager
async def serving(*script: Any) -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(list(script))
    app = web.Application()
    app.router.add_post("/v1/responses", endpoint.answer)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield endpoint
    finally:
        await runner.cleanup()


async def run(endpoint: Endpoint, turn: TurnContext, *, seconds_max: float = 10) -> Any:
    settings = Settings.model_validate(
        {
            "model": "openai:gpt-x",
            "OPENAI_API_KEY": "sk-test",
            "OPENAI_BASE_URL": endpoint.url,
            "model_call_seconds_max": seconds_max,
        }
    )
    provider = build_model_provider(settings)
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
        (429, "rate_limit_exceeded", "transient"),
        (500, "server_error", "transient"),
        (503, None, "transient"),
        (401, "invalid_api_key", "transient"),
        (400, "context_length_exceeded", "refused"),
        (400, "invalid_value", "bug"),
    ],
)
async def test_an_error_of_the_endpoint_is_raised_at_once_and_has_its_class(
    status: int, code: str | None, kind: str
) -> None:
    async with serving((status, code)) as endpoint:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its class is what the next lines look at
            await run(endpoint, a_turn("how many bags?"))

    assert classify_model_error(raised.value) == kind
    assert len(endpoint.asked) == 1  # the client did not retry by itself


async def test_an_endpoint_that_does_not_answer_is_given_up_in_time() -> None:
    silence = asyncio.Event()
    async with serving(silence) as endpoint:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its class is what the next lines look at
            await run(endpoint, a_turn("how many bags?"), seconds_max=0.3)
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
        with pytest.raises(ModelBehaviorError) as raised:
            await run(endpoint, a_turn("how many bags?"))

    assert classify_model_error(raised.value) == "refused"
