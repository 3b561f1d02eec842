from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from cryptography.fernet import Fernet

import ops.database.migrate
from ops.database.migrate import Connection, MigrationFailed, MigrationReport, migrate
from ops.database.structure import dump_structure
from runtime.database import Database, connect
from runtime.sealing import Sealer
from runtime.startup import check_deployment
from schema.errors import InvalidSettings, SchemaOutdated
from schema.resources import Migration, list_queries, load_migrations, load_query
from schema.settings import Settings
from tests.integration.producing import accept_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ops.embedded import EmbeddedStack

    EmptyDatabase = Callable[..., AbstractContextManager[str]]

KEYS = [Fernet.generate_key().decode() for _ in range(3)]
QUERIES = list_queries()


def test_migrate_applies_every_migration_to_an_empty_database(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        report = migrate(url, Sealer(KEYS[:1]), sample=False)

        assert report == MigrationReport(
            found=0,
            number=load_migrations()[-1].number,
            applied=tuple(migration.name for migration in load_migrations()),
            tenants_added=("default",),
            role_granted=True,
            http_role_granted=True,
        )


def test_migrate_changes_nothing_when_repeated(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer(KEYS[:1]), sample=False)
        before = _records(url)

        report = migrate(url, Sealer(KEYS[:1]), sample=False)

        assert (report.applied, report.tenants_added) == ((), ())
        assert _records(url) == before


def test_migrate_applies_each_migration_once_when_several_start_at_once(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        barrier = threading.Barrier(4)

        def start() -> MigrationReport:
            barrier.wait(10)
            return migrate(url, Sealer(KEYS[:1]), sample=False)

        with ThreadPoolExecutor(4) as pool:
            reports = [future.result() for future in [pool.submit(start) for _ in range(4)]]

        assert sorted(len(report.applied) for report in reports) == [0, 0, 0, len(load_migrations())]


def test_migrate_takes_the_role_that_another_database_of_the_cluster_is_making(
    stack: EmbeddedStack, empty_database: EmptyDatabase
) -> None:
    with empty_database() as url, _without_role(stack.addresses.database_url, url) as other:
        with ThreadPoolExecutor(1) as pool:
            with other.transaction():
                other.execute("CREATE ROLE fte_app")
                migrating = pool.submit(migrate, url, Sealer(KEYS[:1]), sample=False)
                _wait_for_create_role(stack.addresses.database_url)
            report = migrating.result(30)

        assert report.role_granted


def test_migrate_leaves_nothing_of_a_migration_that_fails(
    empty_database: EmptyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = "CREATE TABLE half (id integer); INSERT INTO migration (number, name) VALUES (9999, 'taken');"
    known = load_migrations()
    monkeypatch.setattr(
        ops.database.migrate, "load_migrations", lambda: (*known, Migration(9_999, "9999_broken", taken))
    )
    with empty_database() as url:
        with pytest.raises(MigrationFailed, match="9999_broken: duplicate key"):
            migrate(url, Sealer(KEYS[:1]), sample=False)

        with connect(url) as connection:
            row = _only(connection.execute("SELECT to_regclass('half') AS half, max(number) AS number FROM migration"))
        assert row == {"half": None, "number": known[-1].number}


def test_a_migration_sees_every_tenants_rows_even_as_a_plain_owner(
    plain_owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(plain_owner, Sealer(KEYS[:1]), sample=False)
    with connect(plain_owner) as connection:
        connection.execute(load_query("accept_message"), accept_parameters("default", "m-1"))
    census = Migration(9_999, "9999_census", "CREATE TABLE census AS SELECT count(*) AS messages FROM inbox")
    known = load_migrations()
    monkeypatch.setattr(ops.database.migrate, "load_migrations", lambda: (*known, census))

    migrate(plain_owner, Sealer(KEYS[:1]), sample=False)

    with connect(plain_owner) as connection:
        assert _only(connection.execute("SELECT messages FROM census")) == {"messages": 1}


def test_migrate_refuses_a_database_that_has_another_migration_of_that_number(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer(KEYS[:1]), sample=False)
        with connect(url) as connection:
            connection.execute("UPDATE migration SET name = '0001_other' WHERE number = 1")

        with pytest.raises(MigrationFailed, match=r"0001_conversations: the database has another .* 0001_other"):
            migrate(url, Sealer(KEYS[:1]), sample=False)


def test_migrate_gives_up_when_another_process_holds_the_lock_too_long(
    empty_database: EmptyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops.database.migrate, "LOCK_SECONDS_MAX", 1)
    with empty_database() as url, connect(url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ops.database.migrate.LOCK])

        with pytest.raises(MigrationFailed, match="another process migrates this database"):
            migrate(url, Sealer(KEYS[:1]), sample=False)


def test_migrate_leaves_nothing_of_its_session_to_whoever_a_pooler_lends_it_to(
    empty_database: EmptyDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Connection] = []

    @contextmanager
    def connect_and_keep(url: str) -> Iterator[Connection]:
        kept.append(connect(url))
        yield kept[-1]

    monkeypatch.setattr(ops.database.migrate, "connect", connect_and_keep)
    with empty_database() as url, connect(url) as fresh:
        migrate(url, Sealer(KEYS[:1]), sample=False)

        locks = fresh.execute("SELECT FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        settings = "SELECT name, setting FROM pg_settings WHERE source = 'session' ORDER BY name"
        usual = fresh.execute(settings).fetchall()
        left = [each.execute(settings).fetchall() for each in kept]
        scopes = [_only(each.execute("SELECT current_setting('fte.tenant', true) AS scope"))["scope"] for each in kept]
        for each in kept:
            each.close()

    assert locks == []
    assert left == [usual] * len(kept)
    assert [scope or "" for scope in scopes] == [""] * len(kept)


def test_migrate_refuses_a_tenant_whose_name_cannot_stand_in_a_key(empty_database: EmptyDatabase) -> None:
    with empty_database() as url, pytest.raises(MigrationFailed, match=r"tenant 'a:b'"):
        migrate(url, Sealer(KEYS[:1]), tenants=["a:b"], sample=False)


def test_migrate_adds_the_tenants_it_is_given(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer(KEYS[:1]), sample=False)

        report = migrate(url, Sealer(KEYS[:1]), tenants=["default", "second"], sample=False)

        assert report.tenants_added == ("second",)


def test_migrate_gives_tenants_their_brand_and_leaves_others_theirs(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer(KEYS[:1]), tenants=["default", "second"], sample=False)

        migrate(url, Sealer(KEYS[:1]), tenants=["second"], brand="Elmo's Wings", sample=False)
        migrate(url, Sealer(KEYS[:1]), tenants=["second"], sample=False)

        with connect(url) as connection:
            rows = connection.execute("SELECT tenant_id, brand FROM tenant ORDER BY tenant_id").fetchall()
        assert [(row["tenant_id"], row["brand"]) for row in rows] == [("default", None), ("second", "Elmo's Wings")]
        for brand in ("", "x" * 81, "a\nb", "{airline}"):
            with pytest.raises(MigrationFailed, match=r"brand .*1 to 80 characters"):
                migrate(url, Sealer(KEYS[:1]), brand=brand, sample=False)


def test_migrate_makes_the_secret_of_sender_keys_once(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        secrets = []
        for keys in ([KEYS[0]], [KEYS[0]], [KEYS[1], KEYS[0]]):
            migrate(url, Sealer(keys), sample=False)
            with connect(url) as connection:
                secrets.append(_only(connection.execute("SELECT sender_secret FROM deployment"))["sender_secret"])

        assert len({Sealer(KEYS).open(secret) for secret in secrets}) == 1


def test_migrate_records_the_newest_key_when_keys_were_rotated(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer([KEYS[0]]), sample=False)

        migrate(url, Sealer([KEYS[1], KEYS[0]]), sample=False)

        assert _records(url)["vault_fingerprint"] == Sealer([KEYS[1]]).fingerprints[0]


def test_migrate_refuses_a_key_the_database_was_not_set_up_with(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer([KEYS[0]]), sample=False)

        with pytest.raises(InvalidSettings, match=Sealer([KEYS[0]]).fingerprints[0]):
            migrate(url, Sealer([KEYS[2]]), sample=False)

        assert _records(url)["vault_fingerprint"] == Sealer([KEYS[0]]).fingerprints[0]


def test_migrations_add_up_to_the_structure_on_file(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer(KEYS[:1]), sample=False)

        found = dump_structure(url)

    on_file = (files("schema") / "structure.sql").read_text()
    assert found == on_file, "run `python -m ops.database.migrate --write-structure` and commit the result"


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_can_be_prepared_against_the_migrated_database(settings: Settings, name: str) -> None:
    parameters: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        return parameters.setdefault(match[1], f"${len(parameters) + 1}")

    numbered = re.sub(r"%\((\w+)\)s", number, load_query(name)).replace("%%", "%")

    with connect(_url(settings)) as connection:
        connection.execute(f"PREPARE checked AS {numbered}".encode())


def test_a_message_id_is_looked_up_by_its_own_index_while_the_inbox_is_empty(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        migrate(url, Sealer(KEYS[:1]), sample=False)

        with connect(url) as connection:
            connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
            connection.execute("PREPARE lookup AS SELECT state FROM inbox WHERE tenant_id = $1 AND message_id = $2")
            plan = connection.execute("EXPLAIN EXECUTE lookup ('t', 'm')").fetchall()

    assert "inbox_pkey" in str(plan), plan


def test_the_sample_fills_a_tenant_once_and_leaves_its_own_articles_alone(plain_owner: str) -> None:
    sealer = Sealer([KEYS[0]])
    migrate(plain_owner, sealer)
    filled = _sample(plain_owner)
    with connect(plain_owner) as connection:
        connection.execute("SET fte.tenant = 'default'")
        connection.execute("UPDATE article SET title = 'Our own rules', content_hash = 'ours' WHERE slug = 'pets'")

    migrate(plain_owner, sealer)

    assert filled["flights"] >= 300
    assert filled["articles"] >= 30
    assert filled["own"] == 0
    assert _sample(plain_owner) == filled | {"own": 1}


async def test_startup_names_the_command_when_the_database_was_never_migrated(empty_database: EmptyDatabase) -> None:
    with empty_database() as url:
        database = Database(Settings(database_url=url, redis_url="redis://"))
        await database.open()

        with pytest.raises(SchemaOutdated, match="run `fte migrate`"):
            await check_deployment(database, Sealer([KEYS[0]]))

        await database.close()


@contextmanager
def _without_role(superuser_url: str, url: str) -> Iterator[Connection]:
    """Move the application's role out of the way, and put it back."""
    with connect(superuser_url) as connection:
        connection.execute("ALTER ROLE fte_app RENAME TO fte_app_aside")
        try:
            yield connection
        finally:
            with connect(url) as own:
                own.execute("DROP OWNED BY fte_app")
            connection.execute("DROP ROLE fte_app")
            connection.execute("ALTER ROLE fte_app_aside RENAME TO fte_app")


def _wait_for_create_role(url: str) -> None:
    """Wait until a session waits for the role that another one is making."""
    deadline = time.monotonic() + 20
    waiting = b"SELECT count(*) AS n FROM pg_stat_activity WHERE query LIKE 'CREATE ROLE%' AND wait_event_type = 'Lock'"
    with connect(url) as connection:
        while _only(connection.execute(waiting))["n"] == 0:
            assert time.monotonic() < deadline, "nobody came to make the role"
            time.sleep(0.01)


def _url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url


def _records(url: str) -> dict[str, Any]:
    with connect(url) as connection:
        migrations = connection.execute("SELECT number, name, applied_at FROM migration ORDER BY number").fetchall()
        deployment = _only(connection.execute("SELECT vault_fingerprint, created_at FROM deployment"))
        tenants = connection.execute("SELECT tenant_id, created_at FROM tenant ORDER BY tenant_id").fetchall()
    return {"migrations": migrations, **deployment, "tenants": tenants}


def _only(cursor: psycopg.Cursor[dict[str, Any]]) -> dict[str, Any]:
    rows = cursor.fetchall()
    assert len(rows) == 1
    return rows[0]


def _sample(url: str) -> dict[str, Any]:
    with connect(url) as connection:
        connection.execute("SET fte.tenant = 'default'")
        return _only(
            connection.execute(
                "SELECT (SELECT count(*) FROM flight) AS flights, (SELECT count(*) FROM article) AS articles, "
                "(SELECT count(*) FROM article WHERE title = 'Our own rules') AS own"
            )
        )


@pytest.mark.parametrize("applied", [migration.number for migration in load_migrations()])
def test_a_first_migrate_that_is_broken_off_can_be_repeated(
    empty_database: EmptyDatabase, monkeypatch: pytest.MonkeyPatch, applied: int
) -> None:
    apply = ops.database.migrate._apply  # noqa: SLF001 - where it is broken off

    def apply_and_die(connection: Connection, migration: Migration) -> bool:
        done = apply(connection, migration)
        if migration.number >= applied:
            raise KeyboardInterrupt
        return done

    with empty_database() as url:
        with monkeypatch.context() as dying:
            dying.setattr(ops.database.migrate, "_apply", apply_and_die)
            with pytest.raises(KeyboardInterrupt):
                migrate(url, Sealer(KEYS[:1]), sample=False)

        report = migrate(url, Sealer(KEYS[:1]), sample=False)

        assert (report.found, report.number) == (applied, load_migrations()[-1].number)
        assert _records(url)["vault_fingerprint"] == Sealer(KEYS[:1]).fingerprints[0]
