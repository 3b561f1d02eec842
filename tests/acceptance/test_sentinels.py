"""A worker, a producer and a consumer that are told of Sentinels alone follow the primary, bells included."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from ops.lab.chaos.sentinel_servers import SentinelRedis
from producer import AsyncSubscription, replies_stream
from runtime.configuration import open_sealer
from schema.settings import Settings
from tests.acceptance.test_celery_worker import FTE, running, send
from tests.waiting import eventually

FAILOVER_SECONDS_MAX = 60.0
BELL_SECONDS = 45
"""How long rescue leaves a conversation to its doorbell: what is answered sooner was rung for."""


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelRedis]:
    """Run a primary, two replicas and three Sentinels."""
    with SentinelRedis(tmp_path_factory.mktemp("redis") / "set") as redis:
        yield redis


@pytest.fixture(scope="module")
def settings(sentinels: SentinelRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Point at a PostgreSQL of our own, and at the Sentinels."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as stack:
        made = Settings(
            database_url=stack.addresses.database_url,
            redis_url=sentinels.url,
            vault_keys=[SecretStr(Fernet.generate_key().decode())],
            state_dir=tmp_path_factory.mktemp("state"),
            bell_seconds=BELL_SECONDS,
        )
        migrate(stack.addresses.database_url, open_sealer(made), sample=True)
        yield made


async def _collect(subscription: AsyncSubscription, count: int) -> list[str]:
    collected: list[str] = []
    async for entry in subscription:
        collected.append(entry.conversation)
        await subscription.ack(entry)
        if len(collected) == count:
            return collected
    raise AssertionError("a subscription has no end")


async def test_doorbells_and_streams_follow_the_primary_that_sentinels_choose(
    sentinels: SentinelRedis, settings: Settings, tmp_path: Path
) -> None:
    dead: Any = sentinels.find_primary()

    async def is_replaced() -> bool:
        return await asyncio.to_thread(sentinels.find_primary) not in {None, dead}

    async def hears_bells() -> bool:
        primary: Any = await asyncio.to_thread(sentinels.find_primary)
        return any(client["cmd"] == "brpop" for client in await asyncio.to_thread(primary.client.client_list))

    async with (
        running(settings, tmp_path / "log", *FTE, "worker", "--concurrency", "4"),
        AsyncSubscription(settings, replies_stream("default", "chat"), group="g", consumer="one") as subscription,
    ):
        await send(settings, 2)
        before = await asyncio.wait_for(_collect(subscription, 2), 30)
        dead.kill()
        await eventually(is_replaced, within_seconds=FAILOVER_SECONDS_MAX)
        await eventually(hears_bells, within_seconds=FAILOVER_SECONDS_MAX)
        await send(settings, 4)
        # Rescue would take them up only later; what was under way at the kill it may take up sooner.
        after = await asyncio.wait_for(_collect(subscription, 4), BELL_SECONDS / 2)

    told = (tmp_path / "log").read_text()
    assert len({*before, *after}) == 6
    assert "Traceback" not in told
    assert not any(secret in told for secret in sentinels.passwords)
