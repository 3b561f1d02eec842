"""The command `fte load`: put load on the product."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ops.cli.options import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rich.console import Console

    from ops.lab.growth import GrowthFigure
    from ops.lab.load.run import LoadOptions, LoadProgress
    from ops.lab.load.scripts import BookingAccess
    from ops.verify.tally import LoadReport
    from schema.settings import Settings

_STANDARD_OUTPUT = "-"


Conversations = Annotated[int, typer.Option("--conversations", "-n", min=1, metavar="N", help="Customers.")]
Turns = Annotated[int, typer.Option("--turns", min=1, metavar="M", help="Messages of each.")]
Duration = Annotated[
    str | None,
    typer.Option(
        "--duration", metavar="TIME", help="Go on so long (90s, 10m, 2h), and watch what grows; sets --turns."
    ),
]
Rate = Annotated[float, typer.Option("--rate", min=0.1, metavar="R", help="Messages a second, whatever comes back.")]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="The same seed gives the same customers.")]
Latency = Annotated[
    str | None,
    typer.Option(
        "--model-latency-ms",
        metavar="A..B",
        help="How long the model takes for each call. Workers that are there already heed it with FTE_LOAD_TESTS=true.",
    ),
]
LlmSim = Annotated[
    bool, typer.Option("--llm-sim", help="Start a stack whose workers ask a simulated provider over HTTP.")
]
Workers = Annotated[
    int, typer.Option("--workers", "-w", min=1, max=64, metavar="N", help="Workers of the stack started here.")
]
Faults = Annotated[
    bool,
    typer.Option("--faults", help="Break a stack of its own at random meanwhile, and audit it; needs --duration."),
]
JsonFile = Annotated[
    str | None, typer.Option("--json", metavar="FILE", help="Write the report there, as JSON; - prints it.")
]


Via = Annotated[
    Literal["library", "http"],
    typer.Option("--via", help="How messages go in: by the Python library, or by an HTTP gateway started for it."),
]


def load(
    *,
    conversations: Conversations = 100,
    turns: Turns = 5,
    duration: Duration = None,
    rate: Rate = 20,
    via: Via = "library",
    seed: Seed = 1,
    model_latency_ms: Latency = None,
    llm_sim: LlmSim = False,
    workers: Workers = 2,
    faults: Faults = False,
    json_file: JsonFile = None,
    tenant: Tenant = "default",
) -> None:
    """Send made-up customers' messages at a steady rate, and report the outcome.

    Uses a running stack, or the servers in the settings, with the workers that are there; with neither it starts a
    stack in a folder of its own, as it always does with --llm-sim and --faults. Exit code 1: something was lost,
    unanswered, unread, duplicated or out of order; or, with --duration, has grown.
    """
    from ops.cli.servers import load_command_settings, point_at_servers
    from ops.cli.stopping import interrupted_by_signals
    from ops.lab.load.run import LoadOptions
    from ops.terminal import open_console

    _check_latency(model_latency_ms, simulated=llm_sim or faults)
    settings = load_command_settings(breaks_servers=faults)
    console = open_console(stderr=json_file == _STANDARD_OUTPUT)
    seconds = _read_duration(duration)
    if faults:
        if via == "http":
            raise typer.BadParameter("--faults goes by the library; `fte chaos --fault P14,F32` breaks an HTTP gateway")
        _soak(console, settings, seconds, _amounts(conversations, workers, seed, rate, model_latency_ms), json_file)
        return
    options = LoadOptions(
        conversations=conversations,
        turns=max(1, math.ceil(seconds * rate / conversations)) if seconds else turns,
        messages_per_second=rate,
        seed=seed,
        model_latency_ms=None if llm_sim else model_latency_ms,
        bookings=_sample_bookings(),
        tenant=tenant,
        via_http=via == "http",
    )
    with interrupted_by_signals():
        try:
            here = None if llm_sim else point_at_servers(settings)
            with _provider(settings, model_latency_ms, simulated=llm_sim) as settings:
                if here:
                    outcome = _run(console, here, options, list, watches=bool(seconds))
                else:
                    outcome = _run_apart(console, settings, workers, options, watches=bool(seconds))
        except KeyboardInterrupt:
            console.print("[dim]interrupted[/]")
            raise typer.Exit(1) from None
    _finish(console, *outcome, json_file)


def _amounts(conversations: int, workers: int, seed: int, rate: float, latency_ms: str | None) -> dict[str, Any]:
    """Return what a soak's options take of a load's."""
    amounts = {"conversations": conversations, "workers": workers, "seed": seed, "messages_per_second": rate}
    return amounts if latency_ms is None else {**amounts, "model_latency_ms": latency_ms}


def _read_duration(text: str | None) -> int | None:
    from ops.cli.options import span_seconds

    seconds = span_seconds(text) if text is not None else None
    if text is not None and not seconds:
        raise typer.BadParameter(f"--duration {text!r}: a time such as 90s, 10m or 2h")
    return seconds


def _soak(
    console: Console,
    settings: Settings,
    seconds: int | None,
    amounts: dict[str, Any],
    json_file: str | None,
) -> None:
    from ops.cli.soak import facts_of, soak_apart
    from ops.cli.stopping import interrupted_by_signals
    from ops.lab.chaos.run import ChaosOptions

    if seconds is None:
        raise typer.BadParameter("--faults needs --duration, such as --duration 10m")
    options = ChaosOptions(**amounts | {"workers": max(2, amounts["workers"])})
    with interrupted_by_signals():
        try:
            soaked = soak_apart(console, settings, options, seconds)
        except KeyboardInterrupt:
            console.print("[dim]interrupted[/]")
            raise typer.Exit(1) from None
    if json_file is not None:
        _write(json_file, facts_of(soaked))
    if not soaked.is_good:
        raise typer.Exit(1)


def _check_latency(text: str | None, *, simulated: bool) -> None:
    """Refuse an invalid latency: the simulated provider knows one form more than the embedded models."""
    from ops.lab.llm_sim.latency import Lognormal, read_latency

    try:
        latency = read_latency(text or "0")
    except ValueError as error:
        raise typer.BadParameter(f"--model-latency-ms {error}") from None
    if isinstance(latency, Lognormal) and not simulated:
        raise typer.BadParameter(f"--model-latency-ms {text!r} needs --llm-sim; the embedded models know A..B")


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


def _finish(console: Console, report: LoadReport, figures: list[GrowthFigure], json_file: str | None) -> None:
    """Show and write the report; exit with 1 when the product broke a promise, or grew."""
    from dataclasses import asdict

    from ops.cli.load_page import counts_of, growth_of, times_of
    from ops.verify.tally import is_kept

    for part in (counts_of(report), times_of(report), *([growth_of(figures)] if figures else [])):
        console.print()
        console.print(part)
    if json_file is not None:
        growth = {"growth": [asdict(figure) for figure in figures]} if figures else {}
        _write(json_file, {**report, **growth})
    if not is_kept(report) or any(figure.has_grown for figure in figures):
        raise typer.Exit(1)


def _sample_bookings() -> tuple[BookingAccess, ...]:
    """Return the sample airline's customers, whose bookings the seat changes are about."""
    from ops.lab.load.scripts import BookingAccess
    from ops.seed import SAMPLES

    return tuple(BookingAccess(sample.confirmation_number, *sample.passengers[0]) for sample in SAMPLES)


def _run_apart(
    console: Console, settings: Settings, workers: int, options: LoadOptions, *, watches: bool
) -> tuple[LoadReport, list[GrowthFigure]]:
    import tempfile
    from pathlib import Path

    from ops.standalone.standalone import run_everything
    from ops.terminal import tell_on

    with tempfile.TemporaryDirectory(prefix="fte-load-", ignore_cleanup_errors=True) as folder:
        settings = settings.model_copy(update={"state_dir": Path(folder), "load_tests": True})
        with run_everything(settings, workers=workers, say=tell_on(console)) as (here, crew):
            return _run(console, here, options, lambda: crew.pids, watches=watches)


def _run(
    console: Console, settings: Settings, options: LoadOptions, pids: Callable[[], list[int]], *, watches: bool
) -> tuple[LoadReport, list[GrowthFigure]]:
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
        messages = options.conversations * options.turns
        accepted = bars.add_task("accepted", total=messages)
        answered = bars.add_task("answered", total=messages)

        def show(progress: LoadProgress) -> None:
            bars.update(accepted, completed=progress.accepted)
            bars.update(answered, completed=progress.answered)

        return asyncio.run(_load(settings, options, pids, show, watches=watches))


async def _load(
    settings: Settings,
    options: LoadOptions,
    pids: Callable[[], list[int]],
    show: Callable[[LoadProgress], None],
    *,
    watches: bool,
) -> tuple[LoadReport, list[GrowthFigure]]:
    import asyncio

    from ops.lab.growth import GrowthWatch
    from runtime.cancelling import cancel_and_wait

    if not watches:
        return await _run_once(settings, options, show), []
    watch = GrowthWatch(settings, pids)
    watching = asyncio.create_task(watch.run())
    try:
        report = await _run_once(settings, options, show)
        if watching.done():
            watching.result()  # it ends by an error alone, and missing figures do not mean good ones
    finally:
        await cancel_and_wait(watching)
    return report, watch.judge()


async def _run_once(settings: Settings, options: LoadOptions, show: Callable[[LoadProgress], None]) -> LoadReport:
    from dataclasses import replace

    from ops.lab.load.access import open_gateway
    from ops.lab.load.run import run_load
    from ops.standalone.gateways import run_gateway_beside

    if not options.via_http:
        return await run_load(settings, options, show)
    free = settings.model_copy(update={"gateway_listen": "127.0.0.1:0", "load_tests": True})
    with run_gateway_beside(free) as url:
        async with open_gateway(settings, options.tenant, url) as access:
            return await run_load(settings, replace(options, gateway=access), show)


def _write(file: str, facts: Mapping[str, Any]) -> None:
    from pathlib import Path

    from ops.terminal import print_line
    from runtime.encoding import dump_json

    written = dump_json(facts)
    if file == _STANDARD_OUTPUT:
        print_line(written)
        return
    try:
        Path(file).write_text(written + "\n", encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"--json {file}: {error.strerror}") from None
