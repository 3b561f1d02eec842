"""A worker as a user of Celery starts, asks and stops it: real processes, real servers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from redis import Redis

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from producer import AsyncProducer
from runtime.configuration import open_sealer
from schema.keys import replies_stream
from schema.settings import Settings
from tests.acceptance.fte_process import ROOT, new_conversation
from tests.waiting import eventually

CELERY = (sys.executable, "-P", "-m", "celery", "-A", "worker")
FTE = (sys.executable, "-P", "-m", "ops.cli.main")
START_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Run servers for these tests alone: with others' workers beside them nobody could say who answered."""
    with EmbeddedStack(tmp_path_factory.mktemp("stack"), durable=False) as stack:
        made = Settings(
            database_url=stack.addresses.database_url,
            redis_url=stack.addresses.redis_url,
            vault_keys=[SecretStr(Fernet.generate_key().decode())],
            state_dir=tmp_path_factory.mktemp("state"),
        )
        migrate(stack.addresses.database_url, open_sealer(made), sample=True)
        yield made


def environment_of(settings: Settings) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FTE_", "OPENAI_", "CELERY_"))}
    return kept | {
        "FTE_DATABASE_URL": settings.database_url or "",
        "FTE_REDIS_URL": settings.redis_url or "",
        "FTE_STATE_DIR": str(settings.state_dir),
        "FTE_VAULT_KEYS": ",".join(key.get_secret_value() for key in settings.vault_keys),
        "PYTHONPATH": str(ROOT),
    }


def _start(settings: Settings, log: Path, command: Sequence[str]) -> subprocess.Popen[bytes]:
    with log.open("wb") as told:
        return subprocess.Popen(command, stdout=told, stderr=told, env=environment_of(settings), cwd=log.parent)


@asynccontextmanager
async def running(settings: Settings, log: Path, *command: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run a worker for the block, from when it is ready; it is killed should it outlive the block."""
    process = _start(settings, log, command)

    async def is_ready() -> bool:
        told = await asyncio.to_thread(log.read_text)
        assert process.poll() is None, told
        return "worker.ready" in told

    try:
        await eventually(is_ready, within_seconds=START_SECONDS_MAX)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def ask(settings: Settings, *command: str) -> subprocess.CompletedProcess[str]:
    """Ask running workers something by `celery -A worker inspect`, which waits its whole time for more to answer."""

    def ask_for(seconds: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CELERY, "inspect", "--timeout", str(seconds), *command],
            env=environment_of(settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    soon = ask_for(1)
    return soon if soon.returncode == 0 else ask_for(10)


async def send(settings: Settings, count: int) -> None:
    """Send so many messages, each of a conversation of its own."""
    async with AsyncProducer(settings) as producer:
        for _ in range(count):
            conversation = new_conversation()
            await producer.send(
                {
                    "message_id": conversation,
                    "tenant": "default",
                    "conversation": conversation,
                    "channel": "chat",
                    "sender": "ada@example.com",
                    "text": "How much is a second checked bag?",
                }
            )


def replies(settings: Settings) -> int:
    with Redis.from_url(settings.redis_url or "") as client:
        return int(client.xlen(replies_stream("default", "chat")))


async def test_celerys_own_command_starts_a_whole_worker_that_answers_pings_and_stops_warm(
    settings: Settings, tmp_path: Path
) -> None:
    before, sent = replies(settings), 40

    async def all_answered() -> bool:
        return replies(settings) == before + 1

    async with running(settings, tmp_path / "log", *CELERY, "worker", "-P", "threads", "-c", "8") as worker:
        await send(settings, 1)
        await eventually(all_answered, within_seconds=30)
        ping = await asyncio.to_thread(ask, settings, "ping")
        loops = await asyncio.to_thread(ask, settings, "loops")
        await send(settings, sent)
        worker.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(worker.wait, STOP_SECONDS_MAX)

    told = (tmp_path / "log").read_text()
    assert (ping.returncode, "pong" in ping.stdout) == (0, True), ping.stderr
    assert "heartbeat" in loops.stdout
    assert code == 0, told
    assert '"concurrency":8' in told
    assert '"event":"worker.stopped"' in told
    assert "Traceback" not in told

    async def rest_answered() -> bool:
        return replies(settings) == before + 1 + sent

    async with running(settings, tmp_path / "next", *FTE, "worker", "--concurrency", "4") as worker:
        await eventually(rest_answered, within_seconds=30)  # at once what the other gave back, and nothing twice
        worker.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(worker.wait, STOP_SECONDS_MAX) == 0
    assert replies(settings) == before + 1 + sent


async def test_ctrl_c_ends_a_worker_that_is_asked_by_celerys_command_too(settings: Settings, tmp_path: Path) -> None:
    async with running(settings, tmp_path / "log", *FTE, "worker", "--concurrency", "4") as worker:
        ping = await asyncio.to_thread(ask, settings, "ping")
        worker.send_signal(signal.SIGINT)
        code = await asyncio.to_thread(worker.wait, STOP_SECONDS_MAX)

    assert (ping.returncode, "pong" in ping.stdout) == (0, True), ping.stderr
    assert code == 0


async def test_a_cold_shutdown_gives_turns_back_and_ends_at_once(settings: Settings, tmp_path: Path) -> None:
    before, sent = replies(settings), 40
    async with running(settings, tmp_path / "log", *FTE, "worker", "--concurrency", "4") as worker:
        await send(settings, sent)
        worker.send_signal(signal.SIGQUIT)
        code = await asyncio.to_thread(worker.wait, STOP_SECONDS_MAX)

    assert code == 0, (tmp_path / "log").read_text()

    async def rest_answered() -> bool:
        return replies(settings) == before + sent

    async with running(settings, tmp_path / "next", *CELERY, "worker", "-c", "4"):
        await eventually(rest_answered, within_seconds=30)


def test_a_pool_that_cannot_run_a_worker_is_refused(settings: Settings) -> None:
    refused = subprocess.run(
        [*CELERY, "worker", "-P", "solo"],
        env=environment_of(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert refused.returncode != 0
    assert "threads pool" in refused.stderr


def test_importing_the_app_reads_no_environment_and_connects_to_nothing() -> None:
    program = """
        import os, socket
        def refuse(*a, **k): raise AssertionError("connects")
        socket.socket.connect = refuse
        os.environ["FTE_REDIS_URL"] = "nonsense"
        os.environ["FTE_NO_SUCH_SETTING"] = "1"
        import worker
        print(worker.celery.main)
        try:
            worker.celery.conf.broker_url
        except Exception as error:
            print(type(error).__name__)
        try:
            worker.celery.conf.broker_url
        except Exception as error:
            print(type(error).__name__)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout.split() == ["fte", "InvalidSettings", "InvalidSettings"], done.stderr
