"""Messages that only a newer release reads: left to its workers, whoever looks at them before."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
import structlog

from ops.verify import Verification
from runtime.redis import Scripts
from runtime.sealing import Sealer
from schema.ids import ConversationKey
from schema.keys import MailboxKeys, mailbox_keys
from tests.integration.worker_harness import Harness, MakeHarness
from worker.mailbox.mailbox import Head
from worker.pipeline import turn
from worker.pipeline.damaged_entries import NEWER_RELEASE_SECONDS
from worker.pipeline.hydrate import open_message
from worker.pipeline.outcome import OpenedMessage

Where = Literal["envelope", "message"]
WHERE: tuple[Where, ...] = ("envelope", "message")


def keys_of(harness: Harness) -> MailboxKeys:
    return mailbox_keys(harness.key("c"), harness.settings.partitions)


async def accept_newer(harness: Harness, text: str, where: Where, *, enqueue: bool = True) -> str:
    """Accept a message as a producer of the next release does: version 2 on the envelope, or on what it holds."""
    message_id = await harness.accept("c", text, enqueue=False)
    sealer = harness.service.servers.sealer
    [row] = await harness.query("SELECT position, payload FROM inbox WHERE message_id = %s", message_id)
    if where == "message":
        row["payload"] = sealer.seal(json.dumps({**json.loads(sealer.open(row["payload"])), "version": 2}))
        async with harness.database.transaction(harness.tenant) as transaction:
            statement = "UPDATE inbox SET payload = %s WHERE message_id = %s"
            await transaction.connection.execute(statement, [row["payload"], message_id])
    if enqueue:
        entry = json.dumps({"version": 2 if where == "envelope" else 1, "message_id": message_id, **row})
        arguments = [str(harness.key("c")), entry, row["position"], 0]
        await Scripts(harness.service.servers.redis).append(keys=keys_of(harness), args=arguments)
    return message_id


async def drain_when_due(harness: Harness) -> list[Any]:
    """Drain the conversation as if its wait were over, and give what was logged."""
    await harness.service.servers.redis.delete(keys_of(harness).lease)
    with structlog.testing.capture_logs() as logs:
        await harness.drain("c")
    return logs


def read_newer(sealer: Sealer, key: ConversationKey, head: Head) -> OpenedMessage:
    """Read what is in a mailbox as the next release does, which knows version 2."""
    envelope = json.loads(head.raw)
    inbound = json.loads(sealer.open(envelope["payload"]))
    payload = sealer.seal(json.dumps({**inbound, "version": 1}))
    known = json.dumps({**envelope, "version": 1, "payload": payload}).encode()
    return open_message(sealer, key, Head(known, head.attempts))


@pytest.mark.parametrize("where", WHERE)
async def test_a_message_of_a_newer_release_waits_at_its_place_for_a_worker_that_reads_it(
    worker: MakeHarness, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await accept_newer(harness, "two", where)
    await harness.accept("c", "three")

    looks = [await drain_when_due(harness) for _ in range(harness.settings.attempts_max + 2)]
    answered_by_this_release = [reply["text"] for reply in await harness.replies()]
    monkeypatch.setattr(turn, "open_message", read_newer)
    await drain_when_due(harness)

    assert answered_by_this_release == ["you said: one"]
    assert [log["event"] for log in looks[-1]] == ["message.newer_release"]
    assert looks[-1][0] | {"position": 2, "version": 2, "version_known": 1} == looks[-1][0]
    assert "two" not in str(looks)
    assert [reply["text"] for reply in await harness.replies()] == [f"you said: {n}" for n in ("one", "two", "three")]
    turns = await harness.query("SELECT outcome, attempts FROM turn ORDER BY number")
    assert [(turn["outcome"], turn["attempts"]) for turn in turns] == [("answered", 1)] * 3
    assert await harness.query("SELECT FROM dead_letter UNION ALL SELECT FROM ticket") == []


async def test_a_parked_message_of_a_newer_release_alarms_nobody(worker: MakeHarness) -> None:
    harness = await worker(bell_seconds=0.01, sweep_seconds=0.01, reconcile_seconds=0.01)
    while await harness.service.rescue.reconcile():
        pass  # what other tests left behind is none of this one's
    await accept_newer(harness, "one", "message")
    redis: Any = harness.service.servers.redis

    await harness.drain("c")
    seconds, microseconds = await redis.time()
    due = await redis.zscore(keys_of(harness).agenda, str(harness.key("c")))
    report = await Verification(harness.settings, harness.database, redis, harness.tenant).run()

    assert 0 < due / 1_000 - (seconds + microseconds / 1e6) <= NEWER_RELEASE_SECONDS  # overdue is what a watchdog sees
    assert await harness.service.rescue.reconcile() == 0
    assert report.findings == []
    assert [(count.waiting, count.dead) for count in report.tenants] == [(1, 0)]


async def test_a_message_of_a_newer_release_that_redis_lost_is_put_back_and_still_left(worker: MakeHarness) -> None:
    harness = await worker(reconcile_seconds=0.001)
    await accept_newer(harness, "one", "message", enqueue=False)

    restored = await harness.service.rescue.reconcile()
    logs = await drain_when_due(harness)

    assert restored >= 1
    assert [log["event"] for log in logs] == ["message.newer_release"]
    assert await harness.waiting("c") == 1


async def test_a_damaged_entry_whose_message_only_a_newer_release_reads_is_not_given_up(worker: MakeHarness) -> None:
    harness = await worker()
    await accept_newer(harness, "one", "message")
    redis: Any = harness.service.servers.redis
    entry = await redis.lindex(keys_of(harness).mailbox, 0)
    await redis.lset(keys_of(harness).mailbox, 0, entry.replace(b'"payload": "', b'"payload": "xx'))

    logs = await drain_when_due(harness)

    assert [log["event"] for log in logs] == ["message.newer_release"]
    assert [row["state"] for row in await harness.query("SELECT state FROM inbox")] == ["accepted"]


@pytest.mark.parametrize("where", WHERE)
async def test_what_this_release_reads_before_a_newer_message_is_put_back_and_answered(
    worker: MakeHarness, where: Where
) -> None:
    harness = await worker()
    await harness.accept("c", "one", enqueue=False)
    await accept_newer(harness, "two", where)

    await drain_when_due(harness)
    logs = await drain_when_due(harness)

    assert [reply["text"] for reply in await harness.replies()] == ["you said: one"]
    assert [log["event"] for log in logs] == ["turn.committed", "message.newer_release"]


@pytest.mark.parametrize("where", WHERE)
async def test_a_newer_message_that_is_answered_already_is_taken_away_in_silence(
    worker: MakeHarness, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of the next release died between its commit and the end of the entry."""
    harness = await worker()
    await accept_newer(harness, "one", where)
    redis: Any = harness.service.servers.redis
    entry = await redis.lindex(keys_of(harness).mailbox, 0)
    with monkeypatch.context() as newer:
        newer.setattr(turn, "open_message", read_newer)
        await harness.drain("c")
    await redis.rpush(keys_of(harness).mailbox, entry)
    await harness.accept("c", "two")

    logs = await drain_when_due(harness)

    assert [log["event"] for log in logs] == ["turn.committed"]
    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]


@pytest.mark.parametrize(
    "claim",
    [
        {"version": 99},
        {"version": 2, "position": 9, "message_id": "nobody's"},
        {"version": 2, "position": 2, "message_id": "another"},
        {"version": 2, "position": 2},
        {"version": 10**30, "position": 2, "message_id": "mine"},
        {"version": "2", "position": 2, "message_id": "mine"},
    ],
    ids=["nothing", "no-such-message", "another-message", "no-id", "no-version", "a-word"],
)
async def test_what_claims_a_version_and_names_no_accepted_message_is_garbage_as_ever(
    worker: MakeHarness, claim: dict[str, Any]
) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    await harness.service.servers.redis.rpush(keys_of(harness).mailbox, json.dumps(claim))
    await harness.accept("c", "two", message_id="mine")
    logs = [log for _ in range(3) for log in await drain_when_due(harness)]

    assert "message.newer_release" not in {log["event"] for log in logs}
    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: two"]
    assert await harness.waiting("c") == 0
