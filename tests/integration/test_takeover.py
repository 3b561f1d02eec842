"""A human takes a conversation over, and hands it back; and what an operator reads of it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from redis.asyncio import Redis

from ops.desk import acts
from ops.desk.desk import Desk, StateForbids
from ops.desk.takeover import UnknownConversation
from ops.desk.transcript import ITEMS_MAX, read_transcript
from runtime.database import EVERY_TENANT, Database, Row
from runtime.sealing import Sealer
from schema.ids import ConversationKey
from schema.messages.event import Event
from tests.integration.desk_scene import MACHINE, desk_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
Commit = Callable[..., Awaitable[None]]


@pytest.fixture
async def key(database: Database, tenant: str) -> ConversationKey:
    """Give a conversation with one message that waits."""
    made = ConversationKey(tenant, "c1")
    await accept(database, made, "m1")
    return made


async def accept(database: Database, key: ConversationKey, message_id: str) -> None:
    await database.read(
        EVERY_TENANT,
        "accept_message",
        tenant=key.tenant,
        conversation=key.conversation,
        message_id=message_id,
        channel="chat",
        payload="sealed",
        sender_key=None,
        waiting_max=100,
    )


async def commit(database: Database, key: ConversationKey, **changes: Any) -> None:
    """Commit a turn as a worker does: the answer to the first message."""
    turn = {
        "outcome": "answered",
        "agent": "FAQ Agent",
        "attempts": 1,
        "started_at": NOW.isoformat(),
        "timings": {"queue_ms": 3.0, "act_ms": 4.0},
        "model_calls": [],
        "verdicts": [],
    }
    parameters: dict[str, Any] = {
        "tenant": key.tenant,
        "conversation": key.conversation,
        "version": 0,
        "message_ids": ["m1"],
        "done_position": 1,
        "state": "answered",
        "conversation_row": json.dumps({"last_agent": "FAQ Agent", "context": {"passenger_name": "Ada"}}),
        "turn": json.dumps(turn),
        "items": json.dumps([{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]),
        "outbox": "[]",
    }
    await database.read(key.tenant, "commit_turn", **{**parameters, **changes})


async def outbox(database: Database, key: ConversationKey) -> list[Row]:
    beginning = {"after_created_at": datetime(1, 1, 1, tzinfo=UTC), "after_tenant": "", "after_conversation": ""}
    rows = await database.read(EVERY_TENANT, "find_unpublished", age_seconds=-60, rows_max=1_000, **beginning)
    return [row for row in rows if row["tenant_id"] == key.tenant and row["conversation_id"] == key.conversation]


@pytest.fixture
def desk(database: Database, redis: Redis, sealer: Sealer) -> Desk:
    return desk_of(database, redis, sealer)


async def test_a_takeover_is_announced_once_and_in_order(
    desk: Desk, database: Database, sealer: Sealer, key: ConversationKey
) -> None:
    taken = await acts.take_over(desk, MACHINE, key)
    again = await acts.take_over(desk, MACHINE, key)
    back = await acts.hand_back(desk, MACHINE, key)
    with pytest.raises(StateForbids):
        await acts.hand_back(desk, MACHINE, key)

    rows = await outbox(database, key)
    events = [Event.model_validate_json(sealer.open(row["body"])) for row in rows]
    assert (taken.changed, again.changed, back.changed) == (True, False, True)
    assert [event.name for event in events] == ["conversation.taken_over", "conversation.handed_back"]
    assert [row["ordinal"] for row in rows] == [1, 2]
    assert [row["entry_id"] for row in rows] == [event.event_id for event in events]


async def test_a_turn_under_way_cannot_commit_after_a_takeover(
    desk: Desk, database: Database, key: ConversationKey
) -> None:
    await acts.take_over(desk, MACHINE, key)

    with pytest.raises(psycopg.Error) as refused:
        await commit(database, key)

    assert refused.value.sqlstate == "FT001"


async def test_a_turn_after_a_takeover_goes_on_with_the_next_ordinal(
    desk: Desk, database: Database, sealer: Sealer, key: ConversationKey
) -> None:
    await acts.take_over(desk, MACHINE, key)

    row = {"ordinal": 2, "kind": "event", "channel": None, "entry_id": "e2", "sequence": 0, "body": sealer.seal("{}")}
    await commit(database, key, version=1, outbox=json.dumps([row]))

    assert [row["ordinal"] for row in await outbox(database, key)] == [1, 2]


async def test_a_conversation_nobody_wrote_in_cannot_be_taken_over(desk: Desk, tenant: str) -> None:
    with pytest.raises(UnknownConversation):
        await acts.take_over(desk, MACHINE, ConversationKey(tenant, "none"))


async def test_another_tenants_conversation_is_unknown(
    desk: Desk, database: Database, key: ConversationKey, other_tenant: str
) -> None:
    theirs = ConversationKey(other_tenant, key.conversation)

    with pytest.raises(UnknownConversation):
        await acts.take_over(desk, MACHINE, theirs)
    transcript = await read_transcript(database, theirs)

    assert transcript is None


async def test_a_transcript_holds_what_a_turn_left(desk: Desk, database: Database, key: ConversationKey) -> None:
    await commit(database, key)
    await accept(database, key, "m2")
    await acts.take_over(desk, MACHINE, key)

    transcript = await read_transcript(database, key)

    assert transcript is not None
    assert [(line.speaker, line.text) for line in transcript.lines] == [("customer", "hi"), ("FAQ Agent", "hello")]
    assert [(turn["number"], turn["timings"]) for turn in transcript.turns] == [(1, {"queue_ms": 3.0, "act_ms": 4.0})]
    assert (transcript.owner, transcript.accepted, transcript.waiting, transcript.unpublished) == ("human", 2, 1, 1)
    assert transcript.context == {"passenger_name": "Ada"}


async def test_a_transcript_shows_the_newest_items_of_a_long_conversation(
    database: Database, key: ConversationKey
) -> None:
    items = [{"role": "user", "content": str(number)} for number in range(ITEMS_MAX + 5)]
    await commit(database, key, items=json.dumps(items))

    transcript = await read_transcript(database, key)

    assert transcript is not None
    assert [line.text for line in transcript.lines[:1] + transcript.lines[-1:]] == ["5", str(ITEMS_MAX + 4)]
