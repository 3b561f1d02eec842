"""Promises of a drain: nothing lost, in order, once, resumable; on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runtime.leadership import Leadership
from schema.keys import mailbox_keys, published_key, replies_stream
from tests.integration.worker_harness import MakeHarness
from tests.waiting import eventually
from worker.pipeline import turn


async def test_messages_of_a_conversation_are_answered_in_the_order_accepted(worker: MakeHarness) -> None:
    harness = await worker()
    sent = [await harness.accept("c", f"message {number}") for number in range(5)]

    await harness.drain("c")

    replies = await harness.replies()
    assert [reply["in_reply_to"] for reply in replies] == [[message_id] for message_id in sent]
    assert [reply["sequence"] for reply in replies] == [1, 2, 3, 4, 5]
    assert [reply["text"] for reply in replies] == [f"you said: message {number}" for number in range(5)]
    assert await harness.waiting("c") == 0


async def test_a_reply_sees_the_turns_before_it(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "first")
    await harness.accept("c", "second")

    await harness.drain("c")

    seen = [item.get("content") for item in harness.model.inputs[-1]]
    assert seen[0] == "first"
    assert seen[-1] == "second"
    assert "you said: first" in str(seen[1])


async def test_a_busy_conversation_gives_way_after_its_share_of_turns(worker: MakeHarness) -> None:
    harness = await worker(turns_per_drain_max=2)
    for number in range(5):
        await harness.accept("c", str(number))

    await harness.drain("c")

    assert len(await harness.replies()) == 2
    assert harness.rung == [harness.key("c")]


async def test_one_worker_at_a_time_drains_a_conversation(worker: MakeHarness) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return text

    first, second = await worker(think), await worker()
    await first.accept("c", "hello")
    under_way = asyncio.create_task(first.drain("c"))
    await thinking.wait()

    await second.drain("c")

    assert second.model.asked == []
    go_on.set()
    await under_way
    assert len(await first.replies()) == 1


async def test_of_two_workers_that_hold_one_turn_one_commits(worker: MakeHarness) -> None:
    """A frozen worker wakes after its lease was taken over and the message was answered."""
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return f"late: {text}"

    frozen = await worker(think, lease_seconds=0.05, renew_seconds=0.02)
    other = await worker(lease_seconds=0.05, renew_seconds=0.02)
    await frozen.accept("c", "hello")
    under_way = asyncio.create_task(frozen.drain("c"))
    await thinking.wait()

    async def answered_by_the_other() -> bool:
        await other.drain("c")
        return len(await other.replies()) == 1

    await eventually(answered_by_the_other)
    go_on.set()
    await under_way

    replies = await other.replies()
    assert [reply["text"] for reply in replies] == ["you said: hello"]
    assert len(await other.query("SELECT FROM turn")) == 1
    assert len(await other.query("SELECT FROM session_item WHERE item ->> 'role' = 'user'")) == 1


async def test_a_worker_that_died_after_its_commit_is_not_repeated(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "hello")
    await harness.answer_and_die("c")

    await harness.drain("c")

    assert len(await harness.replies()) == 1
    assert len(harness.model.asked) == 1
    assert await harness.waiting("c") == 0


async def test_what_a_dead_worker_committed_but_did_not_publish_is_published_once(worker: MakeHarness) -> None:
    harness = await worker(publish_seconds=0.05)
    await harness.accept("c", "hello")
    await harness.drain("c")
    redis = harness.service.servers.redis
    await redis.delete(replies_stream(harness.tenant, "chat"), published_key(harness.key("c")))
    harness.service.publisher._unnoted.clear()  # noqa: SLF001 - as if the worker had died before both

    async def published() -> bool:
        await harness.service.rescue.publish_leftovers()
        return len(await harness.replies()) == 1

    await eventually(published)
    await harness.service.rescue.publish_leftovers()
    await harness.service.publisher.note()

    assert [reply["text"] for reply in await harness.replies()] == ["you said: hello"]
    assert await harness.query("SELECT FROM outbox WHERE published_at IS NULL") == []


async def test_publishing_again_adds_nothing(worker: MakeHarness) -> None:
    harness = await worker(publish_seconds=0.01)
    await harness.accept("c", "one")
    await harness.drain("c")
    harness.service.publisher._unnoted.clear()  # noqa: SLF001 - died between the stream and the note

    await harness.accept("c", "two")
    await harness.drain("c")
    await harness.service.rescue.publish_leftovers()

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]


async def test_an_accepted_message_that_reached_no_mailbox_is_put_back(worker: MakeHarness) -> None:
    harness = await worker(reconcile_seconds=0.01)
    await harness.accept("c", "one", enqueue=False)
    await harness.accept("c", "two", enqueue=False)

    async def answered() -> bool:
        await harness.service.rescue.reconcile()
        await harness.drain("c")
        return len(await harness.replies()) == 2

    await eventually(answered)
    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]


async def test_after_an_outage_the_last_message_is_put_back_although_its_conversation_has_a_mailbox(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await worker()
    monkeypatch.setattr(Leadership, "is_held", lambda _: True)
    await harness.accept("c", "one")
    await harness.accept("c", "two", enqueue=False)  # Redis was away

    restored = await harness.service.rescue.reconcile_at_once()
    await harness.drain("c")

    assert restored == 1
    assert await harness.waiting("c") == 0
    rows = await harness.query("SELECT state FROM inbox WHERE tenant_id = %s", harness.tenant)
    assert [row["state"] for row in rows] == ["answered"] * 2


async def test_a_repaired_mailbox_is_drained_on_without_a_doorbell(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "one", enqueue=False)
    await harness.accept("c", "two")

    await harness.drain("c")
    await harness.service.drainer.finish()

    async def is_empty() -> bool:
        return await harness.waiting("c") == 0

    await eventually(is_empty)
    assert harness.rung == []


async def test_what_is_overdue_is_answered_without_a_doorbell(worker: MakeHarness) -> None:
    harness = await worker(bell_seconds=0.01)
    await harness.accept("c", "hello")

    async def answered() -> bool:
        await harness.service.rescue.sweep()
        return len(await harness.replies()) == 1

    await eventually(answered)


async def test_a_dead_workers_conversation_is_taken_up_as_soon_as_its_lease_has_run_out(worker: MakeHarness) -> None:
    harness = await worker(sweep_seconds=3_600, lease_seconds=0.5, renew_seconds=0.2)
    await harness.accept("c", "hello")
    await harness.mailbox.acquire(harness.key("c"))  # and dies
    harness.service.start()

    async def answered() -> bool:
        return len(await harness.replies()) == 1

    await eventually(answered)


async def test_rescue_takes_up_nothing_that_it_has_no_slot_for(worker: MakeHarness) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return text

    harness = await worker(think, bell_seconds=0.001, concurrency=1)
    await harness.accept("busy", "hello")
    await harness.accept("c", "hello")
    under_way = asyncio.create_task(harness.drain("busy"))
    await thinking.wait()

    assert await harness.service.rescue.sweep() == 0
    go_on.set()
    await under_way


async def test_a_mailbox_that_lost_an_earlier_message_is_repaired_before_a_later_one_is_answered(
    worker: MakeHarness,
) -> None:
    harness = await worker()
    await harness.accept("c", "one", enqueue=False)
    await harness.accept("c", "two")

    await harness.drain("c")
    assert await harness.replies() == []
    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]


async def test_a_transient_failure_parks_the_conversation_and_keeps_the_order(worker: MakeHarness) -> None:
    failures = ["first"]

    async def think(text: str) -> str:
        if text in failures:
            failures.remove(text)
            raise TimeoutError("the model took too long")
        return text

    harness = await worker(think, backoff_seconds=0.01, backoff_seconds_max=0.02)
    await harness.accept("c", "first")
    await harness.accept("c", "second")

    await harness.drain("c")
    assert await harness.replies() == []

    async def answered() -> bool:
        await harness.drain("c")
        return len(await harness.replies()) == 2

    await eventually(answered)
    assert [reply["text"] for reply in await harness.replies()] == ["first", "second"]


async def test_a_poison_message_becomes_a_dead_letter_and_the_conversation_goes_on(worker: MakeHarness) -> None:
    async def think(text: str) -> str:
        if text == "poison":
            raise RuntimeError("a bug")
        return text

    harness = await worker(think, attempts_max=3, backoff_seconds=0.001, backoff_seconds_max=0.002)
    poison = await harness.accept("c", "poison")
    healthy = await harness.accept("c", "healthy")

    async def both_done() -> bool:
        await harness.drain("c")
        return len(await harness.replies()) == 2

    await eventually(both_done)
    replies = await harness.replies()
    assert [reply["in_reply_to"] for reply in replies] == [[poison], [healthy]]
    assert harness.model.asked.count("poison") == 3
    escalations = await harness.escalations()
    assert [entry["category"] for entry in escalations] == ["system_error"]
    assert escalations[0]["ticket_id"] in replies[0]["text"]
    letters = await harness.query("SELECT message_id, payload FROM dead_letter")
    assert [letter["message_id"] for letter in letters] == [poison]
    assert "poison" in harness.service.servers.sealer.open(letters[0]["payload"])
    states = await harness.query("SELECT state FROM inbox ORDER BY position")
    assert [row["state"] for row in states] == ["dead", "answered"]


async def test_a_conversation_that_cannot_be_read_is_given_up_once_and_goes_on(worker: MakeHarness) -> None:
    harness = await worker(attempts_max=2, backoff_seconds=0.001, backoff_seconds_max=0.002)
    await harness.accept("c", "one")
    await harness.drain("c")
    async with harness.database.transaction(harness.tenant) as transaction:
        await transaction.connection.execute("UPDATE conversation SET vault = 'sealed with a key that is gone'")
    await harness.accept("c", "two")
    await harness.accept("c", "three")

    async def all_done() -> bool:
        await harness.drain("c")
        return len(await harness.replies()) == 3

    await eventually(all_done)
    states = await harness.query("SELECT state FROM inbox ORDER BY position")
    assert [row["state"] for row in states] == ["answered", "dead", "answered"]


async def test_an_undecodable_entry_becomes_a_dead_letter_and_the_mailbox_goes_on(worker: MakeHarness) -> None:
    harness = await worker()
    mailbox = mailbox_keys(harness.key("c"), harness.settings.partitions).mailbox
    await harness.service.servers.redis.rpush(mailbox, b"\xff not an envelope")
    await harness.accept("c", "hello")

    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: hello"]
    letters = await harness.query("SELECT message_id, reason, payload FROM dead_letter")
    assert [letter["message_id"] for letter in letters] == [None]
    assert "not an envelope" in harness.service.servers.sealer.open(letters[0]["payload"])


async def test_a_turn_that_is_run_again_repeats_no_finished_model_call(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies with the reply in hand, before its commit."""
    first, second = await worker(), await worker()
    await first.accept("c", "hello")

    async def die(*_: Any, **__: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(first.service.drainer.turn.committer, "commit", die)
    with pytest.raises(asyncio.CancelledError):
        await first.drain("c")
    await first.service.servers.redis.delete(mailbox_keys(first.key("c"), first.settings.partitions).lease)

    await second.drain("c")

    assert first.model.asked == ["hello"]
    assert second.model.asked == []
    assert [reply["text"] for reply in await second.replies()] == ["you said: hello"]
    calls = await second.query("SELECT model_calls FROM turn")
    assert [call["replayed"] for call in calls[0]["model_calls"]] == [True]
    assert await second.query("SELECT FROM journal") == []


async def test_a_later_message_cannot_be_committed_before_an_earlier_one(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database refuses it, whatever a worker believes."""
    harness = await worker()
    await harness.accept("c", "one", enqueue=False)
    await harness.accept("c", "two")
    monkeypatch.setattr(turn, "admit", lambda *_, **__: "act")

    await harness.drain("c")

    assert await harness.replies() == []
    assert [row["state"] for row in await harness.query("SELECT state FROM inbox")] == ["accepted", "accepted"]
