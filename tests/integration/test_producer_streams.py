from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

import pytest
import structlog

from ops.embedded import EmbeddedStack
from ops.lab.chaos.wires import wire_to
from producer.collecting.subscription import AsyncSubscription, Subscription
from runtime.redis import make_redis
from schema.errors import ServerUnreachable
from schema.keys import replies_stream
from tests.integration.publishing import publish, reply, sequences

if TYPE_CHECKING:
    from collections.abc import Iterator

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


async def take(subscription: AsyncSubscription, count: int) -> list[StreamEntry]:
    """Take that many entries; fails when they do not come."""
    entries: list[StreamEntry] = []
    for _ in range(count):
        entry = await subscription.next(10)
        assert entry is not None, f"only {len(entries)} of {count} entries came"
        entries.append(entry)
    return entries


async def pending(redis: Redis, stream: str, group: str = "gateway") -> int:
    return int((await redis.xpending(stream, group))["pending"])


async def test_entries_come_in_order_and_not_again_once_acknowledged(
    settings: Settings, redis: Redis, stream: str
) -> None:
    await publish(redis, stream, 1, 2, 3)

    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        first = await take(subscription, 3)
        await subscription.ack(*first)
    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        again = await subscription.next(0.2)

    assert sequences(first) == [1, 2, 3]
    assert first[0].body == reply(1)
    assert again is None
    assert await pending(redis, stream) == 0


async def test_what_was_not_acknowledged_comes_again_when_the_consumer_starts_anew(
    settings: Settings, redis: Redis, stream: str
) -> None:
    await publish(redis, stream, 1, 2, 3)
    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        taken = await take(subscription, 2)
        await subscription.ack(taken[0])

    await publish(redis, stream, 4)
    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        again = await take(subscription, 3)

    assert sequences(again) == [2, 3, 4]


async def test_what_a_dead_consumer_held_comes_to_another(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1, 2)
    async with AsyncSubscription(settings, stream, "gateway", "dead") as dead:
        await take(dead, 1)

    async with AsyncSubscription(settings, stream, "gateway", "heir", claim_idle_seconds=0.3) as heir:
        inherited = await take(heir, 2)

    assert sequences(inherited) == [1, 2]


async def test_two_live_consumers_share_a_stream_without_taking_from_each_other(
    settings: Settings, redis: Redis, stream: str
) -> None:
    await publish(redis, stream, 1, 2)
    async with (
        AsyncSubscription(settings, stream, "gateway", "one") as one,
        AsyncSubscription(settings, stream, "gateway", "two") as two,
    ):
        first = await take(one, 2)

        stolen = await two.next(0.2)

    assert sequences(first) == [1, 2]
    assert stolen is None


async def test_a_slow_program_does_not_get_its_own_entry_twice(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1)
    async with AsyncSubscription(settings, stream, "gateway", "one", claim_idle_seconds=0.1) as subscription:
        await take(subscription, 1)

        again = await subscription.next(0.5)

    assert again is None
    assert await pending(redis, stream) == 1


async def test_an_id_that_was_published_twice_is_handed_out_once(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1, 1, 2)

    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        entries = await take(subscription, 2)
        await subscription.ack(*entries)

    assert sequences(entries) == [1, 2]
    assert await pending(redis, stream) == 0, "the repeat is left behind"


async def test_a_new_group_can_start_with_what_comes_from_now_on(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1)

    async with AsyncSubscription(settings, stream, "gateway", "one", start="$") as subscription:
        await publish(redis, stream, 2)
        entries = await take(subscription, 1)

    assert sequences(entries) == [2]


async def test_an_entry_that_cannot_be_read_stays_pending_and_the_next_ones_come(
    settings: Settings, redis: Redis, stream: str
) -> None:
    await publish(redis, stream, 1, body='{"version": 7, "text": "secret"}')
    await publish(redis, stream, 2)

    with structlog.testing.capture_logs() as logs:
        async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
            entries = await take(subscription, 1)
            await subscription.ack(*entries)

    assert sequences(entries) == [2]
    assert await pending(redis, stream) == 1
    assert [entry["event"] for entry in logs] == ["stream.unreadable"]
    assert "secret" not in str(logs)


async def test_an_entry_trimmed_while_it_was_held_is_let_go(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1)
    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        await take(subscription, 1)
    await redis.xtrim(stream, maxlen=0)

    await publish(redis, stream, 2)
    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        entries = await take(subscription, 1)
        await subscription.ack(*entries)

    assert sequences(entries) == [2]
    assert await pending(redis, stream) == 0


async def test_an_entry_whose_delivery_was_lost_on_the_wire_comes_at_once(
    settings: Settings, redis: Redis, stream: str
) -> None:
    async with wire_to(settings.redis_url or "") as (url, wire):
        by_wire = settings.model_copy(update={"redis_url": url})
        async with AsyncSubscription(by_wire, stream, "gateway", "one") as subscription:
            assert await subscription.next(0.1) is None
            wire.swallows_answer_to = b"XREADGROUP"
            taking = asyncio.create_task(take(subscription, 1))
            await wire.asked.wait()
            await publish(redis, stream, 1)

            entries = await taking

    assert wire.cuts == 1
    assert sequences(entries) == [1]


async def test_a_subscription_outlives_a_restart_of_redis_and_says_so_once(
    victim: EmbeddedStack, victim_settings: Settings, stream: str
) -> None:
    client = make_redis(victim_settings)
    await publish(client, stream, 1)
    with structlog.testing.capture_logs() as logs:
        async with AsyncSubscription(victim_settings, stream, "gateway", "one") as subscription:
            before = await take(subscription, 1)
            waiting = asyncio.create_task(take(subscription, 1))
            await asyncio.to_thread(victim.kill_redis)
            with pytest.raises(ServerUnreachable, match="FTE_REDIS_URL"):
                await subscription.ack(*before)
            await asyncio.to_thread(victim.start_redis)
            await publish(client, stream, 2)
            after = await waiting
            await subscription.ack(*before, *after)
    left = await pending(client, stream)
    await client.aclose()

    assert sequences(before + after) == [1, 2]
    assert left == 0
    assert [entry["event"] for entry in logs] == ["redis.unreachable", "redis.reachable"]


async def test_a_subscription_finds_its_stream_again_after_redis_lost_everything(
    victim: EmbeddedStack, victim_settings: Settings, stream: str
) -> None:
    client = make_redis(victim_settings)
    async with AsyncSubscription(victim_settings, stream, "gateway", "one", start="$") as subscription:
        assert await subscription.next(0.1) is None
        await client.flushall()
        await publish(client, stream, 1)

        entries = await take(subscription, 1)
    await client.aclose()

    assert sequences(entries) == [1]


async def test_iterating_gives_entries_without_end(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1, 2)
    seen = []

    async with AsyncSubscription(settings, stream, "gateway", "one") as subscription:
        async for entry in subscription:
            seen.append(entry.sequence)
            if len(seen) == 2:
                break

    assert seen == [1, 2]


async def test_the_synchronous_subscription_does_the_same(settings: Settings, redis: Redis, stream: str) -> None:
    await publish(redis, stream, 1, 2)

    def collect() -> list[int]:
        seen = []
        with Subscription(settings, stream, "gateway", "one", claim_idle_seconds=5) as subscription:
            for entry in subscription:
                subscription.ack(entry)
                seen.append(entry.sequence)
                if len(seen) == 2:
                    break
            assert subscription.next(0.1) is None
        return seen

    assert await asyncio.to_thread(collect) == [1, 2]
    assert await pending(redis, stream) == 0


def test_a_subscription_that_is_not_open_says_how_to_open_it(settings: Settings, stream: str) -> None:
    with pytest.raises(RuntimeError, match="with Subscription"):
        Subscription(settings, stream, "gateway", "one").next(0.1)
