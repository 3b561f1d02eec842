"""Sentinels that disagree, are silent or gone, and a server that has become a replica: where connections lead then."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError

from ops.embedded import EmbeddedStack
from runtime.redis import make_redis
from runtime.sentinels import PrimaryFinder
from schema.redis_address import SentinelAddress
from schema.settings.servers import ServerSettings

SILENT = "silent"


@asynccontextmanager
async def sentinel(port: int | str | None) -> AsyncIterator[int]:
    """Answer as a Sentinel that takes a port for the primary's, knows none, or is silent."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(30):
            while data := await reader.read(65_536):
                if b"GET-MASTER-ADDR-BY-NAME" in data and port != SILENT:
                    told = f"*2\r\n$9\r\n127.0.0.1\r\n${len(str(port))}\r\n{port}\r\n" if port else "*-1\r\n"
                    writer.write(told.encode())
                elif port != SILENT:
                    writer.write(b"+OK\r\n" * data.count(b"CLIENT"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
async def opened() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def finder_of(opened: AsyncExitStack, *told: int | str | None, gone: int = 0) -> PrimaryFinder:
    ports = [await opened.enter_async_context(sentinel(each)) for each in told] + [1] * gone
    return PrimaryFinder(SentinelAddress("main", tuple(("127.0.0.1", port) for port in ports), 0, {}, {}, None))


@pytest.mark.parametrize("told", [(7, 8, 8), (8, 7, 8), (8, None, 8), (None, None, 8)])
async def test_what_most_sentinels_say_counts(opened: AsyncExitStack, told: tuple[int | None, ...]) -> None:
    finder = await finder_of(opened, *told)

    assert await finder.find() == ("127.0.0.1", 8)


async def test_a_sentinel_that_is_silent_or_gone_is_not_waited_for_when_the_others_agree(
    opened: AsyncExitStack,
) -> None:
    finder = await finder_of(opened, SILENT, 8, 8, 8, gone=1)
    began = time.monotonic()

    assert await finder.find() == ("127.0.0.1", 8)
    assert time.monotonic() - began < 0.9


async def test_whenever_the_asking_is_called_off_no_connection_stays_open(opened: AsyncExitStack) -> None:
    finder = await finder_of(opened, 8)
    ended_by_itself = 0

    for steps in range(40):
        asking = asyncio.create_task(finder.ask_each())
        for _ in range(steps):
            await asyncio.sleep(0)
            ended_by_itself += asking.done()
        asking.cancel()
        await asyncio.wait([asking])
        del asking
        # A connection that nobody closed warns when it is collected, and a warning fails the test.
        gc.collect()

    assert ended_by_itself


async def test_that_no_sentinel_knows_the_primary_is_said_as_an_outage(opened: AsyncExitStack) -> None:
    finder = await finder_of(opened, None, None)

    with pytest.raises(RedisConnectionError, match=r"none of 2 Sentinels .* no primary of the name main"):
        await finder.find()


async def test_a_connection_to_what_has_become_a_replica_is_not_lent_again(tmp_path: Path) -> None:
    with EmbeddedStack(tmp_path / "stack", durable=False) as stack:
        addresses = stack.addresses
        settings = ServerSettings(database_url=addresses.database_url, redis_url=addresses.redis_url)
        client, other = (_client(settings) for _ in range(2))
        first = await asyncio.gather(client.client_id(), client.client_id())
        await other.execute_command("REPLICAOF", "127.0.0.1", "1")

        with pytest.raises(ReadOnlyError):
            await client.set("any", "1")
        await other.execute_command("REPLICAOF", "NO", "ONE")
        then = await asyncio.gather(client.client_id(), client.client_id())

        await client.aclose()
        await other.aclose()
    assert not {*first} & {*then}


def _client(settings: ServerSettings) -> Any:
    return make_redis(settings)
