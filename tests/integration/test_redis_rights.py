"""A worker whose Redis user lacks a right says which one, and does not start."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from runtime.redis import make_redis
from runtime.redis_rights import NEEDED, check_rights
from schema.errors import ServerUnfit
from schema.settings import Settings
from tests.architecture import sources

ALL = "~* &* +@all"


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
    await check_as(administrator, settings, ALL)

    assert await administrator.exists("fte:{p00}:rights", "fte:out:{rights}:rights") == 0
    assert await administrator.llen("fte.doorbell") == 0


async def test_a_redis_without_memory_lacks_no_rights(administrator: Any, settings: Settings) -> None:
    before = await administrator.config_get("maxmemory")
    await administrator.config_set("maxmemory", 1)
    try:
        await check_rights(administrator, settings)
    finally:
        await administrator.config_set("maxmemory", str(before["maxmemory"]))


def test_every_command_of_a_script_is_asked_for() -> None:
    used = {
        name
        for path in sources.paths("*.lua", "schema/scripts")
        for name in re.findall(r"redis\.call\('([A-Z]+)'", path.read_text(encoding="utf-8"))
    }

    assert len(used) > 20
    assert used <= {command[0] for command in NEEDED}
