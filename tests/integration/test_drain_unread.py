"""Mailbox entries that cannot be read: mended from the inbox, given up with a ticket, never left to wait for ever."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from runtime.sealing import Sealer
from schema.keys import mailbox_keys
from schema.messages.envelope import Envelope, encode_envelope
from tests.integration.desk_scene import take_over
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually

LOST_KEY = Sealer([Fernet.generate_key().decode()])


def mailbox_of(harness: Harness) -> str:
    return mailbox_keys(harness.key("c"), harness.settings.partitions).mailbox


async def oldest_entry(harness: Harness) -> bytes:
    entry: Any = await harness.service.servers.redis.lindex(mailbox_of(harness), 0)
    return bytes(entry)


async def replace_oldest(harness: Harness, entry: Any) -> None:
    await harness.service.servers.redis.lset(mailbox_of(harness), 0, entry)


async def seal_with_a_lost_key(harness: Harness, message_id: str, *, enqueue: bool = True) -> None:
    """Make an accepted message one that no process can open, in the inbox and in its mailbox."""
    payload = LOST_KEY.seal("{}")
    async with harness.database.transaction(harness.tenant) as transaction:
        cursor = await transaction.connection.execute(
            "UPDATE inbox SET payload = %s WHERE message_id = %s RETURNING position", [payload, message_id]
        )
        row = await cursor.fetchone()
    assert row is not None
    if enqueue:
        envelope = Envelope(position=row["position"], message_id=message_id, payload=payload)
        await harness.mailbox.append(harness.key("c"), [envelope])


@pytest.mark.parametrize("damage", ["payload", "everything"])
async def test_a_damaged_entry_is_replaced_by_what_the_inbox_has_and_keeps_its_place(
    worker: MakeHarness, damage: str
) -> None:
    harness = await worker()
    for text in ("one", "two", "three"):
        await harness.accept("c", text)
    entry = await oldest_entry(harness)
    await replace_oldest(harness, entry[:-20] + b'xx"}' if damage == "payload" else b"\x00 torn \xff")

    async def answered() -> bool:
        await harness.drain("c")
        return len(await harness.replies()) == 3

    await eventually(answered)
    assert [reply["text"] for reply in await harness.replies()] == [f"you said: {n}" for n in ("one", "two", "three")]
    assert await harness.query("SELECT FROM dead_letter") == []


async def test_a_damaged_entry_that_is_the_only_one_is_replaced(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await replace_oldest(harness, b"torn")

    await harness.drain("c")
    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one"]
    assert await harness.query("SELECT FROM dead_letter") == []


async def test_a_damaged_entry_of_a_message_that_is_answered_leaves_nothing_behind(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    entry = await oldest_entry(harness)
    await harness.drain("c")
    await harness.service.servers.redis.rpush(mailbox_of(harness), entry[:-20] + b'xx"}')
    await harness.accept("c", "two")

    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]
    assert await harness.query("SELECT FROM dead_letter") == []


async def test_a_message_that_nobody_can_read_ends_dead_with_a_ticket_and_the_customer_is_told(
    worker: MakeHarness,
) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    lost = await harness.accept("c", "two", enqueue=False)
    await seal_with_a_lost_key(harness, lost)
    await harness.accept("c", "three")

    await harness.drain("c")

    replies = await harness.replies()
    assert [reply["in_reply_to"] for reply in replies][1] == [lost]
    assert replies[1]["recipient"] == "ada@example.com"
    assert replies[2]["text"] == "you said: three"
    [escalation] = await harness.escalations()
    assert escalation["ticket_id"] in replies[1]["text"]
    assert escalation["category"] == "system_error"
    [letter] = await harness.query("SELECT message_id, reason, payload FROM dead_letter")
    assert letter["message_id"] == lost
    assert letter["reason"].startswith("cannot be read: ")
    assert LOST_KEY.open(letter["payload"]) == "{}"
    states = await harness.query("SELECT state FROM inbox ORDER BY position")
    assert [row["state"] for row in states] == ["answered", "dead", "answered"]


async def test_a_first_message_that_nobody_can_read_calls_a_human_though_the_customer_cannot_be_told(
    worker: MakeHarness,
) -> None:
    harness = await worker(reconcile_seconds=0.001)
    lost = await harness.accept("c", "one", enqueue=False)
    await seal_with_a_lost_key(harness, lost)

    await harness.drain("c")

    assert await harness.replies() == []
    [escalation] = await harness.escalations()
    assert "has not been told" in escalation["summary"]
    assert [row["state"] for row in await harness.query("SELECT state FROM inbox")] == ["dead"]
    assert await harness.service.rescue.reconcile() == 0


async def test_a_message_that_nobody_can_read_is_given_up_in_silence_while_a_human_owns_the_conversation(
    worker: MakeHarness,
) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    lost = await harness.accept("c", "two", enqueue=False)
    await seal_with_a_lost_key(harness, lost)
    await take_over(harness)

    await harness.drain("c")

    assert len(await harness.replies()) == 1
    assert len(await harness.query("SELECT FROM dead_letter")) == 1
    assert len(await harness.query("SELECT FROM ticket")) == 1


async def test_an_entry_of_another_conversation_is_replaced_by_what_belongs_there(worker: MakeHarness) -> None:
    harness = await worker()
    mine = await harness.accept("c", "mine", enqueue=False)
    await harness.accept("other", "not yours")
    other = mailbox_keys(harness.key("other"), harness.settings.partitions).mailbox
    foreign = Envelope.model_validate_json((await harness.service.servers.redis.lindex(other, 0)) or b"")
    envelope = Envelope(position=1, message_id=mine, payload=foreign.payload)
    await harness.service.servers.redis.rpush(mailbox_of(harness), encode_envelope(envelope))

    await harness.drain("c")
    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: mine"]


async def test_a_message_that_the_inbox_does_not_know_goes_to_a_human_once_and_its_customer_is_told(
    worker: MakeHarness,
) -> None:
    """PostgreSQL was restored from a backup; and the worker dies before it takes the entry away."""
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    forgotten = await harness.accept("c", "two")
    entry = await oldest_entry(harness)
    async with harness.database.transaction(harness.tenant) as transaction:
        await transaction.connection.execute("DELETE FROM inbox WHERE position = 2")
        await transaction.connection.execute("UPDATE conversation SET last_position = 1")
    await harness.answer_and_die("c")

    await harness.drain("c")
    await harness.accept("c", "three")
    await harness.drain("c")

    replies = await harness.replies()
    assert [reply["in_reply_to"] for reply in replies][1] == [forgotten]
    assert [reply["sequence"] for reply in replies] == [1, 2, 3]
    assert replies[2]["text"] == "you said: three"
    [escalation] = await harness.escalations()
    assert escalation["ticket_id"] in replies[1]["text"]
    assert escalation["transcript"]["last_position"] == 1
    [letter] = await harness.query("SELECT message_id, reason, payload FROM dead_letter")
    assert (letter["message_id"], letter["reason"]) == (None, "no such message was accepted")
    assert harness.service.servers.sealer.open(letter["payload"]).encode() == entry


async def test_an_entry_that_is_no_message_goes_to_a_human_of_its_conversation_and_the_next_message_is_answered(
    worker: MakeHarness,
) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    await harness.service.servers.redis.rpush(mailbox_of(harness), b"\xff no message")
    await harness.accept("c", "two")

    await harness.drain("c")

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]
    [escalation] = await harness.escalations()
    assert (escalation["category"], escalation["reason"][:14]) == ("system_error", "cannot be read")
    assert len(await harness.query("SELECT FROM dead_letter")) == 1


async def test_a_stray_entry_of_an_unknown_conversation_is_kept_once_however_often_its_worker_dies(
    worker: MakeHarness,
) -> None:
    harness = await worker()
    keys = mailbox_keys(harness.key("unheard-of"), harness.settings.partitions)
    await harness.service.servers.redis.rpush(keys.mailbox, b"nobody's")

    for _ in range(3):
        await harness.answer_and_die("unheard-of")
    await harness.drain("unheard-of")

    assert await harness.query("SELECT message_id FROM dead_letter") == [{"message_id": None}]
    assert await harness.waiting("unheard-of") == 0
