"""Promises of `fte model check` and of a worker's start: what is wrong with the model is said, with the way out."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import structlog.testing
from aiohttp import web

from tests.integration.model_endpoint import Endpoint, Fail, Raw, call, say, serving
from tests.unit.cli_harness import run_fte
from worker.models.check import check_model
from worker.models.startup import find_problem, report_problem

if TYPE_CHECKING:
    from schema.settings import Settings

RESPONSES, CHAT = "openai:gpt-x", "openai-chat:gpt-x"
both = pytest.mark.parametrize("model", [RESPONSES, CHAT])
WELL: tuple[Any, ...] = (
    say("READY"),
    call("note_word", word="READY"),
    call("transfer_to_colleague"),
    say('{"is_ready": true}'),
)
PRICES = {"gpt-x": {"input": 1, "cached_input": 0.1, "output": 8}}


@both
async def test_a_model_that_can_do_all_is_told_what_it_costs(model: str) -> None:
    async with serving(*WELL) as endpoint:
        found = await check_model(endpoint.settings(model, model_prices=PRICES))

    assert [(trial.ability, trial.works, trial.advice) for trial in found.trials] == [
        ("text", True, ""),
        ("tool call", True, ""),
        ("handoff", True, ""),
        ("structured output", True, ""),
    ]
    assert found.can_serve
    assert len(endpoint.asked) == 4
    # 4 × (60 new at 1, 40 cached at 0.1, 10 out at 8) and 3,700 in, 200 out, a million tokens each
    assert (float(found.cost_usd or 0), float(found.turn_usd or 0)) == (0.000576, 0.0053)


@both
async def test_what_a_model_cannot_do_is_said_with_the_way_out(model: str) -> None:
    async with serving(say("READY"), say("I would call it."), say("Sure."), say("I am ready")) as endpoint:
        found = await check_model(endpoint.settings(model))

    assert [trial.works for trial in found.trials] == [True, False, False, False]
    assert "FTE_MODEL_TOOL_CHOICE" in found.trials[1].advice
    assert "FTE_ABUSE_ASKS_MODEL" in found.trials[3].advice
    assert not found.can_serve
    assert found.turn_usd is None


@both
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fail(401, "invalid_api_key"), "OPENAI_API_KEY"),
        (Fail(404, "model_not_found"), "FTE_MODEL"),
        (Fail(404), "OPENAI_BASE_URL"),
        (Raw(b"<html>Welcome</html>", "text/html"), "OPENAI_BASE_URL"),
        (Raw({"error": {"message": "Unsupported value", "param": "reasoning.effort"}}, status=400), "REASONING_EFFORT"),
        (Raw({"error": {"message": "Unrecognized request argument: verbosity"}}, status=400), "VERBOSITY"),
        (Raw({"error": {"message": "max_tokens is not supported"}}, status=400), "OUTPUT_TOKENS_MAX"),
        (Raw({"error": {"message": "no"}}, status=400), "openai-chat"),
        (Fail(429), "limits"),
        (Fail(500), "try again"),
        (say(""), "FTE_MODEL_OUTPUT_TOKENS_MAX"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_an_endpoint_that_fails_is_asked_once_and_the_setting_to_look_at_is_named(
    model: str, fault: Any, said: str
) -> None:
    async with serving(fault) as endpoint:
        found = await check_model(endpoint.settings(model))

    (trial,) = found.trials
    assert not trial.works
    assert said in trial.advice
    assert not found.can_serve


async def test_the_command_prints_a_table_and_fails_where_agents_cannot_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(*WELL, Fail(401, "invalid_api_key")) as endpoint:
        monkeypatch.setenv("FTE_MODEL", RESPONSES)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)

        well, lines, _ = await asyncio.to_thread(run_fte, capsys, "model", "check", "--json")
        wrong, _, _ = await asyncio.to_thread(run_fte, capsys, "model", "check", "--json")

    assert (well, wrong) == (0, 1)
    assert [(line["ability"], line["works"]) for line in lines] == [
        ("text", True),
        ("tool call", True),
        ("handoff", True),
        ("structured output", True),
    ]
    assert "sk-test" not in json.dumps(lines)


async def a_models_route(answer: web.Response) -> tuple[web.AppRunner, str]:
    async def respond(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_get("/v1/models/{name}", respond)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/v1"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, {"id": "gpt-x", "object": "model"}, None),
        (200, "hello", None),
        (401, {"error": {"code": "invalid_api_key"}}, "OPENAI_API_KEY"),
        (403, {"error": {}}, "OPENAI_API_KEY"),
        (404, {"error": {"code": "model_not_found"}}, "FTE_MODEL"),
        (404, {"detail": "Not Found"}, None),
        (405, "no", None),
        (500, "no", None),
    ],
    ids=str,
)
async def test_at_the_start_only_what_is_surely_wrong_is_said(status: int, body: Any, said: str | None) -> None:
    runner, url = await a_models_route(web.json_response(body, status=status))
    try:
        problem = await find_problem(Endpoint([], url=url).settings())
    finally:
        await runner.cleanup()

    assert (problem is None) == (said is None)
    assert (said or "") in (problem or "")


async def test_an_address_where_nobody_listens_is_said_in_the_log() -> None:
    async with serving() as endpoint:
        pass

    with structlog.testing.capture_logs() as logs:
        await report_problem(endpoint.settings())

    (line,) = [log for log in logs if log["event"] == "model.misconfigured"]
    assert "OPENAI_BASE_URL" in line["problem"]
    assert line["log_level"] == "error"


async def test_nobody_is_asked_where_the_model_is_embedded(settings: Settings) -> None:
    assert await find_problem(settings) is None
