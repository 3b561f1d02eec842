"""Streams stay short and bounded, and no consumer loses what it has not acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from psycopg import sql
from redis.asyncio import Redis

from ops.tenants.settings import change_settings
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


async def test_two_tenants_keep_spans_and_usage_for_as_long_as_each_says_and_no_longer_than_the_deployment(
    redis: Redis, database: Database, sealer: Sealer, settings: Settings, tenant: str, other_tenant: str
) -> None:
    bounds = {"spans_days": 14, "usage_days": 30}
    scripts = Scripts(redis)
    changed = settings.model_copy(update=bounds)
    trimmer = Trimmer(redis, scripts, database, Aside(scripts, database, sealer), changed)
    await change_settings(database, tenant, {"retention": {"spans_days": 5, "usage_days": 10}}, by="ada")
    await change_settings(database, other_tenant, {"retention": {"spans_days": 3_000, "usage_days": 3_000}}, by="ada")
    for one in (tenant, other_tenant):
        await _leave_traces(database, one, days_ago=[4, 6, 13, 15, 29, 31])

    await trimmer.trim_spans()
    await trimmer.trim_usage()

    assert await _ages(database, tenant, "span", "started_at") == [4]
    assert await _ages(database, tenant, "usage_record", "at") == [4, 6]
    assert await _ages(database, other_tenant, "span", "started_at") == [4, 6, 13]
    assert await _ages(database, other_tenant, "usage_record", "at") == [4, 6, 13, 15, 29]


async def _leave_traces(database: Database, tenant: str, days_ago: list[int]) -> None:
    async with database.transaction(tenant) as transaction:
        for days in days_ago:
            await transaction.connection.execute(
                "INSERT INTO span (tenant_id, conversation_id, span_id, kind, name, started_at, milliseconds)"
                " VALUES (%(tenant)s, 'c', %(span)s, 'act', 'act', now() - make_interval(days => %(days)s), 1)",
                {"tenant": tenant, "span": f"{days:016x}", "days": days},
            )
            await transaction.connection.execute(
                "INSERT INTO usage_record (tenant_id, conversation_id, message_id, step, model, degraded, input_tokens,"
                " cached_tokens, output_tokens, milliseconds, retries, at) VALUES (%(tenant)s, 'c', %(message)s,"
                " 0, 'm', false, 1, 0, 1, 1, 0, now() - make_interval(days => %(days)s))",
                {"tenant": tenant, "message": f"m-{days}", "days": days},
            )


async def _ages(database: Database, tenant: str, table: str, at: str) -> list[int]:
    days = sql.SQL("SELECT round(extract(epoch FROM now() - {at}) / 86400)::int AS days FROM {table} ORDER BY days")
    async with database.transaction(tenant) as transaction:
        rows = await transaction.connection.execute(days.format(at=sql.Identifier(at), table=sql.Identifier(table)))
        return [row["days"] for row in await rows.fetchall()]
