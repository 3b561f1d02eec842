"""Migrate a database: numbered migrations, the application's role, the vault key's fingerprint, tenants.

Forward only and safe to repeat; of several processes that start at once, one works and the others wait for it.
`python -m ops.database.migrate --write-structure` remakes `schema/structure.sql`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors, sql

from ops.database import http_role
from ops.database.backfilling import find_people
from runtime.database import APPLICATION_ROLE, EVERY_TENANT, HTTP_ROLE, Row, check_encoding, connect
from runtime.encoding import dump_json
from runtime.sender_keys import make_sender_secret
from runtime.server_addresses import address_of, first_line
from runtime.startup import check_fingerprint
from schema.errors import FteError
from schema.ids import BRAND_PATTERN, TENANT_PATTERN
from schema.resources import Migration, load_migrations, load_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runtime.sealing import Sealer

SERVER_VERSION_MIN = 150_000
"""PostgreSQL 15, in the form of `server_version_num`."""

LOCK_SECONDS_MAX = 120
"""How long to wait for another process that migrates the same database."""

STATEMENT_LOCK_SECONDS_MAX = 5
"""How long a migration's statement waits for a table lock: while it waits, everything behind it waits as well."""

LOCK = 0x6674_6501
"""The advisory lock of `migrate`; advisory locks belong to one database."""

_SET_OPTION_SINCE = 160_000
_ROLE_ATTEMPTS_MAX = 5

Connection = psycopg.Connection[Row]


class MigrationFailed(FteError):
    """A migration step that could not be applied, and why; nothing of that step was."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}; nothing of it was applied, run `fte migrate` again when that is mended")
        self.step = step


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What one run of `migrate` found and changed."""

    found: int
    """The newest migration before the run; 0: an empty database."""
    number: int
    """The newest migration now."""
    applied: tuple[str, ...]
    tenants_added: tuple[str, ...]
    role_granted: bool
    """Whether `fte_app` exists and has its grants; without it the database's owner must be a plain role."""
    http_role_granted: bool
    """Whether `fte_http` exists and has its grants; without it no HTTP process can be fenced in."""


def migrate(
    database_url: str,
    sealer: Sealer,
    *,
    tenants: Sequence[str] = ("default",),
    brand: str | None = None,
    sample: bool = True,
) -> MigrationReport:
    """Migrate the database to this release and return what changed.

    `brand` is the name of `tenants` towards their customers from now on; None leaves it as it is.
    `sample` fills each of `tenants` with the sample airline and its articles, unless it has flights already.

    Raises ServerUnreachable; InvalidSettings when the database was set up with a key that `sealer` lacks;
    MigrationFailed.
    """
    for tenant in tenants:
        if not re.match(TENANT_PATTERN, tenant):
            raise MigrationFailed(f"tenant {tenant[:80]!r}", "1 to 63 of A-Z a-z 0-9 _ -, first a letter or digit")
    if brand is not None and not re.match(BRAND_PATTERN, brand):
        raise MigrationFailed(f"brand {brand[:80]!r}", "1 to 80 characters, none of them a control character or { }")
    with connect(database_url) as connection, _locked(database_url):
        _check_server(connection, database_url)
        found = _read_number(connection)
        fingerprint = read_fingerprint(connection) if found else None
        if fingerprint is not None:  # None also after a first run that was interrupted: nothing is sealed yet
            check_fingerprint(fingerprint, sealer)
        # First of all steps: what it refuses leaves the database as it was.
        has_role = _prepare_role(connection)
        has_http_role = _make_role(connection, HTTP_ROLE)
        applied = [migration.name for migration in load_migrations() if _apply(connection, migration)]
        if has_role:
            _grant(connection, APPLICATION_ROLE, [_GRANTS.format(role=sql.Identifier(APPLICATION_ROLE))])
        if has_http_role:
            _grant(connection, HTTP_ROLE, http_role.statements())
        with _step(connection):
            record_fingerprint(connection, sealer)
            _keep_sender_secret(connection, sealer)
            added = [tenant for tenant in tenants if _add_tenant(connection, tenant)]
            _set_brand(connection, tenants, brand)
        find_people(connection)
        if sample:
            for tenant in tenants:
                _fill(connection, tenant)
        return MigrationReport(found, _read_number(connection), tuple(applied), tuple(added), has_role, has_http_role)


def _check_server(connection: Connection, database_url: str) -> None:
    version = connection.info.server_version
    if version < SERVER_VERSION_MIN:
        raise MigrationFailed("start", f"this is PostgreSQL {version // 10_000}, at least 15 is needed")
    check_encoding(connection, address_of(database_url))


@contextmanager
def _locked(database_url: str) -> Iterator[None]:
    """Hold the advisory lock for the block, by a transaction of its own.

    A lock of the session would stay on the server's connection behind a pooler of transactions, which lends that
    connection to others. Raises MigrationFailed when another process holds it for LOCK_SECONDS_MAX.
    """
    with connect(database_url) as connection, connection.transaction():
        connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', true)")
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_SECONDS_MAX}s"])
        try:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        except errors.LockNotAvailable:
            raise MigrationFailed(
                "start", f"another process migrates this database since {LOCK_SECONDS_MAX} s"
            ) from None
        yield


@contextmanager
def _step(connection: Connection) -> Iterator[None]:
    """Open a transaction that sees all tenants' rows: owners are under row-level security too (FORCE).

    Both settings are local to the transaction, so that a pooler hands them to nobody.
    """
    with connection.transaction():
        connection.execute("SELECT set_config('fte.tenant', %s, true)", [EVERY_TENANT])
        connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{STATEMENT_LOCK_SECONDS_MAX}s"])
        yield


def _read_number(connection: Connection) -> int:
    if not _one(connection, load_query("find_migration_table"))["found"]:
        return 0
    return int(_one(connection, "SELECT coalesce(max(number), 0) AS number FROM migration")["number"])


def read_fingerprint(connection: Connection) -> str | None:
    """Return the fingerprint of the key the database was set up with or moved to last; None before it was set up."""
    fingerprint = _one(connection, load_query("read_deployment"))["vault_fingerprint"]
    return None if fingerprint is None else str(fingerprint)


def _apply(connection: Connection, migration: Migration) -> bool:
    """Apply one migration in a transaction of its own; return whether it was missing."""
    recorded = _recorded_name(connection, migration.number)
    if recorded == migration.name:
        return False
    if recorded is not None:
        raise MigrationFailed(migration.name, f"the database has another migration of this number, {recorded}")
    try:
        with _step(connection):
            connection.execute(migration.sql.encode())
            connection.execute(
                "INSERT INTO migration (number, name) VALUES (%s, %s)", [migration.number, migration.name]
            )
    except psycopg.Error as error:
        raise MigrationFailed(migration.name, first_line(error)) from error
    return True


def _recorded_name(connection: Connection, number: int) -> str | None:
    if not _one(connection, load_query("find_migration_table"))["found"]:
        return None
    row = connection.execute("SELECT name FROM migration WHERE number = %s", [number]).fetchone()
    return None if row is None else str(row["name"])


def _prepare_role(connection: Connection) -> bool:
    """Create the application's role and let this user switch to it; return whether the role exists.

    Raises MigrationFailed with the statement that an administrator has to run.
    """
    user = _one(
        connection,
        "SELECT rolname AS name, rolsuper, rolsuper OR rolbypassrls AS above "
        "FROM pg_roles WHERE rolname = current_user",
    )
    if not _make_role(connection, APPLICATION_ROLE):
        if user["above"]:
            raise MigrationFailed(
                f"role {APPLICATION_ROLE}",
                "this user is above row-level security and may not make it; let an administrator run "
                f"CREATE ROLE {APPLICATION_ROLE} NOLOGIN, or connect as a plain role that owns the database",
            )
        return False
    if user["above"] and not user["rolsuper"] and not _may_step_down(connection):
        try:
            connection.execute(sql.SQL("GRANT {role} TO CURRENT_USER").format(role=sql.Identifier(APPLICATION_ROLE)))
        except psycopg.Error as error:
            raise MigrationFailed(
                f"role {APPLICATION_ROLE}",
                f"this user is above row-level security and may not step down to it ({first_line(error)}); let an "
                f"administrator run GRANT {APPLICATION_ROLE} TO {user['name']}",
            ) from None
    return True


def _may_step_down(connection: Connection) -> bool:
    # Since 16 a member may lack the right to SET ROLE: the creator of a role does not have it at first.
    right = "SET" if connection.info.server_version >= _SET_OPTION_SINCE else "MEMBER"
    row = connection.execute("SELECT pg_has_role(current_user, %s, %s) AS may", [APPLICATION_ROLE, right]).fetchone()
    return row is not None and bool(row["may"])


def _grant(connection: Connection, role: str, statements: Sequence[sql.Composed]) -> None:
    """Grant a role its rights, at each run, so that a new table needs no separate grant."""
    try:
        with _step(connection):
            for statement in statements:
                connection.execute(statement)
    except psycopg.Error as error:
        raise MigrationFailed(f"grants to {role}", first_line(error)) from error


def _make_role(connection: Connection, role: str) -> bool:
    """Create the role unless it exists; return whether it exists now.

    Roles belong to the whole cluster, the advisory lock to one database: two databases may race for the same role,
    which PostgreSQL answers in three ways. The loser looks again.
    """
    statement = sql.SQL("CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS").format(role=sql.Identifier(role))
    for _ in range(_ROLE_ATTEMPTS_MAX):
        row = connection.execute(
            "SELECT rolsuper OR rolbypassrls AS above FROM pg_roles WHERE rolname = %s", [role]
        ).fetchone()
        if row is not None and row["above"]:
            raise MigrationFailed(
                f"role {role}",
                "it is above row-level security, so tenants would not be apart; run "
                f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS",
            )
        if row is not None:
            return True
        try:
            connection.execute(statement)
        except errors.InsufficientPrivilege:
            return False
        except (errors.DuplicateObject, errors.UniqueViolation, errors.InternalError_):
            continue
    return False


# Only what this user owns: an extension's tables and functions in the same schema are not ours to grant. The tables of
# `migrate` itself are read-only: no application process has a reason to write them.
_GRANTS = sql.SQL("""
DO $$
DECLARE
    v_schema oid := current_schema()::regnamespace;
    v_name text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', current_schema());
    FOR v_name IN SELECT c.oid::regclass FROM pg_class c
        WHERE c.relnamespace = v_schema AND c.relkind IN ('r', 'p', 'v') AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {role}', v_name);
    END LOOP;
    FOR v_name IN SELECT c.oid::regclass FROM pg_class c
        WHERE c.relnamespace = v_schema AND c.relkind = 'S' AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO {role}', v_name);
    END LOOP;
    FOR v_name IN SELECT p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = v_schema AND p.prokind IN ('f', 'p') AND pg_has_role(p.proowner, 'USAGE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO {role}', v_name);
    END LOOP;
    REVOKE INSERT, UPDATE, DELETE ON migration, deployment FROM {role};
    REVOKE ALL ON tenant_proof_secret FROM {role};
END $$
""")


def record_fingerprint(connection: Connection, sealer: Sealer) -> None:
    """Store the newest key's fingerprint; the caller has checked that the recorded one is among the sealer's."""
    connection.execute(
        "INSERT INTO deployment (vault_fingerprint) VALUES (%s) "
        "ON CONFLICT (only_row) DO UPDATE SET vault_fingerprint = excluded.vault_fingerprint "
        "WHERE deployment.vault_fingerprint <> excluded.vault_fingerprint",
        [sealer.fingerprints[0]],
    )


def _keep_sender_secret(connection: Connection, sealer: Sealer) -> None:
    """Store the secret of sender keys, once for ever: existing hashes could not be computed anew with another."""
    connection.execute(
        "UPDATE deployment SET sender_secret = %s WHERE sender_secret IS NULL", [make_sender_secret(sealer)]
    )


def _add_tenant(connection: Connection, tenant: str) -> bool:
    return connection.execute(load_query("add_tenant"), {"tenant": tenant}).rowcount == 1


def _set_brand(connection: Connection, tenants: Sequence[str], brand: str | None) -> None:
    """Change the brand among tenants' settings where it is another; a deleted tenant has none."""
    for tenant in tenants if brand is not None else ():
        row = connection.execute(load_query("read_tenant"), {"tenant": tenant}).fetchone()
        if row is None or row["brand"] == brand:
            continue
        change = {
            "tenant": tenant,
            "settings": dump_json(row["settings"] | {"brand": brand}),
            "version": row["version"],
            "by": "fte migrate",
            "reason": None,
            "restores": None,
        }
        connection.execute(load_query("change_tenant_settings"), change)


def _fill(connection: Connection, tenant: str) -> None:
    """Fill one tenant with the sample airline, all or nothing; a tenant that has flights keeps its data."""
    from ops.knowledge.importing import import_articles  # noqa: PLC0415 - not for a run without sample, as the next
    from ops.seed import ARTICLES_FOLDER, seed_airline  # noqa: PLC0415

    with _step(connection):
        if seed_airline(connection, tenant, datetime.now(UTC).date()).flights:
            import_articles(connection, tenant, ARTICLES_FOLDER, by="fte migrate")


def _one(connection: Connection, statement: str) -> dict[str, Any]:
    row = connection.execute(statement.encode()).fetchone()
    if row is None:
        raise LookupError(f"no row: {statement}")
    return row


def _write_structure() -> None:
    """Apply every migration to an empty database, and write the resulting structure to `schema/structure.sql`."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - starts servers; only for this command, as the rest

    from ops.database.structure import dump_structure  # noqa: PLC0415
    from ops.embedded import EmbeddedStack  # noqa: PLC0415
    from runtime.sealing import Sealer  # noqa: PLC0415

    path = Path(str(files("schema"))) / "structure.sql"
    with tempfile.TemporaryDirectory() as folder, EmbeddedStack(Path(folder), durable=False) as stack:
        migrate(stack.addresses.database_url, Sealer([Fernet.generate_key().decode()]), sample=False)
        path.write_text(dump_structure(stack.addresses.database_url), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Remake schema/structure.sql from the migrations.")
    parser.add_argument("--write-structure", action="store_true", required=True)
    parser.parse_args()
    _write_structure()
