"""The least rights that the documentation gives are enough: its very statements are run, and a worker works."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from psycopg import sql
from pydantic import SecretStr
from redis import Redis

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from producer import AsyncSubscription, replies_stream
from runtime.configuration import open_sealer
from runtime.database import connect
from schema.settings import Settings
from tests.acceptance.fte_process import ROOT
from tests.acceptance.test_celery_worker import FTE, ask, running, send

OPERATIONS = ROOT / "docs" / "operations.md"


def documented(language: str) -> list[str]:
    """Read the statements of the section on rights, one a line."""
    section = OPERATIONS.read_text(encoding="utf-8").partition("## The least rights")[2].partition("\n## ")[0]
    block = re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block[1].strip().splitlines()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run servers for these tests alone: they make roles and users."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as stack:
        yield stack


@pytest.fixture(scope="module")
def settings(stack: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Set the servers up as documented; gives the settings of a worker."""
    with connect(stack.addresses.database_url) as connection:
        connection.execute("DROP ROLE IF EXISTS fte_app")
        for statement in documented("sql"):
            connection.execute(sql.SQL(statement.replace("DATABASE fte ", "DATABASE apart ")))
    with Redis.from_url(stack.addresses.redis_url) as client:
        for statement in documented("text"):
            client.execute_command(*statement.split())
    place = urlsplit(stack.addresses.database_url).netloc.rpartition("@")[2]
    made = Settings(
        database_url=f"postgresql://fte_process:change-me@{place}/apart",
        redis_url=as_user(stack, "fte-worker"),
        vault_keys=[SecretStr(Fernet.generate_key().decode())],
        state_dir=tmp_path_factory.mktemp("state"),
    )
    migrate(f"postgresql://fte_owner:change-me@{place}/apart", open_sealer(made), sample=True)
    return made


def as_user(stack: EmbeddedStack, user: str) -> str:
    place = urlsplit(stack.addresses.redis_url).netloc.rpartition("@")[2]
    return f"redis://{user}:change-me@{place}/0"


async def test_a_worker_and_a_consumer_work_with_the_documented_rights_and_are_refused_nothing(
    stack: EmbeddedStack, settings: Settings, tmp_path: Path
) -> None:
    collected = []
    consuming = settings.model_copy(update={"redis_url": as_user(stack, "fte-consumer")})

    async with running(settings, tmp_path / "log", *FTE, "worker", "--concurrency", "4"):
        await send(settings, 5)
        stream = replies_stream("default", "chat")
        async with AsyncSubscription(consuming, stream, group="g", consumer="one", start="0") as subscription:
            async for entry in subscription:
                collected.append(entry)
                await subscription.ack(entry)
                if len(collected) == 5:
                    break
        ping = ask(settings, "ping")

    with Redis.from_url(stack.addresses.redis_url) as client:
        refused = client.execute_command("ACL", "LOG")
    assert len(collected) == 5
    assert "pong" in ping.stdout
    assert refused == []
