"""Run the benchmark: `python -m ops.lab.bench`."""

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

from ops.lab.bench.bare import make_bare_runner
from ops.lab.bench.cpu import CpuRound
from ops.lab.bench.product import Product
from ops.standalone.standalone import run_everything
from producer.sending.client import AsyncProducer
from runtime.configuration import load_settings
from runtime.database import Database
from runtime.encoding import dump_json
from runtime.redis import make_redis

if TYPE_CHECKING:
    from schema.settings import Settings

_QUESTIONS = (
    "How much is a second checked bag?",
    "Can I bring my dog into the cabin?",
    "What does a seat in the first rows cost?",
    "Is there a fee when I cancel the day before my flight?",
    "How early do I have to be at the gate?",
)
_WARM_UP = 200
_SHOWN_MS_MIN = 0.05


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
    _report(console, measured, as_json=as_json)


def _report(console: Console, rounds: list[tuple[CpuRound, CpuRound]], *, as_json: bool) -> None:
    bare = [bare for bare, _ in rounds]
    product = [product for _, product in rounds]
    ratios = [one.cpu_seconds_per_message / other.cpu_seconds_per_message for one, other in rounds]
    ratio = statistics.median(ratios)
    if as_json:
        typer.echo(
            dump_json(
                {
                    "bare_cpu_ms_per_message": round(_median_ms(bare), 2),
                    "product_cpu_ms_per_message": round(_median_ms(product), 2),
                    "product_messages_per_s": round(_median_speed(product), 1),
                    "ratio": round(ratio, 3),
                    "ratios": [round(one, 3) for one in ratios],
                }
            )
        )
        return
    count = product[0].messages
    table = Table(title=f"{len(rounds)} interleaved rounds of {count} messages, 3 model calls each; medians")
    table.add_column("")
    for column in ("CPU ms/message", "messages/CPU s", "messages/s"):
        table.add_column(column, justify="right")
    for name, one in (("bare SDK Runner, in a loop", bare), ("product, 1 worker process", product)):
        table.add_row(name, f"{_median_ms(one):.2f}", f"{1_000 / _median_ms(one):.0f}", f"{_median_speed(one):.0f}")
        for kind in sorted(one[0].cpu):
            spent = statistics.median(round_.cpu[kind] / round_.messages for round_ in one) * 1_000
            if spent >= _SHOWN_MS_MIN:
                table.add_row(f"  [dim]{kind}[/]", f"[dim]{spent:.2f}[/]")
    console.print(table)
    console.print(f"ratio of messages per CPU second, product to bare: [bold]{ratio:.2f}[/]")


def _median_ms(rounds: list[CpuRound]) -> float:
    return statistics.median(one.cpu_seconds_per_message for one in rounds) * 1_000


def _median_speed(rounds: list[CpuRound]) -> float:
    return statistics.median(one.messages / one.seconds for one in rounds)


async def _measure(settings: Settings, *, messages: int, rounds: int) -> list[tuple[CpuRound, CpuRound]]:
    redis = make_redis(settings)
    database = Database(settings)
    await database.open()
    measured = []
    async with AsyncProducer(settings) as producer:
        bare, product = make_bare_runner(settings, database), Product(producer, redis)
        await product.run(_questions(_WARM_UP))
        await bare.run(_questions(_WARM_UP))
        for _ in range(rounds):
            without = await bare.run(_questions(messages))
            measured.append((without, await product.run(_questions(messages))))
            await asyncio.sleep(0.5)  # let PostgreSQL's background writers finish on the round that caused them
    await database.close()
    await redis.aclose()
    return measured


def _questions(count: int) -> list[str]:
    return [_QUESTIONS[number % len(_QUESTIONS)] for number in range(count)]


if __name__ == "__main__":
    typer.run(main)
