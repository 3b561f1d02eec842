"""A process sees a tenant's settings, and that it is suspended, within five seconds."""

from __future__ import annotations

import pytest

from runtime.database import Database
from runtime.tenants import VIEW_SECONDS_MAX, Tenants
from schema.errors import ServerUnreachable, UnknownTenant
from schema.settings import Settings
from schema.tenants import TenantSettings


async def test_a_tenant_without_settings_has_the_defaults(database: Database, tenant: str) -> None:
    view = await Tenants(database).view(tenant)

    assert (view.settings, view.version, view.is_suspended) == (TenantSettings(), 0, False)
    assert VIEW_SECONDS_MAX < 5


async def test_a_tenant_that_is_not_there_is_unknown(database: Database) -> None:
    with pytest.raises(UnknownTenant):
        await Tenants(database).settings("nobody")


async def test_without_postgresql_nothing_is_said_of_a_tenant(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"database_url": "postgresql://127.0.0.1:1/none"}))

    with pytest.raises(ServerUnreachable, match="PostgreSQL"):
        await Tenants(database).settings("default")
