"""Run the benchmark: `python -m ops.bench`."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from ops.bench.bare import BareRunner, make_bare_runner
from ops.bench.product import Measured, Product
from ops.runtime.configuration import load_settings
from ops.runtime.encoding import dump_json
from ops.runtime.redis import make_redis
from ops.standalone import run_everything
from producer.client import AsyncProducer
from worker.tools.backend import Passage

if TYPE_CHECKING:
    from schema.settings import Settings

_QUESTIONS = (
    "How much is a second checked bag?",
    "Can I bring my dog into the cabin?",
    "What does a seat in the first rows cost?",
    "Is there a fee when I cancel the day before my flight?",
    "How early do I have to be at the gate?",
)
_PASSAGE = Passage(
    "Baggage", "Checked bags", "baggage", "One checked bag is included; a bag over 50 lbs costs $50 more.", 1.0
)
_WARM_UP = 60


def main(
    messages: Annotated[int, typer.Option(min=1, help="Messages per round.")] = 200,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each, interleaved.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,  # noqa: FBT002 - Typer's form
) -> None:
    """Measure messages per CPU second: the bare SDK Runner, and the product with one worker process."""
    os.environ["FTE_MODEL"] = "stub"
    console = Console(stderr=as_json)
    with tempfile.TemporaryDirectory(prefix="fte-bench-") as folder:
        settings = load_settings(state_dir=Path(folder) / "state")
        with run_everything(settings, workers=1, say=lambda line: console.print(f"[dim]{line} …[/]")) as (here, _):
            measured = uvloop.run(_measure(here, messages=messages, rounds=rounds))
    bare = statistics.median(seconds for seconds, _ in measured) / messages * 1_000
    product = statistics.median(round_.cpu_seconds for _, round_ in measured) / messages * 1_000
    speed = statistics.median(round_.messages / round_.seconds for _, round_ in measured)
    ratio = statistics.median(seconds / round_.cpu_seconds for seconds, round_ in measured)
    if as_json:
        typer.echo(
            dump_json(
                {
                    "bare_cpu_ms_per_message": round(bare, 2),
                    "product_cpu_ms_per_message": round(product, 2),
                    "product_messages_per_s": round(speed, 1),
                    "ratio": round(ratio, 3),
                    "ratios": [round(seconds / round_.cpu_seconds, 3) for seconds, round_ in measured],
                }
            )
        )
        return
    table = Table(title=f"{rounds} interleaved rounds of {messages} messages, 3 model calls each, medians")
    for column in ("", "CPU ms per message", "messages per CPU second", "messages/s"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_row("bare SDK Runner", f"{bare:.2f}", f"{1_000 / bare:.0f}", f"{1_000 / bare:.0f}")
    table.add_row("product, 1 worker process", f"{product:.2f}", f"{1_000 / product:.0f}", f"{speed:.0f}")
    for kind in sorted(measured[0][1].cpu):
        spent = statistics.median(round_.cpu[kind] for _, round_ in measured) / messages * 1_000
        table.add_row(f"  of it {kind}", f"{spent:.2f}", "", "")
    console.print(table)
    console.print(f"ratio (product / bare, messages per CPU second): [bold]{ratio:.2f}[/]")


async def _measure(settings: Settings, *, messages: int, rounds: int) -> list[tuple[float, Measured]]:
    bare: BareRunner = make_bare_runner(settings, _PASSAGE)
    redis = make_redis(settings)
    measured = []
    async with AsyncProducer(settings) as producer:
        product = Product(producer, redis)
        await product.run(_questions(_WARM_UP))
        await bare.run(_questions(_WARM_UP))
        for _ in range(rounds):
            seconds = await bare.run(_questions(messages))
            measured.append((seconds, await product.run(_questions(messages))))
            await asyncio.sleep(0.5)  # let PostgreSQL's background writers finish on the round that caused them
    await redis.aclose()
    return measured


def _questions(count: int) -> list[str]:
    return [_QUESTIONS[number % len(_QUESTIONS)] for number in range(count)]


if __name__ == "__main__":
    typer.run(main)
