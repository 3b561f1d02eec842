"""Follow the tenants that a process delivers for, and find in PostgreSQL what no stream's entry pointed at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from runtime.database import EVERY_TENANT
from schema.ids import ConversationKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from producer.delivery.feed import Feeds, Ring
    from runtime.database import Database

TENANTS_SECONDS: Final = 2.0
"""How often to look which tenants have a receiver."""

SWEEP_SECONDS: Final = 5.0
"""How often to look for what no stream's entry pointed at."""

_LOOK_SECONDS: Final = 900.0
_CONVERSATIONS_MAX: Final = 500


@dataclass
class Sweep:
    """Keeps the feeds to the tenants that have a receiver, and takes up what their streams did not ring for."""

    database: Database
    feeds: Feeds
    ring: Ring
    tenants_query: str
    """Finds the tenants that have a receiver."""
    work_query: str
    """Finds conversations of a tenant with something new since `since_seconds` ago."""
    first_look_seconds: float
    """How far back the first look at a tenant goes."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Of both queries."""
    _looked: set[str] = field(default_factory=set)

    async def follow(self) -> None:
        """Read the streams of the tenants that have a receiver, and of no others."""
        rows = await self.database.read(EVERY_TENANT, self.tenants_query, **self.parameters)
        self._looked -= await self.feeds.follow({row["tenant_id"] for row in rows})

    async def take_up(self) -> int:
        """Take up what no stream's entry pointed at; return how much there was."""
        found = 0
        for tenant in self.feeds.tenants:
            since = _LOOK_SECONDS if tenant in self._looked else self.first_look_seconds
            rows = await self.database.read(
                tenant,
                self.work_query,
                tenant=tenant,
                since_seconds=since,
                conversations_max=_CONVERSATIONS_MAX,
                **self.parameters,
            )
            for row in rows:
                found += await self.ring.take_up(ConversationKey(tenant, row["conversation_id"]))
            if len(rows) < _CONVERSATIONS_MAX:
                self._looked.add(tenant)
        if found:
            self.ring.wake()
        return found
