from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from producer.sending.batching import Batching

if TYPE_CHECKING:
    from collections.abc import Sequence


class Carrier:
    """Carry batches when told to; answers each item with ten times itself."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go = asyncio.Event()

    async def carry(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        await self.may_go.wait()
        return [10 * item for item in items]


async def test_items_of_one_moment_travel_together_and_later_ones_wait_for_a_free_place() -> None:
    carrier = Carrier()
    batching = Batching(carrier.carry, in_flight_max=2, items_max=3)
    first = [asyncio.create_task(batching.submit(item)) for item in range(2)]
    await _settle()
    second = [asyncio.create_task(batching.submit(item)) for item in range(2, 4)]
    await _settle()
    third = [asyncio.create_task(batching.submit(item)) for item in range(4, 9)]
    await _settle()

    under_way = list(carrier.batches)
    carrier.may_go.set()
    answers = await asyncio.gather(*first, *second, *third)

    assert under_way == [[0, 1], [2, 3]]
    assert carrier.batches == [[0, 1], [2, 3], [4, 5, 6], [7, 8]]
    assert answers == [10 * item for item in range(9)]


async def test_a_failure_reaches_everybody_in_its_batch_and_nobody_else() -> None:
    async def carry(items: Sequence[int]) -> list[int]:
        if 13 in items:
            raise ValueError("thirteen")
        return list(items)

    batching = Batching(carry, in_flight_max=1, items_max=10)

    unlucky = await asyncio.gather(batching.submit(1), batching.submit(13), return_exceptions=True)
    lucky = await batching.submit(2)

    assert [type(answer) for answer in unlucky] == [ValueError, ValueError]
    assert lucky == 2


async def test_a_caller_that_gives_up_does_not_stop_the_batch() -> None:
    carrier = Carrier()
    batching = Batching(carrier.carry, in_flight_max=1, items_max=10)
    given_up = asyncio.create_task(batching.submit(1))
    other = asyncio.create_task(batching.submit(2))
    await _settle()

    given_up.cancel()
    carrier.may_go.set()

    assert await other == 20
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_finish_waits_for_what_is_under_way_and_for_what_waits_behind_it() -> None:
    carrier = Carrier()
    batching = Batching(carrier.carry, in_flight_max=1, items_max=1)
    submitted = [asyncio.create_task(batching.submit(item)) for item in range(3)]
    await _settle()

    carrier.may_go.set()
    await batching.finish()

    assert [task.done() for task in submitted] == [True] * 3
    assert len(carrier.batches) == 3


async def _settle() -> None:
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)
