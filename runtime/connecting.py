"""Connect a process to PostgreSQL and Redis, for its whole life."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.database import Database
from runtime.redis import check_redis, make_redis
from runtime.startup import check_fence

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from redis.asyncio import Redis

    from schema.settings.servers import ServerSettings


async def open_servers(settings: ServerSettings, opened: AsyncExitStack) -> tuple[Database, Redis]:
    """Connect to both servers until `opened` ends; raises ServerUnreachable, InvalidSettings where one is not set."""
    database = await _open_database(settings, opened)
    redis = make_redis(settings)
    opened.push_async_callback(redis.aclose)
    await check_redis(redis, settings)
    return database, redis


async def open_fenced_database(settings: ServerSettings, opened: AsyncExitStack) -> Database:
    """Connect an HTTP process to PostgreSQL until `opened` ends; the settings are those of `settings_for_http`.

    Raises ServerUnreachable; ServerUnfit where the login could see more than one tenant at a time.
    """
    database = await _open_database(settings, opened)
    check_fence(database)
    return database


async def _open_database(settings: ServerSettings, opened: AsyncExitStack) -> Database:
    database = Database(settings)
    await database.open()
    opened.push_async_callback(database.close)
    return database
