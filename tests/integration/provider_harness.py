"""Run real workers whose model is behind an endpoint on loopback, and look at what came of it."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import SecretStr

from runtime.redis import Scripts
from schema.keys import mailbox_keys
from tests.integration.model_endpoint import Endpoint
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually
from worker.domains.airline.domain import AIRLINE
from worker.models.ledger import Ledger
from worker.models.provider import build_model_provider
from worker.models.throttle import Throttle
from worker.store.spending import spending_reader

SOON = {"backoff_seconds": 0.001, "backoff_seconds_max": 0.002}


async def asking(endpoint: Endpoint, worker: MakeHarness, *, tools: list[Any] | None = None, **changes: Any) -> Harness:
    """Make a worker whose model is behind the endpoint."""
    leading_there = {"model": "openai:gpt-x", "openai_base_url": endpoint.url, "openai_api_key": SecretStr("sk-test")}
    harness = await worker(tools=tools, **{**SOON, **leading_there, **changes})
    service = harness.service
    settings = harness.settings
    ledger = Ledger(settings.tenant_usd_per_day_max, spending_reader(harness.database))
    make_throttle = partial(Throttle, Scripts(service.servers.redis).throttle)
    provider = build_model_provider(
        settings,
        ledger=ledger,
        make_throttle=make_throttle,
        local=AIRLINE.local_model,
        switches=service.brain.switches,
    )
    service.resources.push_async_callback(provider.aclose)
    service.brain = replace(service.brain, provider=provider, ledger=ledger)
    service.drainer.turn = replace(service.drainer.turn, brain=service.brain)
    return harness


async def answered(harness: Harness, conversation: str, replies: int = 1) -> None:
    """Drain until so many replies are out."""

    async def drained() -> bool:
        await harness.drain(conversation)
        return len(await harness.replies()) == replies

    await eventually(drained)


async def model_calls(harness: Harness) -> list[dict[str, Any]]:
    """Read the model calls of all turns, in order."""
    rows = await harness.query("SELECT model_calls FROM turn ORDER BY committed_at")
    return [call for row in rows for call in row["model_calls"]]


async def attempts(harness: Harness, conversation: str) -> int:
    """Read how many attempts at the head of a mailbox count."""
    keys = mailbox_keys(harness.key(conversation), harness.settings.partitions)
    counted: Any = await harness.service.servers.redis.hvals(keys.attempts)
    return sum(map(int, counted))


async def parked_for_seconds(harness: Harness, conversation: str) -> float:
    """Say for how long nobody will look at a conversation."""
    keys = mailbox_keys(harness.key(conversation), harness.settings.partitions)
    due: Any = await harness.service.servers.redis.zscore(keys.agenda, str(harness.key(conversation)))
    return float(due) / 1_000 - time.time()
