"""Acts of the desk are events under names that readers of the release before do not know, where a tenant says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ops.desk import acts
from ops.tenants.settings import change_settings
from tests.integration.desk_scene import add_person, desk_beside
from worker.store.silence import Silence

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness, MakeHarness

OWNER_CHANGES = ["conversation.taken_over", "conversation.handed_back", "conversation.taken_over"]
EVERY_ACT = [
    "conversation.taken_over",
    "conversation.noted",
    "conversation.snoozed",
    "conversation.reassigned",
    "conversation.claimed",
    "conversation.handed_back",
    "conversation.reopened",
    "conversation.taken_over",
    "conversation.claim_lapsed",
    "conversation.overdue",
]
"""After the bot's reply; `handed_back` tells of the resolution."""


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker()


async def act_often(harness: Harness) -> list[tuple[str, dict[str, Any]]]:
    """Do one act of each kind, be late, and give the events that tell of it."""
    desk, key = desk_beside(harness), harness.key("c")
    dana = await add_person(harness.database, harness.tenant, "Dana")
    await harness.accept("c", "hello")
    await harness.drain("c")
    await acts.take_over(desk, dana, key)
    await acts.note(desk, dana, key, "she is kind")
    await acts.snooze(desk, dana, key, until=datetime.now(UTC) + timedelta(hours=1))
    await acts.reassign(desk, dana, key)
    await acts.claim(desk, dana, key)
    await acts.renew(desk, dana, key)
    await acts.resolve(desk, dana, key)
    await acts.reopen(desk, dana, key)
    await acts.take_over(desk, dana, key)
    late = "UPDATE conversation SET claimed_until = now(), answer_by = now() - interval '1 s' RETURNING 1"
    await harness.query(late)
    await Silence(harness.database, harness.service.servers.sealer).look()
    await harness.service.rescue.publish_leftovers(age_seconds=-60)
    return [(event["name"], event["attributes"]) for event in await harness.events()]


async def test_by_default_only_a_change_of_owner_is_told(harness: Harness) -> None:
    assert [name for name, _ in await act_often(harness)] == OWNER_CHANGES


async def test_every_act_is_told_once_and_in_order_where_the_tenant_says_so(harness: Harness) -> None:
    given = {"desk": {"tells_every_act": True}}
    await change_settings(harness.database, harness.tenant, given, by="a test")

    told = await act_often(harness)

    assert [name for name, _ in told] == EVERY_ACT
    assert dict(told)["conversation.claimed"] == {"act": "claim", "by": "Dana", "person": "Dana"}
    assert dict(told)["conversation.reassigned"] == {"act": "reassign", "by": "Dana"}
    assert dict(told)["conversation.overdue"] == {"by": "clock"}
