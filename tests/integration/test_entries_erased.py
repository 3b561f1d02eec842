"""Erase a conversation's entries, and see that no stream, no refill and no restored stream gives them back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.desk import erasing
from ops.desk.erasing import Erased, erase_entries
from ops.desk.takeover import UnknownConversation
from ops.verify import Verification
from producer.collecting.subscription import AsyncSubscription
from runtime.configuration import open_sealer
from runtime.redis import Scripts
from schema.keys import again_stream, replies_stream
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.streams_lost import answer, flush, said, take
from tests.integration.worker_harness import Harness, make_harness
from worker.outbound import aside, trimming
from worker.outbound.places import streams_of


@pytest.fixture
async def harness(fragile: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    monkeypatch.setattr(trimming, "_PAGE_ENTRIES", 3)
    monkeypatch.setattr(aside, "_PAGE_ROWS", 2)
    monkeypatch.setattr(erasing, "_PAGE_ENTRIES", 2)
    small = fragile.model_copy(update={"stream_entries_max": 4, "stream_tail_entries_max": 2})
    made = await make_harness(small, open_sealer(small), add_tenant(small))
    yield made
    await made.close()


def subscribe(harness: Harness, group: str = "gateway", consumer: str = "one") -> AsyncSubscription:
    return AsyncSubscription(harness.settings, replies_stream(harness.tenant, "chat"), group, consumer, start="0")


async def erase(harness: Harness, conversation: str) -> Erased:
    servers = harness.service.servers
    key = harness.key(conversation)
    scripts = Scripts(servers.redis)
    return await erase_entries(harness.database, scripts, servers.sealer, key, by="ada", now=datetime.now(UTC))


async def stream_entries_of(harness: Harness, conversation: str, *more: str) -> list[str]:
    """List the bodies of a conversation's entries in every stream of the tenant, and in those given."""
    redis = harness.service.servers.redis
    names = [*(stream.name for stream in streams_of(harness.tenant)), *more]
    found: list[Any] = [await redis.xrange(name) for name in names]
    entries = [fields for entries in found for _, fields in entries]
    return [fields[b"body"].decode() for fields in entries if fields[b"conversation"].decode() == conversation]


async def sealed_words_of(harness: Harness, conversation: str) -> list[str]:
    key = harness.key(conversation)
    async with harness.database.transaction(key.tenant) as transaction:
        cursor = await transaction.connection.execute(
            "SELECT body FROM outbox WHERE conversation_id = %s AND kind <> 'event' AND body <> ''", [conversation]
        )
        return [row["body"] for row in await cursor.fetchall()]


async def work(harness: Harness) -> None:
    """Do one round of what a worker does for the streams."""
    rescue = harness.service.rescue
    await harness.service.publisher.note()
    await rescue.restore_streams()
    await rescue.publish_leftovers(age_seconds=0)
    await harness.service.publisher.note()
    await harness.service.streams.note_collected()
    await rescue.trimmer.trim()
    await rescue.aside.refill()


async def test_what_is_erased_stands_in_no_stream_and_others_keep_theirs(harness: Harness) -> None:
    for conversation, texts in {"c": ("one", "two"), "d": ("three",)}.items():
        await answer(harness, conversation, *texts)
    async with subscribe(harness) as consumer:
        await take(consumer, 1)

        erased = await erase(harness, "c")

        assert erased == Erased(rows=2, entries=2, unpublished=0)
        assert await stream_entries_of(harness, "c") == []
        assert await sealed_words_of(harness, "c") == []
        assert len(await stream_entries_of(harness, "d")) == 1
    async with subscribe(harness) as again:  # the pending entry is gone with its words
        assert said(await take(again, 1)) == ["three"]
        assert await again.next(0.1) is None
    await work(harness)
    (event,) = [event for event in await harness.events() if event["name"] == "entries.erased"]
    assert event["attributes"] == {"rows": "2", "by": "ada"}


async def test_erasing_again_finds_nothing_and_a_later_reply_follows_in_order(harness: Harness) -> None:
    await answer(harness, "c", "one", "two")
    await erase(harness, "c")
    await work(harness)

    again = await erase(harness, "c")
    await answer(harness, "c", "three")

    assert (again.rows, again.entries) == (1, 1)  # the event that told of the first time
    async with subscribe(harness) as consumer:
        (entry,) = await take(consumer, 1)
    assert (said([entry]), entry.sequence) == (["three"], 3)


async def test_an_emptied_redis_does_not_bring_erased_entries_back(harness: Harness) -> None:
    for conversation, text in (("d", "zero"), ("c", "one"), ("c", "two"), ("d", "three")):
        await answer(harness, conversation, text)
    async with subscribe(harness):
        pass
    await harness.service.streams.note_collected()
    await erase(harness, "c")
    await work(harness)

    await flush(harness)
    for _ in range(2):
        await work(harness)

    async with subscribe(harness, consumer="two") as consumer:
        assert said(await take(consumer, 2)) == ["zero", "three"]
        await answer(harness, "c", "four")
        assert said(await take(consumer, 1)) == ["four"]
    assert "" not in await stream_entries_of(harness, "c")
    assert await harness.query("SELECT FROM outbox WHERE tenant_id = %s AND published_at IS NULL", harness.tenant) == []


async def test_a_group_that_collects_what_was_cut_gets_no_erased_entry(harness: Harness) -> None:
    async with subscribe(harness, "behind") as behind, subscribe(harness, "live") as live:
        await answer(harness, "d", "1")
        await behind.ack(*await take(behind, 1))
        await answer(harness, "c", "2", "3", "4")
        await answer(harness, "d", "5", "6", "7", "8")
        await live.ack(*await take(live, 8))
    await work(harness)
    again = again_stream(replies_stream(harness.tenant, "chat"), "behind")
    assert await stream_entries_of(harness, "c", again) != []

    await erase(harness, "c")

    assert await stream_entries_of(harness, "c", again) == []
    texts = []
    async with subscribe(harness, "behind") as behind:
        for _ in range(4):
            await work(harness)
            entries = await take(behind, 1)
            await behind.ack(*entries)
            texts += said(entries)
        assert await behind.next(0.1) is None
    assert texts == ["5", "6", "7", "8"]


async def test_what_is_not_published_yet_is_left_and_said(harness: Harness) -> None:
    await answer(harness, "c", "one")
    async with harness.database.transaction(harness.tenant) as transaction:
        await transaction.connection.execute("UPDATE outbox SET published_at = NULL, stream_position = NULL")

    erased = await erase(harness, "c")

    assert (erased.rows, erased.unpublished) == (0, 1)
    assert len(await sealed_words_of(harness, "c")) == 1


async def test_verification_finds_nothing_wrong_with_erased_entries(harness: Harness) -> None:
    await answer(harness, "c", "one", "two")
    await erase(harness, "c")
    await work(harness)

    async def no_pause(_: float) -> None:
        """Look again at once."""

    redis = harness.service.servers.redis
    report = await Verification(harness.settings, harness.database, redis, harness.tenant, no_pause).run()

    assert report.findings == []


async def test_a_conversation_that_nobody_began_is_refused(harness: Harness) -> None:
    with pytest.raises(UnknownConversation):
        await erase(harness, "nobody")
