"""Give a load test an API key of its own, and limits that do not get in its way, for as long as it takes."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ops.lab.load.http_gateway import GatewayAccess
from ops.tenants.keys import KeyRequest, create_key, revoke_key
from ops.tenants.settings import change_settings, read_tenant
from runtime.database import Database
from runtime.redis import make_redis
from schema.channels import CHANNELS
from schema.ids import new_token
from schema.keys import cursor_group, escalations_stream, replies_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings import Settings

KEY_HOURS: Final = 24
_BY: Final = "fte load"
_UNLIMITED: Final = {"new_conversations_per_minute": 1_000_000, "messages_per_minute": 10_000_000}


@asynccontextmanager
async def open_gateway(settings: Settings, tenant: str, url: str) -> AsyncIterator[GatewayAccess]:
    """Make a key and a cursor for a load test, and take both back at the end of the block."""
    database = Database(settings)
    await database.open()
    cursor = f"load-{new_token()[:8]}"
    try:
        now = datetime.now(UTC)
        request = KeyRequest(_BY, ("messages:write", "outbound:read"), expires_at=now + timedelta(hours=KEY_HOURS))
        made = await create_key(database, tenant, request, by=_BY, now=now)
        key_id = made.row["key_id"]
        before = (await read_tenant(database, tenant)).stored.get("limits")
        await change_settings(database, tenant, {"limits": _UNLIMITED}, by=_BY)
        try:
            yield GatewayAccess(url, made.text, cursor)
        finally:
            await change_settings(database, tenant, {"limits": before}, by=_BY)
            await revoke_key(database, tenant, key_id, by=_BY, now=datetime.now(UTC))
            await _remove_cursor(settings, tenant, cursor_group(key_id, cursor))
    finally:
        await database.close()


async def _remove_cursor(settings: Settings, tenant: str, group: str) -> None:
    """Remove the cursor, which would hold back what streams may forget."""
    client: Any = make_redis(settings)
    try:
        for stream in (*(replies_stream(tenant, channel) for channel in CHANNELS), escalations_stream(tenant)):
            if await client.exists(stream):
                await client.xgroup_destroy(stream, group)
    finally:
        await client.aclose()
