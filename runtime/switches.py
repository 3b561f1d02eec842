"""Know what operators have switched off, through a view that is two seconds old at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog

from runtime.database import EVERY_TENANT
from runtime.loops import Loop
from schema.switches import ALL_TURNS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from runtime.database import Database, Row
    from runtime.outage import Outage
    from schema.switches import SwitchKind

READ_SECONDS: Final = 1.5
"""How often a process reads the switches: what is switched holds in every worker within two seconds."""

_log = structlog.get_logger("fte.switches")


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is off, by whom, why and until when."""

    tenant: str
    """EVERY_TENANT: it is off for all."""
    kind: str
    """A SwitchKind, or one that a newer release knows."""
    name: str
    off_by: str
    reason: str
    off_at: datetime
    off_until: datetime | None
    """When it is on again by itself; None: when somebody turns it on."""

    def concerns(self, tenant: str) -> bool:
        """Check whether it is off for a tenant."""
        return self.tenant in {tenant, EVERY_TENANT}

    def as_record(self) -> dict[str, Any]:
        """Return it for a program; `tenant` is None where it is off for all."""
        return {
            "kind": self.kind,
            "name": self.name,
            "tenant": None if self.tenant == EVERY_TENANT else self.tenant,
            "by": self.off_by,
            "reason": self.reason,
            "off_at": self.off_at,
            "off_until": self.off_until,
        }


def switch_of(row: Row) -> Switch:
    """Read a row of `switch`, as the queries of switches give it."""
    return Switch(
        tenant=row["tenant_id"],
        kind=row["kind"],
        name=row["name"],
        off_by=row["off_by"],
        reason=row["reason"],
        off_at=row["off_at"],
        off_until=row["off_until"],
    )


async def read_switches(database: Database) -> list[Switch]:
    """Read what is off now, of every tenant."""
    return [switch_of(row) for row in await database.read(EVERY_TENANT, "read_switches")]


class Switches:
    """What is off as one process knows it; without a database nothing ever is.

    Held in memory, so that asking costs a turn no round trip. While PostgreSQL is away what was read last holds.
    """

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._off: dict[tuple[str, str, str], Switch] = {}

    def loop(self, asks: Outage) -> Loop:
        """Return the loop that keeps the view fresh; whoever starts it has read once before."""
        return Loop("switches", self.refresh, READ_SECONDS, asks=asks)

    async def refresh(self) -> None:
        """Read what is off now, and log what has changed; raises what PostgreSQL raises."""
        if self._database is not None:
            self.take(await read_switches(self._database))

    def take(self, found: Sequence[Switch]) -> None:
        """Make these the switches that are off, and all others on."""
        off = {(switch.tenant, switch.kind, switch.name): switch for switch in found}
        for key in off.keys() - self._off.keys():
            _log.warning("switch.off", tenant=key[0], kind=key[1], name=key[2], until=str(off[key].off_until or ""))
        for key in self._off.keys() - off.keys():
            _log.info("switch.on", tenant=key[0], kind=key[1], name=key[2])
        self._off = off

    def find(self, kind: SwitchKind, tenant: str, *names: str) -> Switch | None:
        """Return what switches one of these names off for a tenant, if anything does.

        EVERY_TENANT as tenant finds only what is off for all.
        """
        if not self._off:
            return None
        keys = ((scope, kind, name) for name in names for scope in (EVERY_TENANT, tenant))
        return next((self._off[key] for key in keys if key in self._off), None)

    def names_off(self, kind: SwitchKind, tenant: str) -> list[str]:
        """Name everything of a kind that is off for a tenant, sorted."""
        if not self._off:
            return []
        return sorted({switch.name for switch in self._off.values() if switch.kind == kind and switch.concerns(tenant)})

    def is_paused(self, tenant: str = EVERY_TENANT) -> bool:
        """Check whether no turn of a tenant is to begin; without a tenant: none at all."""
        return self.find(ALL_TURNS.kind, tenant, ALL_TURNS.name) is not None
