"""The gateway while its servers are stopped, and several processes of it on one port."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from runtime.configuration import open_sealer
from runtime.database import Database
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.http_gateway import Here, fence, make_key, message, serve_here
from tests.waiting import eventually

REQUESTS = 40


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run servers of our own, to stop."""
    with EmbeddedStack(tmp_path_factory.mktemp("victim"), durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def victims(victim: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    addresses = victim.addresses
    made = Settings(
        database_url=addresses.database_url,
        redis_url=addresses.redis_url,
        state_dir=tmp_path_factory.mktemp("victims-state"),
        send_seconds_max=1,
    )
    migrate(addresses.database_url, open_sealer(made), sample=False)
    return made


@asynccontextmanager
async def client_of(settings: Settings, here: Here) -> AsyncIterator[httpx2.AsyncClient]:
    database = Database(settings)
    await database.open()
    key = await make_key(database, add_tenant(settings))
    await database.close()
    async with here.client(key, timeout=20) as client:
        yield client


async def statuses(client: httpx2.AsyncClient) -> dict[str, httpx2.Response]:
    return {
        "send": await client.post("/v1/messages", json=message("m-away")),
        "batch": await client.post("/v1/messages/batch", json={"messages": [message("m-batch")]}),
        "read": await client.get("/v1/replies"),
        "show": await client.get("/v1/conversations/c1"),
        "ready": await client.get("/v1/health/ready"),
        "live": await client.get("/v1/health/live"),
    }


def check_refusals(answers: list[httpx2.Response], settings: Settings) -> None:
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:fte:problem:unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert "127.0.0.1" not in answer.text
        assert str(settings.database_url).rsplit(":", 1)[-1] not in answer.text


async def test_without_postgresql_everything_is_a_503_and_goes_on_once_it_is_back(
    victim: EmbeddedStack, victims: Settings
) -> None:
    async with serve_here(victims) as here, client_of(victims, here) as client:
        before = await client.post("/v1/messages", json=message("m1"))
        await asyncio.to_thread(victim.kill_postgres)
        try:
            away = await statuses(client)
        finally:
            await asyncio.to_thread(victim.start_postgres)
        await eventually(lambda: is_ready(client), within_seconds=20)
        again = await client.post("/v1/messages", json=message("m1"))
        sent = await client.post("/v1/messages", json=message("m-away"))

    assert (before.status_code, again.status_code, sent.status_code) == (202, 200, 202)
    batch = away["batch"]
    if batch.status_code == 200:  # the key was known: each message has its own problem
        assert batch.json()["results"][0]["problem"]["type"] == "urn:fte:problem:unavailable"
    check_refusals([away["send"], away["show"], away["ready"]], victims)
    assert away["live"].status_code == 200


async def test_without_redis_messages_are_taken_and_readers_are_told_when_to_come_back(
    victim: EmbeddedStack, victims: Settings
) -> None:
    async with serve_here(victims) as here, client_of(victims, here) as client:
        assert (await client.get("/v1/replies")).status_code == 200
        await asyncio.to_thread(victim.kill_redis)
        try:
            away = await statuses(client)
        finally:
            await asyncio.to_thread(victim.start_redis)

        async def is_read() -> bool:
            return (await client.get("/v1/replies")).status_code == 200

        await eventually(is_read, within_seconds=20)

    taken = {name: answer.status_code for name, answer in away.items() if name != "read"}
    assert taken == {"send": 202, "batch": 200, "show": 200, "ready": 200, "live": 200}
    assert "receipt" in away["batch"].json()["results"][0]
    check_refusals([away["read"]], victims)


async def is_ready(client: httpx2.AsyncClient) -> bool:
    return (await client.get("/v1/health/ready")).status_code == 200


@asynccontextmanager
async def process_on(settings: Settings, port: int, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    fenced = fence(settings)
    environment = {
        "PATH": "/usr/bin:/bin",
        "FTE_DATABASE_URL": str(settings.database_url),
        "FTE_HTTP_DATABASE_URL": str(fenced.http_database_url),
        "FTE_REDIS_URL": str(settings.redis_url),
        "FTE_VAULT_KEYS": ",".join(key.get_secret_value() for key in settings.vault_keys),
        "FTE_STATE_DIR": str(folder),
    }
    command = ["gateway", "--listen", f"127.0.0.1:{port}", "--share-port", "--ready-folder", str(folder)]
    with (folder / "log").open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ops.cli.main", *command, env=environment, stderr=log
        )

        async def is_listening() -> bool:
            return (folder / str(running.pid)).exists()

        try:
            await eventually(is_listening, within_seconds=60)
            yield running
        finally:
            if running.returncode is None:
                running.terminate()
            assert await running.wait() == 0


async def test_two_processes_share_a_port_and_one_may_stop_without_anybody_being_refused(
    settings: Settings, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    async def ask() -> list[int]:
        codes = []
        for _ in range(REQUESTS):  # each on a connection of its own, which either may be given
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                codes.append((await client.get("/v1/health/live")).status_code)
        return codes

    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with process_on(settings, port, tmp_path / "one"):
        async with process_on(settings, port, tmp_path / "two"):
            assert await ask() == [200] * REQUESTS
        assert await ask() == [200] * REQUESTS

    served = [(tmp_path / name / "log").read_text().count("http.request") for name in ("one", "two")]
    assert min(served) > 0
    assert sum(served) == 2 * REQUESTS
