"""Limit the backlog: refuse messages when too many wait for all workers together, or for one tenant."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runtime.database import EVERY_TENANT
from runtime.outage import POSTGRESQL_AWAY
from schema.errors import Overloaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime.database import Database, Row

LOOK_SECONDS = 1.0
"""How old the known backlog may be; a count costs PostgreSQL milliseconds, and serves all sends of a second."""

RETRY_SECONDS = 10
"""When to try again; a guess: how long a backlog takes depends on the model and on how many workers there are."""


@dataclass
class Room:
    """Room reserved for a batch of messages until it is known which of them were accepted."""

    refusals: list[Overloaded | None]
    """For each message the error that refuses it, or None."""
    accepted: Counter[str] = field(default_factory=Counter)
    """How many messages of each tenant were accepted; set by the caller that took the room."""


class Backlog:
    """Estimates how many accepted messages wait for an answer: counted once a second, plus those accepted here since.

    Several producers count the same rows, and each adds only its own: together they may exceed the limits by what they
    accept within a second.
    """

    def __init__(self, database: Database, *, messages_max: int, tenant_messages_max: int) -> None:
        self.messages_max = messages_max
        self.tenant_messages_max = tenant_messages_max
        self._database = database
        self._counted: Counter[str] = Counter()
        self._accepted: Counter[str] = Counter()  # here, since the last count began
        self._tried: Counter[str] = Counter()  # under way: accepted or not is not known yet
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Return how many messages wait, as far as is known here; counting stops one above the limit."""
        return sum(part.total() for part in (self._counted, self._accepted, self._tried))

    def waiting_of(self, tenant: str) -> int:
        """Return how many messages of one tenant wait, as far as is known here."""
        return self._counted[tenant] + self._accepted[tenant] + self._tried[tenant]

    async def look(self) -> None:
        """Count the backlog now; while PostgreSQL is away the last count stands, and accepting reports the outage."""
        self._look_at = time.monotonic() + LOOK_SECONDS
        before = self._accepted.copy()
        try:
            rows = await self._count()
        except POSTGRESQL_AWAY:
            return
        self._counted = Counter({row["tenant_id"]: int(row["waiting"]) for row in rows})
        # What was accepted before the count began is in it. Between counts this only grows, so nothing goes below zero.
        self._accepted -= before

    async def _count(self) -> list[Row]:
        if not self._database.is_fenced:
            return await self._database.read(EVERY_TENANT, "count_backlog", messages_max=self.messages_max + 1)
        return await self._database.read(
            "", "count_backlog_of_proven", messages_max=self.messages_max + 1, proofs=self._database.proofs
        )

    @contextmanager
    def taken(self, tenants: Sequence[str]) -> Iterator[Room]:
        """Reserve room for messages of these tenants, in this order, until the end of the block."""
        room = Room([self._take(tenant) for tenant in tenants])
        tried = Counter(tenant for tenant, refusal in zip(tenants, room.refusals, strict=True) if refusal is None)
        try:
            yield room
        finally:
            self._tried -= tried
            self._accepted += room.accepted

    async def until_known(self, tenants: Sequence[str]) -> None:
        """Start a new count when the last one is too old; wait for it only where a message would be refused."""
        if time.monotonic() >= self._look_at and self._looking is None:
            self._looking = asyncio.create_task(self.look())
            self._looking.add_done_callback(self._looked)
        if self._looking is not None and not self._has_room(tenants):
            await asyncio.wait([self._looking])

    async def finish(self) -> None:
        """Wait until no count is under way."""
        if self._looking is not None:
            await asyncio.wait([self._looking])

    def _has_room(self, tenants: Sequence[str]) -> bool:
        return self.waiting + len(tenants) <= self.messages_max and all(
            self.waiting_of(tenant) + messages <= self.tenant_messages_max
            for tenant, messages in Counter(tenants).items()
        )

    def _take(self, tenant: str) -> Overloaded | None:
        if self.waiting >= self.messages_max:
            return Overloaded(self.waiting, self.messages_max, RETRY_SECONDS)
        if self.waiting_of(tenant) >= self.tenant_messages_max:
            return Overloaded(self.waiting_of(tenant), self.tenant_messages_max, RETRY_SECONDS, tenant=tenant)
        self._tried[tenant] += 1
        return None

    def _looked(self, _: asyncio.Task[None]) -> None:
        self._looking = None
