"""Run processes that deliver, or take mails, beside this one, from when a tenant has a target or an account for it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from ops.embedded import WorkerSupervisor
from ops.standalone.standalone import fte_command, worker_environment
from runtime.database import EVERY_TENANT, connect
from runtime.outage import POSTGRESQL_AWAY
from schema.errors import ServerUnreachable
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from schema.settings import Settings

LOOK_SECONDS = 2.0
"""How often to look whether a tenant needs one, until one does."""

STOP_SECONDS_MAX = 20.0
_AWAY: tuple[type[Exception], ...] = (ServerUnreachable, *POSTGRESQL_AWAY)

_log = structlog.get_logger("fte.delivery")


@dataclass(frozen=True)
class DelivererKind:
    """A kind of deliverer, or of what takes in, and the query that finds the tenants which need one."""

    name: str
    """As in `fte deliver <name>`."""
    query: str
    parameters: Mapping[str, str]
    attempt_seconds_max: float = 30.0
    """How long an attempt under way may take to end."""
    command: str = "deliver"
    """The command of `fte` that the name belongs to."""

    @property
    def process(self) -> str:
        """Return what the process is called."""
        return f"{self.command}-{self.name}"


KINDS: Final = (
    DelivererKind("webhooks", "find_webhook_tenants", {}, attempt_seconds_max=60.0),
    DelivererKind("sms", "find_reply_tenants", {"channel": "sms"}),
    DelivererKind("email", "find_reply_tenants", {"channel": "email"}),
    DelivererKind("email", "find_reply_tenants", {"channel": "email"}, command="receive"),
)


@contextmanager
def run_deliverers_when_needed(settings: Settings) -> Iterator[None]:
    """Deliver for the length of the block: start each kind of process as soon as a tenant needs one.

    Their logs are `deliver-<kind>-0.log` or `receive-email-0.log` in the state folder.
    """
    starters = [_Starter(settings, kind) for kind in KINDS]
    for starter in starters:
        starter.start()
    try:
        yield
    finally:
        for starter in starters:
            starter.stop()


class _Starter(threading.Thread):
    """Looks for tenants that need a kind of deliverer, starts the process then, and keeps it until it is stopped."""

    def __init__(self, settings: Settings, kind: DelivererKind) -> None:
        super().__init__(name=kind.process, daemon=True)
        self._settings = settings
        self._kind = kind
        self._stopping = threading.Event()
        self._supervisor = WorkerSupervisor(
            fte_command(kind.command, kind.name),
            count=1,
            state_dir=settings.state_dir,
            env=worker_environment(settings),
            name=kind.process,
        )

    def run(self) -> None:
        """Wait for a tenant that needs it, and start the process."""
        while not self._is_needed():
            if self._stopping.wait(LOOK_SECONDS):
                return
        if not self._stopping.is_set():
            self._supervisor.start()
            _log.info("delivery.started", kind=self._kind.process)

    def stop(self) -> None:
        """Stop looking, and the process once it has ended its attempts."""
        self._stopping.set()
        self.join()
        self._supervisor.stop(self._kind.attempt_seconds_max + STOP_SECONDS_MAX)

    def _is_needed(self) -> bool:
        try:
            with connect(self._settings.database_url or "") as connection:
                connection.execute("SELECT set_config('fte.tenant', %s, false)", [EVERY_TENANT])
                return bool(connection.execute(load_query(self._kind.query), self._kind.parameters).fetchall())
        except _AWAY:
            return False  # looked for again soon, and the workers say that it is away
