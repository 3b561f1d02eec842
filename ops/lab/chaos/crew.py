"""Run the processes that chaos kills: workers, a gateway's sender, and its consumer."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ops.lab.chaos.consumer import CLAIM_IDLE_SECONDS
from ops.lab.chaos.process_slots import RESTART_SECONDS, Forker, ProcessSlot, Role
from ops.lab.chaos.wires import Wire, wire_to
from ops.standalone.standalone import SOURCES, worker_environment
from runtime.cancelling import cancel_and_wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from ops.lab.chaos.gateway import Gateway
    from schema.settings import Settings

SENDER_RESTART_SECONDS = 0.1

CONSUMER_RESTART_SECONDS = CLAIM_IDLE_SECONDS + 0.1
"""A new consumer takes a stream over in order only when all entries of the dead one may be claimed: docs/gateway.md."""


class ForkedCrew:
    """Slots for processes of one release, which a program of that release forks."""

    def __init__(self, forker: Forker, slots: Sequence[ProcessSlot]) -> None:
        self.slots = list(slots)
        self._forker = forker
        self._listening = asyncio.create_task(forker.listen())

    @property
    def workers(self) -> list[ProcessSlot]:
        """Return the slots of workers."""
        return [slot for slot in self.slots if slot.role == "worker"]

    @property
    def sender(self) -> ProcessSlot:
        """Return the slot of a gateway's sender."""
        return next(slot for slot in self.slots if slot.role == "sender")

    @property
    def consumer(self) -> ProcessSlot:
        """Return the slot of a gateway's consumer."""
        return next(slot for slot in self.slots if slot.role == "consumer")

    @property
    def deaths(self) -> int:
        """Return the number of processes killed so far."""
        return sum(len(slot.killed) for slot in self.slots)

    def fill(self) -> None:
        """Fill every slot, and keep it filled."""
        for slot in self.slots:
            slot.fill(self._forker)

    async def wait_ready(self) -> None:
        """Wait until the process of every filled slot is ready; raises ForkerFailed."""
        await self._forker.wait_ready(self.slots)

    def logged(self, event: str, after_bytes: Mapping[Path, int]) -> int:
        """Count an event in the workers' logs, from the given byte offsets on."""
        found = 0
        for slot in self.workers:
            with slot.log.open("rb") as log:
                log.seek(after_bytes.get(slot.log, 0))
                found += log.read().count(b'"%s"' % event.encode())
        return found

    async def stop(self) -> None:
        """Stop all processes cleanly, and wait for their end."""
        for slot in self.slots:
            slot.stop()
        for slot in self.slots:
            await slot.end()
        await cancel_and_wait(self._listening)


@asynccontextmanager
async def open_crew(
    settings: Settings,
    gateway: Gateway | None,
    *,
    workers: int,
    folder: Path,
    seed: int | None,
    sources: Path = SOURCES,
) -> AsyncIterator[ForkedCrew]:
    """Open slots for so many workers, and for a gateway's sender and consumer, on the settings' servers.

    The slots are empty while the packages of the release in `sources` load; processes end with the block. `seed` draws
    the faults of their wires; None: they have none, and connect to the servers themselves.
    """
    log = folder / "forker.log"
    async with AsyncExitStack() as opened:

        async def make_slot(role: Role, name: str, restart_seconds: float) -> ProcessSlot:
            return await _make_slot(opened, settings, (role, folder / f"{name}.log"), restart_seconds, seed)

        slots = [await make_slot("worker", f"worker-{number}", RESTART_SECONDS) for number in range(workers)]
        if gateway is not None:
            sender = await make_slot("sender", "sender", SENDER_RESTART_SECONDS)
            consumer = await make_slot("consumer", "consumer", CONSUMER_RESTART_SECONDS)
            sender.arguments, consumer.arguments = [str(gateway.port)], [str(gateway.outbound)]
            slots += [sender, consumer]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "ops.lab.chaos.forker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=opened.enter_context(log.open("wb")),
            env=worker_environment(settings, sources) | slots[0].environment,
            start_new_session=True,
        )
        crew = ForkedCrew(Forker(process, log), slots)
        try:
            yield crew
        finally:
            await crew.stop()
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _make_slot(
    opened: AsyncExitStack, settings: Settings, place: tuple[Role, Path], restart_seconds: float, seed: int | None
) -> ProcessSlot:
    role, log = place
    log.touch(mode=0o600)
    log.with_suffix("").mkdir()
    if seed is None:
        direct = {"FTE_REDIS_URL": settings.redis_url or "", "FTE_DATABASE_URL": settings.database_url or ""}
        return ProcessSlot(role, log, Wire(), Wire(), direct, restart_seconds=restart_seconds)
    redis_url, redis = await opened.enter_async_context(wire_to(settings.redis_url or "", f"{seed} {log.stem} redis"))
    database_url, postgres = await opened.enter_async_context(
        wire_to(settings.database_url or "", f"{seed} {log.stem} postgres")
    )
    environment = {"FTE_REDIS_URL": redis_url, "FTE_DATABASE_URL": database_url}
    return ProcessSlot(role, log, redis, postgres, environment, restart_seconds=restart_seconds)
