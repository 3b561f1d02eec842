"""Run a load on a stack that is there, or on one that is started for it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from ops.lab.load.measured import MeasuredLoad
    from ops.lab.load.options import LoadOptions, LoadProgress
    from ops.verify.growth_figure import GrowthFigure
    from schema.settings import Settings


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What a load test measured, and what grew, where that was watched."""

    report: MeasuredLoad
    figures: list[GrowthFigure] = field(default_factory=list)


def run_anywhere(
    console: Console, settings: Settings, options: LoadOptions, *, workers: int, simulated: bool, watches: bool
) -> LoadOutcome:
    """Run a load where the settings point, else on a stack of its own with so many workers, and show its progress.

    `simulated`: always a stack of its own, whose workers ask a simulated provider over HTTP. An interruption exits
    with 1.
    """
    from ops.cli.servers import point_at_servers
    from ops.cli.stopping import interrupted_by_signals

    with interrupted_by_signals():
        try:
            here = None if simulated else point_at_servers(settings)
            if here:
                return _run(console, here, options, list, watches=watches)
            sent = options.without_latency() if simulated else options
            with _provider(settings, options.phases.model_latency_ms, simulated=simulated) as apart:
                return _run_apart(console, apart, workers, sent, watches=watches)
        except KeyboardInterrupt:
            console.print("[dim]interrupted[/]")
            raise typer.Exit(1) from None


@contextmanager
def _provider(settings: Settings, latency_ms: str | None, *, simulated: bool) -> Iterator[Settings]:
    """Run a simulated provider for the block when asked to, and point the settings at it."""
    if not simulated:
        yield settings
        return
    from pydantic import SecretStr

    from ops.lab.llm_sim.child import run_simulator

    with run_simulator(["--latency-ms", latency_ms or "0"]) as url:
        changed = {"model": "openai:sim", "openai_api_key": SecretStr("any"), "openai_base_url": url}
        yield settings.model_copy(update=changed)


def _run_apart(
    console: Console, settings: Settings, workers: int, options: LoadOptions, *, watches: bool
) -> LoadOutcome:
    import tempfile
    from pathlib import Path

    from ops.lab.bench.cpu import cpu_seconds, read_thread_times, spent_since
    from ops.standalone.standalone import run_everything
    from ops.terminal import tell_on

    with tempfile.TemporaryDirectory(prefix="fte-load-", ignore_cleanup_errors=True) as folder:
        settings = settings.model_copy(update={"state_dir": Path(folder), "load_tests": True})
        with run_everything(settings, workers=workers, say=tell_on(console)) as (here, crew):
            before, threads = cpu_seconds(), read_thread_times(crew.pids)
            outcome = _run(console, here, options, lambda: crew.pids, watches=watches)
            # Senders and the gateway have ended by now, so their time counts as this process's, the generator's.
            spent, messages = spent_since(before), max(1, outcome.report["messages"])
            ran, waited = read_thread_times(crew.pids).busiest_since(threads)
    cpu = {kind: round(seconds / messages * 1_000, 2) for kind, seconds in sorted(spent.items())}
    stack = {"workers": workers, "concurrency": settings.concurrency, "cpu_ms_per_message": cpu}
    outcome.report["setup"] |= stack
    if ran:
        loop = {"loop_ms_per_message": round(ran / messages * 1_000, 2), "loop_slowdown": round(1 + waited / ran, 2)}
        outcome.report["setup"] |= loop
    return outcome


def _run(
    console: Console, settings: Settings, options: LoadOptions, pids: Callable[[], list[int]], *, watches: bool
) -> LoadOutcome:
    """Run the load and show its progress; `watches`: also watch for growth."""
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        accepted = bars.add_task("accepted", total=None)
        answered = bars.add_task("answered", total=None)

        def show(progress: LoadProgress) -> None:
            bars.update(accepted, completed=progress.accepted, total=progress.messages)
            bars.update(answered, completed=progress.answered, total=progress.messages)

        return asyncio.run(_load(settings, options, pids, show, watches=watches))


async def _load(
    settings: Settings,
    options: LoadOptions,
    pids: Callable[[], list[int]],
    show: Callable[[LoadProgress], None],
    *,
    watches: bool,
) -> LoadOutcome:
    import asyncio

    from ops.lab.growth import GrowthWatch
    from runtime.cancelling import cancel_and_wait

    if not watches:
        return LoadOutcome(await _run_once(settings, options, show))
    watch = GrowthWatch(settings, pids)
    watching = asyncio.create_task(watch.run())
    try:
        report = await _run_once(settings, options, show)
        if watching.done():
            watching.result()  # it ends by an error alone, and missing figures do not mean good ones
    finally:
        await cancel_and_wait(watching)
    return LoadOutcome(report, watch.judge())


async def _run_once(settings: Settings, options: LoadOptions, show: Callable[[LoadProgress], None]) -> MeasuredLoad:
    from ops.lab.load.access import open_gateway
    from ops.lab.load.run import run_load
    from ops.standalone.gateways import run_gateway_beside

    if not options.via_http:
        return await run_load(settings, options, show)
    free = settings.model_copy(update={"gateway_listen": "127.0.0.1:0", "load_tests": True})
    with run_gateway_beside(free) as url:
        async with open_gateway(settings, options.tenant, url) as access:
            return await run_load(settings, replace(options, gateway=access), show)
