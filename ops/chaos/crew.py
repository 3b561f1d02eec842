"""Run what chaos kills: workers, the process of a gateway that sends, and the one that collects."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from ops.chaos.consumer import CLAIM_IDLE_SECONDS
from ops.chaos.posts import RESTART_SECONDS, STOP_SECONDS_MAX, Hatchery, Post, Role
from ops.chaos.wires import wire_to
from ops.runtime.ending import end_task
from ops.standalone import worker_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from ops.chaos.gateway import Gateway
    from schema.settings import Settings

SENDER_RESTART_SECONDS = 0.1

CONSUMER_RESTART_SECONDS = CLAIM_IDLE_SECONDS + 0.1
"""Whoever takes a stream over in its order begins when all that the dead one held may be claimed: docs/gateway.md."""


class Crew:
    """Hold every post."""

    def __init__(self, hatchery: Hatchery, workers: Sequence[Post], sender: Post, consumer: Post) -> None:
        self.workers = list(workers)
        self.sender = sender
        self.consumer = consumer
        self._hatchery = hatchery
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def posts(self) -> list[Post]:
        """Give every post there is."""
        return [*self.workers, self.sender, self.consumer]

    @property
    def deaths(self) -> int:
        """Count the processes that were killed so far."""
        return sum(len(post.killed) for post in self.posts)

    async def start(self) -> None:
        """Fill every post, and wait until all are at work; raises HatcheryFailed."""
        self._tasks = [
            asyncio.create_task(self._hatchery.listen()),
            *(asyncio.create_task(post.keep(self._hatchery)) for post in self.posts),
        ]
        await self.wait_ready()

    async def wait_ready(self) -> None:
        """Wait until every post's process is at work; raises HatcheryFailed."""
        await self._hatchery.wait_ready(self.posts)

    async def stop(self) -> None:
        """Let all finish, and end."""
        for post in self.posts:
            post.stop()
        await asyncio.wait(self._tasks[1:], timeout=STOP_SECONDS_MAX)
        await end_task(*self._tasks)


@asynccontextmanager
async def run_crew(
    settings: Settings, gateway: Gateway, *, workers: int, folder: Path, seed: int
) -> AsyncIterator[Crew]:
    """Run so many workers, and a gateway's sender and consumer, on the settings' servers until the end of the block."""
    log = folder / "hatchery.log"
    async with AsyncExitStack() as opened:

        async def make_post(role: Role, name: str, restart_seconds: float) -> Post:
            return await _make_post(opened, settings, (role, folder / f"{name}.log"), restart_seconds, seed)

        posts = [await make_post("worker", f"worker-{number}", RESTART_SECONDS) for number in range(workers)]
        sender = await make_post("sender", "sender", SENDER_RESTART_SECONDS)
        consumer = await make_post("consumer", "consumer", CONSUMER_RESTART_SECONDS)
        sender.arguments, consumer.arguments = [str(gateway.port)], [str(gateway.outbound)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "ops.chaos.hatchery",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=opened.enter_context(log.open("wb")),
            env=worker_environment(settings) | posts[0].environment,
            start_new_session=True,
        )
        crew = Crew(Hatchery(process, log), posts, sender, consumer)
        try:
            await crew.start()
            yield crew
        finally:
            await crew.stop()
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _make_post(
    opened: AsyncExitStack, settings: Settings, place: tuple[Role, Path], restart_seconds: float, seed: int
) -> Post:
    role, log = place
    log.touch(mode=0o600)
    log.with_suffix("").mkdir()
    redis_url, redis = await opened.enter_async_context(wire_to(settings.redis_url or "", f"{seed} {log.stem} redis"))
    database_url, postgres = await opened.enter_async_context(
        wire_to(settings.database_url or "", f"{seed} {log.stem} postgres")
    )
    environment = {
        "FTE_REDIS_URL": redis_url,
        "FTE_DATABASE_URL": database_url,
        "FTE_LEASE_SECONDS": str(settings.lease_seconds),
        "FTE_RENEW_SECONDS": str(settings.renew_seconds),
        "FTE_MODEL_CALL_SECONDS_MAX": str(settings.model_call_seconds_max),
    }
    return Post(role, log, redis, postgres, environment, restart_seconds=restart_seconds)
