"""Run one server as a child: launch it, wait until it serves, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Protocol

from ops.embedded.errors import EmbeddedStackError, ServerNotStarted
from ops.embedded.state import open_log

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ops.embedded.account import ServerAccount

# Long enough for crash recovery and for loading a full append-only file.
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.01
LOG_TAIL_BYTES_MAX = 4096
# Servers inherit nothing of our environment: it holds keys, and readers of /proc would see them there. LC_ALL=C
# also fixes the wording of the errors that ServerNotStarted looks at.
SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


class Server(Protocol):
    """The interface of one server of the stack, on a loopback port."""

    name: str
    port: int

    @property
    def pid(self) -> int | None:
        """Return the pid while the server runs."""

    def launch(self, port: int) -> None:
        """Start the server without waiting for it."""

    def wait_ready(self) -> None:
        """Return when the server answers; raise ServerNotStarted when it does not."""

    def request_stop(self) -> None:
        """Ask for a clean stop without waiting for it."""

    def wait_stopped(self) -> None:
        """Return when the server has ended."""

    def kill(self) -> None:
        """Kill the server at once, as a crash would."""


class Child:
    """Owns one child process in a session of its own, with its output appended to a log.

    A session of its own, because Ctrl-C goes to every process of the terminal's foreground group: the servers must
    outlive the workers that are still finishing their turns.
    """

    def __init__(self, name: str, log_path: Path, account: ServerAccount) -> None:
        self.name = name
        self._log_path = log_path
        self._log_start = 0
        self._account = account
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the pid of the child, or None when it does not run."""
        if self._popen is None or self._popen.poll() is not None:
            return None
        return self._popen.pid

    def launch(
        self, argv: Sequence[str], working_dir: Path, stdin: str = "", environment: Mapping[str, str] | None = None
    ) -> None:
        """Start the child; `stdin` goes through a pipe, so that secrets are in no argument and no file."""
        if self.pid is not None:
            message = f"{self.name} runs already, as pid {self.pid}"
            raise EmbeddedStackError(message)
        log = open_log(self._log_path)
        try:
            self._log_start = os.fstat(log).st_size
            popen = self._popen = subprocess.Popen(
                argv,
                cwd=working_dir,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**SERVER_ENVIRONMENT, **(environment or {})},
                start_new_session=True,
                **self._account.popen_arguments(),
            )
        finally:
            os.close(log)
        _feed(popen, stdin)

    def wait_ready(self, is_ready: Callable[[], bool]) -> None:
        """Poll until the child is ready.

        Raises:
            ServerNotStarted: it ended instead, or was not ready within `READY_SECONDS`; it no longer runs.

        """
        deadline = time.monotonic() + READY_SECONDS
        while not is_ready():
            if self._popen is None or self._popen.poll() is not None:
                code = None if self._popen is None else self._popen.returncode
                raise ServerNotStarted(self.name, f"it ended with code {code}", self._log_tail())
            if time.monotonic() > deadline:
                self.kill()
                raise ServerNotStarted(self.name, f"not ready after {READY_SECONDS:.0f} s", self._log_tail())
            time.sleep(POLL_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and thaw a frozen child so that it can obey; do nothing when it does not run."""
        if self._popen is not None:
            self._popen.send_signal(number)
            self._popen.send_signal(signal.SIGCONT)

    def wait_stopped(self) -> None:
        """Wait for a child that was asked to stop; kill it when it takes longer than `STOP_SECONDS`."""
        if self._popen is None:
            return
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the child and reap it."""
        if self._popen is not None:
            self._popen.kill()
            self._popen.wait()

    def _log_tail(self) -> str:
        with self._log_path.open("rb") as stream:
            stream.seek(max(self._log_start, stream.seek(0, os.SEEK_END) - LOG_TAIL_BYTES_MAX))
            return stream.read().decode("utf-8", "replace").strip()


def _feed(popen: subprocess.Popen[bytes], text: str) -> None:
    assert popen.stdin is not None  # noqa: S101 - narrows the type; opened with PIPE
    try:
        with popen.stdin as stream:
            stream.write(text.encode())
    except BrokenPipeError:
        # It ended before reading; wait_ready() reports that with its log.
        return
