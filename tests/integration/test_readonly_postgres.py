"""A PostgreSQL that answers and takes no writes, as after a failover or with its storage nearly full: it is away."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import errors

from ops.cli.failure import EXIT_UNUSABLE, exit_code_of
from ops.database.migrate import MigrationFailed, migrate
from producer.sending.client import AsyncProducer
from runtime.database import EVERY_TENANT, Database, connect
from schema.errors import ServerUnreachable
from schema.messages.receipt import Receipt
from tests.integration.conftest import add_tenant
from tests.integration.producing import accept_parameters, message
from tests.integration.worker_harness import make_harness
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from runtime.sealing import Sealer
    from schema.settings import Settings

SENT = 12


@pytest.fixture
def ours(
    settings: Settings, sealer: Sealer, empty_database: Callable[..., AbstractContextManager[str]]
) -> Iterator[Settings]:
    """Point at a database of our own, to be made read-only."""
    with empty_database() as url:
        migrate(url, sealer, sample=False)
        yield settings.model_copy(
            update={
                "database_url": url,
                "send_seconds_max": 1,
                "attempts_max": 2,
                "backoff_seconds": 0.05,
                "backoff_seconds_max": 0.1,
            }
        )


@contextmanager
def read_only(settings: Settings) -> Iterator[None]:
    """Take no writes for the block, also from whoever is connected already."""
    url = settings.database_url or ""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with connect(url) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
    _hang_up(url)
    try:
        yield
    finally:
        with connect(url) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())


def _hang_up(url: str) -> None:
    with connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_what_a_read_only_postgresql_costs_messages_is_time_alone(ours: Settings, sealer: Sealer) -> None:
    harness = await make_harness(ours, sealer, add_tenant(ours))
    conversations = [f"c-{number}" for number in range(SENT)]
    for conversation in conversations:
        await harness.accept(conversation, "hello")

    with read_only(ours):
        for _ in range(3 * ours.attempts_max):
            for conversation in conversations:
                await harness.mailbox.sweep(SENT)
                await harness.drain(conversation)
            await asyncio.sleep(0.12)
    # Nobody hangs up: the connections that led to a server without writes were dropped for ones that lead to this.

    async def all_answered() -> bool:
        for conversation in conversations:
            await harness.drain(conversation)
        return len(await harness.replies()) == SENT

    await eventually(all_answered, within_seconds=30)
    replies = await harness.replies()
    dead = await harness.query("SELECT count(*) AS letters FROM dead_letter")
    await harness.close()

    assert {reply["text"] for reply in replies} == {"you said: hello"}
    assert dead == [{"letters": 0}]


async def test_a_sender_is_told_of_a_read_only_postgresql_as_of_one_that_is_away(ours: Settings) -> None:
    tenant = add_tenant(ours)
    async with AsyncProducer(ours) as producer:
        with read_only(ours), pytest.raises(ServerUnreachable, match="read-only transaction"):
            await producer.send(message(tenant))
        receipt = await producer.send(message(tenant))

    assert isinstance(receipt, Receipt)
    assert receipt.status == "accepted"


async def test_a_connection_to_a_read_only_server_is_not_lent_again(ours: Settings) -> None:
    database = Database(ours.model_copy(update={"database_connections_max": 1}))
    with read_only(ours):
        await database.open()
        before = await _process_of(database)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            await database.read(EVERY_TENANT, "accept_message", **accept_parameters("default", "m-1"))
    after = await _process_of(database)
    await database.close()

    assert after != before


async def _process_of(database: Database) -> int:
    async with database.transaction(EVERY_TENANT) as transaction:
        return transaction.connection.info.backend_pid


def test_migrate_says_that_a_database_is_read_only(ours: Settings, sealer: Sealer) -> None:
    with read_only(ours), pytest.raises((psycopg.Error, MigrationFailed), match="read-only") as refused:
        migrate(ours.database_url or "", sealer, tenants=["another"], sample=False)

    assert exit_code_of(refused.value) == EXIT_UNUSABLE
