"""Empty Redis, or take its last second, and see that what consumers had not collected comes to them all the same."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

from producer.collecting.subscription import AsyncSubscription
from runtime.configuration import open_sealer
from schema.keys import epoch_key, published_key, replies_stream, restoring_key
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.streams_lost import answer, flush, said, take
from tests.integration.worker_harness import Harness, MakeHarness, make_harness
from tests.waiting import eventually


def subscribe(harness: Harness, consumer: str = "one") -> AsyncSubscription:
    return AsyncSubscription(harness.settings, replies_stream(harness.tenant, "chat"), "gateway", consumer)


async def test_what_was_not_collected_comes_again_in_order_after_redis_was_emptied(harness: Harness) -> None:
    await answer(harness, "c", "one", "two", "three")
    async with subscribe(harness) as consumer:
        await consumer.ack(*(await take(consumer, 1)))
    await harness.service.streams.note_collected()

    await flush(harness)
    await harness.service.rescue.restore_streams()
    await answer(harness, "c", "four")
    async with subscribe(harness, "another") as consumer:
        entries = await take(consumer, 3)
        more = await consumer.next(0.1)

    assert said(entries) == ["two", "three", "four"]
    assert [entry.sequence for entry in entries] == [2, 3, 4]
    assert more is None


async def test_a_turn_under_way_publishes_behind_what_was_lost(fragile: Settings) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        if text == "late":
            thinking.set()
            await go_on.wait()
        return f"you said: {text}"

    harness = await make_harness(fragile, open_sealer(fragile), add_tenant(fragile), think)
    await answer(harness, "c", "one", "two")
    await harness.accept("c", "late")
    under_way = asyncio.create_task(harness.drain("c"))
    await thinking.wait()

    await flush(harness)
    go_on.set()
    await under_way

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two", "you said: late"]
    await harness.close()


async def test_emptied_again_before_anybody_collected_loses_nothing(harness: Harness) -> None:
    await answer(harness, "c", "one")
    for text in ("two", "three", "four"):
        await flush(harness)
        await answer(harness, "c", text)
        await flush(harness)
        await harness.service.rescue.restore_streams()

    async with subscribe(harness) as consumer:
        entries = await take(consumer, 4)

    assert said(entries) == ["one", "two", "three", "four"]


async def test_emptied_while_it_is_filled_again_loses_nothing(harness: Harness) -> None:
    await answer(harness, "c", "one", "two")
    await answer(harness, "d", "three")
    await flush(harness)
    assert await harness.service.streams.restore(harness.tenant)
    found = await harness.database.read(
        harness.tenant, "find_unpublished_of", tenant=harness.tenant, conversation="c", rows_max=9
    )
    await harness.service.publisher.publish_found(harness.key("c"), found)

    await flush(harness)
    await harness.service.publisher.note()
    await harness.service.rescue.restore_streams()

    assert sorted(reply["text"] for reply in await harness.replies()) == [
        "you said: one",
        "you said: three",
        "you said: two",
    ]


async def test_a_reply_in_a_consumers_hands_is_not_handed_to_it_again_and_is_acknowledged_once_for_all(
    harness: Harness,
) -> None:
    await answer(harness, "c", "one", "two")
    async with subscribe(harness) as consumer:
        held = await take(consumer, 2)

        await flush(harness)
        await harness.service.rescue.restore_streams()
        again = await consumer.next(0.3)
        pending = await harness.service.servers.redis.xpending(consumer.stream, "gateway")
        await consumer.ack(*held)
        left = await harness.service.servers.redis.xpending(consumer.stream, "gateway")

    assert again is None
    assert pending["pending"] == 2, "should this consumer die now, another gets both"
    assert left["pending"] == 0


async def test_a_reply_that_a_consumer_died_with_comes_to_another_after_redis_was_emptied(harness: Harness) -> None:
    await answer(harness, "c", "one")
    async with subscribe(harness) as dead:
        await take(dead, 1)

    await flush(harness)
    await harness.service.rescue.restore_streams()
    async with subscribe(harness, "another") as consumer:
        entries = await take(consumer, 1)

    assert said(entries) == ["one"]


async def test_what_a_restart_cost_comes_again_and_nothing_else(harness: Harness) -> None:
    redis: Any = harness.service.servers.redis
    stream = replies_stream(harness.tenant, "chat")
    await answer(harness, "c", "one", "two", "three")
    await answer(harness, "d", "four")
    entries = await redis.xrange(stream)
    await redis.xdel(stream, entries[1][0], entries[2][0], entries[3][0])
    await redis.set(published_key(harness.key("c")), 1)
    await redis.delete(published_key(harness.key("d")))
    epoch = (await redis.get(epoch_key(harness.tenant))).split()[0].decode()
    await redis.set(epoch_key(harness.tenant), f"{epoch} 0123")  # another run of the server

    await answer(harness, "c", "five")
    await harness.service.rescue.publish_leftovers(age_seconds=0)

    texts = [reply["text"].removeprefix("you said: ") for reply in await harness.replies()]
    assert sorted(texts) == ["five", "four", "one", "three", "two"]
    assert [text for text in texts if text != "four"] == ["one", "two", "three", "five"]


async def test_a_note_from_before_the_loss_does_not_hide_it(harness: Harness, fragile: Settings) -> None:
    """A worker stalls between publishing and noting it, and wakes when all is restored."""
    other = await make_harness(fragile, open_sealer(fragile), harness.tenant)
    await harness.accept("c", "one")
    await harness.drain("c")
    await flush(harness)
    assert await other.service.streams.restore(harness.tenant)

    await harness.service.publisher.note()
    await other.service.rescue.publish_leftovers(age_seconds=0)

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one"]
    await other.close()


async def test_of_a_stream_that_nobody_reads_what_is_trimmed_stays_away(harness: Harness) -> None:
    redis, stream = harness.service.servers.redis, replies_stream(harness.tenant, "chat")
    await answer(harness, "c", "one", "two", "three")
    await redis.xtrim(stream, maxlen=1, approximate=False)
    await harness.service.streams.note_collected()

    await flush(harness)
    await harness.service.rescue.restore_streams()

    assert [reply["text"] for reply in await harness.replies()] == ["you said: three"]


async def test_redis_emptied_under_load_costs_no_reply_and_no_order(fragile: Settings) -> None:
    harness = await make_harness(fragile, open_sealer(fragile), add_tenant(fragile))
    harness.service.start()
    conversations, turns = 20, 6
    collected: dict[str, list[str]] = defaultdict(list)

    async def collect() -> None:
        async with subscribe(harness) as consumer:
            async for entry in consumer:
                collected[entry.conversation] += said([entry])
                await consumer.ack(entry)

    async def all_collected(count: int) -> bool:
        return sum(map(len, collected.values())) >= count

    collecting = asyncio.create_task(collect())
    for turn in range(turns):
        for number in range(conversations):
            await harness.accept(f"c-{number}", str(turn))
            if number == conversations // 2:
                await flush(harness)
    await eventually(lambda: all_collected(conversations * turns), within_seconds=20)
    collecting.cancel()

    assert collected == {f"c-{number}": [str(turn) for turn in range(turns)] for number in range(conversations)}
    await harness.close()


async def test_a_slow_restorer_neither_gives_back_nor_prolongs_the_claim_that_another_has_taken_since(
    worker: MakeHarness,
) -> None:
    harness = await worker()
    redis, claim = harness.service.servers.redis, restoring_key(harness.tenant)

    async with harness.service.streams._claim(harness.tenant) as token:  # noqa: SLF001 - the moment in between
        assert token is not None
        await redis.set(claim, "another", px=2_000)  # ours has run out
        await harness.service.streams._hold_claim(harness.tenant, token, ms=60_000)  # noqa: SLF001

    assert await redis.get(claim) == b"another"
    assert await redis.pttl(claim) <= 2_000
    await redis.delete(claim)
    async with harness.service.streams._claim(harness.tenant) as token:  # noqa: SLF001
        assert token is not None
    assert await redis.get(claim) is None
