"""A managed PostgreSQL gives a login without SUPERUSER, CREATEROLE and BYPASSRLS: what works, and what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from pydantic import SecretStr

from ops.database.migrate import MigrationFailed, migrate
from ops.embedded import EmbeddedStack
from producer import AsyncSubscription, replies_stream
from runtime.configuration import open_sealer
from runtime.database import Database, connect
from runtime.startup import check_fence
from schema.errors import ServerUnfit
from schema.settings import Settings
from tests.acceptance.test_celery_worker import FTE, running, send

PASSWORD = "made-up"
PLAIN, ABOVE = "managed_owner", "managed_above"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run servers on which nobody has made our roles, with a login that may do little, and one above row security."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as running_stack:
        with connect(running_stack.addresses.database_url) as connection:
            for name, right in ((PLAIN, "NOBYPASSRLS"), (ABOVE, "BYPASSRLS")):
                login = sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEROLE {} PASSWORD {}")
                connection.execute(login.format(sql.Identifier(name), sql.SQL(right), sql.Literal(PASSWORD)))
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
        yield running_stack


def settings_of(stack: EmbeddedStack, name: str, state_dir: Path) -> Settings:
    place = urlsplit(stack.addresses.database_url).netloc.rpartition("@")[2]
    return Settings(
        database_url=f"postgresql://{name}:{PASSWORD}@{place}/{name}",
        redis_url=stack.addresses.redis_url,
        vault_keys=[SecretStr(Fernet.generate_key().decode())],
        state_dir=state_dir,
    )


async def test_a_login_that_owns_its_database_and_nothing_else_migrates_and_runs_a_worker(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    settings = settings_of(stack, PLAIN, tmp_path)
    report = migrate(settings.database_url or "", open_sealer(settings), sample=True)

    async with (
        running(settings, tmp_path / "log", *FTE, "worker", "--concurrency", "4"),
        AsyncSubscription(settings, replies_stream("default", "chat"), group="g", consumer="one") as subscription,
    ):
        await send(settings, 3)
        async with asyncio.timeout(30):
            collected = {(await anext(aiter(subscription))).conversation for _ in range(3)}

    assert (report.role_granted, report.http_role_granted) == (False, False)
    assert len(collected) == 3


async def test_an_http_process_with_such_a_login_is_refused_and_told_the_statements(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    settings = settings_of(stack, PLAIN, tmp_path)
    database = Database(settings)
    await database.open()

    with pytest.raises(ServerUnfit, match="fte_http") as refused:
        check_fence(database)

    await database.close()
    assert PASSWORD not in str(refused.value)


def test_a_login_above_row_security_that_may_make_no_role_is_told_the_statement_and_changes_nothing(
    stack: EmbeddedStack, tmp_path: Path
) -> None:
    settings = settings_of(stack, ABOVE, tmp_path)

    with pytest.raises(MigrationFailed, match="let an administrator run CREATE ROLE fte_app NOLOGIN"):
        migrate(settings.database_url or "", open_sealer(settings), sample=False)

    with connect(settings.database_url or "") as connection:
        left = connection.execute("SELECT count(*) AS tables FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert left == {"tables": 0}
