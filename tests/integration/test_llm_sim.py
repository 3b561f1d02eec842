"""Test the simulated provider over the true client, and real turns against it, whatever goes wrong."""

from __future__ import annotations

import io
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import openai
import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from ops.lab.llm_sim.child import run_simulator
from ops.lab.llm_sim.faults import FAULT_KINDS, FaultKind, ScriptStep
from ops.lab.llm_sim.record import Record
from ops.lab.llm_sim.server import Simulator, serving
from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

QUESTION = "How many bags can I bring on my flight?"


class Simulated:
    """Hold a simulator that serves, and read its log."""

    def __init__(self, simulator: Simulator, log: io.StringIO, url: str) -> None:
        self.simulator = simulator
        self.url = url
        self._log = log

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    def script(self, kind: FaultKind, **more: Any) -> None:
        self.simulator.faults.script([ScriptStep(kind=kind, **more)])

    def client(self, seconds_max: float = 10) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(api_key="any", base_url=self.url, timeout=seconds_max, max_retries=0)


@pytest.fixture
async def simulated() -> AsyncIterator[Simulated]:
    log = io.StringIO()
    simulator = Simulator(record=Record(log))
    async with serving(simulator) as url:
        yield Simulated(simulator, log, url)


async def test_the_client_gets_an_answer_of_either_api(simulated: Simulated) -> None:
    async with simulated.client() as client:
        by_responses = await client.responses.create(model="sim", input="Hello!")
        by_chat = await client.chat.completions.create(model="sim", messages=[{"role": "user", "content": "Hello!"}])

    assert by_responses.output_text
    assert by_chat.choices[0].message.content == by_responses.output_text
    assert by_responses.usage is not None
    assert by_chat.usage is not None
    assert by_responses.usage.total_tokens == by_chat.usage.total_tokens > 0
    assert [(line["api"], line["status"], line["answer"]) for line in simulated.lines] == [
        ("responses", 200, "text"),
        ("chat", 200, "text"),
    ]
    assert len({line["input_hash"] for line in simulated.lines}) == 1
    assert "Hello" not in json.dumps(simulated.lines)


async def test_an_error_has_the_providers_form(simulated: Simulated) -> None:
    simulated.script("429", seconds=7)
    async with simulated.client() as client:
        with pytest.raises(openai.RateLimitError) as limited:
            await client.responses.create(model="sim", input="Hello!")
        with pytest.raises(openai.BadRequestError, match="streaming"):
            await client.responses.create(model="sim", input="Hello!", stream=True)

    assert limited.value.code == "rate_limit_exceeded"
    assert limited.value.response.headers["Retry-After"] == "7"


async def test_a_client_that_goes_away_is_written_down(simulated: Simulated) -> None:
    simulated.script("hang")
    async with simulated.client(seconds_max=0.2) as client:
        with pytest.raises(openai.APITimeoutError):
            await client.responses.create(model="sim", input="Hello!")

    async def is_logged() -> bool:
        return len(simulated.lines) == 1

    await eventually(is_logged)
    assert (simulated.lines[0]["status"], simulated.lines[0]["fault"]) == (0, "hang")


async def test_a_simulator_of_its_own_process_serves_until_the_block_ends(tmp_path: Path) -> None:
    log = tmp_path / "calls.jsonl"

    with run_simulator(["--fault", "500=1", "--log", str(log)]) as url:
        async with openai.AsyncOpenAI(api_key="any", base_url=url, max_retries=0) as client:
            with pytest.raises(openai.InternalServerError):
                await client.responses.create(model="sim", input="Hello!")
            assert json.loads(log.read_text())["status"] == 500

    async with openai.AsyncOpenAI(api_key="any", base_url=url, max_retries=0) as client:
        with pytest.raises(openai.APIConnectionError):
            await client.responses.create(model="sim", input="Hello!")


async def test_faults_are_scripted_and_sums_read_over_http(simulated: Simulated) -> None:
    root = simulated.url.removesuffix("/v1")
    async with ClientSession() as session:
        posted = await (await session.post(f"{root}/faults", json=[{"kind": "500", "requests": 2}])).json()
        wrong = await session.post(f"{root}/faults", json={"kind": "teapot"})
        async with simulated.client() as client:
            with pytest.raises(openai.InternalServerError):
                await client.responses.create(model="sim", input="Hello!")
        cleared = await (await session.delete(f"{root}/faults")).json()
        stats = await (await session.get(f"{root}/stats")).json()

    assert (posted, wrong.status, cleared) == ({"scripted": 2}, 400, {"scripted": 0})
    assert (stats["requests"], stats["statuses"], stats["faults"]) == (1, {"500": 1}, {"500": 1})


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline_with_articles(settings)


@asynccontextmanager
async def a_worker(
    settings: Settings, sealer: Sealer, tenant: str, url: str, model: str, *, alone: bool = False
) -> AsyncIterator[Harness]:
    """Run a worker with the airline's agents, whose model is the simulated one."""
    changed = {
        "model": model,
        "openai_api_key": SecretStr("any"),
        "openai_base_url": url,
        "backoff_seconds": 0.01,
        "model_call_seconds_max": 1.0,
    }
    harness = await make_airline_worker(settings.model_copy(update=changed), sealer, tenant, alone=alone)
    try:
        yield harness
    finally:
        await harness.close()


async def turn_of(harness: Harness, conversation: str, text: str) -> dict[str, Any]:
    """Send one message, drain until it is answered, and give the turn's record."""
    message_id = await harness.accept(conversation, text)

    async def is_answered() -> bool:
        await harness.drain(conversation)
        return not await harness.waiting(conversation)

    await eventually(is_answered, within_seconds=60)
    found = await harness.query("SELECT * FROM turn WHERE message_ids = ARRAY[%s]", message_id)
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("model", ["openai:sim", "openai-chat:sim"])
async def test_a_seat_is_changed_and_each_message_judged_through_the_true_client(
    settings: Settings, sealer: Sealer, airline: str, simulated: Simulated, model: str
) -> None:
    wish = {"openai:sim": "a window seat please", "openai-chat:sim": "an aisle seat please"}[model]
    async with a_worker(settings, sealer, airline, simulated.url, model) as harness:
        conversation = f"seat-{model[:-4]}"
        for text in ("I'd like to change my seat please", "Ada Okafor, DEMO42", wish):
            await turn_of(harness, conversation, text)
        turn = await turn_of(harness, conversation, "yes please")

        replies = [reply for reply in await harness.replies() if reply["conversation"] == conversation]

    assert turn["outcome"] == "answered"
    assert replies[-1]["text"].startswith("Done: ")
    assert {line["status"] for line in simulated.lines} == {200}
    assert [call["purpose"] for call in turn["model_calls"]].count("guardrail") == 1
    assert "unavailable" not in {verdict["reason"] for verdict in turn["verdicts"]}


EXPECTED: dict[FaultKind, tuple[str, int]] = {
    "429": ("answered", 2),
    "500": ("answered", 2),
    "503": ("answered", 2),
    "hang": ("answered", 2),
    "cut": ("answered", 2),
    "slow": ("answered", 1),
    "malformed": ("answered", 2),
    "page": ("answered", 2),
    "error_inside": ("answered", 2),
    "empty": ("answered", 2),
    "malformed_arguments": ("answered", 1),
    "unknown_tool": ("answered", 1),
    "refusal": ("escalated", 1),
}
"""How a turn ends whose first call meets the fault, and how often its question is put to the provider at least."""


@pytest.mark.parametrize("model", ["openai:sim", "openai-chat:sim"])
async def test_every_fault_ends_in_one_outcome(
    settings: Settings, sealer: Sealer, airline: str, simulated: Simulated, model: str
) -> None:
    assert set(EXPECTED) == set(FAULT_KINDS)
    async with a_worker(settings, sealer, airline, simulated.url, model, alone=True) as harness:

        async def ask(kind: FaultKind) -> None:
            simulated.script(kind, seconds=0.1)
            conversation, before = f"{model[:-4]}-{kind}", len(simulated.lines)
            turn = await turn_of(harness, conversation, QUESTION)
            outcome, asked = EXPECTED[kind]
            lines = simulated.lines[before:]
            replies = [reply for reply in await harness.replies() if reply["conversation"] == conversation]

            assert (kind, turn["outcome"], len(replies)) == (kind, outcome, 1)
            assert lines[0]["fault"] == kind
            assert [line["input_hash"] for line in lines].count(lines[0]["input_hash"]) >= asked

        for kind in EXPECTED:
            await ask(kind)


@pytest.mark.parametrize("model", ["openai:sim", "openai-chat:sim"])
@pytest.mark.parametrize(
    ("text", "calls"), [("How many bags can I bring on my flight?", 2), ("I want to speak to a person, now", 2)]
)
async def test_a_turn_makes_no_more_calls_than_the_documentation_says(
    settings: Settings, sealer: Sealer, airline: str, simulated: Simulated, model: str, text: str, calls: int
) -> None:
    """The judge of abuse is one call beside them, and can be switched off."""
    async with a_worker(settings, sealer, airline, simulated.url, model) as harness:
        await turn_of(harness, f"calls-{model[:-4]}-{len(text)}", text)
        judged = _answered(simulated)
    async with a_worker(settings, sealer, airline, simulated.url, model, alone=True) as harness:
        await turn_of(harness, f"alone-{model[:-4]}-{len(text)}", text)

    assert judged == calls + 1
    assert _answered(simulated) - judged == calls


def _answered(simulated: Simulated) -> int:
    return sum(line["status"] == 200 for line in simulated.lines)
