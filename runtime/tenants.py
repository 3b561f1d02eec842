"""Read what tenants set for themselves, and whether they are in service, through a view that is never old."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from runtime.fresh_cache import FreshCache
from runtime.outage import POSTGRESQL_AWAY
from runtime.server_addresses import first_line
from schema.errors import ServerUnreachable, TenantSuspended, UnknownTenant
from schema.tenants import TenantSettings, read_tenant_settings

if TYPE_CHECKING:
    from runtime.database import Database, Row

VIEW_SECONDS_MAX = 4.5
"""How old the view may be: below the five seconds that are promised, for the way of an answer."""

TENANTS_MAX = 10_000
"""Tenants that a process remembers; it looks up others anew."""

_log = structlog.get_logger("fte.tenants")


@dataclass(frozen=True, slots=True)
class TenantView:
    """A tenant as PostgreSQL had it a moment ago."""

    settings: TenantSettings
    version: int
    """Of its settings; 0: it has none of its own."""
    is_suspended: bool


class Tenants:
    """What one process knows of tenants; looks each up in PostgreSQL again after VIEW_SECONDS_MAX."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._views: FreshCache[str, TenantView] = FreshCache(
            self._read, seconds_max=VIEW_SECONDS_MAX, entries_max=TENANTS_MAX
        )

    async def settings(self, tenant: str) -> TenantSettings:
        """Return the settings of a tenant that something new comes in for.

        Raises UnknownTenant; TenantSuspended; ServerUnreachable while PostgreSQL is away.
        """
        view = await self.view(tenant)
        if view.is_suspended:
            raise TenantSuspended(tenant)
        return view.settings

    async def view(self, tenant: str) -> TenantView:
        """Return a tenant as it is, also a suspended one; raises UnknownTenant, ServerUnreachable."""
        return await self._views.get(tenant)

    async def _read(self, tenant: str) -> TenantView:
        try:
            rows = await self._database.read(tenant, "read_tenant", tenant=tenant)
        except POSTGRESQL_AWAY as error:
            raise ServerUnreachable(
                "PostgreSQL", self._database.address, "FTE_DATABASE_URL", first_line(error)
            ) from None
        if not rows:
            raise UnknownTenant(tenant)
        return view_of(tenant, rows[0])


def view_of(tenant: str, row: Row) -> TenantView:
    """Read a row of `read_tenant`."""
    stored = {name: value for name, value in row["settings"].items() if name != "brand"}
    if row["brand"] is not None:
        stored["brand"] = row["brand"]
    settings, unreadable = read_tenant_settings(stored)
    if unreadable:
        _log.warning("tenant.settings_unreadable", tenant=tenant, version=row["version"], fields=unreadable)
    return TenantView(settings, row["version"], is_suspended=row["suspended_at"] is not None)
