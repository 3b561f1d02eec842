"""Open the desk of human agents for a command."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ops.cli.reading import open_database
from ops.desk.desk import Desk
from runtime.configuration import open_sealer
from runtime.redis import Scripts, make_redis
from runtime.tenants import Tenants

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings.deployment import DeploymentSettings


@asynccontextmanager
async def open_desk(settings: DeploymentSettings) -> AsyncIterator[Desk]:
    """Open the desk: PostgreSQL, Redis, and the key. Raises what `open_database` raises."""
    redis = make_redis(settings)
    try:
        async with open_database(settings) as database:
            yield Desk(database, Scripts(redis), open_sealer(settings), Tenants(database))
    finally:
        await redis.aclose()
