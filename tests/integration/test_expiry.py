"""What of conversations is past its days goes, what is not stays, and what went is never accepted again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ops.privacy.holds import held_person, place_hold
from ops.tenants.settings import change_settings
from ops.verify import Verification
from schema.keys import again_stream, replies_stream
from worker.store import expiry
from worker.store.expiry import Expiry

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness, MakeHarness

AGED = {
    "turn": ("started_at", "committed_at"),
    "inbox": ("accepted_at", "finished_at"),
    "outbox": ("created_at", "published_at"),
    "session_item": ("created_at",),
    "conversation": ("created_at", "updated_at"),
}


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker()


def expiry_of(harness: Harness, days: int = 90) -> Expiry:
    settings = harness.settings.model_copy(update={"conversations_days": days})
    return Expiry(harness.service.servers.redis, harness.database, settings)


async def write(harness: Harness, conversation: str, text: str, **options: Any) -> str:
    message_id = await harness.accept(conversation, text, **options)
    await harness.drain(conversation)
    await harness.service.publisher.note()
    return message_id


async def age(harness: Harness, conversation: str, days: int) -> None:
    """Let all that there is of a conversation be so many days older."""
    async with harness.database.transaction(harness.tenant) as transaction:
        for table, columns in AGED.items():
            changes = ", ".join(f"{column} = {column} - make_interval(days => %(days)s)" for column in columns)
            statement = f"UPDATE {table} SET {changes} WHERE conversation_id = %(conversation)s"  # noqa: S608 - ours
            await transaction.connection.execute(statement, {"days": days, "conversation": conversation})


async def counts(harness: Harness, conversation: str) -> dict[str, int]:
    found = {}
    for table in AGED:
        statement = f"SELECT count(*) AS rows FROM {table} WHERE conversation_id = %s"  # noqa: S608 - a name of ours
        found[table] = (await harness.query(statement, conversation))[0]["rows"]
    return found


async def findings(harness: Harness) -> list[Any]:
    report = await Verification(harness.settings, harness.database, harness.service.servers.redis).run()
    return [found for found in report.findings if found.tenant == harness.tenant]


async def test_the_old_turns_of_a_conversation_that_goes_on_go_and_the_newer_stay(harness: Harness) -> None:
    old = [await write(harness, "c-1", f"old {number}") for number in range(3)]
    await age(harness, "c-1", 91)
    newer = await write(harness, "c-1", "newer")

    removed = await expiry_of(harness).expire()
    again = await expiry_of(harness).expire()

    assert (removed, again) == (3, 0)
    kept = await counts(harness, "c-1")
    assert (kept["turn"], kept["inbox"], kept["conversation"]) == (1, 1, 1)
    assert [row["message_id"] for row in await harness.query("SELECT message_id FROM inbox")] == [newer]
    assert "old" not in str(await harness.query("SELECT item FROM session_item"))
    assert await findings(harness) == []
    for message_id in old:
        with pytest.raises(AssertionError):
            await harness.accept("c-2", "once more", message_id=message_id)
    await write(harness, "c-1", "it goes on")
    assert (await harness.replies())[-1]["sequence"] == 5
    assert await findings(harness) == []


async def test_a_conversation_that_is_silent_for_so_long_goes_as_a_whole(harness: Harness) -> None:
    message_id = await write(harness, "c-1", "my number is DEMO42")
    await age(harness, "c-1", 91)
    await write(harness, "c-2", "of today")

    await expiry_of(harness).expire()

    assert set((await counts(harness, "c-1")).values()) == {0}
    assert (await counts(harness, "c-2"))["turn"] == 1
    with pytest.raises(AssertionError):
        await harness.accept("c-1", "once more", message_id=message_id)
    assert await findings(harness) == []


async def test_what_is_younger_or_waits_or_is_held_stays(harness: Harness) -> None:
    await write(harness, "c-young", "hello")
    await age(harness, "c-young", 89)
    await write(harness, "c-waits", "hello")
    await age(harness, "c-waits", 200)
    await harness.accept("c-waits", "waits")
    await write(harness, "c-held", "hello", sender="maya@example.com")
    await age(harness, "c-held", 200)
    maya = harness.service.servers.senders.key_of(harness.tenant, "chat", "maya@example.com")
    await place_hold(harness.database, harness.tenant, held_person(maya), by="ann", reason="a court")

    await expiry_of(harness).expire()

    turns = {name: (await counts(harness, name))["turn"] for name in ("c-young", "c-waits", "c-held")}
    assert turns == {"c-young": 1, "c-waits": 0, "c-held": 1}
    assert (await counts(harness, "c-waits"))["inbox"] == 1
    await harness.drain("c-waits")
    assert (await harness.replies())[-1]["text"] == "you said: waits"
    assert await findings(harness) == []


async def test_what_was_not_published_keeps_its_turn(harness: Harness) -> None:
    await write(harness, "c-1", "hello")
    await age(harness, "c-1", 91)
    await harness.query("UPDATE outbox SET published_at = NULL RETURNING 1")

    assert await expiry_of(harness).expire() == 0
    assert (await counts(harness, "c-1"))["turn"] == 1


async def test_a_tenant_may_keep_less_and_never_more_than_the_deployment(harness: Harness) -> None:
    await write(harness, "c-1", "hello")
    await age(harness, "c-1", 30)

    await expiry_of(harness).expire()
    by_default = (await counts(harness, "c-1"))["turn"]
    await change_settings(harness.database, harness.tenant, {"retention": {"conversations_days": 20}}, by="ann")
    await expiry_of(harness).expire()
    own = (await counts(harness, "c-1"))["turn"]
    await write(harness, "c-2", "hello")
    await age(harness, "c-2", 30)
    await change_settings(harness.database, harness.tenant, {"retention": {"conversations_days": 3_000}}, by="ann")
    await expiry_of(harness, days=25).expire()
    bounded = (await counts(harness, "c-2"))["turn"]

    assert (by_default, own, bounded) == (1, 0, 0)


async def test_what_was_sent_so_long_ago_leaves_the_streams(harness: Harness) -> None:
    redis: Any = harness.service.servers.redis
    stream = replies_stream(harness.tenant, "chat")
    seconds, _ = await redis.time()
    for days in (91, 1):
        await redis.xadd(stream, {"id": f"r-{days}"}, id=f"{(seconds - days * 86_400) * 1_000}-0")

    await expiry_of(harness).expire()

    assert [fields[b"id"] for _, fields in await redis.xrange(stream)] == [b"r-1"]


async def test_what_was_sent_so_long_ago_leaves_the_stream_of_a_group_that_is_set_aside(harness: Harness) -> None:
    redis: Any = harness.service.servers.redis
    seconds, _ = await redis.time()
    stream = again_stream(replies_stream(harness.tenant, "chat"), "slow")
    for days in (91, 1):
        await redis.xadd(stream, {"id": f"r-{days}"}, id=f"{(seconds - days * 86_400) * 1_000}-0")
    await harness.database.read(
        harness.tenant,
        "note_groups",
        tenants=[harness.tenant],
        kinds=["reply"],
        channels=["chat"],
        names=["slow"],
        positions=[1],
        asides=[True],
        lives=[(await harness.database.read(harness.tenant, "read_life", tenant=harness.tenant))[0]["stream_life"]],
    )

    await expiry_of(harness).expire()

    assert [fields[b"id"] for _, fields in await redis.xrange(stream)] == [b"r-1"]


async def test_many_old_conversations_go_in_bounded_portions(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "TURNS_MAX", 3)
    monkeypatch.setattr(expiry, "BATCH_CONVERSATIONS", 2)
    monkeypatch.setattr(expiry, "ROUNDS_MAX", 2)
    for number in range(8):
        await write(harness, f"c-{number}", "hello")
        await age(harness, f"c-{number}", 100 - number)

    removed = [await expiry_of(harness).expire() for _ in range(3)]

    assert removed == [6, 2, 0]
