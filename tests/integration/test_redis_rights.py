"""A worker whose Redis user lacks a right says which one, and does not start."""

from __future__ import annotations

import asyncio
import re
import socket
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from ops.embedded.account import choose_account
from ops.embedded.programs import find_programs
from runtime.redis import make_redis
from runtime.redis_rights import NEEDED, check_rights
from schema.errors import ServerUnfit
from schema.settings import Settings
from tests.architecture import sources
from tests.waiting import eventually

ALL = "~* &* +@all"
OF_GATEWAYS = {"advance_cursor", "hold_stream", "newest_entries", "read_cursor", "take_allowance"}
"""Scripts that only an HTTP gateway runs."""


@pytest.fixture
async def administrator(settings: Settings) -> AsyncIterator[Any]:
    client = make_redis(settings)
    yield client
    await client.aclose()


async def check_as(administrator: Any, settings: Settings, rules: str) -> None:
    """Check the rights of a user with such rules."""
    user = f"u{uuid.uuid4().hex[:10]}"
    await administrator.execute_command("ACL", "SETUSER", user, "on", ">pw", *rules.split())
    place = (settings.redis_url or "").partition("@")[2]
    client = make_redis(settings.model_copy(update={"redis_url": f"redis://{user}:pw@{place}"}))
    try:
        await check_rights(client, settings)
    finally:
        await client.aclose()
        await administrator.execute_command("ACL", "DELUSER", user)


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        (f"{ALL} -@dangerous", "INFO server"),  # the usual advice
        (f"{ALL} -xadd", "XADD fte:out:"),
        (f"{ALL} -multi", "MULTI"),
        ("~fte:* &* +@all", "LPUSH fte.doorbell, BRPOP fte.doorbell, SADD _kombu.binding.fte.doorbell"),
        ("~fte.doorbell* ~_kombu* &* +@all", "GET fte:"),
    ],
)
async def test_a_right_that_is_missing_is_named(
    administrator: Any, settings: Settings, rules: str, missing: str
) -> None:
    with pytest.raises(ServerUnfit, match=re.escape(missing)):
        await check_as(administrator, settings, rules)


async def test_a_user_with_every_right_is_taken_and_nothing_of_what_was_asked_happens(
    administrator: Any, settings: Settings
) -> None:
    rung = await administrator.llen("fte.doorbell")  # by tests before this one

    await check_as(administrator, settings, ALL)

    assert await administrator.exists("fte:{p00}:rights", "fte:out:{rights}:rights") == 0
    assert await administrator.llen("fte.doorbell") == rung


async def test_a_redis_without_memory_lacks_no_rights(administrator: Any, settings: Settings) -> None:
    before = await administrator.config_get("maxmemory")
    await administrator.config_set("maxmemory", 1)
    try:
        await check_rights(administrator, settings)
    finally:
        await administrator.config_set("maxmemory", str(before["maxmemory"]))


async def test_a_sentinel_is_refused_by_name(settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port = listener.getsockname()[1]
    (tmp_path / "sentinel.conf").write_text(f"port {free_port}\nbind 127.0.0.1\n", encoding="utf-8")
    binary = find_programs(choose_account(tmp_path / "data")).redis_server
    sentinel = await asyncio.create_subprocess_exec(
        str(binary), str(tmp_path / "sentinel.conf"), "--sentinel", cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL
    )
    client = Redis(port=free_port)
    try:
        await eventually(lambda: _answers(client))
        with pytest.raises(ServerUnfit, match="it is a Sentinel"):
            await check_rights(client, settings)
    finally:
        await client.aclose()
        sentinel.kill()
        await sentinel.wait()


async def _answers(client: Any) -> bool:
    try:
        return bool(await client.ping())
    except RedisError:
        return False


def test_every_command_of_a_workers_script_is_asked_for() -> None:
    used = {
        name
        for path in sources.paths("*.lua", "schema/scripts")
        if path.stem not in OF_GATEWAYS
        for name in re.findall(r"redis\.call\('([A-Z]+)'", path.read_text(encoding="utf-8"))
    }

    assert len(used) > 20
    assert used <= {command[0] for command in NEEDED}
