"""Look at the deliveries of a tenant's replies, and run the processes that send them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.desk.channels import AccountDesk
from runtime.failpoints import VARIABLE
from schema.channels import Channel
from schema.settings import Settings
from tests.integration.worker_harness import Harness

ROOT = Path(__file__).parents[2]
WAIT_SECONDS_MAX = 40.0
SETTLED_SECONDS = 0.4


@dataclass
class DelivererProcess:
    """A deliverer as operators run it."""

    popen: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill it as the kernel does when memory runs out."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()

    async def until_dead(self) -> None:
        """Wait until it has died of its failpoint."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self.popen.poll() is None:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert self.popen.returncode == -signal.SIGKILL


@dataclass
class ReplyScene:
    """A tenant with an account of a channel."""

    harness: Harness
    desk: AccountDesk
    account_id: str
    settings: Settings

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.harness.query(
            "SELECT * FROM reply_delivery WHERE tenant_id = %s ORDER BY conversation_id, ordinal", self.harness.tenant
        )

    async def parts(self) -> list[dict[str, Any]]:
        return await self.harness.query(
            "SELECT p.* FROM reply_part p JOIN reply_delivery d USING (tenant_id, reply_id)"
            " WHERE tenant_id = %s ORDER BY conversation_id, ordinal, number",
            self.harness.tenant,
        )

    async def until_state(self, state: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many deliveries are in a state."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(found := [row for row in await self.deliveries() if row["state"] == state]) < count:
            assert time.monotonic() < deadline, await self.deliveries()
            await asyncio.sleep(0.05)
        return found

    async def until_true(self, sql: str) -> None:
        """Wait until a query about the tenant gives a row."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not await self.harness.query(sql, self.harness.tenant):
            assert time.monotonic() < deadline, (await self.deliveries(), await self.parts())
            await asyncio.sleep(0.05)

    async def make_due(self) -> None:
        """Let what waits be due now, and an account's pause be over, as if the time had passed.

        An attempt's end and the next one's time are written one after the other, so this waits until neither changes.
        """
        seen, now = None, (await self.deliveries(), await self.parts())
        while seen != now:
            await asyncio.sleep(SETTLED_SECONDS)
            seen, now = now, (await self.deliveries(), await self.parts())
        for statement in (
            "UPDATE reply_delivery SET next_at = clock_timestamp() WHERE tenant_id = %s AND next_at IS NOT NULL",
            "UPDATE channel_account SET paused_until = NULL WHERE tenant_id = %s",
        ):
            await self.harness.query(f"{statement} RETURNING 1", self.harness.tenant)

    @contextmanager
    def deliverer(
        self, channel: Channel, log: Path, *, failpoint: str | None = None, **environment: str
    ) -> Iterator[DelivererProcess]:
        """Run `fte deliver <channel>` until the end of the block; it logs to a file."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FTE_")}
        ours = {
            "PYTHONPATH": str(ROOT),
            "FTE_DATABASE_URL": self.settings.database_url or "",
            "FTE_REDIS_URL": self.settings.redis_url or "",
            "FTE_VAULT_KEYS": ",".join(key.get_secret_value() for key in self.settings.vault_keys),
            "FTE_STATE_DIR": str(self.settings.state_dir),
            **({VARIABLE: failpoint} if failpoint else {}),
            **environment,
        }
        command = [sys.executable, "-P", "-m", "ops.cli.main", "deliver", channel]
        with (
            log.open("ab") as told,
            subprocess.Popen(command, stderr=told, env=kept | ours, start_new_session=True) as popen,
        ):
            try:
                yield DelivererProcess(popen)
            finally:
                popen.kill()
