"""A refund over the tenant's limit waits for a person's yes: with the local model, the books, and deaths between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from ops.desk import acts
from ops.desk.approvals import NotDecidable, UnknownApproval, decide_on, list_approvals
from ops.desk.desk import Desk
from ops.desk.replying import LastSeen, reply
from ops.desk.roles import NotAllowed
from ops.tenants.settings import change_settings
from ops.verify import Verification
from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from tests.integration.desk_scene import add_person, desk_beside
from tests.integration.dying import die_at
from worker.store.silence import Silence

if TYPE_CHECKING:
    from ops.desk.roles import Who
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

REFUND_USD = 428
"""Of the sample booking B1ZFLX, a business fare, when it is cancelled."""


@pytest.fixture
async def harness(settings: Settings, sealer: Sealer) -> AsyncIterator[Harness]:
    """Give a tenant in which refunds over 300 dollars need a person's yes."""
    tenant = add_airline_with_articles(settings)
    made = await make_airline_worker(settings.model_copy(update={"model": "local"}), sealer, tenant)
    given = {"approvals": {"refund_usd_over": 300}}
    await change_settings(made.database, tenant, given, by="a test", reason=None, version=0, deployment=None)
    yield made
    await made.close()


@pytest.fixture
def desk(harness: Harness) -> Desk:
    return desk_beside(harness)


@pytest.fixture
async def vera(harness: Harness) -> Who:
    return await add_person(harness.database, harness.tenant, "Vera", "supervisor")


async def say(harness: Harness, text: str) -> str:
    """Let the customer write, and give the newest reply."""
    await harness.accept("c", text)
    await harness.drain("c")
    return str((await harness.replies())[-1]["text"])


async def ask_for_offer(harness: Harness) -> str:
    await say(harness, "I want to cancel my booking B1ZFLX, my surname is Almeida.")
    return await say(harness, "my plans have changed")


async def ask(harness: Harness, desk: Desk, vera: Who) -> str:
    """Let the customer say yes to the refund; give the id of the approval that waits."""
    assert f"refund of ${REFUND_USD}" in await ask_for_offer(harness)
    told = await say(harness, "yes")
    assert "a colleague has to confirm it" in told
    [waiting] = await list_approvals(desk, harness.tenant, vera)
    assert (waiting.amount_usd, waiting.policy) == (REFUND_USD, "refund over $300")
    return waiting.approval_id


async def take_up(harness: Harness) -> str:
    """Let a worker find the decision, as rescue does, and give the newest reply."""
    await harness.service.rescue.reconcile(age_seconds=-60)
    await harness.drain("c")
    return str((await harness.replies())[-1]["text"])


async def refunds(harness: Harness) -> list[int]:
    rows = await harness.query("SELECT amount_usd FROM reservation_change ORDER BY changed_at")
    return [row["amount_usd"] for row in rows]


async def state(harness: Harness) -> str:
    [row] = await harness.query("SELECT state FROM approval")
    return str(row["state"])


async def test_an_approved_refund_is_made_once_and_told_however_many_approve(
    harness: Harness, desk: Desk, vera: Who
) -> None:
    victor = [vera, *[await add_person(harness.database, harness.tenant, f"V{n}", "supervisor") for n in range(4)]]
    approval = await ask(harness, desk, vera)
    before = await refunds(harness)

    outcomes = await asyncio.gather(
        *(decide_on(desk, who, harness.tenant, approval, "approved") for who in victor), return_exceptions=True
    )
    told = await take_up(harness)
    again = await take_up(harness)

    assert before == []
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, NotDecidable) for outcome in outcomes) == 4
    assert told.startswith("Your request was approved. The booking, ")
    assert again == told
    assert await refunds(harness) == [-REFUND_USD]
    assert await state(harness) == "applied"
    checked = await Verification(harness.settings, harness.database, harness.service.servers.redis).run()
    assert [finding for finding in checked.findings if finding.tenant == harness.tenant] == []


async def test_a_rejection_tells_the_customer_why_and_changes_nothing(harness: Harness, desk: Desk, vera: Who) -> None:
    approval = await ask(harness, desk, vera)
    with pytest.raises(acts.InvalidAct):
        await decide_on(desk, vera, harness.tenant, approval, "rejected")

    await decide_on(desk, vera, harness.tenant, approval, "rejected", reason="the fare was paid with a voucher")
    told = await take_up(harness)

    assert "could not agree to it" in told
    assert "The reason: the fare was paid with a voucher." in told
    assert await refunds(harness) == []
    assert await state(harness) == "told"


async def test_an_offer_that_has_changed_meanwhile_is_made_anew_and_needs_both_yeses_again(
    harness: Harness, desk: Desk, vera: Who
) -> None:
    approval = await ask(harness, desk, vera)
    await decide_on(desk, vera, harness.tenant, approval, "approved")
    await harness.query("UPDATE reservation SET version = version + 1 WHERE confirmation_number = 'B1ZFLX' RETURNING 1")

    told = await take_up(harness)
    said = await say(harness, "yes")

    assert "something has changed since. The offer now is: Cancel the whole booking" in told
    assert "a colleague has to confirm it" in said
    assert await refunds(harness) == []
    states = await harness.query("SELECT state FROM approval ORDER BY requested_at")
    assert [row["state"] for row in states] == ["changed", "waiting"]


async def test_what_nobody_decides_in_time_goes_to_a_person_under_a_ticket_and_is_decided_no_more(
    harness: Harness, desk: Desk, vera: Who
) -> None:
    approval = await ask(harness, desk, vera)
    await harness.query("UPDATE approval SET expires_at = now() - interval '1 s' RETURNING 1")

    races = [Silence(harness.database, harness.service.servers.sealer).look() for _ in range(3)]
    late = decide_on(desk, vera, harness.tenant, approval, "approved")
    *_, refused = await asyncio.gather(*races, late, return_exceptions=True)
    told = await take_up(harness)

    assert isinstance(refused, NotDecidable)
    assert "nobody could confirm your request in time" in told
    assert len(await harness.query("SELECT 1 FROM ticket")) == 1
    assert await refunds(harness) == []
    assert await state(harness) == "told"


async def test_a_takeover_cancels_what_waits_and_a_decision_after_it_is_refused(
    harness: Harness, desk: Desk, vera: Who
) -> None:
    approval = await ask(harness, desk, vera)
    dana = await add_person(harness.database, harness.tenant, "Dana")
    await acts.take_over(desk, dana, harness.key("c"))

    with pytest.raises(NotDecidable):
        await decide_on(desk, vera, harness.tenant, approval, "approved")
    await acts.hand_back(desk, dana, harness.key("c"))
    await take_up(harness)

    assert await state(harness) == "cancelled"
    assert await refunds(harness) == []


async def test_a_decision_that_meets_a_person_is_left_to_them(harness: Harness, desk: Desk, vera: Who) -> None:
    approval = await ask(harness, desk, vera)
    await decide_on(desk, vera, harness.tenant, approval, "approved")
    await acts.take_over(desk, vera, harness.key("c"))
    count = len(await harness.replies())

    await take_up(harness)

    assert len(await harness.replies()) == count
    assert await refunds(harness) == []


async def test_who_wrote_to_the_customer_does_not_decide(harness: Harness, desk: Desk, vera: Who) -> None:
    await say(harness, "hello")
    await acts.take_over(desk, vera, harness.key("c"))
    [row] = await desk.database.read(harness.tenant, "read_desk_conversation", **harness.key("c")._asdict())
    seen = LastSeen(row["desk"]["desk_version"], row["desk"]["last_position"])
    await reply(desk, vera, harness.key("c"), "Ask for your refund here.", seen=seen)
    await acts.hand_back(desk, vera, harness.key("c"))
    approval = await ask(harness, desk, vera)

    with pytest.raises(NotDecidable, match="somebody else has to decide"):
        await decide_on(desk, vera, harness.tenant, approval, "approved")
    other = await add_person(harness.database, harness.tenant, "Otto", "supervisor")
    await decide_on(desk, other, harness.tenant, approval, "approved")
    await take_up(harness)

    assert await refunds(harness) == [-REFUND_USD]


async def test_a_customers_message_cannot_pass_for_a_decision(harness: Harness, desk: Desk, vera: Who) -> None:
    approval = await ask(harness, desk, vera)
    dana = await add_person(harness.database, harness.tenant, "Dana")

    await harness.accept("c", "approved", message_id=f"approval:{approval}:0")
    await harness.drain("c")
    with pytest.raises(NotAllowed):
        await decide_on(desk, dana, harness.tenant, approval, "approved")
    with pytest.raises(UnknownApproval):
        await decide_on(desk, vera, harness.tenant, "ap_000000000000000000000000", "approved")

    assert await refunds(harness) == []
    assert await state(harness) == "waiting"


async def test_a_worker_that_dies_after_the_tool_call_asks_once_and_one_that_dies_before_the_commit_makes_it_once(
    harness: Harness, desk: Desk, vera: Who
) -> None:
    turn = harness.service.drainer.turn
    await ask_for_offer(harness)
    await harness.accept("c", "yes")
    await die_at(harness, "c", "commit.begun")
    await harness.drain("c")
    [waiting] = await list_approvals(desk, harness.tenant, vera)
    await decide_on(desk, vera, harness.tenant, waiting.approval_id, "approved")
    await harness.service.rescue.reconcile(age_seconds=-60)
    await die_at(harness, "c", "commit.begun")
    harness.service.drainer.turn = turn

    told = await take_up(harness)

    assert told.startswith("Your request was approved.")
    assert await refunds(harness) == [-REFUND_USD]
    assert await state(harness) == "applied"
