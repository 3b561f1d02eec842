"""`fte verify`: nothing to find in a healthy system under load, and each violation found where it is planted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ops.verify import Finding, Report, Verification
from schema.ids import ConversationKey
from schema.keys import agenda_key, mailbox_keys, partition_of
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually

PROMPT = {"bell_seconds": 0.01, "sweep_seconds": 0.01, "reconcile_seconds": 0.01, "publish_seconds": 0.05}


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker(**PROMPT)


async def verify(harness: Harness) -> Report:
    return await Verification(harness.settings, harness.database, harness.service.servers.redis, harness.tenant).run()


async def execute(harness: Harness, statement: str) -> None:
    async with harness.database.transaction(harness.tenant) as transaction:
        await transaction.connection.execute(statement)


async def converse(harness: Harness, conversation: str, messages: int = 2) -> None:
    for number in range(messages):
        await harness.accept(conversation, f"message {number}")
    await harness.drain(conversation)


def by_place(report: Report) -> dict[tuple[str, str], Finding]:
    return {(finding.check, finding.conversation): finding for finding in report.findings}


async def test_a_healthy_system_under_load_has_no_violation_however_often_it_is_looked_at(
    worker: MakeHarness,
) -> None:
    poison_left = {"poison": 2}

    async def think(text: str) -> str:
        await asyncio.sleep(0.005)
        if "poison" in text and poison_left["poison"]:  # also where it is answered together with others
            poison_left["poison"] -= 1
            raise RuntimeError("a bug")
        return text

    harness = await worker(think, **PROMPT, attempts_max=1, backoff_seconds=0.01, backoff_seconds_max=0.02)
    harness.service.start()
    conversations = [f"c{number}" for number in range(8)]

    async def load() -> None:
        for number in range(12):
            for conversation in conversations:
                await harness.accept(conversation, f"poison {number}" if number == 3 else f"message {number}")

    loading = asyncio.create_task(load())
    looks = 0
    while looks < 4 or not loading.done():
        assert (await verify(harness)).findings == []
        looks += 1
        await asyncio.sleep(0.05)
    await loading

    async def all_done() -> bool:
        [count] = (await verify(harness)).tenants
        return count.waiting == 0 and count.in_work == 0

    await eventually(all_done, within_seconds=30)
    report = await verify(harness)
    [count] = report.tenants
    assert report.findings == []
    assert (count.accepted, count.answered + count.dead, count.missing) == (96, 96, 0)
    assert count.dead == 2


PLANTED = {
    "position": "DELETE FROM inbox WHERE conversation_id = 'position' AND position = 1",
    "behind": "UPDATE conversation SET done_position = 1 WHERE conversation_id = 'behind'",
    "turn": "DELETE FROM turn WHERE conversation_id = 'turn' AND number = 1",
    "twice": """
        UPDATE turn t SET message_ids = o.message_ids FROM turn o WHERE t.conversation_id = 'twice'
            AND o.conversation_id = 'twice' AND t.tenant_id = o.tenant_id AND t.number = 2 AND o.number = 1
    """,
    "sequence": "UPDATE conversation SET last_ordinal = last_ordinal + 1 WHERE conversation_id = 'sequence'",
    "reply": """
        DELETE FROM outbox WHERE conversation_id = 'reply' AND sequence = 1;
        UPDATE conversation SET last_sequence = 1 WHERE conversation_id = 'reply'
    """,
    "outbox": """
        UPDATE outbox SET published_at = NULL, created_at = now() - interval '2 minutes'
        WHERE conversation_id = 'outbox' AND ordinal = 2
    """,
    "buried": "UPDATE inbox SET state = 'dead', payload = 'x' WHERE conversation_id = 'buried' AND position = 2",
    "untold": """
        INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by)
        SELECT tenant_id, 'T-untold', 'untold', 'abuse', 'high', now() FROM conversation LIMIT 1
    """,
    "whole": "SELECT 1",
}
"""What is done to a conversation of two answered messages, by its name."""


async def test_each_violation_in_postgresql_is_found_where_it_is(harness: Harness) -> None:
    for conversation in PLANTED:
        await converse(harness, conversation)
    await harness.accept("lost", "hello", enqueue=False)
    await harness.service.publisher.note()
    for statement in PLANTED.values():
        await execute(harness, statement)
    await execute(harness, "UPDATE inbox SET accepted_at = now() - interval '2 minutes' WHERE conversation_id = 'lost'")

    found = by_place(await verify(harness))

    assert set(found) == {
        ("conservation", "position"),
        ("turn", "position"),
        ("ledger", "position"),  # what its model calls cost
        ("conservation", "behind"),
        ("turn", "turn"),
        ("reply", "turn"),
        ("turn", "twice"),
        ("sequence", "sequence"),
        ("sequence", "reply"),
        ("reply", "reply"),
        ("publishing", "outbox"),
        ("dead letter", "buried"),
        ("ledger", "untold"),
        ("lost", "lost"),
    }
    assert found["publishing", "outbox"].numbers["seconds"] >= 120
    assert all(finding.what and finding.way_out for finding in found.values())


@pytest.fixture
async def strange_agenda(harness: Harness) -> AsyncIterator[str]:
    """Put something on an agenda that names no conversation; other tests share the server."""
    redis = harness.service.servers.redis
    await redis.zadd(agenda_key(0), {"no conversation": 4e12})
    yield "no conversation"
    await redis.zrem(agenda_key(0), "no conversation")


async def test_each_violation_in_redis_is_found_where_it_is(harness: Harness, strange_agenda: str) -> None:
    redis, partitions = harness.service.servers.redis, harness.settings.partitions
    for conversation in ("no agenda", "no mailbox", "no holder", "held", "done", "parked"):
        await harness.accept(conversation.replace(" ", "-"), "hello")
    keys = {name: mailbox_keys(harness.key(name), partitions) for name in ("no-agenda", "no-mailbox", "no-holder")}
    await redis.zrem(keys["no-agenda"].agenda, str(harness.key("no-agenda")))
    await redis.delete(keys["no-mailbox"].mailbox)
    await harness.mailbox.acquire(harness.key("no-holder"))
    await redis.hset(keys["no-holder"].lease, "until", "1")
    await harness.mailbox.acquire(harness.key("held"))
    done = await harness.mailbox.acquire(harness.key("done"))
    assert not isinstance(done, str)
    await harness.mailbox.acknowledge(*done, more=False)
    parked = await harness.mailbox.acquire(harness.key("parked"))
    assert not isinstance(parked, str)
    await harness.mailbox.park(*parked, backoff_seconds=60, counts=True)

    report = await verify(harness)
    everything = await Verification(harness.settings, harness.database, redis).run()

    assert set(by_place(report)) == {("agenda", "no-agenda"), ("mailbox", "no-mailbox"), ("lease", "no-holder")}
    assert [count.in_work for count in report.tenants] == [2]
    assert ("name", strange_agenda) in by_place(everything)


async def test_what_is_put_right_before_it_is_looked_at_again_is_no_violation(harness: Harness) -> None:
    await harness.accept("c", "hello", enqueue=False)
    # Before whatever other tests left behind: the oldest are put back first.
    await execute(harness, "UPDATE inbox SET accepted_at = now() - interval '1 hour'")
    waits: list[float] = []

    async def rescue(seconds: float) -> None:
        waits.append(seconds)
        await harness.service.rescue.reconcile()
        await harness.drain("c")

    redis = harness.service.servers.redis
    report = await Verification(harness.settings, harness.database, redis, harness.tenant, pause=rescue).run()

    assert waits == [1.0]
    assert report.findings == []
    assert [count.answered for count in report.tenants] == [1]


async def test_another_tenants_violation_is_not_shown(harness: Harness, other_tenant: str) -> None:
    other = ConversationKey(other_tenant, "c")
    redis, partitions = harness.service.servers.redis, harness.settings.partitions
    await redis.zadd(agenda_key(partition_of(other, partitions)), {str(other): 4e12})

    report = await verify(harness)
    of_other = await Verification(harness.settings, harness.database, redis, other_tenant).run()
    await redis.zrem(agenda_key(partition_of(other, partitions)), str(other))

    assert report.findings == []
    assert [finding.tenant for finding in of_other.findings] == [other_tenant]
