"""Batch concurrent calls into few round trips."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Batching(Generic[Item, Answer]):
    """Collects items while earlier batches are under way, and sends them together.

    No item waits for others: it leaves at once while fewer than `in_flight_max` batches are under way. So batches hold
    one item under light load, and grow with the load.
    """

    def __init__(
        self,
        carry: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        *,
        in_flight_max: int,
        items_max: int,
    ) -> None:
        """Take the function that sends a batch; it returns one answer for each item, in their order."""
        self._carry = carry
        self._in_flight_max = in_flight_max
        self._items_max = items_max
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._in_flight: set[asyncio.Task[None]] = set()

    async def submit(self, item: Item) -> Answer:
        """Submit one item and return its answer; raises what `carry` raised for its batch.

        Cancelling the caller does not cancel the item.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        self._start()
        return await future

    async def finish(self) -> None:
        """Wait until everything submitted is sent."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    def _start(self) -> None:
        if self._waiting and len(self._in_flight) < self._in_flight_max:
            task = asyncio.create_task(self._carry_waiting())
            self._in_flight.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._start()

    async def _carry_waiting(self) -> None:
        # Taken now and not when the task was made, so that items of the same turn of the loop are in the batch too.
        batch, self._waiting = self._waiting[: self._items_max], self._waiting[self._items_max :]
        if not batch:
            return
        try:
            answers = await self._carry([item for item, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
