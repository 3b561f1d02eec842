"""Give integration tests real servers: one embedded stack per run, one migrated database, a fresh tenant per test."""

from __future__ import annotations

import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from pydantic import SecretStr

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from runtime.configuration import open_sealer
from runtime.database import Database, connect
from runtime.redis import make_redis
from schema.settings import Settings
from tests.integration.worker_harness import Harness, MakeHarness, Think, echo, make_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from redis.asyncio import Redis

    from runtime.sealing import Sealer


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run PostgreSQL and Redis for the whole run; a test that kills one brings it back."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as running:
        yield running


@pytest.fixture(scope="session")
def settings(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Point at a migrated database, without the sample airline: a test that needs it fills its own tenant.

    Each message has a turn of its own, so that tests can count turns; `test_bursts.py` has those of several messages.
    """
    return migrated(stack, tmp_path_factory.mktemp("state"))


def migrated(stack: EmbeddedStack, state_dir: Path) -> Settings:
    """Migrate the servers' database and give the settings that point at it."""
    addresses = stack.addresses
    made = Settings(
        database_url=addresses.database_url,
        redis_url=addresses.redis_url,
        vault_keys=[SecretStr(Fernet.generate_key().decode())],
        state_dir=state_dir,
        burst_messages_max=1,
    )
    migrate(addresses.database_url, open_sealer(made), sample=False)
    return made


@pytest.fixture(scope="session")
def sealer(settings: Settings) -> Sealer:
    """Hold the key of the migrated database."""
    return open_sealer(settings)


@pytest.fixture(scope="session")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """Reach the migrated database as the product does: through its pool, under row-level security."""
    made = Database(settings)
    await made.open()
    yield made
    await made.close()


@pytest.fixture(scope="session")
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    """Reach Redis as the product does."""
    client = make_redis(settings)
    yield client
    await client.aclose()


@pytest.fixture
def tenant(settings: Settings) -> str:
    """Set up a tenant that no other test has, so tests need not clean up."""
    return add_tenant(settings)


@pytest.fixture
def other_tenant(settings: Settings) -> str:
    """Set up a second tenant."""
    return add_tenant(settings)


def add_tenant(settings: Settings) -> str:
    """Set up a tenant under a random name."""
    name = f"t{uuid.uuid4().hex[:12]}"
    assert settings.database_url is not None
    with connect(settings.database_url) as connection:
        connection.execute("INSERT INTO tenant (tenant_id) VALUES (%s)", [name])
    return name


@pytest.fixture
async def worker(settings: Settings, sealer: Sealer, tenant: str) -> AsyncIterator[MakeHarness]:
    """Make workers in this process that share the test's tenant; closed at the end."""
    made: list[Harness] = []

    async def make(
        think: Think = echo, *, tools: list[Any] | None = None, backend: Any = None, **changes: Any
    ) -> Harness:
        changed = settings.model_copy(update=changes)
        harness = await make_harness(changed, sealer, tenant, think, tools=tools, backend=backend)
        made.append(harness)
        return harness

    yield make
    for harness in made:
        await harness.close()


@pytest.fixture(scope="session")
def empty_database(stack: EmbeddedStack) -> Callable[..., AbstractContextManager[str]]:
    """Give a maker of empty databases: called with an owner's role and password, or as the superuser without."""
    superuser_url = stack.addresses.database_url

    @contextmanager
    def make(owner: str | None = None, password: str | None = None) -> Iterator[str]:
        name = f"d{uuid.uuid4().hex[:12]}"
        with connect(superuser_url) as connection:
            owned_by = sql.SQL("OWNER {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
            connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), owned_by))
        try:
            yield _address(superuser_url, name, owner, password)
        finally:
            with connect(superuser_url) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    return make


def _address(url: str, database: str, user: str | None, password: str | None) -> str:
    parts = urlsplit(url)
    place = f"{user}:{password}@{parts.hostname}:{parts.port}" if user else parts.netloc
    return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))


@pytest.fixture
def plain_owner(stack: EmbeddedStack, empty_database: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """Give a database that belongs to a role without any privilege, as hosted PostgreSQL does."""
    role, password = "plain_owner", "made-up"
    with connect(stack.addresses.database_url) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEROLE PASSWORD {}").format(
                sql.Identifier(role), sql.Literal(password)
            )
        )
    with empty_database(role, password) as url:
        yield url
    with connect(stack.addresses.database_url) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Run servers of our own, to empty."""
    with EmbeddedStack(tmp_path_factory.mktemp("fragile"), durable=False) as running:
        settings = Settings(
            database_url=running.addresses.database_url,
            redis_url=running.addresses.redis_url,
            state_dir=tmp_path_factory.mktemp("fragile-state"),
            publish_seconds=0.1,
            collected_seconds=0.1,
            reconcile_seconds=0.1,
            sweep_seconds=0.05,
            bell_seconds=0.05,
            burst_messages_max=1,
        )
        migrate(running.addresses.database_url, open_sealer(settings), sample=False)
        yield settings


@pytest.fixture
async def harness(fragile: Settings) -> AsyncIterator[Harness]:
    made = await make_harness(fragile, open_sealer(fragile), add_tenant(fragile))
    yield made
    await made.close()
