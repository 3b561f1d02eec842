"""Connect to Redis: one client per process, with time-outs on everything, and our Lua scripts by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any
from weakref import WeakSet

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from runtime.outage import is_no_primary
from runtime.sentinels import PrimaryFinder
from runtime.server_addresses import address_of, first_line
from schema.errors import InvalidSettings, ServerUnreachable
from schema.redis_address import read_sentinel_url
from schema.resources import load_script
from schema.settings.servers import ServerSettings

ANSWER_SECONDS_MAX = 5.0
"""How long Redis may be silent before its connection is dropped."""

CONNECT_SECONDS_MAX = 3.0
"""How long a new connection may take to stand."""


def make_redis(settings: ServerSettings) -> Redis:
    """Make the process's Redis client; it connects at first use, and belongs to the event loop of that use.

    A silent connection, be it read from, written to or being made, is noticed within ANSWER_SECONDS_MAX, and all its
    siblings with it; so is one that leads to a replica. Where the address names Sentinels, each new connection goes to
    the primary of that moment. Nothing is retried here: a script may have run although its answer was lost, and only
    the caller knows what a second run means.
    """
    if settings.redis_url is None:
        raise InvalidSettings(["FTE_REDIS_URL: not set; `fte up` prints one"])
    options: dict[str, Any] = {
        "max_connections": settings.redis_connections_max,
        "timeout": 10,
        "socket_timeout": ANSWER_SECONDS_MAX,
        "socket_connect_timeout": CONNECT_SECONDS_MAX,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    sentinel = read_sentinel_url(settings.redis_url)
    if sentinel is None:
        pool = BlockingConnectionPool.from_url(settings.redis_url, **options)
    else:
        options |= {"db": sentinel.database, **sentinel.login, **(sentinel.tls or {})}
        pool = BlockingConnectionPool(connection_class=Connection if sentinel.tls is None else SSLConnection, **options)
    # The address may ask for any connection class: TLS, a Unix socket.
    pool.connection_class = type(
        "Connection",
        (_Connection, pool.connection_class),
        {"siblings": WeakSet(), "finder": None if sentinel is None else PrimaryFinder(sentinel)},
    )
    return Redis.from_pool(pool)


class _Connection:
    """A mixin that corrects three behaviours of redis-py's connections, of whatever class they are.

    uvloop raises RuntimeError for writing to a closed connection; here it is ConnectionError, as for any lost one. When
    one connection of a pool has gone silent the others have too, and each would cost its own wait: a turn would pay for
    several of them one after the other. And one that leads to a replica would lead there for ever, with its siblings.
    """

    siblings: WeakSet[_Connection]
    """All connections of the pool, this one too."""
    finder: PrimaryFinder | None
    """Tells where to connect to; None: always to the place of the address."""
    host: str
    port: int
    is_connected: bool
    mark_for_reconnect: Callable[[], None]
    made_at = 0.0
    """By the loop's clock."""

    async def on_connect_check_health(self, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        """Log in, as redis-py does at each connecting, and register with the pool's other connections."""
        self.made_at = asyncio.get_running_loop().time()
        self.siblings.add(self)
        await super().on_connect_check_health(check_health=check_health)  # type: ignore[misc]  # of the class beside it

    async def connect_check_health(self, *args: Any, **options: Any) -> None:
        """Connect, unless connected; a server that does not let in within the time is silent on all siblings."""
        if self.finder is not None and not self.is_connected:
            self.host, self.port = await self.finder.find()
        with self._siblings_ended():
            await super().connect_check_health(*args, **options)  # type: ignore[misc]  # of the class beside it

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        """Send a command; raises ConnectionError when the connection is closed."""
        try:
            with self._siblings_ended():
                await super().send_packed_command(command, check_health)  # type: ignore[misc]  # as above
        except RuntimeError as error:
            raise RedisConnectionError(str(error)) from error

    async def read_response(self, *args: Any, timeout: float | None = None, **options: Any) -> Any:  # noqa: ASYNC109 - redis-py's
        """Read an answer; one that was asked for with a time limit of its own may fail to come."""
        with self._siblings_ended() if timeout is None else nullcontext():
            return await super().read_response(*args, timeout=timeout, **options)  # type: ignore[misc]  # as above

    @contextmanager
    def _siblings_ended(self) -> Iterator[None]:
        """Close, when the block times out or finds a replica, all siblings that were made before it began."""
        began = asyncio.get_running_loop().time()
        try:
            yield
        except (RedisTimeoutError, ResponseError) as error:
            if isinstance(error, ResponseError):
                if not is_no_primary(error):
                    raise
                # Only when it is given back: there may be more answers to read.
                self.mark_for_reconnect()
            for connection in list(self.siblings):
                if connection is not self and connection.made_at <= began:
                    connection.hang_up()
            raise

    def hang_up(self) -> None:
        """Close the wire beneath a waiting command, which then raises ConnectionError; idle connections reconnect."""
        writer: asyncio.StreamWriter | None = getattr(self, "_writer", None)
        if writer is not None:
            writer.transport.abort()


async def check_redis(client: Redis, settings: ServerSettings) -> None:
    """Ping Redis once; raises ServerUnreachable naming the address and the setting."""
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        address = address_of(settings.redis_url or "")
        raise ServerUnreachable("Redis", address, "FTE_REDIS_URL", first_line(error)) from None


class Scripts:
    """Our Lua scripts, registered with one client, which loads one again that the server forgot."""

    def __init__(self, client: Redis) -> None:
        self.client = client
        register = partial(self._register, client)
        self.append = register("append")
        self.acquire = register("acquire")
        self.renew = register("renew")
        self.acknowledge = register("acknowledge")
        self.release = register("release")
        self.park = register("park")
        self.sweep = register("sweep")
        self.publish = register("publish")
        self.close_streams = register("close_streams")
        self.open_streams = register("open_streams")
        self.read_collected = register("read_collected")
        self.hold_claim = register("hold_claim")
        self.trim_collected = register("trim_collected")
        self.cut_stream = register("cut_stream")
        self.erase_entries = register("erase_entries")
        self.set_aside = register("set_aside")
        self.read_again = register("read_again")
        self.add_again = register("add_again")
        self.rejoin = register("rejoin")
        self.throttle = register("throttle")
        self.read_cursor = register("read_cursor")
        self.advance_cursor = register("advance_cursor")
        self.newest_entries = register("newest_entries")
        self.take_allowance = register("take_allowance")
        self.hold_stream = register("hold_stream")
        self.hold_replies = register("hold_replies")
        self.remove_unread = register("remove_unread")
        self.announce = register("announce")

    async def run_each(self, calls: Sequence[tuple[AsyncScript, Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Run scripts (each with its keys and arguments) in one round trip; return an answer or an error for each.

        Redis-py would ask before each pipeline whether the server knows the scripts, a round trip of its own; here only
        a server that forgot them costs more. A script that is unknown has not run, so running it again is safe.

        Raises RedisError or OSError when the server does not answer: any of them may have run.
        """
        answers = await self._evaluate(calls)
        unknown = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            for text in {calls[index][0].sha: calls[index][0].script for index in unknown}.values():
                await self.client.script_load(text)
            again = await self._evaluate([calls[index] for index in unknown])
            for index, answer in zip(unknown, again, strict=True):
                answers[index] = answer
        return answers

    async def _evaluate(self, calls: Sequence[tuple[AsyncScript, Sequence[str], Sequence[Any]]]) -> list[Any]:
        async with self.client.pipeline(transaction=False) as pipe:
            for script, keys, arguments in calls:
                pipe.evalsha(script.sha, len(keys), *keys, *arguments)
            return list(await pipe.execute(raise_on_error=False))

    @staticmethod
    def _register(client: Redis, name: str) -> AsyncScript:
        script: Any = client.register_script(load_script(name))
        if not isinstance(script, AsyncScript):
            raise TypeError(f"{name}: not an asyncio client")
        return script
