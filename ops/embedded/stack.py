"""Start and stop PostgreSQL and Redis together on one state folder."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from ops.embedded.account import choose_account
from ops.embedded.child import POLL_SECONDS, Server
from ops.embedded.errors import ServerNotStarted, StackNotStarted
from ops.embedded.leftovers import stop_leftovers
from ops.embedded.ports import choose_port, port_is_free
from ops.embedded.postgres import PostgresServer, postgres_data_folder
from ops.embedded.programs import find_programs
from ops.embedded.redis_server import RedisServer
from ops.embedded.state import (
    RunningStack,
    StackAddresses,
    StackIdentity,
    StackLock,
    load_identity,
    prepare_state_folder,
    remove_running,
    save_identity,
    write_running,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

PORT_ATTEMPTS_MAX = 5
PORT_RETURN_SECONDS = 10.0


class EmbeddedStack:
    """Runs PostgreSQL and Redis on a state folder, for one process at a time.

    Both listen on loopback only and ask for a random password. Their data survive stop() and start(), and the
    death of any process; with `durable=False` they do not survive the death of the machine. No exit hook is installed:
    a hook would also run in forked children. A stack left behind by a killed owner is taken over by the next start().
    Not for use from several threads at once.
    """

    def __init__(self, state_dir: Path, *, durable: bool = True) -> None:
        self.state_dir = state_dir.absolute()
        self._durable = durable
        self._owner_pid: int | None = None
        self._lock: StackLock | None = None
        self._started_at = ""
        self._identity: StackIdentity | None = None
        self._postgres: PostgresServer | None = None
        self._redis: RedisServer | None = None

    def __enter__(self) -> Self:
        """Start the stack."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the stack."""
        self.stop()

    def start(self) -> StackAddresses:
        """Start both servers, stopping leftovers of this state folder first, and return their addresses.

        Raises:
            StateFolderRefused: the folder cannot be used.
            StackHeld: a live process holds the stack of this folder, this one included.
            ServerNotStarted: a server did not come up; nothing is left running.

        """
        prepare_state_folder(self.state_dir)
        lock = StackLock.take(self.state_dir)
        self._lock, self._owner_pid = lock, os.getpid()
        try:
            self._start_servers()
        except BaseException:
            self.stop()
            raise
        return self.addresses

    def stop(self) -> None:
        """Stop both servers cleanly and release the state folder; do nothing when not started.

        Raises:
            StackNotStarted: called in a process forked from the owner, to which the servers do not belong.

        """
        if self._lock is None:
            return
        if self._owner_pid != os.getpid():
            raise StackNotStarted(self.state_dir)
        remove_running(self.state_dir)
        servers = [server for server in (self._redis, self._postgres) if server is not None]
        for server in servers:
            server.request_stop()
        for server in servers:
            server.wait_stopped()
        self._redis = self._postgres = None
        self._lock.release()
        self._lock = None

    @property
    def addresses(self) -> StackAddresses:
        """Return where the servers of this started stack are."""
        return StackAddresses(self._started_postgres().url, self._started_redis().url)

    @property
    def postgres_pid(self) -> int | None:
        """Return the pid of the PostgreSQL postmaster, or None while it is down."""
        return self._started_postgres().pid

    @property
    def redis_pid(self) -> int | None:
        """Return the pid of Redis, or None while it is down."""
        return self._started_redis().pid

    def kill_postgres(self) -> None:
        """Take PostgreSQL down without a checkpoint, as `pg_ctl stop -m immediate` does."""
        self._started_postgres().kill()

    def start_postgres(self) -> None:
        """Start PostgreSQL again, on the port it had."""
        stop_leftovers(self._started_identity().name, "postgres")
        self._return_to_port(self._started_postgres())

    def restart_postgres(self) -> None:
        """Stop PostgreSQL cleanly and start it again, on the port it had."""
        self._stop_server(self._started_postgres())
        self.start_postgres()

    def kill_redis(self) -> None:
        """Kill Redis as `kill -9` does."""
        self._started_redis().kill()

    def start_redis(self, environment: Mapping[str, str] | None = None) -> None:
        """Start Redis again, on the port it had, with these variables besides its own."""
        stop_leftovers(self._started_identity().name, "redis-server")
        self._started_redis().environment = environment or {}
        self._return_to_port(self._started_redis())

    def restart_redis(self) -> None:
        """Stop Redis cleanly and start it again, on the port it had."""
        self._stop_server(self._started_redis())
        self.start_redis()

    def _start_servers(self) -> None:
        identity = self._identity = load_identity(self.state_dir)
        stop_leftovers(identity.name)
        remove_running(self.state_dir)
        account = choose_account(postgres_data_folder(self.state_dir))
        programs = find_programs(account)
        postgres = self._postgres = PostgresServer(self.state_dir, identity, programs, account, durable=self._durable)
        redis = self._redis = RedisServer(self.state_dir, identity, programs, account, durable=self._durable)
        redis.launch(choose_port(identity.redis_port))
        postgres.initialise_if_missing()
        postgres.launch(choose_port(identity.postgres_port))
        _settle(redis)
        _settle(postgres)
        self._remember_ports(replace(identity, postgres_port=postgres.port, redis_port=redis.port))
        self._started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._announce()

    def _remember_ports(self, identity: StackIdentity) -> None:
        if identity != self._identity:
            save_identity(self.state_dir, identity)
            self._identity = identity

    def _announce(self) -> None:
        """Write stack.json while both servers run; with one of them down, nobody should find the stack."""
        postgres_pid, redis_pid = self.postgres_pid, self.redis_pid
        if postgres_pid is None or redis_pid is None:
            return
        running = RunningStack(
            name=self._started_identity().name,
            database_url=self.addresses.database_url,
            redis_url=self.addresses.redis_url,
            postgres_pid=postgres_pid,
            redis_pid=redis_pid,
            owner_pid=os.getpid(),
            started_at=self._started_at,
        )
        write_running(self.state_dir, running)

    def _stop_server(self, server: Server) -> None:
        server.request_stop()
        server.wait_stopped()

    def _return_to_port(self, server: Server) -> None:
        """Start a server on the port its clients know; wait briefly while the system still holds the port."""
        deadline = time.monotonic() + PORT_RETURN_SECONDS
        while not port_is_free(server.port) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        server.launch(server.port)
        server.wait_ready()
        self._announce()

    def _started_postgres(self) -> PostgresServer:
        if self._postgres is None:
            raise StackNotStarted(self.state_dir)
        return self._postgres

    def _started_redis(self) -> RedisServer:
        if self._redis is None:
            raise StackNotStarted(self.state_dir)
        return self._redis

    def _started_identity(self) -> StackIdentity:
        if self._identity is None:
            raise StackNotStarted(self.state_dir)
        return self._identity


def _settle(server: Server) -> None:
    """Wait for a launched server; move it to another port when its own was taken between choice and start."""
    for attempts_left in reversed(range(PORT_ATTEMPTS_MAX)):
        try:
            server.wait_ready()
        except ServerNotStarted as error:
            if not error.port_taken or attempts_left == 0:
                raise
            server.launch(choose_port(None))
        else:
            return
