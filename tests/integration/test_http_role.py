"""A process that strangers reach sees one tenant at a time, whatever SQL reaches it: tried as its own login."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from cryptography.fernet import Fernet
from psycopg import errors, sql
from pydantic import SecretStr

from ops.database.http_role import RIGHTS
from ops.database.migrate import migrate
from ops.tenants.keys import KeyRequest, create_key, list_keys
from producer.sending.client import AsyncProducer
from runtime.api_keys import ApiKeys, KeyRefused, make_key
from runtime.database import Database, connect
from runtime.sealing import Sealer
from runtime.startup import check_fence
from runtime.tenants import Tenants
from schema.errors import ServerUnfit, UnknownTenant
from schema.settings import Settings
from tests.integration.filled_tables import ACCOUNT, FILLING
from tests.integration.producing import accept_several_parameters
from tests.integration.test_tenants_apart import TABLES_OF_TENANTS

PASSWORD = "made-up"
HERE = "192.0.2.7"
INJECTED = ("*", "", " ", "' OR '1'='1", "%", "x'; SELECT 1 --", "NULL", "{victim}", "{victim}\n")
DEFINERS = """
    SELECT p.oid::regprocedure::text AS name, p.proconfig AS config FROM pg_proc p
    WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    """Make a login as it is documented for HTTP processes."""
    name = f"gateway_{uuid.uuid4().hex[:10]}"
    with connect(settings.database_url or "") as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD {} IN ROLE fte_http").format(
                sql.Identifier(name), sql.Literal(PASSWORD)
            )
        )
        parts = urlsplit(settings.database_url or "")
        yield urlunsplit(parts._replace(netloc=f"{name}:{PASSWORD}@{parts.hostname}:{parts.port}"))
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


@pytest.fixture
async def fenced(settings: Settings, url: str) -> AsyncIterator[Database]:
    database = Database(settings.model_copy(update={"database_url": url}))
    await database.open()
    yield database
    await database.close()


async def key_of(database: Database, tenant: str) -> str:
    request = KeyRequest("a test's", ("messages:write", "admin"))
    return (await create_key(database, tenant, request, by="a test", now=datetime.now(UTC))).text


def message(tenant: str, message_id: str = "m-1") -> dict[str, Any]:
    return {
        "message_id": message_id,
        "tenant": tenant,
        "conversation": "c-1",
        "channel": "chat",
        "sender": "ada",
        "text": "hello",
    }


def rows_seen(connection: psycopg.Connection[Any], table: str) -> list[Any] | None:
    """Read a table's tenants; None where the role may not even read it."""
    try:
        statement = sql.SQL("SELECT tenant_id FROM {}").format(sql.Identifier(table))
        return [row["tenant_id"] for row in connection.execute(statement)]
    except errors.InsufficientPrivilege:
        return None


@pytest.fixture
async def full(database: Database, settings: Settings, tenant: str, other_tenant: str) -> dict[str, str]:
    """Fill two tenants with a row in every table that the role may read; gives each one's API key."""
    with connect(settings.database_url or "") as connection:
        for one in (tenant, other_tenant):
            for statement in FILLING:
                connection.execute(statement.encode(), [one])
    return {one: await key_of(database, one) for one in (tenant, other_tenant)}


async def test_every_table_shows_one_tenant_with_its_proof_and_nothing_of_another(
    settings: Settings, url: str, fenced: Database, full: dict[str, str], tenant: str, other_tenant: str
) -> None:
    await ApiKeys(fenced).verify(full[tenant], HERE)
    proof = fenced.scope_of(tenant)["proof"]
    with connect(settings.database_url or "") as connection:
        tables = [row["name"] for row in connection.execute(TABLES_OF_TENANTS)]

    own, foreign, readable = set(), [], set()
    with connect(url) as connection:
        for scope in (tenant, other_tenant, *(text.replace("{victim}", other_tenant) for text in INJECTED)):
            for given in (proof, "", f"{proof} {proof}", "%", "*"):
                connection.execute("SELECT set_config('fte.tenant', %s, false)", [scope])
                connection.execute("SELECT set_config('fte.proof', %s, false)", [given])
                for table in tables:
                    seen = rows_seen(connection, table)
                    if seen is not None:
                        readable.add(table)
                    if scope == tenant and given == proof and seen:
                        own.add(table)
                        foreign += [(scope, given, table) for one in seen if one != tenant]
                    elif seen:
                        foreign.append((scope, given, table))

    assert foreign == []
    assert len(tables) > 30
    assert readable == set(RIGHTS) - {"migration", "deployment", "span"}  # which it only writes
    assert own == readable


@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE fte_app",
        "SET SESSION AUTHORIZATION postgres",
        "SELECT set_config('role', 'fte_app', false)",
        "SET row_security = off; SELECT * FROM conversation",
        "SELECT secret FROM tenant_proof_secret",
        "SELECT proof_of_tenant('{victim}')",
        "SELECT key_hash FROM api_key",
        "ALTER TABLE conversation DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE conversation NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY proven_tenant_only ON conversation",
        "CREATE POLICY mine ON conversation USING (true)",
        "CREATE OR REPLACE FUNCTION proven_tenant() RETURNS text LANGUAGE sql AS $$ SELECT '{victim}' $$",
        "CREATE FUNCTION public.convert_to(text, name) RETURNS bytea LANGUAGE sql AS $$ SELECT ''::bytea $$",
        "ALTER FUNCTION proven_tenant() SECURITY INVOKER",
        "CREATE VIEW all_of_it AS SELECT * FROM conversation",
        "TRUNCATE conversation",
        "DELETE FROM conversation",
        "INSERT INTO tenant (tenant_id) VALUES ('mine')",
        "UPDATE tenant SET suspended_at = NULL",
        "UPDATE deployment SET vault_fingerprint = 'x'",
        "INSERT INTO migration (number, name) VALUES (9999, 'x')",
        "COPY conversation TO '/tmp/x'",
        "GRANT fte_app TO CURRENT_USER",
        "SELECT keep_tenants_apart('conversation')",
    ],
)
def test_what_would_widen_its_rights_is_refused(url: str, other_tenant: str, statement: str) -> None:
    with connect(url) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(statement.replace("{victim}", other_tenant).encode())

    assert isinstance(refused.value, errors.InsufficientPrivilege | errors.UndefinedParameter), refused.value


async def test_it_writes_nothing_into_another_tenant(
    fenced: Database, full: dict[str, str], tenant: str, other_tenant: str
) -> None:
    await ApiKeys(fenced).verify(full[tenant], HERE)
    added: dict[str, dict[str, Any]] = {
        "add_conversation": {"conversation": "c-9"},
        "change_tenant_settings": {"settings": "{}", "version": 1, "by": "x", "reason": None, "restores": None},
    }

    accepted = await fenced.read(
        other_tenant, "accept_proven_messages", **accept_several_parameters(other_tenant, "m-9")
    )
    crossed = await fenced.read(tenant, "accept_proven_messages", **accept_several_parameters(other_tenant, "m-9"))
    for scope in (tenant, other_tenant, "*"):
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
            await fenced.read(scope, "add_conversation", tenant=other_tenant, **added["add_conversation"])
        changed = await fenced.read(
            scope, "change_tenant_settings", tenant=other_tenant, **added["change_tenant_settings"]
        )
        assert changed == [{"version": None}]
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            await create_key(fenced, other_tenant, KeyRequest("x", ("admin",)), by="x", now=datetime.now(UTC))

    assert accepted[0]["status"] == crossed[0]["status"] == "unknown_tenant"


def test_what_runs_with_its_owners_rights_is_known_and_finds_its_own_tables(settings: Settings) -> None:
    with connect(settings.database_url or "") as connection:
        found = {row["name"]: row["config"] for row in connection.execute(DEFINERS)}

    assert found == {
        name: ["search_path=pg_catalog, public, pg_temp"]
        for name in (
            "proven_tenant()",
            "keyed_hash(text,text)",
            "find_api_key(text,bytea)",
            "count_backlog(bigint,text[])",
            "accept_proven_message(text,text,text,text,text,bigint,text)",
            "find_channel_account(text,text)",
            "find_mail_account(text,text)",
            "prove_channel_account(text,text,bytea)",
        )
    }


def test_tables_and_types_of_the_session_do_not_deceive_what_runs_with_its_owners_rights(
    url: str, tenant: str, full: dict[str, str], other_tenant: str
) -> None:
    with connect(url) as connection:
        connection.execute("CREATE TEMPORARY TABLE tenant_proof_secret (secret bytea)")
        connection.execute("INSERT INTO tenant_proof_secret VALUES ('known')")
        connection.execute("CREATE TEMPORARY TABLE api_key AS SELECT key_id FROM public.api_key")
        connection.execute("SET search_path = pg_temp, public")
        forged = connection.execute("SELECT public.proof_of_tenant(%s) AS proof", [other_tenant]).fetchone()
        assert forged is not None
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [other_tenant])
        connection.execute("SELECT set_config('fte.proof', %s, false)", [forged["proof"]])
        seen = rows_seen(connection, "conversation")
        found = connection.execute("SELECT * FROM public.find_api_key('a', 'b')").fetchall()

    assert seen == []
    assert found == []


async def test_a_proof_is_given_for_the_key_alone_and_none_for_its_id(
    url: str, full: dict[str, str], tenant: str, fenced: Database
) -> None:
    key_id = full[tenant].split("_")[1]

    with connect(url) as connection:
        rows = connection.execute("SELECT * FROM find_api_key(%s, %s)", [key_id, b"x" * 32]).fetchall()
        scope = connection.execute("SELECT current_setting('fte.tenant', true) AS scope").fetchone()

    assert {name: value for name, value in rows[0].items() if value is not None} == {"refused_because": "wrong"}
    assert scope is not None
    assert scope["scope"] in {None, ""}
    with pytest.raises(KeyRefused):
        await ApiKeys(fenced).verify(make_key().text, HERE)
    assert fenced.proofs == []


async def test_a_fenced_process_sends_for_the_tenants_of_its_keys_and_counts_what_waits(
    settings: Settings, url: str, database: Database, full: dict[str, str], tenant: str, other_tenant: str
) -> None:
    fenced = settings.model_copy(update={"database_url": url})

    async with AsyncProducer(fenced) as producer:
        shared: Database = producer._way._acceptance._database  # type: ignore[union-attr]  # noqa: SLF001
        with pytest.raises(UnknownTenant):
            await producer.send(message(tenant))
        await ApiKeys(shared).verify(full[tenant], HERE)
        receipt = await producer.send(message(tenant))
        again = await producer.send(message(tenant))
        both = await producer.send_many([message(tenant, "m-2"), message(other_tenant, "m-3")])
        await producer._way._backlog.look()  # type: ignore[union-attr]  # noqa: SLF001
        waiting = producer._way._backlog.waiting_of(tenant)  # type: ignore[union-attr]  # noqa: SLF001
        total = producer._way._backlog.waiting  # type: ignore[union-attr]  # noqa: SLF001

    assert (receipt.status, again.status) == ("accepted", "duplicate")
    assert [type(one).__name__ for one in both] == ["Receipt", "UnknownTenant"]
    assert waiting == 3  # with the fixture's
    assert total > waiting
    assert await database.read(other_tenant, "find_owner", tenant=other_tenant, conversation="c-1") == []


async def test_a_fenced_process_reads_the_settings_and_the_keys_of_a_tenant_whose_key_it_saw(
    fenced: Database, full: dict[str, str], tenant: str, other_tenant: str
) -> None:
    await ApiKeys(fenced).verify(full[tenant], HERE)

    view = await Tenants(fenced).view(tenant)
    keys = await list_keys(fenced, tenant)
    foreign = await list_keys(fenced, other_tenant)

    assert view.version == 1
    assert (len(keys), foreign) == (1, [])
    with pytest.raises(UnknownTenant):
        await Tenants(fenced).view(other_tenant)


async def test_an_http_process_with_a_login_that_sees_more_is_told_so(
    settings: Settings, url: str, database: Database, fenced: Database
) -> None:
    check_fence(fenced)
    with pytest.raises(ServerUnfit, match=r"could read every tenant.*GRANT fte_http and no other role"):
        check_fence(database)

    name = urlsplit(url).username or ""
    with connect(settings.database_url or "") as connection:
        connection.execute(sql.SQL("GRANT fte_app TO {}").format(sql.Identifier(name)))
        both = Database(settings.model_copy(update={"database_url": url}))
        await both.open()
        connection.execute(sql.SQL("REVOKE fte_app FROM {}").format(sql.Identifier(name)))
    with pytest.raises(ServerUnfit, match="could read every tenant"):
        check_fence(both)
    await both.close()


async def test_it_is_as_narrow_where_a_plain_role_owns_the_database(plain_owner: str, url: str) -> None:
    sealer_key = Fernet.generate_key().decode()
    report = migrate(plain_owner, Sealer([sealer_key]), tenants=["one", "two"], sample=False)
    settings = Settings(database_url=plain_owner, redis_url="redis://", vault_keys=[SecretStr(sealer_key)])
    owner = Database(settings)
    await owner.open()
    text = await key_of(owner, "one")
    for tenant in ("one", "two"):
        await owner.read(tenant, "add_conversation", tenant=tenant, conversation="c-1")
    address = urlunsplit(urlsplit(url)._replace(path=urlsplit(plain_owner).path))
    process = Database(settings.model_copy(update={"database_url": address}))
    await process.open()

    check_fence(process)
    principal = await ApiKeys(process).verify(text, HERE)
    seen = {
        scope: await process.read(scope, "find_owner", tenant="two" if scope == "two" else "one", conversation="c-1")
        for scope in ("one", "two", "*", "")
    }
    accepted = [
        (await process.read(one, "accept_proven_messages", **accept_several_parameters(one, "m-1")))[0]["status"]
        for one in ("one", "two")
    ]
    await process.close()
    await owner.close()

    assert report.http_role_granted
    assert principal.tenant == "one"
    assert seen == {"one": [{"owner": "bot"}], "two": [], "*": [], "": []}
    assert accepted == ["accepted", "unknown_tenant"]


@pytest.mark.parametrize(
    "door_hash", ["sha256('door secret')", "'door secret'::bytea", "sha256(sha256('door secret'))"]
)
async def test_the_proof_of_a_channel_account_is_given_for_its_opened_secret_alone(
    url: str, full: dict[str, str], tenant: str, other_tenant: str, door_hash: str
) -> None:
    statement = f"SELECT prove_channel_account(%s, %s, {door_hash}) AS proof"
    with connect(url) as connection:
        proofs = {
            (of, account): connection.execute(statement.encode(), [of, account]).fetchall()[0]["proof"]
            for of in (tenant, other_tenant, "*", "")
            for account in (ACCOUNT, "ch_ffffffffffffffff", "%")
        }

    opened = door_hash == "sha256('door secret')"
    assert {at for at, proof in proofs.items() if proof is not None} == (
        {(tenant, ACCOUNT), (other_tenant, ACCOUNT)} if opened else set()
    )


def test_an_account_is_found_by_its_exact_ids_and_shows_only_what_is_sealed(
    url: str, full: dict[str, str], tenant: str
) -> None:
    with connect(url) as connection:
        rows = {
            (of, account): connection.execute("SELECT * FROM find_channel_account(%s, %s)", [of, account]).fetchall()
            for of in (tenant, "*", "", "%")
            for account in (ACCOUNT, "%", "", "ch_")
        }
        scope = connection.execute("SELECT current_setting('fte.tenant', true) AS scope").fetchall()[0]["scope"]

    assert {at for at, found in rows.items() if found} == {(tenant, ACCOUNT)}
    assert scope in {"", None}
