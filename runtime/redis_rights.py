"""Check that Redis grants this process every command of a worker, before it takes any work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from runtime.server_addresses import address_of, first_line
from schema.errors import ServerUnfit, ServerUnreachable
from schema.tasks import DOORBELL_QUEUE

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from schema.settings.servers import ServerSettings

_KEY: Final = "fte:{p00}:rights"
_STREAM: Final = "fte:out:{rights}:rights"
_BINDINGS: Final = f"_kombu.binding.{DOORBELL_QUEUE}"

NEEDED: Final[tuple[tuple[str, ...], ...]] = (
    ("PING",),
    ("TIME",),
    ("INFO", "server"),
    ("EVALSHA", "0" * 40, "1", _KEY),
    ("SCRIPT", "LOAD", "return 1"),
    *((command, _KEY) for command in ("GET", "EXISTS", "DEL", "LLEN", "LPOP", "SMEMBERS")),
    ("SET", _KEY, "1"),
    ("PEXPIRE", _KEY, "1"),
    ("LINDEX", _KEY, "0"),
    ("RPUSH", _KEY, "1"),
    ("LINSERT", _KEY, "BEFORE", "1", "1"),
    ("HGET", _KEY, "1"),
    ("HMGET", _KEY, "1"),
    ("HSET", _KEY, "1", "1"),
    ("HDEL", _KEY, "1"),
    ("HEXISTS", _KEY, "1"),
    ("HINCRBY", _KEY, "1", "1"),
    ("ZADD", _KEY, "1", "1"),
    ("ZREM", _KEY, "1"),
    ("ZSCORE", _KEY, "1"),
    ("ZRANGEBYSCORE", _KEY, "0", "1"),
    ("ZREMRANGEBYSCORE", _KEY, "0", "1"),
    ("XADD", _STREAM, "*", "1", "1"),
    ("XDEL", _STREAM, "1-1"),
    ("XLEN", _STREAM),
    ("XRANGE", _STREAM, "-", "+"),
    ("XREVRANGE", _STREAM, "+", "-"),
    ("XTRIM", _STREAM, "MAXLEN", "1"),
    ("XPENDING", _STREAM, "g"),
    ("XINFO", "GROUPS", _STREAM),
    ("XGROUP", "CREATE", _STREAM, "g", "$"),
    ("LPUSH", DOORBELL_QUEUE, "1"),
    ("BRPOP", DOORBELL_QUEUE, "1"),
    ("SADD", _BINDINGS, "1"),
)
"""The commands of a worker's scripts, its client and Celery, one each on a key of each kind that they use."""


async def check_rights(client: Redis, settings: ServerSettings) -> None:
    """Check the user's rights to every command of a worker, without running any of them.

    Raises ServerUnfit naming each command that Redis refuses, and for a Sentinel; ServerUnreachable when it is away.
    The commands are queued as a transaction, for which Redis checks the user's rights, and the transaction is
    discarded: every Redis from 6.2 on knows that, unlike ACL DRYRUN.
    """
    address = address_of(settings.redis_url or "")
    try:
        refused = await _ask_for(client)
        about: Any = {} if refused else await client.info("server")
    except (RedisError, OSError) as error:
        raise ServerUnreachable("Redis", address, "FTE_REDIS_URL", first_line(error)) from None
    if about.get("redis_mode") == "sentinel":
        raise ServerUnfit(
            "Redis",
            address,
            ["it is a Sentinel, which holds no data"],
            "give FTE_REDIS_URL the form redis+sentinel://host:port,host:port/0?primary=mymaster; docs/operations.md",
        )
    if refused:
        raise ServerUnfit(
            "Redis",
            address,
            [f"its user may not {', '.join(refused)}"],
            "give it the rights of a worker; docs/operations.md has the ACL",
        )


async def _ask_for(client: Redis) -> list[str]:
    pool: Any = client.connection_pool
    connection: Any = await pool.get_connection()
    try:
        if not await _may(connection, ("MULTI",)):
            return ["MULTI"]
        refused = [" ".join(command[:2]) for command in NEEDED if not await _may(connection, command)]
        await _may(connection, ("DISCARD",))
        return refused
    finally:
        await connection.disconnect()  # whatever became of the transaction, no other caller may get this connection
        await pool.release(connection)


async def _may(connection: Any, command: tuple[str, ...]) -> bool:
    await connection.send_command(*command)
    try:
        await connection.read_response()
    except NoPermissionError:
        return False
    except ResponseError:
        return True  # it has no memory left, or is a replica: that passes, and workers wait for it
    return True
