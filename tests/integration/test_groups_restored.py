"""Empty Redis and see that each group of consumers goes on where it stood, whenever its consumer starts anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from producer.collecting.subscription import AsyncSubscription
from schema.keys import epoch_key, replies_stream
from tests.integration.streams_lost import answer, flush, said, take

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness


def subscribe(harness: Harness, start: str, group: str = "gateway", consumer: str = "one") -> AsyncSubscription:
    return AsyncSubscription(harness.settings, replies_stream(harness.tenant, "chat"), group, consumer, start=start)


async def collect_one(harness: Harness, start: str) -> None:
    """Make the group, and let it collect one reply of three."""
    async with subscribe(harness, start) as consumer:
        await answer(harness, "c", "one", "two", "three")
        await consumer.ack(*(await take(consumer, 1)))
    await harness.service.streams.note_collected()


@pytest.mark.parametrize("start", ["0", "$"])
@pytest.mark.parametrize("comes", ["before the streams are open", "before they are filled", "when all is there"])
async def test_a_consumer_that_starts_anew_around_the_loss_misses_nothing(
    harness: Harness, start: str, comes: str
) -> None:
    await collect_one(harness, start)
    await flush(harness)

    if comes == "before the streams are open":
        async with subscribe(harness, start):
            pass
    await harness.service.streams.restore_all()
    if comes == "before they are filled":
        async with subscribe(harness, start):
            pass
    await harness.service.rescue.publish_leftovers(age_seconds=0)
    await answer(harness, "c", "four")
    async with subscribe(harness, start) as consumer:
        entries = await take(consumer, 3)

    assert said(entries) == ["two", "three", "four"]


async def test_a_group_that_was_never_known_begins_where_it_asks_to(harness: Harness) -> None:
    await collect_one(harness, "$")
    await flush(harness)
    await harness.service.rescue.restore_streams()

    async with subscribe(harness, "$", group="new") as consumer:
        await answer(harness, "c", "four")
        entries = await take(consumer, 1)

    assert said(entries) == ["four"]


async def test_a_group_that_is_ahead_of_another_is_put_back_too(harness: Harness) -> None:
    await collect_one(harness, "0")
    async with subscribe(harness, "0", group="ahead") as consumer:
        await consumer.ack(*(await take(consumer, 3)))
    await harness.service.streams.note_collected()

    await flush(harness)
    await harness.service.rescue.restore_streams()
    groups: Any = await harness.service.servers.redis.xinfo_groups(replies_stream(harness.tenant, "chat"))

    assert {group["name"] for group in groups} == {b"ahead", b"gateway"}


async def test_a_group_that_was_destroyed_stays_away(harness: Harness) -> None:
    redis, stream = harness.service.servers.redis, replies_stream(harness.tenant, "chat")
    await collect_one(harness, "0")
    await redis.xgroup_destroy(stream, "gateway")
    await harness.service.streams.note_collected()

    await flush(harness)
    await harness.service.rescue.restore_streams()
    groups: Any = await redis.xinfo_groups(stream) if await redis.exists(stream) else []

    assert groups == []


async def test_groups_are_not_forgotten_while_the_streams_are_not_known_to_be_whole(harness: Harness) -> None:
    redis, stream = harness.service.servers.redis, replies_stream(harness.tenant, "chat")
    await collect_one(harness, "0")

    await redis.delete(epoch_key(harness.tenant), stream)
    await harness.service.streams.note_collected()
    await harness.service.rescue.restore_streams()
    groups: Any = await redis.xinfo_groups(stream)

    assert [group["name"] for group in groups] == [b"gateway"]
