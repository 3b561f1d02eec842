"""Run a PostgreSQL standby that follows the stack's PostgreSQL, and takes its place when it is told to."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from ops.embedded.account import choose_account
from ops.embedded.ports import choose_port
from ops.embedded.postgres import PostgresServer, postgres_data_folder
from ops.embedded.programs import find_programs
from ops.embedded.state import StackIdentity
from ops.lab.chaos.wires import wire_to
from runtime.database import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import EmbeddedStack
    from ops.lab.chaos.wires import Wire

FOLLOW_SECONDS_MAX = 30.0
PROMOTE_SECONDS_MAX = 20
POLL_SECONDS = 0.05


class StandbyServer(PostgresServer):
    """A PostgreSQL whose cluster is a copy of another's, and follows it."""

    def copy_from(self, url: str) -> None:
        """Copy the cluster that a URL leads to, so that the next start follows it from there on."""
        self._state_dir.mkdir(mode=0o711)
        self._data_dir.mkdir(mode=0o700)
        self._account.own(self._data_dir)
        program = self._programs.postgres.with_name("pg_basebackup")
        options = ["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", f"--dbname={url}"]
        self._run_once([str(program), "-D", self._spell(self._data_dir), *options], self._data_dir, "")


class Standby:
    """A standby of a stack's PostgreSQL, and the wire by which it follows."""

    def __init__(self, server: StandbyServer, stack: EmbeddedStack, wire: Wire) -> None:
        self.server = server
        self.wire = wire
        self._stack = stack

    @property
    def url(self) -> str:
        """Return the address that names both servers, of which one takes writes."""
        parts = urlsplit(self._stack.addresses.database_url)
        places = f"{parts.netloc},{parts.hostname}:{self.server.port}"
        return urlunsplit(parts._replace(netloc=places, query="target_session_attrs=read-write"))

    def promote(self) -> None:
        """Let the standby take writes; returns when it does."""
        with connect(self.server.url) as connection:
            connection.execute("SELECT pg_promote(true, %s)", [PROMOTE_SECONDS_MAX])


@asynccontextmanager
async def open_standby(stack: EmbeddedStack, folder: Path, *, is_synchronous: bool) -> AsyncIterator[Standby]:
    """Run a standby in a folder for the block; where it is synchronous, each commit of the primary waits for it."""
    account = choose_account(postgres_data_folder(stack.state_dir))
    password = urlsplit(stack.addresses.database_url).password or ""
    identity = StackIdentity(f"fte-{secrets.token_hex(8)}", password, "")
    server = StandbyServer(folder, identity, find_programs(account), account, durable=True)
    async with wire_to(stack.addresses.database_url) as (url, wire):
        await asyncio.to_thread(server.copy_from, urlunsplit(urlsplit(url)._replace(path="/postgres")))
        try:
            await asyncio.to_thread(server.launch, choose_port(None))
            await asyncio.to_thread(server.wait_ready)
            await asyncio.to_thread(_begin_to_follow, stack.addresses.database_url, is_synchronous)
            yield Standby(server, stack, wire)
        finally:
            await asyncio.to_thread(server.kill)


def _begin_to_follow(database_url: str, is_synchronous: bool) -> None:  # noqa: FBT001 - by position through a thread
    """Wait until the primary sends to its standby, and waits for it where it is to."""
    with connect(database_url) as connection:
        connection.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{'*' if is_synchronous else ''}'".encode())
        connection.execute("SELECT pg_reload_conf()")
        wanted = "sync" if is_synchronous else "async"
        deadline = time.monotonic() + FOLLOW_SECONDS_MAX
        while True:
            states = connection.execute("SELECT state, sync_state FROM pg_stat_replication").fetchall()
            if [(row["state"], row["sync_state"]) for row in states] == [("streaming", wanted)]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"the standby does not follow after {FOLLOW_SECONDS_MAX:.0f} s: {states}")
            time.sleep(POLL_SECONDS)
