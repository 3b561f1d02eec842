"""Run PostgreSQL on a folder of the embedded stack."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from ops.embedded.child import SERVER_ENVIRONMENT, Child
from ops.embedded.errors import EmbeddedStackError, ServerNotStarted
from ops.embedded.ports import LOOPBACK
from ops.embedded.state import sync_folder

if TYPE_CHECKING:
    from ops.embedded.account import ServerAccount
    from ops.embedded.programs import Programs
    from ops.embedded.state import StackIdentity

DATABASE = "fte"
SUPERUSER = "postgres"
CONNECTIONS_MAX = 200
INITIALISE_SECONDS = 120.0
# Lets a server work in a folder whose parents it may not enter: the kernel follows this link to the working folder,
# which the child inherits, without walking the path to it.
INHERITED_FOLDER = Path("/proc/self/cwd")

SETTINGS: dict[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": str(CONNECTIONS_MAX),
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "io_method": "sync",  # three processes fewer than the default; nothing here waits for a disk
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    # The text and the detail of a failed statement can quote what a customer wrote; a log must not.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
# Survives the death of every process, not of the machine: commits still reach the kernel before they are confirmed.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "on", "full_page_writes": "off"}


class PostgresServer:
    """Runs PostgreSQL; its data are in `<state folder>/postgres`, complete or absent."""

    name = "postgres"

    def __init__(
        self, state_dir: Path, identity: StackIdentity, programs: Programs, account: ServerAccount, *, durable: bool
    ) -> None:
        self.port = 0
        self._state_dir = state_dir
        self._data_dir = postgres_data_folder(state_dir)
        self._identity = identity
        self._programs = programs
        self._account = account
        self._durability = DURABLE if durable else NOT_DURABLE
        self._child = Child(self.name, state_dir / "postgres.log", account)

    @property
    def pid(self) -> int | None:
        """Return the pid of the postmaster while it runs."""
        return self._child.pid

    @property
    def url(self) -> str:
        """Return the address of the database, password included."""
        return f"postgresql://{SUPERUSER}:{self._identity.postgres_password}@{LOOPBACK}:{self.port}/{DATABASE}"

    def initialise_if_missing(self) -> None:
        """Create the cluster, its password and its database; takes about a second, once per state folder.

        Built beside its final place and renamed there, so a cluster cut short is never started. No connection is
        accepted before there is a password: both steps work without a listening server.

        Raises:
            ServerNotStarted: a step failed; carries its output.

        """
        if self._data_dir.exists():
            return
        staged = self._data_dir.with_suffix(".new")
        if staged.exists():
            shutil.rmtree(staged)
        staged.mkdir(mode=0o700)
        self._account.own(staged)
        folder = self._spell(staged)
        self._run_once([*self._initdb_command(), "-D", folder], staged, "")
        statements = (
            f"ALTER ROLE {SUPERUSER} PASSWORD '{self._identity.postgres_password}';\nCREATE DATABASE {DATABASE};\n"
        )
        settings = {"cluster_name": self._identity.name, "exit_on_error": "on", **self._durability}
        single = [str(self._programs.postgres), "--single", "-D", folder, *_as_arguments(settings), SUPERUSER]
        self._run_once(single, staged, statements)
        staged.rename(self._data_dir)
        sync_folder(self._state_dir)

    def launch(self, port: int) -> None:
        """Start the server on a port without waiting for it."""
        self.port = port
        settings = {"cluster_name": self._identity.name, "port": str(port), **SETTINGS, **self._durability}
        argv = [str(self._programs.postgres), "-D", self._spell(self._data_dir), *_as_arguments(settings)]
        self._child.launch(argv, self._data_dir)

    def wait_ready(self) -> None:
        """Return when the server accepts connections."""
        self._child.wait_ready(self._accepts_connections)

    def request_stop(self) -> None:
        """Ask for PostgreSQL's fast shutdown: sessions are cut, transactions rolled back, the log of writes closed."""
        self._child.send(signal.SIGINT)

    def wait_stopped(self) -> None:
        """Return when the server has ended."""
        self._child.wait_stopped()

    def kill(self) -> None:
        """Shut down as in `pg_ctl stop -m immediate`: no checkpoint, recovery at the next start.

        SIGKILL of the postmaster would leave its children behind for a moment; this crash is as hard on the data.
        """
        self._child.send(signal.SIGQUIT)
        self._child.wait_stopped()

    def _spell(self, folder: Path) -> str:
        """Return a path by which the server reaches its folder, given the folder as working folder."""
        if self._account.reaches(folder):
            return str(folder)
        if INHERITED_FOLDER.exists():
            return str(INHERITED_FOLDER)
        message = f"uid {self._account.uid}, lent to PostgreSQL, cannot enter {folder}; choose another state folder"
        raise EmbeddedStackError(message)

    def _accepts_connections(self) -> bool:
        """Read the status the postmaster writes; its pid is compared because a crash leaves the file behind.

        Lines: pid, folder, start, port, socket folder, listen address, shared memory, status.
        """
        try:
            lines = (self._data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return bool(lines) and lines[0].strip() == str(self.pid) and lines[-1].strip() == "ready"

    def _initdb_command(self) -> list[str]:
        return [
            str(self._programs.initdb),
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            # PostgreSQL's own collation: the order of text does not change with the machine's C library.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--auth-local=reject",
            "--auth-host=scram-sha-256",
            "--no-instructions",
            f"--set=cluster_name={self._identity.name}",
        ]

    def _run_once(self, argv: list[str], working_dir: Path, stdin: str) -> None:
        completed = subprocess.run(
            argv,
            cwd=working_dir,
            input=stdin,
            check=False,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=SERVER_ENVIRONMENT,
            start_new_session=True,
            timeout=INITIALISE_SECONDS,
            **self._account.popen_arguments(),
        )
        if completed.returncode != 0:
            reason = f"{Path(argv[0]).name} ended with code {completed.returncode}"
            raise ServerNotStarted(self.name, reason, completed.stdout)


def postgres_data_folder(state_dir: Path) -> Path:
    """Return the folder of the cluster in a state folder."""
    return state_dir / "postgres"


def _as_arguments(settings: dict[str, str]) -> list[str]:
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
