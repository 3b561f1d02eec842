"""Cut a stream before a group has collected it, and see that the group gets all of it in order, and nobody twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from ops.verify import Verification
from producer.collecting.subscription import AsyncSubscription
from runtime.configuration import open_sealer
from runtime.database import connect
from runtime.redis import Scripts
from schema.keys import again_stream, replies_stream
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.streams_lost import answer, flush, said, take
from tests.integration.worker_harness import Harness, make_harness
from worker.outbound import aside, trimming

ENTRIES_MAX, TAIL_MAX = 4, 2


@pytest.fixture
async def harness(fragile: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Harness]:
    monkeypatch.setattr(aside, "_PAGE_ROWS", 2)
    monkeypatch.setattr(aside, "WAITING_MAX", 4)
    monkeypatch.setattr(trimming, "_PAGE_ENTRIES", 3)
    small = fragile.model_copy(update={"stream_entries_max": ENTRIES_MAX, "stream_tail_entries_max": TAIL_MAX})
    made = await make_harness(small, open_sealer(small), add_tenant(small))
    yield made
    await made.close()


def subscribe(harness: Harness, group: str, start: str = "0", consumer: str = "one") -> AsyncSubscription:
    return AsyncSubscription(harness.settings, replies_stream(harness.tenant, "chat"), group, consumer, start=start)


async def work(harness: Harness) -> None:
    """Do one round of what a worker does for the streams."""
    rescue = harness.service.rescue
    await harness.service.publisher.note()
    await rescue.restore_streams()
    await rescue.publish_leftovers(age_seconds=0)
    await harness.service.streams.note_collected()
    await rescue.trimmer.trim()
    await rescue.aside.refill()


async def collect(subscription: AsyncSubscription, count: int, *, harness: Harness | None = None) -> list[str]:
    """Collect and acknowledge so many, with a worker at work meanwhile."""
    texts = []
    for _ in range(count):
        entries = await take(subscription, 1)
        await subscription.ack(*entries)
        texts += said(entries)
        if harness is not None:
            await work(harness)
    return texts


async def leave_behind(harness: Harness) -> None:
    """Have a group collect one of eight replies, and another one all of them; then the stream is trimmed."""
    async with subscribe(harness, "behind") as behind, subscribe(harness, "live") as live:
        await answer(harness, "c", *"1234")
        assert await collect(behind, 1) == ["1"]
        await answer(harness, "c", *"5678")
        assert await collect(live, 8) == [*"12345678"]
    await work(harness)


async def length(harness: Harness) -> int:
    return int(await harness.service.servers.redis.xlen(replies_stream(harness.tenant, "chat")))


async def test_a_group_that_comes_back_gets_what_was_cut_in_order_and_goes_on(harness: Harness) -> None:
    await leave_behind(harness)
    cut = await length(harness)

    async with subscribe(harness, "behind") as behind:
        texts = await collect(behind, 7, harness=harness)
        await answer(harness, "c", "9")
        await work(harness)
        texts += await collect(behind, 1)
        more = await behind.next(0.1)

    assert cut <= ENTRIES_MAX
    assert texts == [*"23456789"]
    assert more is None
    assert not await harness.service.servers.redis.exists(again_stream(behind.stream, "behind"))


async def test_other_groups_notice_nothing(harness: Harness) -> None:
    await leave_behind(harness)

    async with subscribe(harness, "behind") as behind, subscribe(harness, "live") as live:
        await collect(behind, 7, harness=harness)
        await answer(harness, "c", "9")
        texts = await collect(live, 1)
        more = await live.next(0.1)

    assert texts == ["9"]
    assert more is None


async def test_a_consumer_that_is_merely_slow_gets_each_entry_once(harness: Harness) -> None:
    async with subscribe(harness, "slow") as slow:
        await answer(harness, "c", *"12345678")
        held = await take(slow, 3)
        await work(harness)
        await slow.ack(*held)

        texts = said(held) + await collect(slow, 5, harness=harness)
        more = await slow.next(0.1)

    assert texts == [*"12345678"]
    assert more is None


async def test_what_a_dead_consumer_held_of_what_was_cut_comes_to_the_next(harness: Harness) -> None:
    await leave_behind(harness)
    async with subscribe(harness, "behind") as dead:
        await take(dead, 2)
    await work(harness)

    async with subscribe(harness, "behind") as behind:
        texts = await collect(behind, 7, harness=harness)

    assert texts == [*"2345678"]


async def test_redis_emptied_while_a_group_is_behind_loses_nothing_of_what_was_cut(harness: Harness) -> None:
    await leave_behind(harness)
    async with subscribe(harness, "behind") as behind:
        texts = await collect(behind, 2)
    await work(harness)

    await flush(harness)
    async with subscribe(harness, "behind", "$"):
        pass  # before the streams are open again
    await work(harness)
    await answer(harness, "c", "9")
    async with subscribe(harness, "behind", "$") as behind:
        texts += await collect(behind, 6, harness=harness)

    assert texts == [*"23456789"]


async def test_what_is_cut_while_a_group_comes_back_reaches_it_too(harness: Harness) -> None:
    await leave_behind(harness)
    async with subscribe(harness, "behind") as behind, subscribe(harness, "live") as live:
        texts = await collect(behind, 3, harness=harness)
        for text in "9abcdef":
            await answer(harness, "c", text)
            await collect(live, 1)
            await work(harness)
        texts += await collect(behind, 11, harness=harness)

    assert texts == [*"23456789abcdef"]


async def test_what_no_group_lacks_any_more_is_not_kept(harness: Harness) -> None:
    await leave_behind(harness)
    async with subscribe(harness, "behind") as behind:
        await collect(behind, 7, harness=harness)

    with connect(harness.settings.database_url or "") as connection:
        connection.execute("UPDATE cut_entry SET cut_at = now() - interval '2 minutes'")
        await work(harness)
        left = connection.execute("SELECT FROM cut_entry WHERE tenant_id = %s", [harness.tenant]).fetchall()

    assert left == []


async def test_a_group_set_aside_is_logged_and_a_violation_once_nobody_reads_it(harness: Harness) -> None:
    with capture_logs() as logs:
        await leave_behind(harness)
    verification = Verification(
        harness.settings, harness.database, harness.service.servers.redis, harness.tenant, _no_pause
    )
    fresh = await verification.run()
    with connect(harness.settings.database_url or "") as connection:
        connection.execute("UPDATE stream_group SET moved_at = now() - interval '1 hour' WHERE name = 'behind'")

    found = await verification.run()

    (said_so,) = [line for line in logs if line["event"] == "stream.group_set_aside"]
    assert said_so["group"] == "behind"
    assert [finding.check for finding in fresh.findings] == []
    assert [(finding.check, finding.item) for finding in found.findings] == [("group", "reply chat behind")]


async def _no_pause(_seconds: float) -> None:
    """Wait for nothing."""


class Crowd:
    """Be three groups that read one stream, and keep what each was given."""

    def __init__(self, harness: Harness, subscriptions: dict[str, AsyncSubscription]) -> None:
        self.harness = harness
        self.subscriptions = subscriptions
        self.sent: dict[str, int] = defaultdict(int)
        self.got = {group: {"a": list[int](), "b": list[int]()} for group in subscriptions}

    async def send(self, conversation: str) -> None:
        self.sent[conversation] += 1
        await answer(self.harness, conversation, str(self.sent[conversation]))

    async def collect(self, group: str, most: int) -> int:
        taken = 0
        while taken < most and (entry := await self.subscriptions[group].next(0.02)) is not None:
            self.got[group][entry.conversation].append(int(said([entry])[0]))
            await self.subscriptions[group].ack(entry)
            taken += 1
        return taken

    async def collect_all(self) -> None:
        """Collect until three rounds in a row have brought nothing."""
        silent = 0
        while silent < 3:
            await work(self.harness)
            counts = [await self.collect(group, 10) for group in self.got]
            silent = 0 if any(counts) else silent + 1


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_comes_together_each_group_gets_every_reply_in_order(harness: Harness, seed: int) -> None:
    """Draw what happens, every other time with a Redis that is emptied; only then may a reply come a second time."""
    chance = Random(seed)  # noqa: S311 - a draw, not a secret
    loses = seed % 2 == 1
    async with AsyncExitStack() as opened:
        groups = {name: await opened.enter_async_context(subscribe(harness, name)) for name in ("live", "lazy", "gone")}
        crowd = Crowd(harness, groups)
        for _ in range(60):
            match chance.choices(("send", "live", "lazy", "lose", "work"), (45, 15, 8, 3 * loses, 29))[0]:
                case "send":
                    await crowd.send(chance.choice("ab"))
                case "live":
                    await crowd.collect("live", 10)
                case "lazy":
                    await crowd.collect("lazy", chance.randint(1, 6))
                case "lose":
                    await flush(harness)
                case _:
                    await work(harness)
        await crowd.collect_all()

    for conversation, count in crowd.sent.items():
        for group, got in crowd.got.items():
            numbers = got[conversation]
            expected = list(range(1, count + 1))
            assert (list(dict.fromkeys(numbers)) if loses else numbers) == expected, (group, conversation)


async def test_a_group_far_behind_brings_nothing_back_to_others_when_redis_is_emptied(harness: Harness) -> None:
    await leave_behind(harness)

    await flush(harness)
    await harness.service.rescue.restore_streams()
    async with subscribe(harness, "live") as live:
        again = [entry for _ in range(8) if (entry := await live.next(0.1)) is not None]

    assert len(again) <= ENTRIES_MAX, "no more than what was not cut, and so was not recorded"


async def test_a_group_does_not_rejoin_over_what_was_cut_since_the_last_look(harness: Harness) -> None:
    await leave_behind(harness)
    stream = replies_stream(harness.tenant, "chat")
    keys, scripts = [stream, again_stream(stream, "behind")], Scripts(harness.service.servers.redis)
    async with subscribe(harness, "behind") as behind:
        await collect(behind, await harness.service.servers.redis.xlen(keys[1]))
    state = await scripts.read_again(keys=keys, args=["behind"])
    await harness.service.servers.redis.xtrim(stream, maxlen=1, approximate=False)

    over = await scripts.rejoin(keys=keys, args=["behind", *state[1:]])

    assert state[0] == 0, "all that was handed to it is collected"
    assert over == 0


async def test_what_was_cut_is_added_behind_what_it_follows_or_not_at_all(harness: Harness) -> None:
    await leave_behind(harness)
    stream = replies_stream(harness.tenant, "chat")
    keys, scripts = [stream, again_stream(stream, "behind")], Scripts(harness.service.servers.redis)
    _, after, _ = await scripts.read_again(keys=keys, args=["behind"])
    entry: list[Any] = ["8000000000000-0", "r", "c", 1, "{}"]

    added = await scripts.add_again(keys=keys[1:], args=["behind", "8-0", *entry])

    assert added == 0
    assert (await scripts.read_again(keys=keys, args=["behind"]))[1] == after


async def test_a_late_note_takes_no_position_back(harness: Harness) -> None:
    await leave_behind(harness)
    (before,) = [row for row in await harness.database.read(harness.tenant, "find_groups") if row["name"] == "live"]
    epoch = (await harness.database.read(harness.tenant, "advance_life", tenant=harness.tenant, life=None))[0][
        "stream_life"
    ]
    note: dict[str, Any] = {"tenants": [harness.tenant], "kinds": ["reply"], "channels": ["chat"], "names": ["live"]}

    for older_epoch, position in ((epoch, 1), (epoch - 1, before["position"] + 1)):
        await harness.database.read(
            harness.tenant, "note_groups", **note, positions=[position], asides=[False], lives=[older_epoch]
        )

    (after,) = [row for row in await harness.database.read(harness.tenant, "find_groups") if row["name"] == "live"]
    assert after["position"] == before["position"]
