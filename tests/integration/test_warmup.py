"""A worker is warm before its first customer's turn, whatever model it asks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from redis.asyncio import Redis

from runtime.database import Database
from schema.settings import Settings
from schema.settings.knowledge import DocumentationServer
from tests.waiting import eventually
from worker.process import service

ROOT = Path(__file__).parents[2]

# In a process of its own: in this one, other tests have loaded everything.
PROGRAM = """
import asyncio, sys
from schema.settings import Settings
from worker.domains.airline.domain import AIRLINE
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import build_graph
from worker.guardrails.inputs import input_guardrails
from worker.models.dry import make_dry_client
from worker.models.provider import build_model_provider
from worker.pipeline.act import Brain
from worker.process.warmup import warm_up

settings = Settings.model_validate({"model": sys.argv[1], "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"})
provider = build_model_provider(settings, local=AIRLINE.local_model)
guardrails = input_guardrails(settings)
asyncio.run(warm_up(Brain(GraphPool(build_graph), provider, guardrails, None, None, None, settings, AIRLINE)))
loaded = set(sys.modules)
client = make_dry_client()
ask = client.responses.create(model="m", input="hi") if sys.argv[1] == "openai:m" else client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": "hi"}])
asyncio.run(ask)
print(*sorted(name for name in set(sys.modules) - loaded if name.startswith("openai")))
"""


@pytest.mark.parametrize("model", ["openai:m", "openai-chat:m"])
def test_a_providers_client_is_loaded_before_the_first_turn_and_without_its_network(model: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, model],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


@pytest.mark.parametrize("failing", ["warm_up", "check_deployment", "compose"])
async def test_a_start_that_fails_leaves_nothing_open(
    settings: Settings, redis: Redis, database: Database, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    async def connected() -> tuple[int, int]:
        rows = await database.read("*", "count_connections")
        return rows[0]["connections"], len(await redis.client_list())

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("at the start")

    def fail_at_once(*_: object, **__: object) -> None:
        raise RuntimeError("at the start")

    async def ring(_: object) -> None:
        """Ring nobody."""

    served = settings.model_copy(
        update={"mcp_servers": [DocumentationServer(name="away", url="http://127.0.0.1:1/none")]}
    )
    before, tasks = await connected(), asyncio.all_tasks()
    monkeypatch.setattr(service, failing, fail_at_once if failing == "compose" else fail)
    with pytest.raises(RuntimeError, match="at the start"):
        await service.open_service(served, ring)

    async def all_closed() -> bool:
        return await connected() == before and asyncio.all_tasks() <= tasks

    await eventually(all_closed)
