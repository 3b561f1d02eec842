from __future__ import annotations

import asyncio

import pytest

from schema.ids import ConversationKey
from tests.waiting import eventually
from worker.process.tenant_slots import TenantSlots


def key(tenant: str, number: int) -> ConversationKey:
    return ConversationKey(tenant, f"c-{number}")


def slots_of_two_tenants() -> TenantSlots:
    slots = TenantSlots(concurrency=4, share_max=0.5)
    slots.tenants = 2
    return slots


async def test_a_tenant_gets_no_more_than_its_share_and_another_gets_its_own() -> None:
    slots = slots_of_two_tenants()

    busy = [await slots.take(key("busy", number)) for number in range(5)]
    other = [await slots.take(key("other", number)) for number in range(2)]

    assert busy == [True, True, False, False, False]
    assert other == [True, True]


async def test_a_tenant_that_is_alone_gets_everything() -> None:
    slots = TenantSlots(concurrency=4, share_max=0.5)

    assert [await slots.take(key("only", number)) for number in range(4)] == [True] * 4


async def test_what_was_put_off_comes_in_the_order_it_came_and_once() -> None:
    slots = slots_of_two_tenants()
    for number in (0, 1, 2, 3, 2):
        await slots.take(key("busy", number))

    assert slots.give_back("busy") == key("busy", 2)
    assert slots.give_back("busy") == key("busy", 3)
    assert await slots.take(key("busy", 4))
    assert slots.give_back("busy") is None


async def test_a_share_is_never_less_than_one() -> None:
    slots = TenantSlots(concurrency=1, share_max=0.1)
    slots.tenants = 2

    assert await slots.take(key("busy", 1))
    assert not await slots.take(key("busy", 2))


async def waits_for(slots: TenantSlots, waiting: int) -> None:
    async def all_wait() -> bool:
        return slots.waiting == waiting

    await eventually(all_wait)


async def test_a_slot_that_is_free_again_goes_to_the_waiting_tenant_that_has_the_fewest() -> None:
    slots = TenantSlots(concurrency=3, share_max=1)
    got: list[str] = []

    async def wait_for_slot(tenant: str, number: int) -> None:
        if await slots.take(key(tenant, number)):
            got.append(tenant)

    for number in range(3):
        await slots.take(key("busy", number))
    waiting = [asyncio.create_task(wait_for_slot(tenant, 9)) for tenant in ("busy", "busy", "new", "other")]
    await waits_for(slots, 4)

    for left in (3, 2):
        slots.give_back("busy")
        await waits_for(slots, left)

    slots.close()
    await asyncio.wait(waiting)
    assert got == ["new", "other"]


@pytest.mark.parametrize("given_first", [True, False])
async def test_who_goes_away_while_waiting_leaves_the_slot_to_the_next(*, given_first: bool) -> None:
    slots = TenantSlots(concurrency=1, share_max=1)
    await slots.take(key("t", 1))
    first, second = (asyncio.create_task(slots.take(key("t", number))) for number in (2, 3))
    await waits_for(slots, 2)

    if not given_first:
        first.cancel()
    slots.give_back("t")
    if given_first:
        first.cancel()

    assert await second
    assert (slots.under_way, slots.waiting) == (1, 0)


async def test_nobody_gets_a_slot_once_it_is_closed_and_who_waits_is_sent_away() -> None:
    slots = TenantSlots(concurrency=1, share_max=1)
    await slots.take(key("t", 1))
    waiting = asyncio.create_task(slots.take(key("t", 2)))
    await waits_for(slots, 1)

    slots.close()

    assert not await waiting
    assert not await slots.take(key("t", 3))
    assert slots.free == 0
