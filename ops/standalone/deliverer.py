"""Run a process that delivers webhooks beside this one, from when a tenant has a target."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from ops.embedded import WorkerSupervisor
from ops.standalone.standalone import fte_command, worker_environment
from runtime.database import EVERY_TENANT, connect
from runtime.outage import POSTGRESQL_AWAY
from schema.errors import ServerUnreachable
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schema.settings import Settings

LOOK_SECONDS = 2.0
"""How often to look whether there is a target, until there is one."""

STOP_SECONDS_MAX = 20.0
_AWAY: tuple[type[Exception], ...] = (ServerUnreachable, *POSTGRESQL_AWAY)

_log = structlog.get_logger("fte.webhooks")


@contextmanager
def run_deliverer_when_needed(settings: Settings) -> Iterator[None]:
    """Deliver webhooks for the length of the block: start the process as soon as a tenant has a target.

    Its log is `deliverer-0.log` in the state folder.
    """
    starter = _Starter(settings)
    starter.start()
    try:
        yield
    finally:
        starter.stop()


class _Starter(threading.Thread):
    """Looks for targets, starts the process when there are any, and keeps it running until it is stopped."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._settings = settings
        self._stopping = threading.Event()
        addresses = {"FTE_DATABASE_URL": settings.database_url or "", "FTE_REDIS_URL": settings.redis_url or ""}
        self._supervisor = WorkerSupervisor(
            fte_command("deliver", "webhooks"),
            count=1,
            state_dir=settings.state_dir,
            env=worker_environment(settings) | addresses,
            name="deliverer",
        )

    def run(self) -> None:
        """Wait for a target, and start the process."""
        while not self._has_target():
            if self._stopping.wait(LOOK_SECONDS):
                return
        if not self._stopping.is_set():
            self._supervisor.start()
            _log.info("webhook.deliverer_started")

    def stop(self) -> None:
        """Stop looking, and the process once it has ended its attempts."""
        self._stopping.set()
        self.join()
        self._supervisor.stop(self._settings.webhook_seconds_max + STOP_SECONDS_MAX)

    def _has_target(self) -> bool:
        try:
            with connect(self._settings.database_url or "") as connection:
                connection.execute("SELECT set_config('fte.tenant', %s, false)", [EVERY_TENANT])
                return bool(connection.execute(load_query("find_webhook_tenants")).fetchall())
        except _AWAY:
            return False  # looked for again soon, and the workers say that it is away
