"""Announce a worker in Redis, for operators to see who is at work, and obey what they order of it."""

from __future__ import annotations

import os
import platform
import signal
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import structlog

from runtime.encoding import dump_json
from runtime.loops import Loop
from schema.keys import WORKERS_KEY, worker_key, worker_order_key
from schema.resources import load_migrations

if TYPE_CHECKING:
    from runtime.leadership import Leadership
    from runtime.outage import Outage
    from runtime.redis import Scripts
    from worker.process.drain import Drainer

ANNOUNCE_SECONDS: Final = 2.0
"""How often a worker announces itself: what is ordered of it takes that long at most."""

FORGET_SECONDS: Final = 15.0
"""How long a worker that fell silent is still listed."""

_log = structlog.get_logger("fte.worker")


@dataclass
class Presence:
    """Tells once in a while who this worker is and what it does; lost in Redis it is told again at the next round."""

    scripts: Scripts
    drainer: Drainer
    leadership: Leadership
    outage: Outage
    model: str
    metrics_port: int | None = None
    """Where its metrics are served; None: nowhere."""
    name: str = field(default_factory=lambda: f"{os.getpid()}@{platform.node()}")
    _begun_at: float = 0.0

    def loop(self) -> Loop:
        """Return the loop that announces the worker; whoever starts it has it announced once before."""
        return Loop("presence", self.announce, ANNOUNCE_SECONDS, asks=self.outage)

    async def announce(self) -> None:
        """Announce the worker once, and obey; raises what Redis raises."""
        self._begun_at = self._begun_at or time.time()
        order = await self.scripts.announce(
            keys=[WORKERS_KEY, worker_key(self.name), worker_order_key(self.name)],
            args=[self.name, dump_json(self._facts()), round(FORGET_SECONDS * 1_000)],
        )
        self._obey(order.decode())

    async def withdraw(self) -> None:
        """Take the worker off the list, when it stops, if it has ever announced itself; raises what Redis raises."""
        if not self._begun_at:
            return
        async with self.scripts.client.pipeline(transaction=False) as pipe:
            pipe.zrem(WORKERS_KEY, self.name)
            pipe.delete(worker_key(self.name), worker_order_key(self.name))
            await pipe.execute()

    def _facts(self) -> dict[str, object]:
        slots = self.drainer.slots
        return {
            "pid": os.getpid(),
            "host": platform.node(),
            "release": version("fte"),
            "migration": load_migrations()[-1].number,
            "model": self.model,
            "begun_at": self._begun_at,
            "clock_at": time.time(),
            "state": self._state,
            "is_leader": self.leadership.is_held(),
            "slots_used": slots.under_way,
            "slots_waiting": slots.waiting,
            "slots_total": self.drainer.settings.concurrency,
            "metrics_port": self.metrics_port,
        }

    @property
    def _state(self) -> str:
        if self.drainer.stopping.is_set():
            return "stopping"
        return "paused" if self.drainer.is_paused else "working"

    def _obey(self, order: str) -> None:
        """Pause, go on, or stop as after SIGTERM; an order that this release does not know is passed over."""
        is_paused = order == "pause"
        if is_paused != self.drainer.is_ordered_to_pause:
            self.drainer.is_ordered_to_pause = is_paused
            _log.info("worker.paused" if is_paused else "worker.resumed")
        if order == "drain" and not self.drainer.stopping.is_set():
            _log.info("worker.drained", turns=self.drainer.slots.under_way)
            os.kill(os.getpid(), signal.SIGTERM)
