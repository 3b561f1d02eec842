"""Keep a crew of workers alive that is killed all the time, each behind wires of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ops.chaos.wires import Wire, wire_to
from ops.runtime.encoding import dump_json, parse_json
from ops.runtime.ending import end_task
from ops.runtime.failpoints import VARIABLE
from ops.standalone import SOURCES, worker_environment
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from schema.settings import Settings

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 30.0
RESTART_SECONDS = 0.25
"""How long a worker stays dead: what the supervisor takes for the first death."""


class HatcheryFailed(FteError):
    """Say that workers could not be started, and where the log is."""

    def __init__(self, reason: str, log: Path) -> None:
        super().__init__(f"chaos could not start its workers: {reason}; the log is {log}")


@dataclass
class Post:
    """Hold one worker's place: its wires, and the process that fills it now."""

    number: int
    log: Path
    redis: Wire
    postgres: Wire
    environment: dict[str, str]
    pid: int | None = None
    is_ready: bool = False
    deaths: list[int] = field(default_factory=list)
    """Exit codes so far; minus the signal."""
    failpoint: str | None = None
    """What the next worker here dies of; `ops.runtime.failpoints`."""
    is_kept: bool = False
    """Whether it is filled again when its worker ends."""

    def send(self, number: signal.Signals) -> bool:
        """Signal the worker; gives whether there was one."""
        if self.pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False


class Workers:
    """Hold the posts, and fill each again when its worker ends."""

    def __init__(self, process: asyncio.subprocess.Process, posts: list[Post], log: Path) -> None:
        self.posts = posts
        self._process = process
        self._log = log
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._hatching = asyncio.Lock()
        self._listening: asyncio.Task[None] | None = None
        self._keeping: dict[int, asyncio.Task[None]] = {}

    @property
    def deaths(self) -> int:
        """Count the workers that were killed so far."""
        return sum(code < 0 for post in self.posts for code in post.deaths)

    def listen(self) -> None:
        """Hear from now on what becomes of workers."""
        self._listening = asyncio.create_task(self._listen())

    def fill(self) -> None:
        """Fill every post, and keep it filled."""
        for post in self.posts:
            post.is_kept = True
            self._keeping[post.number] = asyncio.create_task(self._keep(post))

    async def dismiss(self, post: Post) -> int:
        """Tell a post's worker to stop, leave the post empty, and give the worker's exit code. Raises TimeoutError."""
        post.is_kept = False
        post.send(signal.SIGTERM)
        async with asyncio.timeout(STOP_SECONDS_MAX):
            await self._keeping[post.number]
        return post.deaths[-1]

    def logged(self, event: str, after_bytes: Mapping[Path, int]) -> int:
        """Count an event in the workers' logs, from where the caller says."""
        found = 0
        for post in self.posts:
            with post.log.open("rb") as log:
                log.seek(after_bytes.get(post.log, 0))
                found += log.read().count(b'"%s"' % event.encode())
        return found

    async def wait_ready(self) -> None:
        """Wait until every post that is kept has a worker at work; raises HatcheryFailed."""
        try:
            async with asyncio.timeout(READY_SECONDS_MAX):
                while not all(post.is_ready for post in self.posts if post.is_kept):
                    if self._process.returncode is not None:
                        raise HatcheryFailed(f"it ended with code {self._process.returncode}", self._log)
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise HatcheryFailed(f"not all were ready after {READY_SECONDS_MAX:.0f} s", self._log) from None

    async def stop(self) -> None:
        """Let the workers finish, and end."""
        for post in self.posts:
            post.is_kept = False
            post.send(signal.SIGTERM)
            post.send(signal.SIGCONT)
        if self._keeping:
            await asyncio.wait(self._keeping.values(), timeout=STOP_SECONDS_MAX)
        await end_task(*self._keeping.values(), *filter(None, [self._listening]))

    async def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - narrows the type; opened with PIPE
        async for line in self._process.stdout:
            fact: dict[str, Any] = parse_json(line)
            if "born" in fact:
                self._ends[fact["born"]] = asyncio.get_running_loop().create_future()
                self._born.put_nowait(fact["born"])
            elif "ready" in fact:
                for post in self.posts:
                    post.is_ready |= post.pid == fact["ready"]
            elif "died" in fact:
                self._ends.pop(fact["died"]).set_result(fact["code"])

    async def _keep(self, post: Post) -> None:
        while post.is_kept:
            pid, end = await self._hatch(post)
            post.pid = pid
            post.deaths.append(await end)
            post.pid, post.is_ready = None, False
            if post.is_kept:
                await asyncio.sleep(RESTART_SECONDS)

    async def _hatch(self, post: Post) -> tuple[int, asyncio.Future[int]]:
        assert self._process.stdin is not None  # noqa: S101 - narrows the type; opened with PIPE
        environment = dict(post.environment)
        if post.failpoint is not None:
            environment[VARIABLE] = post.failpoint
        async with self._hatching:  # births are told in the order of their orders
            self._process.stdin.write(dump_json({"environment": environment, "log": str(post.log)}).encode() + b"\n")
            pid = await self._born.get()
        return pid, self._ends[pid]


@asynccontextmanager
async def open_posts(
    settings: Settings, *, count: int, folder: Path, seed: int, sources: Path = SOURCES
) -> AsyncIterator[Workers]:
    """Open `count` posts for workers of the release in `sources`, each with wires of its own to the settings' servers.

    They are empty, and the release's packages are being loaded; workers end with the block.
    """
    environment = worker_environment(settings, sources)
    log = folder / "hatchery.log"
    async with AsyncExitStack() as opened:
        posts = []
        for number in range(count):
            redis_url, redis = await opened.enter_async_context(wire_to(settings.redis_url or "", seed + number))
            database_url, postgres = await opened.enter_async_context(
                wire_to(settings.database_url or "", -seed - number)
            )
            place = folder / f"worker-{number}.log"
            place.touch(mode=0o600)
            ours = {
                "FTE_REDIS_URL": redis_url,
                "FTE_DATABASE_URL": database_url,
                "FTE_LEASE_SECONDS": str(settings.lease_seconds),
                "FTE_RENEW_SECONDS": str(settings.renew_seconds),
                "FTE_MODEL_CALL_SECONDS_MAX": str(settings.model_call_seconds_max),
            }
            posts.append(Post(number, place, redis, postgres, ours))
        stream = opened.enter_context(log.open("wb"))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "ops.chaos.hatchery",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stream,
            env=environment | posts[0].environment,
            start_new_session=True,
        )
        workers = Workers(process, posts, log)
        try:
            workers.listen()
            yield workers
        finally:
            await workers.stop()
            if process.returncode is None:
                process.terminate()
            await process.wait()
