"""Measure what one crowded conversation costs the others: `python -m ops.bench.fairness`."""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from ops.runtime.configuration import load_settings
from ops.runtime.database import EVERY_TENANT, Database
from ops.standalone import run_everything
from producer.client import AsyncProducer
from producer.load.run import MODEL_LATENCY_KEY, LoadOptions, run_load
from schema.ids import new_token
from schema.messages import Inbound

if TYPE_CHECKING:
    from producer.load.report import Distribution
    from schema.settings import Settings

_LATENCY_MS = "200..200"


def main(
    crowd: Annotated[int, typer.Option(min=1, max=10_000, help="Messages of the crowded conversation.")] = 10_000,
    conversations: Annotated[int, typer.Option(min=1, help="Others, of one message each, in a round.")] = 150,
    rate: Annotated[float, typer.Option(min=0.1, help="Their messages per second.")] = 10,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds without the crowd, then with it.")] = 3,
) -> None:
    """Compare how long others wait with and without one conversation of 10,000 messages; one worker process."""
    os.environ["FTE_MODEL"] = "stub"
    console = Console()
    with tempfile.TemporaryDirectory(prefix="fte-bench-") as folder:
        settings = load_settings(state_dir=Path(folder) / "state")
        with run_everything(settings, workers=1, say=lambda line: console.print(f"[dim]{line} …[/]")) as (here, _):
            alone, crowded, waiting = uvloop.run(_measure(here, crowd, _options(conversations, rate), rounds))
    table = Table(
        title=f"wait of {conversations} conversations at {rate:g}/s, model calls of {_LATENCY_MS} ms; medians"
    )
    for column in ("", "p50 ms", "p95 ms", "p99 ms"):
        table.add_column(column, justify="right" if column else "left")
    for name, found in (("alone", alone), (f"beside {crowd} messages of one", crowded)):
        table.add_row(name, *(f"{_median(found, at):.0f}" for at in ("p50", "p95", "p99")))
    console.print(table)
    console.print(f"p99, crowded to alone: [bold]{_median(crowded, 'p99') / _median(alone, 'p99'):.2f}[/]")
    console.print(f"of the crowd, {waiting} messages waited still when the last round ended", highlight=False)


def _options(conversations: int, rate: float) -> LoadOptions:
    return LoadOptions(
        conversations=conversations, turns=1, messages_per_second=rate, model_latency_ms=_LATENCY_MS, channels=("chat",)
    )


def _median(found: list[Distribution], at: str) -> float:
    return statistics.median(float(one[at]) for one in found)  # type: ignore[literal-required]


async def _measure(
    settings: Settings, crowd: int, options: LoadOptions, rounds: int
) -> tuple[list[Distribution], list[Distribution], int]:
    await _round(settings, options)  # warms up
    alone = [await _round(settings, options) for _ in range(rounds)]
    async with AsyncProducer(settings) as producer:
        await producer.send_many(_crowd(number) for number in range(crowd))
    crowded = [await _round(settings, options) for _ in range(rounds)]
    database = Database(settings)
    await database.open()
    rows = await database.read(EVERY_TENANT, "count_backlog", messages_max=crowd)
    await database.close()
    return alone, crowded, int(rows[0]["waiting"])


async def _round(settings: Settings, options: LoadOptions) -> Distribution:
    return (await run_load(settings, replace(options, run=new_token()[:8])))["latency_ms"]


def _crowd(number: int) -> Inbound:
    return Inbound(
        message_id=f"crowd-{number}",
        tenant="default",
        conversation="crowd",
        channel="sms",
        sender="crowd@example.com",
        text="How much is a second checked bag?",
        metadata={MODEL_LATENCY_KEY: "10..10"},
    )


if __name__ == "__main__":
    typer.run(main)
