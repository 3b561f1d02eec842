"""Facts of a deployment as a whole are exported once, from what stands in PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from psycopg import OperationalError
from psycopg.errors import QueryCanceled

from ops.watch import specs
from ops.watch.exporter import Exporter, FactsGroup, groups_of
from ops.watch.facts import read_waiting, read_workers
from ops.watch.readings import Figures, Readings
from runtime.configuration import open_sealer
from runtime.loops import Loops, RoundMissed
from runtime.outage import Outages
from runtime.telemetry.metrics import Metrics
from tests.integration.conftest import add_tenant
from tests.integration.worker_harness import Harness, make_harness

if TYPE_CHECKING:
    from schema.settings import Settings


def readings(harness: Harness) -> Readings:
    return Readings(harness.database, harness.service.servers.redis, harness.settings.partitions)


async def test_what_waits_is_told_apart_by_whether_a_worker_might_take_it(harness: Harness) -> None:
    await harness.accept("ready", "hello")
    await harness.accept("leased", "hello")
    await harness.mailbox.acquire(harness.key("leased"))
    await harness.accept("parked", "hello")
    acquired = await harness.mailbox.acquire(harness.key("parked"))
    assert not isinstance(acquired, str)
    await harness.mailbox.park(*acquired, backoff_seconds=60, counts=True)

    waiting = await read_waiting(harness.database, harness.service.servers.redis, harness.settings.partitions)

    mine = {head.conversation: head.state for head in waiting.heads if head.tenant == harness.tenant}
    assert mine == {"ready": "ready", "leased": "leased", "parked": "parked"}


async def test_a_conversation_that_was_not_looked_up_counts_as_ready(harness: Harness) -> None:
    for conversation in ("c1", "c2", "c3"):
        await harness.accept(conversation, "hello")

    waiting = await read_waiting(
        harness.database, harness.service.servers.redis, harness.settings.partitions, conversations_max=1
    )

    assert len(waiting.heads) == 1
    assert waiting.count("ready") + waiting.count("leased") + waiting.count("parked") == waiting.conversations >= 3


async def test_every_metric_of_the_deployment_is_read_from_real_servers(harness: Harness) -> None:
    await harness.accept("c", "hello")
    await harness.drain("c")
    groups = groups_of(readings(harness))
    exporter = Exporter(Metrics(), Outages(harness.settings), groups)

    found = {group.name: await group.read() for group in groups}

    assert exporter.loops()
    assert {spec for group in groups for spec in group.specs} | {specs.COLLECT_SECONDS} == set(specs.OF_THE_DEPLOYMENT)
    read = {spec for figures in found.values() for spec in figures}
    only_sometimes = {specs.VIOLATIONS, specs.VERIFY_AGE, specs.REDIS_MEMORY_SHARE}
    assert read | only_sometimes == set(specs.OF_THE_DEPLOYMENT) - {specs.COLLECT_SECONDS} | only_sometimes
    assert found["conservation"][specs.CONSERVATION_GAP] == 0


async def test_a_message_that_nobody_accounts_for_is_a_gap(fragile: Settings) -> None:
    harness = await make_harness(fragile, open_sealer(fragile), add_tenant(fragile))
    try:
        message_id = await harness.accept("c", "hello")
        await harness.drain("c")
        await harness.query("DELETE FROM inbox WHERE message_id = %s RETURNING 1", message_id)

        figures = await readings(harness).conservation()

        assert figures[specs.CONSERVATION_GAP] == 1
    finally:
        await harness.query("UPDATE conversation SET last_position = 0, done_position = 0 RETURNING 1")
        await harness.close()


def group_that(*answers: Figures | Exception) -> FactsGroup:
    """Return a group of facts that brings these answers one after the other."""
    left = list(answers)

    async def read() -> Figures:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return FactsGroup("conservation", (specs.CONSERVATION_GAP,), read, 0.01)


async def test_an_outage_of_the_servers_ends_with_the_first_reading_that_succeeds(settings: Settings) -> None:
    outages = Outages(settings)
    loops = Loops(outages)
    ended = asyncio.Event()
    group = group_that(OperationalError("away"), {specs.CONSERVATION_GAP: 0.0})
    seen: list[bool] = []

    async def read() -> Figures:
        seen.append(outages.postgresql.is_away)
        if len(seen) > 2:
            ended.set()
            await asyncio.Event().wait()
        return await group.read()

    loops.start(Exporter(Metrics(), outages, (replace(group, read=read),)).loops())
    await asyncio.wait_for(ended.wait(), 20)
    await loops.stop()

    assert seen == [False, True, False]


@pytest.mark.parametrize("error", [TimeoutError(), QueryCanceled("statement timeout")], ids=["timeout", "cancelled"])
async def test_a_reading_that_takes_too_long_is_no_outage(settings: Settings, error: Exception) -> None:
    outages = Outages(settings)
    group = group_that(error)

    with pytest.raises(RoundMissed):
        await Exporter(Metrics(), outages, (group,)).read(group)

    assert not outages.postgresql.is_away
    assert not outages.redis.is_away


async def test_a_reading_that_fails_leaves_its_metrics_out_and_is_counted(settings: Settings) -> None:
    metrics = Metrics()
    group = group_that({specs.CONSERVATION_GAP: 0.0}, OperationalError("away"))
    exporter = Exporter(metrics, Outages(settings), (group,))

    await exporter.read(group)
    before = metrics.registry.get_sample_value(specs.CONSERVATION_GAP.name)
    with pytest.raises(OperationalError):
        await exporter.read(group)

    assert before == 0
    assert metrics.registry.get_sample_value(specs.CONSERVATION_GAP.name) is None
    assert metrics.registry.get_sample_value("fte_collect_failed_total", {"metric": "conservation"}) == 1


async def test_a_worker_announces_itself_and_is_gone_when_it_stops(harness: Harness) -> None:
    presence = harness.service.presence
    redis = harness.service.servers.redis
    await presence.announce()

    seen = {worker.name: worker for worker in await read_workers(redis)}

    assert seen[presence.name].state == "working"
    assert seen[presence.name].slots_total == harness.settings.concurrency
    await presence.withdraw()
    assert presence.name not in {worker.name for worker in await read_workers(redis)}
