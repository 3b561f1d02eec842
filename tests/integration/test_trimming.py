"""Streams stay bounded, and no consumer loses what it has not acknowledged."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from runtime.database import Database
from schema.keys import replies_stream
from worker.outbound.trimming import Trimmer

ENTRIES_MAX = 5


@pytest.fixture
def trimmer(redis: Redis, database: Database) -> Trimmer:
    return Trimmer(redis, database, entries_max=ENTRIES_MAX, spans_days=14, usage_days=400)


@pytest.fixture
async def stream(redis: Redis, tenant: str) -> str:
    name = replies_stream(tenant, "chat")
    for number in range(10):
        await redis.xadd(name, {"id": str(number)})
    return name


async def _ids(redis: Redis, stream: str) -> list[str]:
    entries: Any = await redis.xrange(stream)
    return [fields[b"id"].decode() for _, fields in entries]


async def test_a_stream_that_nobody_reads_is_cut_to_its_limit(trimmer: Trimmer, redis: Redis, stream: str) -> None:
    await trimmer.trim()

    assert await _ids(redis, stream) == ["5", "6", "7", "8", "9"]


async def test_a_short_stream_stays_whole(redis: Redis, database: Database, stream: str) -> None:
    await Trimmer(redis, database, entries_max=10, spans_days=14, usage_days=400).trim()

    assert len(await _ids(redis, stream)) == 10


async def test_what_the_slowest_group_has_not_acknowledged_stays(trimmer: Trimmer, redis: Redis, stream: str) -> None:
    for group, taken, acknowledged in (("fast", 10, 10), ("slow", 4, 2)):
        await redis.xgroup_create(stream, group, "0")
        answer: Any = await redis.xreadgroup(group, "one", {stream: ">"}, count=taken)
        await redis.xack(stream, group, *[entry_id for entry_id, _ in answer[0][1][:acknowledged]])

    await trimmer.trim()

    assert await _ids(redis, stream) == ["2", "3", "4", "5", "6", "7", "8", "9"]


async def test_a_group_that_has_read_nothing_keeps_everything(trimmer: Trimmer, redis: Redis, stream: str) -> None:
    await redis.xgroup_create(stream, "new", "0")

    await trimmer.trim()

    assert len(await _ids(redis, stream)) == 10
