"""Test what a request asks of each family of models: what it takes, and nothing that was not set or is not right."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest
from agents import Agent, RunConfig, RunContextWrapper, Runner

from schema.errors import InvalidSettings
from schema.settings import Settings
from tests.unit.airline_stand_ins import make_turn
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.models.families import family_of
from worker.models.parameters import choose_parameters
from worker.models.provider import build_model_provider
from worker.models.wire.client import CheckedClient

PARAMETERS = {
    "reasoning", "reasoning_effort", "text", "verbosity", "temperature", "max_output_tokens", "max_tokens",
    "max_completion_tokens", "store", "include", "service_tier", "tool_choice", "parallel_tool_calls",
}  # fmt: skip
ENCRYPTED = {"store": False, "include": ["reasoning.encrypted_content"]}


def settings_of(model: str, **changes: Any) -> Settings:
    return Settings.model_validate({"model": model, "OPENAI_API_KEY": "sk-test", **changes})


async def sent(settings: Settings, agent: Agent[Any] | None = None) -> dict[str, Any]:
    """Return the parameters of the request that a run of an agent without settings of its own sends."""
    bodies: list[dict[str, Any]] = []

    def respond(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        word = {"role": "assistant", "content": "Hello."}
        message = {"type": "message", "id": "m", "role": "assistant", "content": "Hello."}
        both = {"choices": [{"finish_reason": "stop", "message": word}], "output": [message]}
        return httpx2.Response(200, json=both)

    client = openai.AsyncOpenAI(
        api_key="k",
        base_url=settings.openai_base_url,
        max_retries=0,
        http_client=CheckedClient(transport=httpx2.MockTransport(respond)),
    )
    provider = build_model_provider(settings, client, local=AIRLINE.local_model)
    turn = make_turn()
    config = RunConfig(model_provider=provider, tracing_disabled=True)
    await Runner.run(agent or build_graph().triage, "hello", context=turn, run_config=config)
    await provider.aclose()
    return {name: value for name, value in bodies[0].items() if name in PARAMETERS}


LOW = {"reasoning": {"effort": "low"}, "text": {"verbosity": "low"}}
AT_OPENAI: list[tuple[str, dict[str, Any]]] = [
    ("openai:gpt-5-mini", {**LOW, **ENCRYPTED}),
    ("openai:gpt-5-2025-08-07", {**LOW, **ENCRYPTED}),
    ("openai:gpt-5.1", {"text": {"verbosity": "low"}, **ENCRYPTED}),
    ("openai:gpt-5.6-luna", {"text": {"verbosity": "low"}, **ENCRYPTED}),
    ("openai:gpt-5-chat-latest", {"store": False, "include": []}),
    ("openai:gpt-4.1", {"store": False, "include": []}),
    ("openai:o4-mini", ENCRYPTED),
    ("openai:some-new-model", ENCRYPTED),
    ("openai-chat:gpt-5-mini", {"reasoning_effort": "low", "verbosity": "low", "store": False}),
    ("openai-chat:gpt-4o-mini", {"store": False}),
    ("openai-chat:o3", {"store": False}),
]


@pytest.mark.parametrize(("model", "expected"), AT_OPENAI)
async def test_each_family_is_sent_what_is_right_for_it_and_nothing_else(model: str, expected: dict[str, Any]) -> None:
    assert await sent(settings_of(model)) == expected


@pytest.mark.parametrize("model", ["openai-chat:qwen3-8b", "openai-chat:gpt-4o-mini", "openai-chat:llama-3.3"])
async def test_a_compatible_endpoint_is_sent_nothing_that_was_not_set(model: str) -> None:
    assert await sent(settings_of(model, OPENAI_BASE_URL="http://127.0.0.1:9/v1")) == {}


async def test_what_is_set_is_sent_over_either_api() -> None:
    chosen = {
        "model_reasoning_effort": "medium",
        "model_output_tokens_max": 900,
        "model_store": True,
        "model_service_tier": "flex",
        "model_tool_choice": "auto",
        "model_parallel_tool_calls": False,
        "model_temperature": 0.5,
    }
    both = {
        "store": True,
        "service_tier": "flex",
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "temperature": 0.5,
    }

    by_responses = await sent(settings_of("openai:gpt-5.1", **chosen))
    by_chat = await sent(settings_of("openai-chat:gpt-5.1", **chosen))
    elsewhere = await sent(settings_of("openai-chat:qwen3", OPENAI_BASE_URL="http://127.0.0.1:9/v1", **chosen))

    verbosity = {"text": {"verbosity": "low"}}
    reasoning = {"reasoning": {"effort": "medium"}}
    assert by_responses == {**both, **verbosity, **reasoning, "include": [], "max_output_tokens": 900}
    assert by_chat == {**both, "verbosity": "low", "reasoning_effort": "medium", "max_completion_tokens": 900}
    assert elsewhere == {**both, "reasoning_effort": "medium", "max_tokens": 900}


async def test_a_choice_among_tools_is_sent_only_with_tools() -> None:
    settings = settings_of("openai:gpt-4.1", model_tool_choice="auto", model_parallel_tool_calls=True)

    assert await sent(settings, Agent(name="No Tools")) == {"store": False, "include": []}


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        ("openai:gpt-5-mini", {"model_reasoning_effort": "none"}, "takes minimal, low, medium, high"),
        ("openai-chat:gpt-4o-mini", {"model_reasoning_effort": "low"}, "does not reason"),
        ("openai:gpt-4.1", {"model_verbosity": "low"}, "FTE_MODEL_VERBOSITY"),
        ("openai:o4-mini", {"model_temperature": 0}, "FTE_MODEL_TEMPERATURE"),
    ],
)
def test_what_a_model_is_known_to_refuse_is_refused_at_the_start(
    model: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidSettings, match=said):
        choose_parameters(settings_of(model, **changes))


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-5", "GPT-5"),
        ("openai/gpt-5-nano", "GPT-5"),
        ("gpt-5.2", "GPT-5.2 and later"),
        ("gpt-5.4-mini-2026-01-01", "GPT-5.2 and later"),
        ("gpt-5-pro", ""),
        ("gpt-5-codex", ""),
        ("openai/gpt-oss-20b", "gpt-oss"),
        ("chatgpt-4o-latest", "GPT chat models"),
        ("gpt-3.5-turbo", "GPT-4 and before"),
        ("o1-mini", "o-series"),
        ("olmo", ""),
    ],
)
def test_a_family_is_told_by_the_name(model: str, family: str) -> None:
    assert family_of(model).name == family


async def test_what_comes_first_in_a_request_is_the_same_for_every_conversation() -> None:
    """Providers charge less for the beginning of a request that they have seen: only the known facts may differ."""
    graph = build_graph()
    for agent in graph.by_name.values():
        first, second = make_turn(text="hello"), make_turn(text="bags?", turn_count=7)
        second.airline.passenger_name = "Ada Okafor"
        written = [str(await agent.get_system_prompt(RunContextWrapper(turn))) for turn in (first, second)]
        fixed = [text.partition("## Known facts")[0] for text in written]

        assert fixed[0] == fixed[1]
        assert len(fixed[0]) > 2_000
        assert [tool.name for tool in agent.tools] == [tool.name for tool in build_graph().by_name[agent.name].tools]
