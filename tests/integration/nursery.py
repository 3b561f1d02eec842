"""Fork worker processes that die at a named point of a turn, from one process that has loaded them already.

Run as a program: each line on its input is [tenant, conversation, failpoint]; a worker with that failpoint drains the
conversation, and a line says how it ended: 0, or minus the signal. A worker takes seconds to load and a fork none.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runtime.configuration import load_settings
from runtime.failpoints import VARIABLE, read_failpoint
from runtime.telemetry.logs import configure_logs
from schema.ids import ConversationKey
from schema.settings import Settings
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.guardrails.inputs import input_guardrails
from worker.pipeline.act import Brain
from worker.process.service import open_service
from worker.process.warmup import warm_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[2]


class Nursery:
    """Hold the running program."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def told(self) -> str:
        """Give what the workers logged."""
        return self._log.read_text()

    async def drain(self, key: ConversationKey, failpoint: str) -> int:
        """Let a worker drain a conversation and give how it ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([*key, failpoint]).encode() + b"\n")
        return int(await self.read_line())

    async def read_line(self) -> bytes:
        """Wait for a line of its output."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            line = await self._process.stdout.readline()
        assert line, self.told
        return line


@asynccontextmanager
async def nursery(settings: Settings, log: Path) -> AsyncIterator[Nursery]:
    """Run the program for the length of the block."""
    keys = ",".join(key.get_secret_value() for key in settings.vault_keys)
    ours = {
        "FTE_DATABASE_URL": settings.database_url,
        "FTE_REDIS_URL": settings.redis_url,
        "FTE_STATE_DIR": str(settings.state_dir),
        "FTE_VAULT_KEYS": keys,
        "FTE_MODEL": settings.model,
        "OPENAI_API_KEY": "any",
        "OPENAI_BASE_URL": settings.openai_base_url,
        "PYTHONPATH": str(ROOT),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FTE_", "OPENAI_"))}
    with log.open("wb") as told:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.integration.nursery",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=told,
            env=kept | {name: value for name, value in ours.items() if value is not None},
        )
    try:
        started = Nursery(process, log)
        await started.read_line()
        yield started
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    """Serve until the input ends."""
    settings = load_settings()
    asyncio.run(_load_everything(settings))
    print("ready", flush=True)  # noqa: T201 - as below
    for line in sys.stdin:
        tenant, conversation, failpoint = json.loads(line)
        pid = os.fork()
        if pid == 0:
            os.environ[VARIABLE] = failpoint
            asyncio.run(_drain(settings, ConversationKey(tenant, conversation)))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - what the test reads


async def _load_everything(settings: Settings) -> None:
    """Play a turn, so that what loads at first use does so once and not in each fork."""
    nothing: Any = None
    await warm_up(
        Brain(GraphPool(build_graph), nothing, input_guardrails(settings), nothing, nothing, nothing, settings, AIRLINE)
    )


async def _drain(settings: Settings, key: ConversationKey) -> None:
    async def ring(_keys: list[ConversationKey]) -> None:
        """Ring for nobody."""

    configure_logs(settings)
    service = await open_service(settings, ring, failpoint=read_failpoint(os.environ))
    await service.drainer.drain(key)
    await service.close()


if __name__ == "__main__":
    main()
