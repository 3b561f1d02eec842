from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
from redis.exceptions import ResponseError

from ops.embedded import EmbeddedStack
from producer.collecting.following import AsyncFollower
from producer.collecting.subscription import AsyncSubscription
from runtime.redis import make_redis
from schema.keys import replies_stream
from tests.integration.publishing import publish, sequences
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from producer.collecting.entries import StreamEntry
    from schema.settings import Settings


@pytest.fixture
def stream() -> str:
    return replies_stream(f"t{uuid.uuid4().hex[:8]}", "chat")


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run servers of our own, to kill."""
    with EmbeddedStack(tmp_path_factory.mktemp("victim"), durable=False) as running:
        yield running


@pytest.fixture
def victim_settings(victim: EmbeddedStack, settings: Settings) -> Settings:
    return settings.model_copy(update={"redis_url": victim.addresses.redis_url, "send_seconds_max": 1})


async def test_a_follower_sees_everything_published_since_it_was_opened(
    settings: Settings, redis: Redis, stream: str
) -> None:
    quiet = stream.replace(":chat", ":sms")
    await publish(redis, stream, 1)

    async with AsyncFollower(settings, [stream, quiet]) as follower:
        await publish(redis, stream, 2)
        await publish(redis, quiet, 3)
        found = await follower.read()
        nothing = await follower.read(0.05)

    assert sorted((entry.stream, entry.sequence) for entry in found) == [(stream, 2), (quiet, 3)]
    assert nothing == []


async def test_a_follower_from_the_start_sees_all_and_takes_nothing(
    settings: Settings, redis: Redis, stream: str
) -> None:
    await publish(redis, stream, 1, 2)
    seen = []

    for _ in range(2):
        async with AsyncFollower(settings, [stream], from_id="0") as follower:
            seen.append(sequences(await follower.read()))

    assert seen == [[1, 2], [1, 2]]


async def test_a_follower_outlives_a_restart_of_redis(
    victim: EmbeddedStack, victim_settings: Settings, stream: str
) -> None:
    client = make_redis(victim_settings)
    seen = []

    async def follow(entries: AsyncIterator[StreamEntry]) -> None:
        async for entry in entries:
            seen.append(entry.sequence)
            if entry.sequence == 2:
                return

    async with AsyncFollower(victim_settings, [stream]) as follower:
        following = asyncio.create_task(follow(aiter(follower)))
        await publish(client, stream, 1)
        await asyncio.to_thread(victim.restart_redis)
        await publish(client, stream, 2)
        await asyncio.wait_for(following, 15)
    await client.aclose()

    assert seen == [1, 2]


@pytest.mark.parametrize("is_follower", [True, False])
async def test_a_reader_that_cannot_begin_leaves_no_connection(
    settings: Settings, redis: Redis, stream: str, *, is_follower: bool
) -> None:
    await redis.set(stream, "no stream")
    reader = AsyncFollower(settings, [stream]) if is_follower else AsyncSubscription(settings, stream, "g", "c")
    before = {connection["id"] for connection in await redis.client_list()}

    with pytest.raises(ResponseError, match="WRONGTYPE"):
        async with reader:
            pytest.fail("it began")

    async def is_gone() -> bool:
        return {connection["id"] for connection in await redis.client_list()} <= before

    await eventually(is_gone)
