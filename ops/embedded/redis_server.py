"""Run Redis on a folder of the embedded stack."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.embedded.child import Child
from ops.embedded.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ops.embedded.account import ServerAccount
    from ops.embedded.programs import Programs
    from ops.embedded.state import StackIdentity

MEMORY_BYTES_MAX = 512 * 1024 * 1024
PING_SECONDS = 1.0


class RedisServer:
    """Runs Redis; its append-only file is in `<state folder>/redis`."""

    name = "redis"

    def __init__(
        self, state_dir: Path, identity: StackIdentity, programs: Programs, account: ServerAccount, *, durable: bool
    ) -> None:
        self.port = 0
        self.environment: Mapping[str, str] = {}
        """Environment variables added at the next start."""
        self._data_dir = state_dir / "redis"
        self._identity = identity
        self._programs = programs
        self._account = account
        self._durable = durable
        self._child = Child(self.name, state_dir / "redis.log", account)

    @property
    def pid(self) -> int | None:
        """Return the pid of the server while it runs."""
        return self._child.pid

    @property
    def url(self) -> str:
        """Return the address of the server, password included."""
        return f"redis://:{self._identity.redis_password}@{LOOPBACK}:{self.port}/0"

    def launch(self, port: int) -> None:
        """Start the server on a port without waiting for it."""
        self.port = port
        if not self._data_dir.exists():
            self._data_dir.mkdir(mode=0o700)
            self._account.own(self._data_dir)
        # In the command line from the first moment on, and in the title Redis gives itself later: leftovers are
        # recognised by it.
        title = f"{{title}} {self._identity.name} {{listen-addr}}"
        argv = [str(self._programs.redis_server), "-", "--proc-title-template", title]
        self._child.launch(argv, self._data_dir, self._configuration(), self.environment)

    def wait_ready(self) -> None:
        """Return when the server answers with its data loaded."""
        # No retries inside the client: the loop around it retries.
        client = redis.Redis(
            host=LOOPBACK,
            port=self.port,
            password=self._identity.redis_password,
            socket_timeout=PING_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        with client:
            self._child.wait_ready(lambda: _answers(client))

    def request_stop(self) -> None:
        """Ask for a clean stop: the append-only file is written and synced."""
        self._child.send(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Return when the server has ended."""
        self._child.wait_stopped()

    def kill(self) -> None:
        """Kill the server as `kill -9` does."""
        self._child.kill()

    def _configuration(self) -> str:
        """Return redis.conf; it goes through a pipe and is on no disk, since it holds the password.

        `dir` is left out: Redis works in the folder it is started in, which it need not reach by a path.
        """
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self._identity.redis_password}",
            "protected-mode yes",
            "daemonize no",
            "appendonly yes",
            f"appendfsync {'everysec' if self._durable else 'no'}",
            'save ""',
            # A queue that drops keys under pressure loses work; one that refuses writes says so.
            "maxmemory-policy noeviction",
            f"maxmemory {MEMORY_BYTES_MAX}",
            "timeout 0",
            "tcp-keepalive 60",
        ]
        return "\n".join([*lines, ""])


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        # Refused: not listening yet. BusyLoadingError, a ConnectionError: still reading the append-only file.
        return False
