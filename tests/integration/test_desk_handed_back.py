"""After a person was there, the bot goes on: with the local model and the airline's agents, as they ship."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from ops.desk import acts
from ops.desk.replying import LastSeen, reply
from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from tests.integration.desk_scene import add_person, desk_beside

if TYPE_CHECKING:
    from ops.desk.roles import Who
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness


@pytest.fixture
async def harness(settings: Settings, sealer: Sealer) -> AsyncIterator[Harness]:
    tenant = add_airline_with_articles(settings)
    made = await make_airline_worker(settings.model_copy(update={"model": "local"}), sealer, tenant)
    yield made
    await made.close()


@pytest.fixture
async def dana(harness: Harness) -> Who:
    return await add_person(harness.database, harness.tenant, "Dana")


async def say(harness: Harness, text: str) -> list[str]:
    """Let the customer write, and give every reply so far, as it went out."""
    await harness.accept("c", text)
    await harness.drain("c")
    await harness.service.rescue.publish_leftovers(age_seconds=-60)
    return [each["text"] for each in await harness.replies()]


@pytest.mark.parametrize(
    ("line", "asked", "answer"),
    [
        ("the bag was found", "How much is a second checked bag?", "costs $50 each"),
        (None, "May my small cat travel in the cabin?", "cost"),
    ],
)
async def test_a_new_question_after_a_hand_back_is_answered_and_nobody_is_called_again(
    harness: Harness, dana: Who, line: str | None, asked: str, answer: str
) -> None:
    desk, key = desk_beside(harness), harness.key("c")
    await say(harness, "You lost my suitcase! I am furious and I want to speak to a manager, now.")
    tickets = len(await harness.query("SELECT 1 FROM ticket"))
    await acts.claim(desk, dana, key)
    await say(harness, "are you a person at last?")
    [row] = await desk.database.read(key.tenant, "read_desk_conversation", **key._asdict())
    seen = LastSeen(row["desk"]["desk_version"], row["desk"]["last_position"])
    await reply(desk, dana, key, "Yes, I am Dana. Your suitcase is on its way to you.", seen=seen)

    await acts.hand_back(desk, dana, key, line=line)
    said = await say(harness, asked)

    assert tickets == 1
    assert said[-2] == "Yes, I am Dana. Your suitcase is on its way to you."
    assert answer in said[-1]
    assert len(await harness.query("SELECT 1 FROM ticket")) == 1
    assert (await harness.query("SELECT owner, desk_state FROM conversation")) == [
        {"owner": "bot", "desk_state": "bot"}
    ]


async def test_who_wants_a_person_again_after_a_hand_back_gets_one_under_a_new_ticket(
    harness: Harness, dana: Who
) -> None:
    desk, key = desk_beside(harness), harness.key("c")
    await say(harness, "I want to speak to a human agent please")
    await acts.claim(desk, dana, key)
    await acts.hand_back(desk, dana, key)

    await say(harness, "No, this is not settled. Get me a person again, please.")

    tickets = await harness.query("SELECT ticket_id, closed_by FROM ticket ORDER BY opened_at")
    assert [ticket["closed_by"] for ticket in tickets] == ["Dana", None]
    assert (await harness.query("SELECT desk_state FROM conversation")) == [{"desk_state": "waiting"}]
