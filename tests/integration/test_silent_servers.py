"""Servers that are there and say nothing: whoever waits for them gives up in time, and leaves nothing held."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

import runtime.database
import runtime.redis
from ops.lab.chaos.wires import Wire, wire_to
from runtime.database import EVERY_TENANT, Database
from runtime.outage import is_redis_away
from runtime.redis import Scripts, make_redis
from schema.ids import ConversationKey
from schema.messages.envelope import Envelope
from schema.resources import load_script
from tests.waiting import eventually
from worker.mailbox.mailbox import Mailbox

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from schema.settings import Settings

CONNECTIONS = 4


async def _read_at_once(database: Database) -> None:
    """Use so many connections that each of them is known to work, or not to."""
    reads = (database.read(EVERY_TENANT, "find_tenants") for _ in range(CONNECTIONS))
    async with asyncio.timeout(5):
        await asyncio.gather(*reads)


async def test_a_silent_connection_to_postgresql_is_given_up_and_all_others_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.database, "ANSWER_SECONDS_MAX", 0.5)
    async with wire_to(settings.database_url or "") as (url, wire):
        database = Database(settings.model_copy(update={"database_url": url}))
        await database.open()
        await _read_at_once(database)
        wire.swallow()

        with pytest.raises(psycopg.OperationalError):
            await database.read(EVERY_TENANT, "find_tenants")

        await _read_at_once(database)
        await database.close()


async def test_who_comes_to_a_silent_connection_later_does_not_wait_longer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with wire_to(settings.database_url or "") as (url, wire):
        database = Database(settings.model_copy(update={"database_url": url}))
        await database.open()
        async with database.transaction(EVERY_TENANT), database.transaction(EVERY_TENANT):
            pass  # now there are two connections
        wire.swallow()
        reads: list[asyncio.Task[Any]] = []

        async def is_waited_for() -> bool:
            return sum(each.is_waiting for each in database._connections) == len(reads)  # noqa: SLF001 - who waits

        for seconds in (1.0, 60.0):
            monkeypatch.setattr(runtime.database, "ANSWER_SECONDS_MAX", seconds)
            reads.append(asyncio.create_task(database.read(EVERY_TENANT, "find_tenants")))
            await eventually(is_waited_for)
        monkeypatch.setattr(runtime.database, "ANSWER_SECONDS_MAX", 1.0)

        async with asyncio.timeout(10):
            told = await asyncio.gather(*reads, return_exceptions=True)
        assert [type(error) for error in told] == [psycopg.OperationalError] * 2
        await database.close()


async def test_a_silent_connection_to_redis_is_given_up_and_all_others_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.redis, "ANSWER_SECONDS_MAX", 1.0)
    async with wire_to(settings.redis_url or "") as (url, wire):
        client = make_redis(settings.model_copy(update={"redis_url": url}))
        await asyncio.gather(*(client.blpop(["nobody"], timeout=0.3) for _ in range(CONNECTIONS)))
        assert len(wire._connections) == CONNECTIONS  # noqa: SLF001 - so many stand
        wire.swallow()
        first = asyncio.ensure_future(client.ping())
        await asyncio.wait([first], timeout=0.6)
        late = asyncio.ensure_future(client.ping())
        with pytest.raises(RedisError):
            await first

        async with asyncio.timeout(0.3):
            with pytest.raises(RedisError):
                await late
            assert await asyncio.gather(*(client.ping() for _ in range(CONNECTIONS))) == [True] * CONNECTIONS
        await client.aclose()


async def _write_what_nobody_takes(connection: Any, wire: Wire) -> None:
    for each in wire._connections:  # noqa: SLF001 - a machine whose buffers are full
        each._client[1].transport.pause_reading()  # type: ignore[attr-defined]  # noqa: SLF001 - as above
    await connection.send_command("SET", "k", bytes(32_000_000))


async def _connect_where_nobody_accepts(connection: Any, wire: Wire) -> None:
    await connection.disconnect()
    with socket.socket() as listener, ExitStack() as opened:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # its queue is full now, and connecting to it lasts
            queued = opened.enter_context(socket.socket())
            queued.settimeout(0)
            queued.connect_ex(listener.getsockname())
        connection.port = listener.getsockname()[1]
        await connection.connect()


@pytest.mark.parametrize("meet_silence", [_write_what_nobody_takes, _connect_where_nobody_accepts])
async def test_a_redis_that_takes_nothing_or_lets_nobody_in_is_silent_on_all_other_connections_as_well(
    settings: Settings, meet_silence: Callable[[Any, Wire], Awaitable[None]]
) -> None:
    async with wire_to(settings.redis_url or "") as (url, wire):
        client = make_redis(settings.model_copy(update={"redis_url": url}))
        pool: Any = client.connection_pool
        noticing, *others = [await pool.get_connection() for _ in range(CONNECTIONS)]
        noticing.socket_timeout = noticing.socket_connect_timeout = 0.3
        wire.swallow()
        for other in others:
            await other.send_command("PING")
        waiting = [asyncio.create_task(other.read_response()) for other in others]

        with pytest.raises(RedisTimeoutError):
            await meet_silence(noticing, wire)

        async with asyncio.timeout(1):
            told = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(error) for error in told] == [RedisConnectionError] * len(others)
        await client.aclose()


async def test_a_lease_whose_answer_was_lost_is_given_back_once_redis_answers(settings: Settings, tenant: str) -> None:
    key = ConversationKey(tenant, "c")
    async with wire_to(settings.redis_url or "") as (url, wire):
        client = make_redis(settings.model_copy(update={"redis_url": url}))
        scripts = Scripts(client)
        mailbox = Mailbox(client, scripts, settings)
        await mailbox.append(key, [Envelope(position=1, message_id="m1", payload="sealed")])
        await client.script_load(load_script("acquire"))
        wire.swallows_answer_to = scripts.acquire.sha.encode()

        with pytest.raises(RedisError):
            await mailbox.acquire(key)
        held = await mailbox.acquire(key)
        given_back = await mailbox.give_back_forsaken()
        taken = await mailbox.acquire(key)

        assert (held, given_back) == ("busy", 1)
        assert not isinstance(taken, str)
        assert await mailbox.give_back_forsaken() == 0
        await client.aclose()


async def test_a_connection_that_closed_unnoticed_counts_as_a_redis_that_is_away(settings: Settings) -> None:
    client = make_redis(settings.model_copy(update={"redis_connections_max": 1}))
    await client.ping()
    pool: Any = client.connection_pool
    connection = await pool.get_connection()

    def refuse(_: object) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    connection._writer.writelines = refuse  # noqa: SLF001 - as uvloop's transport does
    await pool.release(connection)

    with pytest.raises(RedisError) as away:
        await client.get("anything")

    assert is_redis_away(away.value)
    assert await client.ping()
    await client.aclose()
