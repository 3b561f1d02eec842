"""Run the whole product on this machine: its servers, its database made ready, its workers."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.embedded import EmbeddedStack, WorkerSupervisor
from ops.migrate import migrate
from ops.runtime.configuration import open_sealer
from schema.errors import FteError
from schema.settings import Settings

READY_SECONDS_MAX = 60.0
"""How long a worker may take to load; it takes two seconds on a machine that has nothing else to do."""

_POLL_SECONDS = 0.05
_LOG_TAIL_BYTES_MAX = 4_096
_SOURCES = Path(__file__).resolve().parents[1]

Say = Callable[[str], None]
"""Takes one line about what is being done now."""


class WorkerNotReady(FteError):
    """Say that a worker ended, or did not get ready in time, and where its log is."""

    def __init__(self, reason: str, log_path: Path) -> None:
        super().__init__(f"a worker {reason}; its log is {log_path}{_last_line(log_path)}")
        self.log_path = log_path


@dataclass(frozen=True)
class Running:
    """Hold a product that is up: settings with its addresses, and its worker processes."""

    settings: Settings
    supervisor: WorkerSupervisor


@contextmanager
def run_everything(settings: Settings, *, workers: int, say: Say) -> Iterator[Running]:
    """Run servers and workers on the settings' state folder, and stop them at the end of the block: workers first.

    Raises EmbeddedStackError, InvalidSettings, MigrationFailed or WorkerNotReady; nothing is left running then.
    """
    say("starting PostgreSQL and Redis")
    with EmbeddedStack(settings.state_dir) as stack:
        addresses = stack.addresses
        here = settings.model_copy(update={"database_url": addresses.database_url, "redis_url": addresses.redis_url})
        say("preparing the database")
        migrate(addresses.database_url, open_sealer(here))
        try:
            with run_workers(here, count=workers, say=say) as running:
                yield running
        finally:
            say("stopping PostgreSQL and Redis")


@contextmanager
def run_workers(settings: Settings, *, count: int, say: Say) -> Iterator[Running]:
    """Run worker processes on the servers of the settings; at the end of the block they finish their turns and stop.

    Their logs are `worker-<k>.log` in the state folder. Raises WorkerNotReady.
    """
    say("starting a worker" if count == 1 else f"starting {count} workers")
    settings.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as undo:
        ready_folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="fte-ready-")))
        supervisor = WorkerSupervisor(
            _worker_command(ready_folder), count=count, state_dir=settings.state_dir, env=_worker_environment(settings)
        )
        # One line for the last moments too: a stopping worker may take as long as its turns do.
        undo.callback(supervisor.stop, settings.stop_seconds_max + 10)
        undo.callback(say, "waiting for the workers to finish their turns")
        supervisor.start()
        _wait_ready(supervisor, ready_folder, count=count, state_dir=settings.state_dir)
        yield Running(settings, supervisor)


def _worker_command(ready_folder: Path) -> list[str]:
    # -P: `-m` would put the current folder first, and a user's own `ops` or `schema` there would be taken for ours.
    return [sys.executable, "-P", "-m", "ops.cli.main", "worker", "--ready-folder", str(ready_folder)]


def _worker_environment(settings: Settings) -> dict[str, str]:
    """Give a worker this process's environment, and what only this process knows: where the servers are."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_SOURCES), environment.get("PYTHONPATH")]))
    environment |= {
        "FTE_DATABASE_URL": settings.database_url or "",
        "FTE_REDIS_URL": settings.redis_url or "",
        "FTE_STATE_DIR": str(settings.state_dir),
        "FTE_CONCURRENCY": str(settings.concurrency),
    }
    return environment


def _wait_ready(supervisor: WorkerSupervisor, ready_folder: Path, *, count: int, state_dir: Path) -> None:
    """Wait until every worker has said that it is ready; one that dies first would die again, so that ends the wait."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    pids = supervisor.pids
    while True:
        ready = {int(path.name) for path in ready_folder.iterdir()}
        if len(pids) == count and ready.issuperset(pids):
            return
        alive = supervisor.pids
        if alive != pids or len(pids) < count:
            dead = next((k for k, pid in enumerate(pids) if pid not in alive), 0)
            raise WorkerNotReady("ended before it was ready", state_dir / f"worker-{dead}.log")
        if time.monotonic() > deadline:
            slow = next(k for k, pid in enumerate(pids) if pid not in ready)
            reason = f"was not ready after {READY_SECONDS_MAX:.0f} s"
            raise WorkerNotReady(reason, state_dir / f"worker-{slow}.log")
        time.sleep(_POLL_SECONDS)


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES_MAX))
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1]}" if lines else ""
