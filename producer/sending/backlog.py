"""Know how much waits for all workers together, and refuse more than they should be left with."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from runtime.database import EVERY_TENANT
from runtime.outage import POSTGRESQL_AWAY

if TYPE_CHECKING:
    from runtime.database import Database

LOOK_SECONDS = 1.0
"""How old the known backlog may be; the count costs PostgreSQL milliseconds, and is shared by a second of sends."""

RETRY_SECONDS = 10
"""When to try again; a guess: how long a backlog takes depends on the model and on how many workers there are."""


class Backlog:
    """Estimate how many accepted messages wait for an answer: counted once a second, plus what was accepted here since.

    Several producers count the same rows, and each adds its own since: together they may go over the limit by what they
    accept within a second.
    """

    def __init__(self, database: Database, *, messages_max: int) -> None:
        self.messages_max = messages_max
        self._database = database
        self._counted = 0
        self._taken = 0
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Give how many messages wait, as far as is known here; counting ends one above the limit."""
        return self._counted + self._taken

    async def look(self) -> None:
        """Count now; while PostgreSQL is away the last count stands, for accepting says that better."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        taken_before = self._taken
        try:
            rows = await self._database.read(EVERY_TENANT, "count_backlog", messages_max=self.messages_max + 1)
        except POSTGRESQL_AWAY:
            return
        self._counted = int(rows[0]["waiting"])
        self._taken -= taken_before

    async def take(self, messages: int) -> int:
        """Take room for messages; gives for how many there is. Who would be refused waits for a count that is new."""
        if time.monotonic() >= self._look_at and self._looking is None:
            self._looking = asyncio.create_task(self.look())
            self._looking.add_done_callback(self._looked)
        if self._looking is not None and self.waiting + messages > self.messages_max:
            await asyncio.wait([self._looking])
        taken = min(messages, max(0, self.messages_max - self.waiting))
        self._taken += taken
        return taken

    def give_back(self, messages: int) -> None:
        """Give back room that was taken for messages which were not accepted."""
        self._taken = max(0, self._taken - messages)

    async def finish(self) -> None:
        """Wait until nothing is asked any more."""
        if self._looking is not None:
            await asyncio.wait([self._looking])

    def _looked(self, _: asyncio.Task[None]) -> None:
        self._looking = None
