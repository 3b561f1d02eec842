from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import errors, sql
from pydantic import SecretStr

from ops.database.migrate import migrate
from runtime.database import Database, connect
from runtime.sealing import Sealer
from runtime.startup import check_deployment
from schema.resources import load_migrations, load_query
from schema.settings import Settings
from tests.integration.producing import accept_parameters

KEYS = [Fernet.generate_key().decode()]
POLICY = (
    "((tenant_id = current_setting('fte.tenant'::text, true)) "
    "OR (current_setting('fte.tenant'::text, true) = '*'::text))"
)
POLICY_SINCE = 18
"""The migration that made `keep_tenants_apart`."""
TABLES_OF_TENANTS = """
    SELECT c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS forced,
        (SELECT string_agg(concat(p.qual, p.with_check), ' and ') FROM pg_policies p
            WHERE p.schemaname = 'public' AND p.tablename = c.relname AND p.roles = '{public}') AS policy
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
"""
OPEN_TABLES = {
    "migration": "what was done to the database; names no tenant, and the application only reads it",
    "deployment": "the fingerprint of the one key of all tenants; the application only reads it",
    "tenant_proof_secret": "names no tenant; nobody but the tables' owner reads it",
}
TABLES = """
    SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
"""


def test_every_table_of_tenants_is_under_forced_row_level_security(settings: Settings) -> None:
    with connect(_url(settings)) as connection:
        tables = connection.execute(TABLES_OF_TENANTS).fetchall()

    assert len(tables) >= 8
    assert [row["name"] for row in tables if row != {"name": row["name"], "forced": True, "policy": POLICY}] == []


def test_every_table_is_under_forced_row_level_security_but_those_with_a_reason(settings: Settings) -> None:
    with connect(_url(settings)) as connection:
        tables = connection.execute(TABLES).fetchall()

    assert {row["name"] for row in tables if not row["forced"]} == set(OPEN_TABLES)


def test_a_table_that_is_kept_apart_by_the_function_has_the_policy_of_all_others(settings: Settings) -> None:
    with connect(_url(settings)) as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE first_one (tenant_id text)")
        connection.execute("CREATE TABLE second_one (tenant_id text)")

        connection.execute("SELECT keep_tenants_apart('first_one', 'second_one')")

        tables = {row["name"]: row for row in connection.execute(TABLES_OF_TENANTS)}
    for name in ("first_one", "second_one"):
        assert tables[name] == {"name": name, "forced": True, "policy": POLICY}


def test_no_migration_spells_the_policy_again_where_the_function_is_there() -> None:
    written = [migration for migration in load_migrations() if migration.number > POLICY_SINCE]

    assert [migration.number for migration in written if "CREATE POLICY" in migration.sql.upper()] == []


async def test_a_tenant_sees_itself_alone_among_the_tenants(database: Database, tenant: str, other_tenant: str) -> None:
    own = await database.read(tenant, "find_tenants")
    every = await database.read("*", "find_tenants")
    advanced = await database.read(tenant, "advance_life", tenant=other_tenant, life=None)

    assert [row["tenant_id"] for row in own] == [tenant]
    assert {tenant, other_tenant} <= {row["tenant_id"] for row in every}
    assert advanced == []


async def test_a_tenant_sees_nothing_of_another(database: Database, tenant: str, other_tenant: str) -> None:
    await _accept(database, other_tenant, "theirs")
    await _accept(database, tenant, "mine")

    seen = await _accepted(database, tenant)

    assert seen == [(tenant, "mine")]


async def test_rescue_sees_every_tenant(database: Database, tenant: str, other_tenant: str) -> None:
    await _accept(database, other_tenant, "theirs")
    await _accept(database, tenant, "mine")

    seen = await _accepted(database, "*")

    assert {(other_tenant, "theirs"), (tenant, "mine")} <= set(seen)


async def test_a_tenant_cannot_write_into_another(database: Database, tenant: str, other_tenant: str) -> None:
    letter = {"conversation": "c-1", "message_id": None, "entry": None, "reason": "r", "attempts": 1, "payload": "p"}

    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        await database.read(tenant, "bury_letter", tenant=other_tenant, **letter)


def test_nothing_is_visible_without_a_tenant(settings: Settings, tenant: str) -> None:
    with connect(_url(settings)) as connection:
        connection.execute("SET ROLE fte_app")
        connection.execute(load_query("accept_message"), accept_parameters(tenant, "mine"))

        unset = _only(connection.execute("SELECT count(*) AS rows FROM inbox"))
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [tenant])
        own = _only(connection.execute("SELECT count(*) AS rows FROM inbox"))

    assert (unset["rows"], own["rows"]) == (0, 1)


def test_the_application_cannot_rewrite_the_records_of_migrate(settings: Settings) -> None:
    with connect(_url(settings)) as connection:
        connection.execute("SET ROLE fte_app")

        for table in ("migration", "deployment"):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))


async def test_a_plain_role_that_owns_the_database_is_kept_to_its_tenant(plain_owner: str) -> None:
    sealer = Sealer([KEYS[0]])
    report = migrate(plain_owner, sealer, tenants=["one", "two"], sample=False)
    database = Database(Settings(database_url=plain_owner, redis_url="redis://", vault_keys=[SecretStr(KEYS[0])]))
    await database.open()

    await check_deployment(database, sealer)
    await _accept(database, "one", "m-1")
    seen = {scope: len(await _accepted(database, scope)) for scope in ("one", "two", "", "*")}
    await database.close()

    assert report.number == load_migrations()[-1].number
    assert seen == {"one": 1, "two": 0, "": 0, "*": 1}


def _url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url


async def _accept(database: Database, tenant: str, message_id: str) -> None:
    rows = await database.read(tenant, "accept_message", **accept_parameters(tenant, message_id))
    assert rows[0]["status"] == "accepted"


async def _accepted(database: Database, scope: str) -> list[tuple[str, str]]:
    rows = await database.read(
        scope,
        "find_accepted",
        age_seconds=0,
        after_accepted_at=datetime.min.replace(tzinfo=UTC),
        after_tenant="",
        after_message_id="",
        messages_max=10_000,
    )
    return [(row["tenant_id"], row["message_id"]) for row in rows]


def _only(cursor: psycopg.Cursor[dict[str, Any]]) -> dict[str, Any]:
    rows = cursor.fetchall()
    assert len(rows) == 1
    return rows[0]
