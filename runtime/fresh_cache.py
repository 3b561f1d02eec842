"""Cache what is looked up elsewhere for a few seconds, so that a change there is seen soon."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

Key = TypeVar("Key", bound="Hashable")
Value = TypeVar("Value")


class FreshCache(Generic[Key, Value]):
    """Answers of a look-up, none older than `seconds_max`, at most `entries_max` of them; belongs to one event loop.

    Age counts from when a look-up began, since that is what its answer is sure to know. Callers that ask for the same
    key at the same time share one look-up, and its error. Errors are not cached.
    """

    def __init__(
        self,
        look_up: Callable[[Key], Awaitable[Value]],
        *,
        seconds_max: float,
        entries_max: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._seconds_max = seconds_max
        self._entries_max = entries_max
        self._clock = clock
        self._entries: OrderedDict[Key, tuple[float, Value]] = OrderedDict()
        self._under_way: dict[Key, asyncio.Task[Value]] = {}

    def has(self, key: Key) -> bool:
        """Check whether the next `get` of a key would be answered without a look-up."""
        entry = self._entries.get(key)
        return entry is not None and self._clock() - entry[0] < self._seconds_max

    async def get(self, key: Key) -> Value:
        """Return the answer for a key, looked up where the one at hand is too old; raises what the look-up raises."""
        if self.has(key):
            self._entries.move_to_end(key)
            return self._entries[key][1]
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._fill(key))
            task.add_done_callback(lambda done: self._finish(key, done))
        return await asyncio.shield(task)

    async def _fill(self, key: Key) -> Value:
        began = self._clock()
        value = await self._look_up(key)
        self._entries[key] = (began, value)
        self._entries.move_to_end(key)
        while len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
        return value

    def _finish(self, key: Key, task: asyncio.Task[Value]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # the callers have it; where all of them were cancelled, nobody needs it
