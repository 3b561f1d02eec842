"""Webhook faults: a receiver that hangs, refuses, cuts and is overloaded, and deliverers that are killed."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from ops.desk.webhooks import Targets
from ops.lab.chaos.deliverers import run_deliverer
from ops.lab.chaos.load import TENANT
from ops.lab.webhook_receiver import run_receiver
from producer.delivery.deliverer import GROUP, streams_of
from producer.delivery.feed import drop_groups
from runtime.configuration import open_sealer
from runtime.database import Database, connect
from runtime.encoding import parse_json

if TYPE_CHECKING:
    import subprocess
    from contextlib import AbstractContextManager

    from ops.lab.chaos.scene import Scene
    from schema.settings import Settings

SECONDS_MAX: Final = 2
"""Time limit of an attempt, so that a receiver that hangs does not make the row take minutes."""

RETRIED_SECONDS_MAX: Final = 30.0
"""Within so long what failed has been tried again: it must not fail twice, for a third attempt comes minutes later."""

OF_EACH: Final = 3
"""How many deliveries meet each failure; one that finds nobody listening is followed by others anyway."""

DELIVERED_SECONDS_MAX: Final = 60.0

_STEPS: Final[tuple[dict[str, Any], ...]] = (
    {"do": "hang"},
    {"do": "cut"},
    {"do": "refuse", "seconds": 2},
    {"do": "status", "status": 500},
    {"do": "status", "status": 503, "headers": {"retry-after": "2"}},
    {"do": "slow"},
    {"do": "huge"},
)

_SENT: Final = b"""
    SELECT count(*) FROM outbox o JOIN webhook_target t USING (tenant_id)
    WHERE o.created_at BETWEEN t.created_at AND to_timestamp(%s)
"""
_FAILED: Final = b"""
    SELECT count(DISTINCT d.event_id) AS count
    FROM webhook_delivery d JOIN webhook_attempt a USING (tenant_id, target_id, event_id)
    WHERE d.state = 'waiting' AND a.ended_at IS NOT NULL
"""
_EVENTS: Final = b"SELECT event_id FROM webhook_event WHERE occurred_at <= to_timestamp(%s)"


async def trouble_a_receiver(scene: Scene) -> None:
    """Make a receiver fail in every way, and kill deliverers; then look what it got, and in which order."""
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="fte-webhooks-")))
        url = await asyncio.to_thread(opened.enter_context, run_receiver(folder / "received.jsonl"))
        database = Database(scene.settings)
        await database.open()
        opened.push_async_callback(database.close)
        targets = Targets(database, open_sealer(scene.settings), TENANT, by="fte chaos")
        target = await targets.add(f"{url}/hook", [])
        opened.push_async_callback(drop_groups, scene.redis, streams_of(TENANT), GROUP)
        opened.push_async_callback(targets.remove, target.target_id)
        deliverers = [opened.enter_context(_deliverer(scene.settings, folder / f"{each}.log")) for each in range(2)]
        for step in _STEPS:
            await _script(url, [step] * (1 if step["do"] == "refuse" else OF_EACH))
            scene.note()
            await scene.pause(SECONDS_MAX + 1)
            await _until_retried(scene)
        deliverers[0].send_signal(signal.SIGKILL)
        deliverers.append(opened.enter_context(_deliverer(scene.settings, folder / "2.log")))
        await scene.pause(1)
        scene.undone += await _audit(scene, folder / "received.jsonl")


async def _until_retried(scene: Scene) -> None:
    """Wait until no delivery that has failed still waits; raises TimeoutError after RETRIED_SECONDS_MAX."""
    async with asyncio.timeout(RETRIED_SECONDS_MAX * scene.slowness):
        while await asyncio.to_thread(_count_failed, scene.settings.database_url or ""):  # noqa: ASYNC110 - with a deadline
            await asyncio.sleep(0.3)


def _count_failed(database_url: str) -> int:
    with connect(database_url) as connection:
        return int(connection.execute(_FAILED).fetchall()[0]["count"])


def _deliverer(settings: Settings, log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    networks = {"FTE_WEBHOOK_NETWORKS": "127.0.0.0/8,::1/128", "FTE_WEBHOOK_SECONDS_MAX": str(SECONDS_MAX)}
    return run_deliverer(settings, "webhooks", log, **networks)


async def _script(url: str, steps: list[dict[str, Any]]) -> None:
    async with aiohttp.ClientSession() as session, session.put(f"{url}/control", json=steps) as answer:
        answer.raise_for_status()


@dataclass(frozen=True)
class _Received:
    id: str
    conversation: str
    sequence: int


async def _audit(scene: Scene, log: Path) -> list[str]:
    """Wait until the receiver has everything that was sent out until now; return what is missing or out of order."""
    now = time.time()
    deadline = time.monotonic() + DELIVERED_SECONDS_MAX
    missing = ["no webhook was made at all"]
    while missing and time.monotonic() < deadline:
        await asyncio.sleep(1)
        missing = await asyncio.to_thread(_missing, scene.settings.database_url or "", now, _read(log))
    return [*missing, *_out_of_order(_read(log))]


def _missing(database_url: str, until: float, received: list[_Received]) -> list[str]:
    got = {each.id for each in received}
    with connect(database_url) as connection:
        sent = connection.execute(_SENT, [until]).fetchall()[0]["count"]
        events = connection.execute(_EVENTS, [until]).fetchall()
    lost = [row for row in events if row["event_id"] not in got]
    told = [f"{len(lost)} of {len(events)} webhooks did not reach the receiver"] if lost else []
    return told if len(events) >= sent > 0 else [*told, f"{sent} outbox rows became {len(events)} webhooks"]


def _out_of_order(received: list[_Received]) -> list[str]:
    """Return the conversations whose webhooks came first in another order than they were sent in."""
    first_seen: dict[str, list[int]] = {}
    for each in dict.fromkeys(received):
        first_seen.setdefault(each.conversation, []).append(each.sequence)
    return [
        f"webhooks of {name} came out of order: {seen}" for name, seen in first_seen.items() if seen != sorted(seen)
    ]


def _read(log: Path) -> list[_Received]:
    """Read what the receiver took, or at least had whole before it failed."""
    lines = [parse_json(line) for line in log.read_bytes().splitlines()]
    taken = [line for line in lines if line["do"] in {"slow", "huge"} or line["status"] == 204]  # noqa: PLR2004 - HTTP's
    bodies = [(line["headers"]["webhook-id"], parse_json(line["body"])["data"]) for line in taken]
    return [_Received(name, data["conversation"], data["sequence"]) for name, data in bodies]
