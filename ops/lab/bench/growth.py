"""Benchmark the growth of a conversation: its 200th turn against its 5th. `python -m ops.lab.bench.growth`."""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path

import typer
import uvloop
from rich.console import Console
from rich.progress import track

from ops.lab.bench.cpu import CpuRound
from ops.lab.bench.product import Product
from ops.standalone.standalone import run_everything
from producer.sending.client import AsyncProducer
from runtime.configuration import load_settings
from runtime.redis import make_redis
from schema.settings.sending import SendingSettings

EARLY, LATE = 5, 200
_AROUND = 2
"""Turns before and after that are measured too: one round alone is too short for the CPU clock."""


def main(conversations: int = 12) -> None:
    """Send 202 messages in each of a few conversations, and compare the CPU of all processes around turns 5 and 200."""
    os.environ["FTE_MODEL"] = "stub"
    console = Console()
    with tempfile.TemporaryDirectory(prefix="fte-bench-") as folder:
        settings = load_settings(state_dir=Path(folder) / "state")
        with run_everything(settings, workers=1, say=lambda line: console.print(f"[dim]{line} …[/]")) as (here, _):
            early, late = uvloop.run(_measure(here, conversations))
    for turn, one in ((EARLY, early), (LATE, late)):
        console.print(f"turn {turn:>3}: {one * 1_000:.2f} ms CPU")
    console.print(f"ratio of the {LATE}th turn to the {EARLY}th: [bold]{late / early:.2f}[/]")


async def _measure(settings: SendingSettings, conversations: int) -> tuple[float, float]:
    redis = make_redis(settings)
    names = [f"growth-{uuid.uuid4().hex[:8]}" for _ in range(conversations)]
    rounds: list[CpuRound] = []
    async with AsyncProducer(settings) as producer:
        product = Product(producer, redis)
        await product.run(["How much is a second checked bag?"] * 50)  # warm-up, in other conversations
        for turn in track(range(1, LATE + _AROUND + 1), description="turns"):
            question = f"And how much is a bag of {turn + 20} lbs?"
            rounds.append(await product.run([question] * conversations, conversations=names))
    await redis.aclose()
    return _around(rounds, EARLY), _around(rounds, LATE)


def _around(rounds: list[CpuRound], turn: int) -> float:
    """Return the CPU seconds of one turn, averaged over the turns around it."""
    window = rounds[turn - 1 - _AROUND : turn + _AROUND]
    return sum(one.cpu_seconds for one in window) / sum(one.messages for one in window)


if __name__ == "__main__":
    typer.run(main)
