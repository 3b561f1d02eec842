"""Streams stay short and bounded, and no consumer loses what it has not acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from runtime.database import Database
from runtime.redis import Scripts
from runtime.sealing import Sealer
from schema.keys import replies_stream
from schema.settings import Settings
from worker.outbound.aside import Aside
from worker.outbound.trimming import Trimmer

MakeTrimmer = Callable[..., Trimmer]


@pytest.fixture
def trimmer(redis: Redis, database: Database, sealer: Sealer, settings: Settings) -> MakeTrimmer:
    def make(entries_max: int = 8, tail_max: int = 3) -> Trimmer:
        changed = settings.model_copy(
            update={"stream_entries_max": entries_max, "stream_tail_entries_max": tail_max},
        )
        scripts = Scripts(redis)
        return Trimmer(redis, scripts, database, Aside(scripts, database, sealer), changed)

    return make


@pytest.fixture
async def stream(redis: Redis, tenant: str) -> str:
    name = replies_stream(tenant, "chat")
    for number in range(10):
        await redis.xadd(name, {"id": str(number)})
    return name


async def _ids(redis: Redis, stream: str) -> str:
    entries: Any = await redis.xrange(stream)
    return "".join(fields[b"id"].decode() for _, fields in entries)


async def _group(redis: Redis, stream: str, group: str, *, taken: int, acknowledged: int) -> None:
    await redis.xgroup_create(stream, group, "0")
    answer: Any = await redis.xreadgroup(group, "one", {stream: ">"}, count=taken)
    await redis.xack(stream, group, *[entry_id for entry_id, _ in answer[0][1][:acknowledged]])


async def test_a_stream_that_no_group_reads_is_cut_to_its_limit_alone(
    trimmer: MakeTrimmer, redis: Redis, stream: str
) -> None:
    await trimmer().trim()

    assert await _ids(redis, stream) == "23456789"


async def test_what_every_group_has_collected_goes_but_for_a_tail(
    trimmer: MakeTrimmer, redis: Redis, stream: str
) -> None:
    await _group(redis, stream, "one", taken=10, acknowledged=10)
    await _group(redis, stream, "other", taken=10, acknowledged=10)

    await trimmer().trim()

    assert await _ids(redis, stream) == "789"


async def test_what_the_slowest_group_has_not_acknowledged_stays(
    trimmer: MakeTrimmer, redis: Redis, stream: str
) -> None:
    await _group(redis, stream, "fast", taken=10, acknowledged=10)
    await _group(redis, stream, "slow", taken=4, acknowledged=2)

    await trimmer().trim()

    assert await _ids(redis, stream) == "23456789"


async def test_a_group_that_has_read_nothing_keeps_everything_up_to_the_limit(
    trimmer: MakeTrimmer, redis: Redis, stream: str
) -> None:
    await redis.xgroup_create(stream, "new", "0")

    await trimmer(entries_max=10).trim()

    assert await _ids(redis, stream) == "0123456789"


async def test_no_group_keeps_more_than_the_limit(trimmer: MakeTrimmer, redis: Redis, stream: str) -> None:
    await _group(redis, stream, "live", taken=10, acknowledged=10)
    await _group(redis, stream, "abandoned", taken=2, acknowledged=1)

    await trimmer(entries_max=5, tail_max=2).trim()
    await trimmer(entries_max=5, tail_max=2).trim()

    assert await _ids(redis, stream) == "89"
