"""Measure how a crowded conversation slows the others: `python -m ops.lab.bench.fairness`."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from ops.lab.load.options import LoadOptions
from ops.lab.load.run import run_load
from ops.standalone.standalone import run_everything
from producer.sending.client import AsyncProducer
from runtime.configuration import load_settings
from runtime.database import EVERY_TENANT, Database
from runtime.redis import Scripts, make_redis
from schema.ids import ConversationKey, new_token
from schema.keys import mailbox_keys
from schema.messages.inbound import MODEL_LATENCY_KEY, Inbound
from worker.mailbox.mailbox import Mailbox

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from ops.verify.tally import Distribution
    from schema.settings import Settings
    from schema.settings.mailbox import MailboxSettings

_LATENCY_MS = "200..200"
_CROWD = ConversationKey("default", "crowd")
_APART_SECONDS = 120
"""How long the crowd is held back at most: longer than a round, and no longer than a worker may park anything."""
_HOLD_SECONDS_MAX = 30


def main(
    crowd: Annotated[int, typer.Option(min=1, max=10_000, help="Messages of the crowded conversation.")] = 10_000,
    conversations: Annotated[int, typer.Option(min=1, help="Others, of one message each, in a round.")] = 200,
    rate: Annotated[float, typer.Option(min=0.1, help="Their messages per second.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each, interleaved.")] = 5,
    *,
    apart: Annotated[bool, typer.Option("--apart", help="The crowd has a turn for each message.")] = False,
) -> None:
    """Compare how long others wait with and without one conversation of 10,000 messages; one worker process."""
    os.environ["FTE_MODEL"] = "stub"
    if apart:
        os.environ["FTE_BURST_MESSAGES_MAX"] = "1"
    console = Console()
    with tempfile.TemporaryDirectory(prefix="fte-bench-") as folder:
        settings = load_settings(state_dir=Path(folder) / "state", load_tests=True)
        with run_everything(settings, workers=1, say=lambda line: console.print(f"[dim]{line} …[/]")) as (here, _):
            measured = uvloop.run(_measure(here, crowd, _options(conversations, rate), rounds))
    table = Table(
        title=f"{rounds} interleaved rounds of {conversations} conversations at {rate:g}/s, model calls of "
        f"{_LATENCY_MS} ms; medians"
    )
    for column in ("", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="right" if column else "left")
    for name, found in (("alone", measured.alone), (f"beside {crowd} messages of one", measured.crowded)):
        table.add_row(name, *(f"{_median(found, at):.0f}" for at in ("p50", "p95", "p99")))
    console.print(table)
    ratios = " ".join(f"{ratio:.2f}" for ratio in measured.ratios)
    console.print(
        f"p99, crowded to alone: [bold]{statistics.median(measured.ratios):.2f}[/] (rounds: {ratios})", highlight=False
    )
    console.print(f"of the crowd, {measured.answered} messages were answered meanwhile", highlight=False)


@dataclass
class CrowdRound:
    """Waiting times of the others in each round, and how many of the crowd's messages were answered."""

    alone: list[Distribution]
    crowded: list[Distribution]
    answered: int = 0

    @property
    def ratios(self) -> list[float]:
        """Return for each pair of rounds the crowded 99th percentile divided by that without the crowd."""
        return [crowded["p99"] / alone["p99"] for alone, crowded in zip(self.alone, self.crowded, strict=True)]


def _options(conversations: int, rate: float) -> LoadOptions:
    return LoadOptions(
        conversations=conversations, turns=1, messages_per_second=rate, model_latency_ms=_LATENCY_MS, channels=("chat",)
    )


def _median(found: list[Distribution], at: str) -> float:
    return statistics.median(float(one[at]) for one in found)  # type: ignore[literal-required]


async def _measure(settings: Settings, crowd: int, options: LoadOptions, rounds: int) -> CrowdRound:
    async with AsyncExitStack() as opened:
        producer = await opened.enter_async_context(AsyncProducer(settings))
        redis = make_redis(settings)
        opened.push_async_callback(redis.aclose)
        database = Database(settings)
        await database.open()
        opened.push_async_callback(database.close)
        gate = _Gate(settings, redis, Mailbox(redis, Scripts(redis), settings))
        await _round(settings, options)  # warms up
        await producer.send_many(_messages(crowd))
        measured = CrowdRound([], [])
        for _ in range(rounds):
            await gate.close()
            measured.alone.append(await _round(settings, options))
            await gate.open()
            measured.crowded.append(await _round(settings, options))
        rows = await database.read(EVERY_TENANT, "count_backlog", messages_max=crowd)
        measured.answered = crowd - sum(int(row["waiting"]) for row in rows)
        return measured


@dataclass
class _Gate:
    """Holds the crowded conversation back, as a worker that parks it does, and releases it again."""

    settings: MailboxSettings
    redis: Redis
    mailbox: Mailbox

    async def close(self) -> None:
        """Park the conversation; raises TimeoutError when no worker releases its lease."""
        deadline = time.monotonic() + _HOLD_SECONDS_MAX
        while isinstance(acquired := await self.mailbox.acquire(_CROWD), str):
            if acquired != "busy" or time.monotonic() > deadline:
                raise TimeoutError(f"the crowded conversation is {acquired}: it has no messages left, or is not let go")
            await asyncio.sleep(0.002)
        await self.mailbox.park(*acquired, backoff_seconds=_APART_SECONDS, counts=False)

    async def open(self) -> None:
        """Make the conversation due at once."""
        keys = mailbox_keys(_CROWD, self.settings.partitions)
        await self.redis.delete(keys.lease)
        await self.redis.zadd(keys.agenda, {str(_CROWD): 0})


async def _round(settings: Settings, options: LoadOptions) -> Distribution:
    return (await run_load(settings, replace(options, run=new_token()[:8])))["latency_ms"]


def _messages(count: int) -> Iterator[Inbound]:
    for number in range(count):
        yield Inbound(
            message_id=f"crowd-{number}",
            tenant=_CROWD.tenant,
            conversation=_CROWD.conversation,
            channel="sms",
            sender="crowd@example.com",
            text="How much is a second checked bag?",
            metadata={MODEL_LATENCY_KEY: "10..10"},
        )


if __name__ == "__main__":
    typer.run(main)
