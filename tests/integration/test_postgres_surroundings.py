"""What administrators set on a PostgreSQL, and what stands in the environment, around the product's connections."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from ops.database.migrate import migrate
from runtime.database import EVERY_TENANT, Database, connect
from runtime.startup import check_deployment
from schema.errors import ServerUnfit, ServerUnreachable
from tests.integration.producing import accept_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ops.embedded import EmbeddedStack
    from runtime.sealing import Sealer
    from schema.settings import Settings

    EmptyDatabase = Callable[..., AbstractContextManager[str]]

WORDS = "Ünïcode … 🙂 \\' Kraków"


async def _use(settings: Settings, url: str, sealer: Sealer) -> list[dict[str, Any]]:
    """Use a migrated database as a starting process does, write what no other encoding than UTF-8 has, and read it."""
    database = Database(settings.model_copy(update={"database_url": url}))
    await database.open()
    try:
        await check_deployment(database, sealer)
        await database.read(EVERY_TENANT, "accept_message", **accept_parameters("default", "m-1") | {"payload": WORDS})
        async with database.transaction(EVERY_TENANT) as transaction:
            cursor = await transaction.connection.execute("SELECT payload, accepted_at, 'a\\n' AS raw FROM inbox")
            return await cursor.fetchall()
    finally:
        await database.close()


def _check(rows: list[dict[str, Any]]) -> None:
    assert [(row["payload"], row["raw"]) for row in rows] == [(WORDS, "a\\n")]
    assert isinstance(rows[0]["accepted_at"], datetime)


@pytest.mark.parametrize(
    "setting",
    [
        "datestyle = 'SQL, DMY'",
        "datestyle = German",
        "standard_conforming_strings = off",
        "timezone = 'Asia/Kathmandu'",
    ],
)
async def test_what_is_set_on_a_database_changes_nothing_that_statements_mean(
    settings: Settings, sealer: Sealer, empty_database: EmptyDatabase, setting: str
) -> None:
    with empty_database() as url:
        with connect(url) as connection:
            name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
            connection.execute(sql.SQL("ALTER DATABASE {} SET ").format(sql.Identifier(name)) + sql.SQL(setting))
        migrate(url, sealer)

        _check(await _use(settings, url, sealer))


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PGDATESTYLE", "German"), ("PGCLIENTENCODING", "LATIN1"), ("PGCLIENTENCODING", "SQL_ASCII")],
)
async def test_what_the_environment_says_of_formats_changes_nothing(
    settings: Settings,
    sealer: Sealer,
    empty_database: EmptyDatabase,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
) -> None:
    monkeypatch.setenv(variable, value)
    with empty_database() as url:
        migrate(url, sealer, sample=False)
        migrate(url, sealer, sample=False)

        _check(await _use(settings, url, sealer))


@contextmanager
def _database_of_encoding(stack: EmbeddedStack, encoding: str) -> Iterator[str]:
    with connect(stack.addresses.database_url) as connection:
        connection.execute(
            f"CREATE DATABASE e ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0".encode()
        )
        try:
            yield stack.addresses.database_url.rpartition("/")[0] + "/e"
        finally:
            connection.execute("DROP DATABASE e WITH (FORCE)")


async def test_a_database_that_keeps_bytes_keeps_every_character(
    settings: Settings, sealer: Sealer, stack: EmbeddedStack
) -> None:
    with _database_of_encoding(stack, "SQL_ASCII") as url:
        migrate(url, sealer, sample=False)
        migrate(url, sealer, sample=False)

        _check(await _use(settings, url, sealer))


async def test_a_database_that_lacks_characters_is_refused_before_anything_is_applied(
    settings: Settings, sealer: Sealer, stack: EmbeddedStack
) -> None:
    with _database_of_encoding(stack, "LATIN1") as url:
        with pytest.raises(ServerUnfit, match="encoding is LATIN1"):
            migrate(url, sealer, sample=False)
        with pytest.raises(ServerUnfit, match="encoding is LATIN1"):
            await Database(settings.model_copy(update={"database_url": url})).open()
        with connect(url) as connection:
            tables = connection.execute("SELECT count(*) AS n FROM pg_tables WHERE schemaname = 'public'").fetchall()

    assert tables == [{"n": 0}]


@pytest.mark.parametrize("way", ["address", "environment"])
async def test_every_process_looks_into_the_schema_that_the_options_name(
    settings: Settings, sealer: Sealer, empty_database: EmptyDatabase, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with empty_database() as url:
        with connect(url) as connection:
            connection.execute("CREATE SCHEMA apart")
        if way == "address":
            there = f"{url}?options={quote('-c search_path=apart')}"
        else:
            there = url
            monkeypatch.setenv("PGOPTIONS", "-c search_path=apart")
        migrate(there, sealer, sample=False)

        _check(await _use(settings, there, sealer))
        database = Database(settings.model_copy(update={"database_url": there}))
        await database.open()
        async with database.transaction(EVERY_TENANT) as transaction:
            cursor = await transaction.connection.execute("SELECT current_setting('statement_timeout') AS longest")
            limits = await cursor.fetchall()
        await database.close()

    assert limits == [{"longest": "6s"}]


async def test_several_hosts_are_one_address(settings: Settings, sealer: Sealer, empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, sealer, sample=False)
        several = url.replace("@127.0.0.1:", "@127.0.0.1:1,127.0.0.1:") + "?target_session_attrs=read-write"

        _check(await _use(settings, several, sealer))


@pytest.mark.parametrize(
    "url",
    [
        "host=127.0.0.1 port=1 dbname=fte user=fte password=secretpw",
        "postgresql:///fte?host=127.0.0.1&port=1&password=secretpw",
        "postgresql://u:secret%23pw@127.0.0.1:1/fte",
        "postgresql+psycopg://u:secretpw@127.0.0.1:1/fte",
    ],
)
async def test_a_postgresql_that_is_away_is_named_without_its_password(settings: Settings, url: str) -> None:
    with pytest.raises(ServerUnreachable) as of_pool:
        await Database(settings.model_copy(update={"database_url": url})).open()
    with pytest.raises(ServerUnreachable) as of_command:
        connect(url)

    for told in (str(of_pool.value), str(of_command.value)):
        assert "pw" not in told.replace("psycopg", "")
        assert "FTE_DATABASE_URL" in told


async def test_the_servers_own_reason_is_told_when_it_takes_no_such_connection(
    settings: Settings, empty_database: EmptyDatabase
) -> None:
    """A pooler that knows no `options` refuses at once; here a server that refuses what stands in them."""
    with empty_database() as url:
        refused = f"{url}?options={quote('-c no_such_parameter=1')}"
        database = Database(settings.model_copy(update={"database_url": refused}))

        with pytest.raises(ServerUnreachable, match="no_such_parameter"):
            await database.open()


async def test_no_process_works_above_row_level_security(
    settings: Settings, sealer: Sealer, stack: EmbeddedStack, empty_database: EmptyDatabase
) -> None:
    """As with a dump that was restored into another cluster, where the role is missing."""
    with empty_database() as url, connect(stack.addresses.database_url) as connection:
        migrate(url, sealer, sample=False)
        connection.execute("ALTER ROLE fte_app RENAME TO fte_app_aside")
        try:
            with pytest.raises(ServerUnfit, match=r"postgres is above row-level security.*fte migrate"):
                await Database(settings.model_copy(update={"database_url": url})).open()
        finally:
            connection.execute("ALTER ROLE fte_app_aside RENAME TO fte_app")
        database = Database(settings.model_copy(update={"database_url": url}))
        await database.open()
        await check_deployment(database, sealer)
        await database.close()
