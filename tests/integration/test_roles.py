"""Roles that lack a right are told the statement that gives it, before anything is changed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from psycopg import sql

from ops.database.migrate import MigrationFailed, migrate
from ops.embedded import EmbeddedStack
from runtime.database import Database, connect
from runtime.sealing import Sealer
from runtime.startup import check_deployment
from schema.errors import ServerUnfit
from schema.settings import Settings

EmptyDatabase = Callable[..., AbstractContextManager[str]]
PASSWORD = "made-up"


@contextmanager
def role(superuser_url: str, rights: str) -> Iterator[str]:
    """Make a login role with such rights for the block."""
    name = f"r{uuid.uuid4().hex[:10]}"
    with connect(superuser_url) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                sql.Identifier(name), sql.SQL(rights), sql.Literal(PASSWORD)
            )
        )
        try:
            yield name
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_an_owner_above_row_level_security_is_told_the_grant_it_needs_and_nothing_is_applied(
    stack: EmbeddedStack, sealer: Sealer, empty_database: EmptyDatabase
) -> None:
    superuser_url = stack.addresses.database_url
    with role(superuser_url, "BYPASSRLS") as owner, empty_database(owner, PASSWORD) as url:
        with pytest.raises(MigrationFailed, match=f"GRANT fte_app TO {owner}"):
            migrate(url, sealer, sample=False)
        with connect(url) as connection:
            left = connection.execute("SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'public'").fetchone()
        with connect(superuser_url) as connection:
            connection.execute(sql.SQL("GRANT fte_app TO {}").format(sql.Identifier(owner)))

        report = migrate(url, sealer, sample=False)

    assert left == {"tables": 0}
    assert report.role_granted


async def test_a_login_without_rights_is_told_the_grant_it_needs(
    settings: Settings, stack: EmbeddedStack, sealer: Sealer, empty_database: EmptyDatabase
) -> None:
    superuser_url = stack.addresses.database_url
    with role(superuser_url, "NOINHERIT") as login, empty_database() as url:
        migrate(url, sealer, sample=False)
        place = url.partition("@")[2]
        database = Database(settings.model_copy(update={"database_url": f"postgresql://{login}:{PASSWORD}@{place}"}))
        await database.open()

        with pytest.raises(ServerUnfit, match=r"permission denied.*GRANT fte_app"):
            await check_deployment(database, sealer)

        await database.close()
