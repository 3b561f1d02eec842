"""Read the outbound streams as an operator does."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from typing import Any

from ops.cli.tail import tail
from ops.desk.outbound import PAGE_ENTRIES, listening, open_redis, read_all, read_ends, read_newest
from producer.collecting.entries import StreamEntry
from runtime.cancelling import cancel_and_wait
from schema.keys import replies_stream
from schema.messages.reply import Reply
from schema.settings import Settings

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
MOMENTS = itertools.count(1_000)


async def publish(client: Any, stream: str, tenant: str, conversation: str, sequence: int) -> None:
    """Put a reply into a stream as the worker's script does; in all streams, a later entry has a later id."""
    reply = Reply(
        reply_id=f"reply_{conversation}_{sequence}",
        tenant=tenant,
        conversation=conversation,
        sequence=sequence,
        in_reply_to=[f"m{sequence}"],
        channel="chat",
        recipient="you",
        text="hello",
        agent="FAQ Agent",
        issue_type="faq",
        trace_id="trace",
        created_at=NOW,
    )
    entry_id = f"{next(MOMENTS)}-0"
    fields = {"id": reply.reply_id, "conversation": conversation, "sequence": sequence, "body": reply.model_dump_json()}
    await client.xadd(stream, fields, id=entry_id)


def told(entries: list[StreamEntry]) -> list[tuple[str, int]]:
    return [(entry.conversation, entry.sequence) for entry in entries]


async def test_several_streams_are_read_as_one_by_age(settings: Settings, redis: Any, tenant: str) -> None:
    streams = [replies_stream(tenant, channel) for channel in ("chat", "sms")]
    count = PAGE_ENTRIES + 10
    for sequence in range(1, count + 1):
        await publish(redis, streams[sequence % 2], tenant, "c", sequence)

    async with open_redis(settings) as client:
        ends = await read_ends(client, streams)
        everything = [entry async for entry in read_all(client, ends)]
        newest = await read_newest(client, ends, 3, lambda _: True)

    assert told(everything) == [("c", sequence) for sequence in range(1, count + 1)]
    assert told(newest) == told(everything)[-3:]


async def test_the_newest_of_one_conversation_are_found_behind_many_of_others(
    settings: Settings, redis: Any, tenant: str
) -> None:
    stream = replies_stream(tenant, "chat")
    for sequence in (1, 2):
        await publish(redis, stream, tenant, "wanted", sequence)
    for sequence in range(2 * PAGE_ENTRIES):
        await publish(redis, stream, tenant, "other", sequence + 1)

    async with open_redis(settings) as client:
        ends = await read_ends(client, [stream])
        found = await read_newest(client, ends, 1, lambda entry: entry.conversation == "wanted")

    assert told(found) == [("wanted", 2)]


async def test_an_entry_that_cannot_be_read_does_not_hide_the_others(
    settings: Settings, redis: Any, tenant: str
) -> None:
    stream = replies_stream(tenant, "chat")
    await publish(redis, stream, tenant, "c", 1)
    await redis.xadd(stream, {"id": "x", "conversation": "c", "sequence": 2, "body": "{}"}, id=f"{next(MOMENTS)}-0")
    await publish(redis, stream, tenant, "c", 3)

    async with open_redis(settings) as client:
        ends = await read_ends(client, [stream])
        newest = await read_newest(client, ends, 10, lambda _: True)
        everything = [entry async for entry in read_all(client, ends)]

    assert told(newest) == told(everything) == [("c", 1), ("c", 3)]


async def test_following_after_the_past_misses_nothing_and_repeats_nothing(
    settings: Settings, redis: Any, tenant: str
) -> None:
    stream = replies_stream(tenant, "chat")
    await publish(redis, stream, tenant, "c", 1)
    await publish(redis, stream, tenant, "c", 2)
    shown: list[StreamEntry] = []
    past, news = asyncio.Event(), asyncio.Event()

    def show(entry: StreamEntry) -> None:
        shown.append(entry)
        if entry.sequence == 2:
            past.set()
        if entry.sequence == 4:
            news.set()

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        following = group.create_task(tail(settings, [stream], show, last=10, conversation="c", on=True))
        await past.wait()
        await publish(redis, stream, tenant, "c", 3)
        await publish(redis, stream, tenant, "other", 1)
        await publish(redis, stream, tenant, "c", 4)
        await news.wait()
        await cancel_and_wait(following)

    assert told(shown) == [("c", 1), ("c", 2), ("c", 3), ("c", 4)]


async def test_what_is_published_while_listening_is_taken_and_nothing_older(
    settings: Settings, redis: Any, tenant: str
) -> None:
    stream = replies_stream(tenant, "chat")
    await publish(redis, stream, tenant, "c", 1)
    taken: list[StreamEntry] = []
    came = asyncio.Event()

    async def take(entry: StreamEntry) -> None:
        taken.append(entry)
        came.set()

    async with asyncio.timeout(20), listening(settings, [stream], take):
        await publish(redis, stream, tenant, "c", 2)
        await came.wait()

    assert told(taken) == [("c", 2)]
