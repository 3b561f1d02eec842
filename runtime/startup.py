"""Check, before any work starts, that this process fits its servers."""

from __future__ import annotations

from psycopg import errors

from runtime.database import APPLICATION_ROLE, HTTP_ROLE, Database
from runtime.sealing import Sealer
from runtime.sender_keys import SenderKeys, open_sender_keys
from runtime.server_addresses import first_line
from schema.errors import InvalidSettings, SchemaOutdated, ServerUnfit
from schema.resources import load_migrations


async def check_deployment(database: Database, sealer: Sealer) -> SenderKeys:
    """Check that the database has this release's migrations and this deployment's key; return its sender keys.

    Raises SchemaOutdated; ServerUnfit where the role that connects has no rights; InvalidSettings when the key
    differs: messages sealed by one process could not be opened by another.
    """
    needed = load_migrations()[-1].number
    exists = await database.read("*", "find_migration_table")
    if not exists[0]["found"]:
        raise SchemaOutdated(0, needed)
    try:
        row = (await database.read("*", "read_deployment"))[0]
    except errors.InsufficientPrivilege as error:
        raise ServerUnfit(
            "PostgreSQL",
            database.address,
            [first_line(error)],
            f"let an administrator run GRANT {APPLICATION_ROLE} TO the role that connects",
        ) from None
    if (row["migration"] or 0) < needed:
        raise SchemaOutdated(row["migration"] or 0, needed)
    if row["vault_fingerprint"] is None:  # `fte migrate` was interrupted before it had set the database up
        raise SchemaOutdated(row["migration"], needed)
    check_fingerprint(row["vault_fingerprint"], sealer)
    return open_sender_keys((await database.read("*", "read_sender_secret"))[0]["sender_secret"], sealer)


def check_fence(database: Database) -> None:
    """Check that an HTTP process's login sees one tenant at a time, whatever SQL reaches it; raises ServerUnfit."""
    if not database.is_fenced:
        raise ServerUnfit(
            "PostgreSQL",
            database.address,
            [f"its login is not held to the role {HTTP_ROLE}, so that it could read every tenant"],
            f"give this process a login that has GRANT {HTTP_ROLE} and no other role (docs/tenants.md)",
        )


def check_fingerprint(recorded: str | None, sealer: Sealer) -> None:
    """Check that this process holds the key a database was set up with; raises InvalidSettings naming both."""
    if recorded not in sealer.fingerprints:
        keys = ", ".join(sealer.fingerprints)
        problem = f"this database was set up with the key {recorded}, this process has {keys}"
        raise InvalidSettings([f"FTE_VAULT_KEYS: {problem}; give every process the same keys"])
