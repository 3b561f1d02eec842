"""When people are late: claims lapse, nobody's wait goes unnoticed, and each step happens once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ops.desk import acts
from ops.desk.desk import Desk
from ops.desk.replying import LastSeen, reply
from ops.desk.roles import Who
from ops.tenants.settings import change_settings
from tests.integration.desk_scene import add_person, desk_beside
from tests.integration.worker_harness import Harness, MakeHarness
from worker.store.silence import Silence


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker()


@pytest.fixture
def desk(harness: Harness) -> Desk:
    return desk_beside(harness)


@pytest.fixture
async def dana(harness: Harness) -> Who:
    return await add_person(harness.database, harness.tenant, "Dana")


def silence(harness: Harness) -> Silence:
    """Look with new eyes: what tenants set is remembered for some seconds."""
    return Silence(harness.database, harness.service.servers.sealer)


async def choose(harness: Harness, *steps: str, **more: Any) -> None:
    given = {"desk": {"on_silence": list(steps), **more}}
    await change_settings(harness.database, harness.tenant, given, by="a test", reason=None, version=0, deployment=None)


async def hand_over(harness: Harness) -> None:
    """Let the bot answer once and hand the conversation to people, who are late at once."""
    await harness.accept("c", "hello")
    await harness.drain("c")
    await harness.query(
        "INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by)"
        " VALUES (%s, 'T-c', 'c', 'abuse', 'high', now() - interval '1 second') RETURNING 1",
        harness.tenant,
    )


async def done(harness: Harness) -> list[tuple[str, str]]:
    rows = await harness.query("SELECT act, by_person FROM desk_act ORDER BY number")
    return [(row["act"], row["by_person"]) for row in rows]


async def look(harness: Harness) -> dict[str, Any]:
    [row] = await harness.query("SELECT * FROM conversation")
    return row


async def test_a_claim_that_nobody_renewed_goes_back_to_the_queue_and_never_to_the_bot(
    harness: Harness, desk: Desk, dana: Who
) -> None:
    await harness.accept("c", "hello")
    await harness.drain("c")
    await acts.take_over(desk, dana, harness.key("c"))
    await harness.query("UPDATE conversation SET claimed_until = now() RETURNING 1")

    rounds = [await silence(harness).look() for _ in range(2)]
    await harness.accept("c", "anybody?")
    await harness.drain("c")

    assert [bool(changed) for changed in rounds] == [True, False]
    row = await look(harness)
    assert (row["desk_state"], row["owner"], row["claimed_by"]) == ("waiting", "human", None)
    assert len(await harness.replies()) == 1


async def test_who_waits_too_long_is_noted_once_however_many_look(harness: Harness) -> None:
    await hand_over(harness)

    await asyncio.gather(*(silence(harness).look() for _ in range(5)))
    await silence(harness).look()

    assert await done(harness) == [("escalate", "bot"), ("remind", "clock")]
    await harness.service.rescue.publish_leftovers(age_seconds=-60)
    assert len(await harness.replies()) == 1


async def test_by_policy_a_late_persons_conversation_goes_to_the_queue_and_the_customer_hears_once(
    harness: Harness, desk: Desk, dana: Who
) -> None:
    await choose(harness, "apologise", "reassign")
    await hand_over(harness)
    await acts.claim(desk, dana, harness.key("c"))

    await asyncio.gather(*(silence(harness).look() for _ in range(5)))
    waits = await look(harness)
    await harness.query("UPDATE conversation SET answer_by = now() RETURNING 1")
    await silence(harness).look()
    await silence(harness).look()
    await harness.service.rescue.publish_leftovers(age_seconds=-60)

    assert await done(harness) == [
        ("escalate", "bot"),
        ("claim", "Dana"),
        ("apologise", "clock"),
        ("reassign", "clock"),
        ("remind", "clock"),
    ]
    assert (waits["desk_state"], waits["owner"]) == ("waiting", "human")
    assert waits["answer_by"] is not None
    last = (await harness.replies())[-1]
    assert (last["agent"], last["by_person"], last["recipient"]) == ("Desk", True, "ada@example.com")
    assert f"{waits['answer_by']:%H:%M UTC on %d %B %Y}" in last["text"]


async def test_who_answered_in_time_is_not_late_and_the_clock_begins_with_the_next_message(
    harness: Harness, desk: Desk, dana: Who
) -> None:
    await hand_over(harness)
    await acts.claim(desk, dana, harness.key("c"))
    row = await look(harness)
    await reply(desk, dana, harness.key("c"), "here I am", seen=LastSeen(row["desk_version"], row["last_position"]))

    await silence(harness).look()
    answered = await look(harness)
    for text in ("and?", "hello?"):
        await harness.accept("c", text)
        await harness.drain("c")
    first = (await look(harness))["answer_by"]

    assert answered["answer_by"] is None
    assert ("remind", "clock") not in await done(harness)
    turns = await harness.query("SELECT accepted_at FROM inbox WHERE position = 2")
    assert (first - turns[0]["accepted_at"]).total_seconds() / 60 == pytest.approx(
        harness.settings.answer_by_minutes, abs=1
    )
