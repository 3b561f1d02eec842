"""Run a synchronous PostgreSQL standby that follows the stack's PostgreSQL, and takes its place when it is told to."""

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
from runtime.database import connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import EmbeddedStack

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
    """A standby of a stack's PostgreSQL."""

    def __init__(self, server: StandbyServer, stack: EmbeddedStack) -> None:
        self.server = server
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
async def open_standby(stack: EmbeddedStack, folder: Path) -> AsyncIterator[Standby]:
    """Run a standby in a folder for the block; each commit of the primary waits for it."""
    account = choose_account(postgres_data_folder(stack.state_dir))
    database_url = stack.addresses.database_url
    identity = StackIdentity(f"fte-{secrets.token_hex(8)}", urlsplit(database_url).password or "", "")
    server = StandbyServer(folder, identity, find_programs(account), account, durable=True)
    await asyncio.to_thread(server.copy_from, database_url)
    try:
        await asyncio.to_thread(server.launch, choose_port(None))
        await asyncio.to_thread(server.wait_ready)
        await asyncio.to_thread(_begin_to_wait, database_url)
        yield Standby(server, stack)
    finally:
        await asyncio.to_thread(server.kill)


def _begin_to_wait(database_url: str) -> None:
    """Let the primary's commits wait for its standby; returns when they do."""
    with connect(database_url) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        connection.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + FOLLOW_SECONDS_MAX
        while True:
            states = connection.execute("SELECT state, sync_state FROM pg_stat_replication").fetchall()
            if [(row["state"], row["sync_state"]) for row in states] == [("streaming", "sync")]:
                return
            if time.monotonic() > deadline:
                raise TimeoutError(f"no standby follows in step after {FOLLOW_SECONDS_MAX:.0f} s: {states}")
            time.sleep(POLL_SECONDS)
