"""What a fault acts on: servers, processes, wires, the simulated provider, and the state of the load."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
import psutil
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

    from redis.asyncio import Redis

    from ops.embedded import EmbeddedStack
    from ops.lab.chaos.crew import ForkedCrew
    from ops.lab.chaos.gateway import Gateway
    from ops.lab.chaos.process_slots import ProcessSlot
    from ops.lab.chaos.servers import ChaosServers
    from ops.lab.chaos.wires import Wire
    from schema.settings import Settings


START_SECONDS_MAX = 20.0
MOVE_SECONDS = 6.0


class FaultSpan(NamedTuple):
    """One of several faults of a run: what it did, and from when to when (epoch seconds)."""

    name: str
    began_at: float
    ended_at: float


@dataclass
class Scene:
    """Surroundings of one run; `moments` collects when something was broken or came back."""

    servers: ChaosServers
    settings: Settings
    crew: ForkedCrew
    gateway: Gateway
    redis: Redis
    simulator_url: str
    random: Random
    kills: int
    """How many processes a repeated kill is to kill."""
    spared: int = 0
    """How many of the first workers are neither killed nor told to stop."""
    run: str = ""
    is_sending: bool = False
    is_acting: bool = False
    moments: list[float] = field(default_factory=list)
    spans: list[FaultSpan] = field(default_factory=list)
    """The faults of a run that has several."""
    undone: list[str] = field(default_factory=list)
    """What the fault failed to do, in words."""
    told: list[str] = field(default_factory=list)
    """What a fault has measured beside the audit, in words."""
    log_starts: dict[Path, int] = field(default_factory=dict)
    slowness: float = 1.0
    """How many times slower than the reference machine this one is: as many times longer is whatever is awaited."""

    @property
    def stack(self) -> EmbeddedStack:
        """Return the servers that no other one takes over from."""
        return self.servers.stack

    @property
    def workers(self) -> list[ProcessSlot]:
        """Return the workers' slots."""
        return self.crew.workers

    @property
    def mortals(self) -> list[ProcessSlot]:
        """Return the slots of the workers that may be killed."""
        return self.workers[self.spared :]

    @property
    def wires(self) -> list[Wire]:
        """Return every wire."""
        return [wire for slot in self.crew.slots for wire in (slot.redis, slot.postgres)]

    def note(self) -> None:
        """Record this moment: from now on conversations have to move."""
        self.moments.append(time.time())

    async def pause(self, least_seconds: float, most_seconds: float | None = None) -> None:
        """Sleep for a random time between the two bounds."""
        await asyncio.sleep(self.random.uniform(least_seconds, most_seconds or least_seconds))

    async def until(self, condition: Callable[[], bool], seconds_max: float) -> bool:
        """Wait until a condition holds, or for `seconds_max` of the reference machine; return whether it holds."""
        deadline = time.monotonic() + seconds_max * self.slowness
        while not condition():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    async def until_moved(self) -> bool:
        """Wait until conversations have recovered from the last fault, so that the next is measured by itself."""
        since = self.moments[-1] if self.moments else 0.0
        moved = since + MOVE_SECONDS * self.slowness
        return await self.until(lambda: time.time() > moved, MOVE_SECONDS)

    async def until_ready(self, slot: ProcessSlot) -> bool:
        """Wait until a slot's process is ready; return whether it is."""
        return await self.until(lambda: slot.is_ready, START_SECONDS_MAX)

    async def until_gone(self, slot: ProcessSlot) -> bool:
        """Wait for the end of a process; return whether it has ended."""
        pid = slot.pid
        return await self.until(lambda: slot.pid != pid, self.settings.stop_seconds_max + 5)

    async def until_death(self, seconds_max: float) -> bool:
        """Wait until one more process has been killed; return whether one has."""
        before = self.crew.deaths
        return await self.until(lambda: self.crew.deaths > before, seconds_max)

    async def kill(self, slot: ProcessSlot) -> None:
        """Kill a process, once it is ready."""
        if await self.until_ready(slot) and slot.send(signal.SIGKILL):
            self.note()
            await self.until_gone(slot)

    def logged(self, event: str) -> int:
        """Count an event in the workers' logs since the run began."""
        return self.crew.logged(event, self.log_starts)

    async def read_leases(self) -> dict[bytes, tuple[bytes | str, bytes | str]]:
        """Return the token and end time of each lease now; nothing while Redis is away."""
        found = {}
        try:
            async for key in self.redis.scan_iter("fte:*:lease:*"):
                token, until = await self.redis.hmget(key, ["token", "until"])
                if token and until:
                    found[key] = (token, until)
        except (RedisError, OSError):
            return {}  # where several things are broken at once
        return found

    async def script_provider(self, *steps: dict[str, Any]) -> None:
        """Set the faults of the simulated provider's next calls; without steps, clear them."""
        url = self.simulator_url.removesuffix("/v1") + "/faults"
        async with aiohttp.ClientSession() as session:
            answer = await (session.post(url, json=list(steps)) if steps else session.delete(url))
            answer.raise_for_status()

    async def freeze(self, pid: int | None, seconds: float) -> None:
        """Suspend a process and its children for so many seconds."""
        if pid is None:
            return
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for process in family:
            process.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            for process in family:
                if process.is_running():
                    process.resume()

    async def restore(self) -> None:
        """Undo what a fault has left behind."""
        for wire in self.wires:
            wire.heal()
        for slot in self.crew.slots:
            doomed = slot.is_doomed
            slot.failpoint, slot.changes, slot.log_to = None, {}, None
            slot.send(signal.SIGCONT)
            if doomed:
                await self.kill(slot)  # it was started with what has just been taken back
        await self.script_provider()
