"""Behind PgBouncer in transaction mode nothing depends on whose connection a transaction is lent."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from ops.tenants.keys import KeyRequest, create_key
from producer.sending.client import AsyncProducer
from runtime.api_keys import ApiKeys
from runtime.database import Database, connect
from runtime.sealing import Sealer
from runtime.startup import check_deployment, check_fence
from runtime.tenants import Tenants
from schema.errors import ServerUnfit
from schema.settings import Settings
from tests.architecture import sources
from tests.integration.pgbouncer import SERVER_CONNECTIONS, pgbouncer
from tests.integration.worker_harness import make_harness

DOCUMENT = sources.ROOT / "docs" / "tenants.md"


def documented() -> list[str]:
    """Read the documented statements that make a login."""
    block = re.search(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    role, *login = block[1].strip().splitlines()
    assert role == "CREATE ROLE fte_http NOLOGIN NOSUPERUSER NOBYPASSRLS;"  # the tests' database has it
    return login


def login(settings: Settings, role: str, *, time_limits: bool = True) -> str:
    """Make a login of a role by the documented statements; gives its address."""
    name = f"pooled_{uuid.uuid4().hex[:10]}"
    with connect(settings.database_url or "") as connection:
        for statement in documented()[: None if time_limits else 1]:
            named = statement.replace("fte_gateway", name).replace("fte_http", role)
            connection.execute(named.encode())
    parts = urlsplit(settings.database_url or "")
    return urlunsplit(parts._replace(netloc=f"{name}:change-me@{parts.hostname}:{parts.port}"))


@pytest.fixture
async def pooled(settings: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    async with pgbouncer(login(settings, "fte_http"), tmp_path / "pool") as url:
        yield settings.model_copy(update={"database_url": url, "database_pooled": True})


def message(tenant: str, number: int) -> dict[str, Any]:
    return {
        "message_id": f"m-{number}",
        "tenant": tenant,
        "conversation": f"c-{number % 7}",
        "channel": "chat",
        "sender": "ada",
        "text": "hello",
    }


async def test_an_http_process_works_and_its_tenants_stay_apart_on_shared_connections(
    pooled: Settings, database: Database, sealer: Sealer, tenant: str, other_tenant: str
) -> None:
    texts = {
        one: (await create_key(database, one, KeyRequest("k", ("admin",)), by="a", now=datetime.now(UTC))).text
        for one in (tenant, other_tenant)
    }
    process = Database(pooled)
    await process.open()
    check_fence(process)
    await check_deployment(process, sealer)
    keys, tenants = ApiKeys(process), Tenants(process)
    for text in texts.values():
        await keys.verify(text, "192.0.2.7")

    async def look(one: str, other: str) -> None:
        await database.read(one, "add_conversation", tenant=one, conversation="mine")
        for _ in range(20):
            assert (await tenants.view(one)).version == 0
            async with process.transaction(one) as transaction:
                cursor = await transaction.connection.execute("SELECT DISTINCT tenant_id FROM conversation")
                assert await cursor.fetchall() == [{"tenant_id": one}]
            assert await process.read(one, "find_owner", tenant=other, conversation="mine") == []

    await asyncio.gather(*(look(*pair) for pair in ((tenant, other_tenant), (other_tenant, tenant)) * 4))
    nobodys = await process.read("", "find_owner", tenant=tenant, conversation="mine")
    await process.close()

    assert nobodys == []


async def test_a_producer_and_a_worker_work_on_shared_connections(
    settings: Settings, sealer: Sealer, tmp_path: Path, tenant: str
) -> None:
    async with pgbouncer(login(settings, "fte_app"), tmp_path / "pool") as url:
        pooled = settings.model_copy(update={"database_url": url, "database_pooled": True})
        async with AsyncProducer(pooled) as producer:
            receipts = await asyncio.gather(*(producer.send(message(tenant, number)) for number in range(28)))
        harness = await make_harness(pooled, sealer, tenant)
        await asyncio.gather(*(harness.drain(f"c-{number}") for number in range(7)))
        replies = await harness.replies()
        with psycopg.connect(settings.database_url or "") as connection:
            used = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [urlsplit(url).username]
            ).fetchone()
        await harness.close()

    assert {receipt.status for receipt in receipts} == {"accepted"}
    assert len(replies) == 28
    assert used is not None
    assert used[0] <= SERVER_CONNECTIONS


async def test_a_login_that_brings_no_time_limits_is_told_the_statements(settings: Settings, tmp_path: Path) -> None:
    url = login(settings, "fte_http", time_limits=False)
    async with pgbouncer(url, tmp_path / "pool") as pooled:
        database = Database(settings.model_copy(update={"database_url": pooled, "database_pooled": True}))
        with pytest.raises(ServerUnfit, match=r"no time limits.*ALTER ROLE pooled_.*statement_timeout = '6s'"):
            await database.open()
        await database.close()


async def test_the_time_limits_hold(pooled: Settings) -> None:
    process = Database(pooled)
    await process.open()
    async with process.transaction("t") as transaction:
        cursor = await transaction.connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name LIKE '%timeout'"
        )
        limits = {row["name"]: row["setting"] for row in await cursor.fetchall()}
    await process.close()

    assert limits["statement_timeout"] == "6000"
    assert limits["idle_in_transaction_session_timeout"] == "8000"
    assert limits["lock_timeout"] == "5000"
