"""Episodes end when a conversation was silent for long enough or is resolved, and each end is told exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from ops.desk.desk import StateForbids
from ops.desk.takeover import UnknownConversation
from ops.tenants.settings import change_settings
from schema.settings import Settings
from tests.integration.desk_scene import resolve
from tests.integration.worker_harness import Harness, MakeHarness
from worker.store.episodes import Episodes

READ = "SELECT * FROM episode WHERE tenant_id = %s ORDER BY conversation_id, number"


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker()


@pytest.fixture
def episodes(harness: Harness, settings: Settings) -> Episodes:
    return Episodes(harness.database, settings, settle_seconds=0)


async def say(harness: Harness, text: str, conversation: str = "c1") -> None:
    await harness.accept(conversation, text)
    await harness.drain(conversation)


async def read(harness: Harness) -> list[dict[str, Any]]:
    return await harness.query(READ, harness.tenant)


async def age(harness: Harness, hours: float) -> None:
    """Let everything have happened so many hours earlier."""
    for table, columns in {
        "inbox": ("accepted_at", "finished_at"),
        "episode": ("opened_at", "last_at", "look_at"),
    }.items():
        sets = ", ".join(f"{column} = {column} - make_interval(secs => 3600 * %s)" for column in columns)
        values = [hours] * len(columns)
        await harness.query(f"UPDATE {table} SET {sets} WHERE tenant_id = %s RETURNING 1", *values, harness.tenant)  # noqa: S608 - names from above


async def test_messages_in_a_row_are_one_episode_that_stays_open(harness: Harness, episodes: Episodes) -> None:
    await say(harness, "one")
    await episodes.bring_up_to_date()
    await say(harness, "two")
    await episodes.bring_up_to_date()

    [episode] = await read(harness)
    assert (episode["first_position"], episode["last_position"], episode["channel"]) == (1, 2, "chat")
    assert episode["closed_at"] is None


async def test_an_episode_ends_after_the_silence_of_its_channel(harness: Harness, episodes: Episodes) -> None:
    await say(harness, "one")
    await episodes.bring_up_to_date()
    await age(harness, 3.9)
    await episodes.bring_up_to_date()
    [still] = await read(harness)
    await age(harness, 0.2)
    await episodes.bring_up_to_date()

    [ended] = await read(harness)
    assert still["closed_at"] is None
    assert (ended["close_reason"], ended["closed_at"]) == ("idle", ended["last_at"] + timedelta(hours=4))


async def test_a_message_after_the_silence_begins_another(harness: Harness, episodes: Episodes) -> None:
    await say(harness, "one")
    await age(harness, 5)
    await say(harness, "two")
    await episodes.bring_up_to_date()

    first, second = await read(harness)
    assert (first["number"], first["close_reason"], first["last_position"]) == (1, "idle", 1)
    assert (second["number"], second["closed_at"], second["first_position"]) == (2, None, 2)


async def test_a_message_that_waits_for_its_answer_keeps_its_episode_open(harness: Harness, episodes: Episodes) -> None:
    await say(harness, "one")
    await episodes.bring_up_to_date()
    await age(harness, 3)
    await harness.accept("c1", "two")
    await age(harness, 2)
    await episodes.bring_up_to_date()
    [open_still] = await read(harness)
    await harness.drain("c1")
    await episodes.bring_up_to_date()

    [episode] = await read(harness)
    assert open_still["closed_at"] is None
    assert (episode["last_position"], episode["closed_at"]) == (2, None)


async def test_a_resolved_conversation_begins_another_episode(harness: Harness, episodes: Episodes) -> None:
    await say(harness, "one")
    await resolve(harness, "c1")
    with pytest.raises(StateForbids):
        await resolve(harness, "c1")
    await say(harness, "two")
    await resolve(harness, "c1")
    await say(harness, "three")
    await episodes.bring_up_to_date()

    found = await read(harness)
    assert [(each["first_position"], each["last_position"], each["close_reason"]) for each in found] == [
        (1, 1, "resolved"),
        (2, 2, "resolved"),
        (3, 3, None),
    ]


async def test_nobody_resolves_a_conversation_that_is_not_there(harness: Harness) -> None:
    with pytest.raises(UnknownConversation):
        await resolve(harness, "none")


async def test_repeating_the_job_changes_nothing(harness: Harness, episodes: Episodes) -> None:
    await say(harness, "one")
    await age(harness, 5)
    await say(harness, "two")
    await episodes.bring_up_to_date()
    before = await read(harness)

    await episodes.bring_up_to_date()
    await harness.query("DELETE FROM episode_progress WHERE tenant_id = %s RETURNING 1", harness.tenant)
    await episodes.bring_up_to_date()

    assert await read(harness) == before


async def test_two_processes_that_both_lead_agree(harness: Harness, settings: Settings, worker: MakeHarness) -> None:

    other = await worker()
    for number in range(8):
        await say(harness, f"hello {number}", f"c{number}")
    await age(harness, 5)

    both = [Episodes(each.database, settings, settle_seconds=0) for each in (harness, other)]
    await asyncio.gather(*(each.bring_up_to_date() for each in both * 3))

    found = await read(harness)
    assert [(each["number"], each["close_reason"]) for each in found] == [(1, "idle")] * 8


async def test_a_turn_that_was_just_committed_is_taken_up_later(harness: Harness, settings: Settings) -> None:
    await say(harness, "one")

    await Episodes(harness.database, settings).bring_up_to_date()

    assert await read(harness) == []


async def test_a_tenants_own_silence_stands_above_the_deployments(harness: Harness, episodes: Episodes) -> None:
    own = {"episodes": {"idle_hours": {"chat": 1}}}
    await change_settings(harness.database, harness.tenant, own, by="sam", reason="test")
    await say(harness, "one")
    await age(harness, 1.1)
    await episodes.bring_up_to_date()

    [episode] = await read(harness)
    assert episode["closed_at"] == episode["last_at"] + timedelta(hours=1)
