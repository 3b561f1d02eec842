"""Set up a tenant with a receiver of webhooks: a process of its own, whose log the tests read."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from standardwebhooks import Webhook

from ops.desk.webhooks import NewTarget, Targets
from schema.settings import Settings
from tests.integration.worker_harness import Harness

ROOT = Path(__file__).parents[2]
LOOPBACK = ["127.0.0.0/8", "::1/128"]
WAIT_SECONDS_MAX = 40.0


@dataclass
class Delivery:
    """One request as the receiver logged it."""

    line: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.line["headers"]["webhook-id"])

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.line["body"]))

    @property
    def type(self) -> str:
        return str(self.body["type"])

    @property
    def sequence(self) -> int:
        return int(self.body["data"]["sequence"])

    @property
    def conversation(self) -> str:
        return str(self.body["data"]["conversation"])

    def verify(self, secret: str) -> Any:
        """Verify it as a receiver does, by the specification's own library; raises when it does not hold."""
        return Webhook(secret).verify(self.line["body"], self.line["headers"])


@dataclass
class Scene:
    """A worker's harness, a receiver, and the tenant's targets."""

    harness: Harness
    targets: Targets
    url: str
    log: Path
    settings: Settings
    made: list[NewTarget] = field(default_factory=list)

    async def add(self, *event_types: str, path: str = "/hook") -> NewTarget:
        made = await self.targets.add(self.url + path, event_types)
        self.made.append(made)
        return made

    async def answer(self, conversation: str, text: str | None = None) -> None:
        """Have a message answered, and so a message.answered published."""
        await self.harness.accept(conversation, text or f"hello {uuid.uuid4().hex}")
        await self.harness.drain(conversation)

    def script(self, *steps: dict[str, Any]) -> None:
        """Set how the receiver treats the deliveries to come."""
        assert httpx2.put(f"{self.url}/control", json=steps, timeout=5).status_code == 204

    def received(self, path: str | None = None) -> list[Delivery]:
        found = [Delivery(json.loads(line)) for line in self.log.read_text().splitlines()]
        return [each for each in found if path is None or each.line["path"] == path]

    async def until(self, count: int, path: str | None = None) -> list[Delivery]:
        """Wait until so many requests have come; fails with what came instead."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(found := self.received(path)) < count:
            assert time.monotonic() < deadline, [(each.id, each.type, each.line["do"]) for each in found]
            await asyncio.sleep(0.05)
        return found

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.harness.query(
            "SELECT * FROM webhook_delivery WHERE tenant_id = %s ORDER BY conversation_id, sequence",
            self.harness.tenant,
        )

    async def until_state(self, state: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many deliveries are in a state."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(found := [row for row in await self.deliveries() if row["state"] == state]) < count:
            assert time.monotonic() < deadline, await self.deliveries()
            await asyncio.sleep(0.05)
        return found

    async def until_events(self, count: int) -> None:
        """Wait until so many events were made."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        counted = "SELECT count(*) AS made FROM webhook_event WHERE tenant_id = %s"
        while (await self.harness.query(counted, self.harness.tenant))[0]["made"] < count:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def until_ended(self, attempts: int) -> None:
        """Wait until so many attempts have ended."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        counted = "SELECT count(ended_at) AS ended FROM webhook_attempt WHERE tenant_id = %s"
        while (await self.harness.query(counted, self.harness.tenant))[0]["ended"] < attempts:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def until_nothing(self, look: Callable[[], Awaitable[list[Any]]]) -> None:
        """Wait until a look finds nothing any more."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while found := await look():
            assert time.monotonic() < deadline, found
            await asyncio.sleep(0.1)

    async def make_due(self) -> None:
        """Bring the next attempts forward, which are minutes or hours away."""
        await self.harness.query(
            "UPDATE webhook_delivery SET next_at = clock_timestamp() WHERE tenant_id = %s AND next_at IS NOT NULL"
            " RETURNING 1",
            self.harness.tenant,
        )


@dataclass
class Process:
    """A deliverer as operators run it."""

    popen: subprocess.Popen[bytes]

    def kill(self) -> None:
        """Kill it as the kernel does when memory runs out."""
        self.popen.send_signal(signal.SIGKILL)
        self.popen.wait()


@contextmanager
def running_deliverer(settings: Settings, log: Path) -> Iterator[Process]:
    """Run `fte deliver webhooks` until the end of the block; it logs to a file."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FTE_")}
    ours = {
        "PYTHONPATH": str(ROOT),
        "FTE_DATABASE_URL": settings.database_url or "",
        "FTE_REDIS_URL": settings.redis_url or "",
        "FTE_VAULT_KEYS": ",".join(key.get_secret_value() for key in settings.vault_keys),
        "FTE_STATE_DIR": str(settings.state_dir),
        "FTE_WEBHOOK_NETWORKS": ",".join(map(str, settings.webhook_networks)),
        "FTE_WEBHOOK_SECONDS_MAX": str(settings.webhook_seconds_max),
    }
    command = [sys.executable, "-P", "-m", "ops.cli.main", "deliver", "webhooks"]
    with (
        log.open("ab") as told,
        subprocess.Popen(command, stderr=told, env=kept | ours, start_new_session=True) as popen,
    ):
        try:
            yield Process(popen)
        finally:
            popen.kill()
