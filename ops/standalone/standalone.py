"""Run the whole product on this machine: servers, migrated database, workers."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ops.database.http_role import make_login
from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack, StackAddresses, WorkerSupervisor
from runtime.configuration import environment_of, open_sealer
from runtime.encoding import dump_json, parse_json
from schema.errors import FteError, InvalidSettings
from schema.settings import Settings

READY_SECONDS_MAX = 60.0
"""How long a worker may take to load; it takes four seconds on a machine that has nothing else to do."""

ADDRESSES_SECONDS_MAX = 180.0
"""How long a worker waits for its servers: the database may be waiting for another process's migration."""

_ADDRESSES_FILE = "servers.json"
_POLL_SECONDS = 0.05
_LOG_TAIL_BYTES_MAX = 4_096
SOURCES = Path(__file__).resolve().parents[2]
"""The folder of this release's packages."""

Say = Callable[[str], None]
"""Takes one line about the step under way."""


class WorkerNotReady(FteError):
    """A worker that ended, or did not get ready in time; names its log."""

    def __init__(self, reason: str, log_path: Path) -> None:
        super().__init__(f"a worker {reason}; its log is {log_path}{_last_line(log_path)}")
        self.log_path = log_path


def fte_command(*arguments: str) -> list[str]:
    """Return the command line of a process of this product beside this one."""
    # -P: `-m` would put the current folder first, and a `ops` or `schema` of the user there would be ours.
    return [sys.executable, "-P", "-m", "ops.cli.main", *arguments]


def wait_until_ready(
    supervisor: WorkerSupervisor, folder: Path, log: Callable[[], Path], *, count: int = 1, process: str = ""
) -> None:
    """Wait until so many supervised processes have each left a file named by its pid in a folder.

    One that dies first would die again, so that ends the wait. Raises WorkerNotReady, which names the `process` where
    it is no worker, and the `log`.
    """
    deadline = time.monotonic() + READY_SECONDS_MAX
    pids = supervisor.pids
    while len(pids) < count or not all((folder / str(pid)).exists() for pid in pids):
        if supervisor.pids != pids or len(pids) < count:
            raise WorkerNotReady(f"{process}ended before it was ready", log())
        if time.monotonic() > deadline:
            raise WorkerNotReady(f"{process}was not ready after {READY_SECONDS_MAX:.0f} s", log())
        time.sleep(_POLL_SECONDS)


class Crew:
    """Runs worker processes that are started before their servers are ready, and told when they are.

    A worker takes seconds to load; so it loads while the database is being prepared. It learns the addresses from a
    file that only this user can read, and reports through the same folder that it is ready.
    """

    def __init__(self, settings: Settings, count: int, folder: Path) -> None:
        self.state_dir = settings.state_dir
        self._settings = settings
        self._count = count
        self._folder = folder
        self._supervisor = WorkerSupervisor(
            fte_command("worker", "--crew", str(folder)),
            count=count,
            state_dir=settings.state_dir,
            env=worker_environment(settings),
        )

    @property
    def pids(self) -> list[int]:
        """Return the pids of the workers that run now."""
        return self._supervisor.pids

    @property
    def logs(self) -> list[Path]:
        """Return the paths of the workers' logs."""
        return [self.state_dir / f"worker-{k}.log" for k in range(self._count)]

    def start(self) -> None:
        """Start the workers; they load and then wait."""
        self.state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._supervisor.start()

    def begin(self, addresses: StackAddresses) -> None:
        """Pass the servers' addresses to the workers, and wait until all are ready.

        A worker that dies first would die again, so that ends the wait. Raises WorkerNotReady.
        """
        draft = self._folder / f"{_ADDRESSES_FILE}.new"
        draft.write_text(dump_json([addresses.database_url, addresses.redis_url]), encoding="utf-8")
        draft.replace(self._folder / _ADDRESSES_FILE)
        wait_until_ready(self._supervisor, self._folder, self._newest_log, count=self._count)

    def stop(self) -> None:
        """Stop the workers once they have finished their turns."""
        self._supervisor.stop(self._settings.stop_seconds_max + 10)

    def _newest_log(self) -> Path:
        """Return the log written last: that of a worker that died ends with the reason."""
        return max(
            (log for log in self.logs if log.exists()), key=lambda log: log.stat().st_mtime, default=self.logs[0]
        )


@contextmanager
def run_everything(settings: Settings, *, workers: int, say: Say) -> Iterator[tuple[Settings, Crew]]:
    """Run servers and workers on the settings' state folder, and stop them at the end of the block: workers first.

    Yields the settings with the servers' addresses. Raises EmbeddedStackError, InvalidSettings, MigrationFailed or
    WorkerNotReady; nothing is left running then.
    """
    with ExitStack() as undo:
        say("starting PostgreSQL and Redis")
        stack = undo.enter_context(EmbeddedStack(settings.state_dir))
        undo.callback(say, "stopping PostgreSQL and Redis")
        crew = undo.enter_context(_crew(settings, workers, say))
        say("preparing the database")
        migrate(stack.addresses.database_url, open_sealer(settings))
        make_login(stack.addresses.database_url, stack.addresses.http_database_url)
        say("starting a worker" if workers == 1 else f"starting {workers} workers")
        crew.begin(stack.addresses)
        yield settings.model_copy(update=stack.addresses.as_settings()), crew


@contextmanager
def run_workers(settings: Settings, *, count: int, say: Say) -> Iterator[tuple[Settings, Crew]]:
    """Run worker processes on the servers of the settings; at the end of the block they finish their turns and stop.

    Their logs are `worker-<k>.log` in the state folder. Raises WorkerNotReady.
    """
    say("starting a worker" if count == 1 else f"starting {count} workers")
    with _crew(settings, count, say) as crew:
        crew.begin(StackAddresses(settings.database_url or "", settings.redis_url or ""))
        yield settings, crew


def wait_for_addresses(folder: Path) -> StackAddresses:
    """Wait, as a worker of a crew, for the servers' addresses; raises FteError when none come in time."""
    path = folder / _ADDRESSES_FILE
    deadline = time.monotonic() + ADDRESSES_SECONDS_MAX
    while not path.exists():
        if time.monotonic() > deadline:
            raise FteError(f"nobody said within {ADDRESSES_SECONDS_MAX:.0f} s where the servers are")
        time.sleep(_POLL_SECONDS)
    return StackAddresses(*parse_json(path.read_bytes()))


@contextmanager
def _crew(settings: Settings, count: int, say: Say) -> Iterator[Crew]:
    if settings.missing_keys:
        raise InvalidSettings(settings.missing_keys)
    with tempfile.TemporaryDirectory(prefix="fte-crew-") as folder:
        crew = Crew(settings, count, Path(folder))
        try:
            crew.start()
            yield crew
        finally:
            say("waiting for the workers to finish their turns")
            crew.stop()


def worker_environment(settings: Settings, sources: Path = SOURCES) -> dict[str, str]:
    """Return a worker's environment: this process's, and every setting that its command line or caller has changed.

    `sources` holds the packages it runs: chaos runs workers of two releases side by side.
    """
    environment = dict(os.environ) | environment_of(settings)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(sources), environment.get("PYTHONPATH")]))
    environment["FTE_STATE_DIR"] = str(settings.state_dir)
    return environment


def _last_line(path: Path) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_BYTES_MAX))
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return f": {lines[-1]}" if lines else ""
