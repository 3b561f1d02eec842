from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from ops.embedded import EmbeddedStack
from ops.runtime.redis import make_redis
from producer.entries import StreamEntry, UnreadableEntry, read_entry
from producer.following import AsyncFollower
from producer.streams import AsyncSubscription, Subscription
from schema.errors import ServerUnreachable
from schema.ids import ConversationKey, event_id_of, reply_id_of, ticket_id_of
from schema.keys import escalations_stream, events_stream, replies_stream
from schema.messages import Escalation, Event, Reply
from tests.integration.wire import wire_to

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from redis.asyncio import Redis

    from schema.settings import Settings

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = ConversationKey("t", "c-1")


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


def reply(sequence: int) -> Reply:
    return Reply(
        reply_id=reply_id_of(KEY, sequence),
        tenant=KEY.tenant,
        conversation=KEY.conversation,
        sequence=sequence,
        in_reply_to=[f"m-{sequence}"],
        channel="chat",
        recipient="ada",
        text="One carry-on and one checked bag.",
        agent="FAQ Agent",
        issue_type="faq",
        trace_id="trace_1",
        created_at=NOW,
    )


async def publish(redis: Redis, stream: str, *sequences: int, **changed: Any) -> None:
    """Add replies as the workers do."""
    for sequence in sequences:
        body = reply(sequence)
        fields: Any = {
            "id": body.reply_id,
            "conversation": KEY.conversation,
            "sequence": sequence,
            "body": body.model_dump_json(),
        }
        await redis.xadd(stream, fields | changed)


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


def sequences(entries: list[StreamEntry]) -> list[int]:
    return [entry.sequence for entry in entries]


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
            await asyncio.sleep(0.1)
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


def test_an_entry_is_read_as_what_its_stream_carries() -> None:
    escalation = Escalation(
        ticket_id=ticket_id_of(KEY, 1),
        tenant="t",
        conversation="c-1",
        category="abuse",
        reason="r",
        summary="s",
        priority="high",
        answer_by=NOW,
        trace_id="trace_1",
        created_at=NOW,
    )
    event = Event(
        event_id=event_id_of(KEY, 1),
        tenant="t",
        conversation="c-1",
        name="conversation.taken_over",
        trace_id="trace_1",
        created_at=NOW,
    )

    for name, body in [
        (replies_stream("t", "sms"), reply(1)),
        (escalations_stream("t"), escalation),
        (events_stream("t"), event),
    ]:
        fields = {b"id": b"x", b"conversation": b"c-1", b"sequence": b"4", b"body": body.model_dump_json().encode()}
        entry = read_entry(name, b"1-0", fields)
        assert (entry.body, entry.sequence, entry.id, entry.entry_id) == (body, 4, "x", "1-0")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({b"sequence": b"one"}, "ValueError"),
        ({b"body": b"secret"}, "body.: json_invalid"),
        ({b"body": b"\xff"}, "body.: json_invalid"),
        ({b"id": None}, "no field b'id'"),
    ],
)
def test_an_unreadable_entry_is_described_without_its_content(changed: dict[bytes, bytes | None], reason: str) -> None:
    fields = {b"id": b"x", b"conversation": b"c", b"sequence": b"1", b"body": reply(1).model_dump_json().encode()}
    given = {name: value for name, value in (fields | changed).items() if value is not None}

    with pytest.raises(UnreadableEntry) as refused:
        read_entry(replies_stream("t", "sms"), b"1-0", given)

    assert refused.value.reason == reason
    assert "secret" not in str(refused.value)
