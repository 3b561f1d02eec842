"""The users of Redis that docs/redis-users.acl makes can do their work, and a gateway nothing else."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from ops.embedded.account import choose_account
from ops.embedded.programs import find_programs
from producer import AsyncProducer, AsyncSubscription, replies_stream
from runtime.redis_rights import check_rights
from runtime.sealing import Sealer
from schema.keys import NOTING_KEY, rate_key
from schema.settings import Settings
from tests.architecture import sources
from tests.integration.conftest import add_tenant
from tests.integration.worker_harness import make_harness
from tests.waiting import eventually

USERS = sources.ROOT / "docs" / "redis-users.acl"


@pytest.fixture
async def port(tmp_path: Path) -> AsyncIterator[int]:
    """Run a Redis that reads the very file."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port: int = listener.getsockname()[1]
    shutil.copy(USERS, tmp_path / "users.acl")
    binary = find_programs(choose_account(tmp_path / "data")).redis_server
    arguments = ("--port", str(free_port), "--bind", "127.0.0.1", "--aclfile", "users.acl", "--save", "")
    server = await asyncio.create_subprocess_exec(
        str(binary), *arguments, cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(lambda: _answers(free_port))
        yield free_port
    finally:
        server.kill()
        await server.wait()


async def _answers(port: int) -> bool:
    client = client_of("fte-operator", port)
    try:
        return bool(await client.ping())
    except RedisError:
        return False
    finally:
        await client.aclose()


def client_of(user: str, port: int) -> Any:
    return Redis.from_url(address_of(user, port))


def address_of(user: str, port: int) -> str:
    return f"redis://{user}:change-me@127.0.0.1:{port}/0"


async def test_gateway_worker_and_consumer_do_their_work_and_are_refused_nothing(
    settings: Settings, sealer: Sealer, port: int
) -> None:
    tenant = add_tenant(settings)
    gateway, worker, consumer = (
        settings.model_copy(update={"redis_url": address_of(user, port)})
        for user in ("fte-gateway", "fte-worker", "fte-consumer")
    )
    collected = []
    async with AsyncProducer(gateway) as producer:
        for number in range(3):
            message = {"message_id": f"m-{number}", "tenant": tenant, "conversation": "c-1", "channel": "chat"}
            await producer.send({**message, "sender": "ada", "text": "hello"})
    harness = await make_harness(worker, sealer, tenant)
    await check_rights(harness.service.servers.redis, worker)
    await harness.drain("c-1")
    for group, reader in (("desk", consumer), ("http", gateway)):
        stream = replies_stream(tenant, "chat")
        async with AsyncSubscription(reader, stream, group=group, consumer="one", start="0") as subscription:
            async for entry in subscription:
                collected.append(entry)
                await subscription.ack(entry)
                if len(collected) % 3 == 0:
                    break
    await harness.close()
    operator = client_of("fte-operator", port)
    refused = await operator.execute_command("ACL", "LOG")
    await operator.aclose()

    assert len(collected) == 6
    assert refused == []


@pytest.mark.parametrize(
    "command",
    [
        ("FLUSHALL",),
        ("FLUSHDB",),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("DEBUG", "SLEEP", "0"),
        ("SHUTDOWN",),
        ("REPLICAOF", "127.0.0.1", "1"),
        ("MONITOR",),
        ("SWAPDB", "0", "1"),
        ("PUBLISH", "/0.celery.pidbox", "shutdown"),
        ("BRPOP", "fte.doorbell", "1"),
        ("GET", NOTING_KEY),
        ("HGETALL", rate_key("m")),
        ("GET", "other"),
        ("SET", "other", "1"),
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", "other"),
        ("EVAL", "return redis.call('FLUSHALL')", "0"),
        ("RENAME", "fte:out:{t}:events", "other"),
        ("DUMP", "fte:out:{t}:events"),
        ("MIGRATE", "127.0.0.1", "1", "fte:out:{t}:events", "0", "1"),
        ("OBJECT", "ENCODING", "fte:out:{t}:events"),
    ],
    ids=" ".join,
)
async def test_a_gateway_may_do_nothing_else(port: int, command: tuple[str, ...]) -> None:
    client = client_of("fte-gateway", port)
    try:
        with pytest.raises((NoPermissionError, RedisError)) as refused:
            await client.execute_command(*command)
    finally:
        await client.aclose()

    assert re.search(r"(?i)no permission|NOPERM|can't run this command|ACL failure", str(refused.value)), refused.value


async def test_nobody_without_a_name_may_do_anything(port: int) -> None:
    client = Redis.from_url(f"redis://127.0.0.1:{port}/0")
    with pytest.raises(RedisError):
        await client.ping()
    await client.aclose()


def test_the_workers_user_is_the_one_of_the_documented_statements() -> None:
    documented = (sources.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for user in ("fte-worker", "fte-consumer"):
        statements = re.findall(rf"^ACL SETUSER {user} (.*)$", documented, re.MULTILINE)
        on_file = re.search(rf"^user {user} (.*)$", USERS.read_text(encoding="utf-8"), re.MULTILINE)
        assert on_file is not None
        assert on_file[1] == " ".join(statements)
