"""Open the database for a command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.configuration import open_sealer
from runtime.database import Database
from runtime.startup import check_deployment
from schema.settings.deployment import DeploymentSettings


@asynccontextmanager
async def open_database(settings: DeploymentSettings) -> AsyncIterator[Database]:
    """Open the database and check its release and key, as every process of the product does.

    Raises ServerUnreachable, SchemaOutdated or InvalidSettings.
    """
    database = Database(settings)
    await database.open()
    try:
        await check_deployment(database, open_sealer(settings))
        yield database
    finally:
        await database.close()
