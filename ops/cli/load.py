"""Put load on the product."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from producer.load.report import LoadReport
    from producer.load.run import LoadOptions, LoadProgress
    from producer.load.scripts import Booking
    from schema.settings import Settings

_STANDARD_OUTPUT = "-"


def load(
    *,
    conversations: Annotated[int, typer.Option("--conversations", "-n", min=1, metavar="N", help="Customers.")] = 100,
    turns: Annotated[int, typer.Option("--turns", min=1, metavar="M", help="Messages of each.")] = 5,
    rate: Annotated[
        float, typer.Option("--rate", min=0.1, metavar="R", help="Messages a second, whatever comes back.")
    ] = 20,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="The same seed gives the same customers.")] = 1,
    model_latency_ms: Annotated[
        str | None,
        typer.Option("--model-latency-ms", metavar="A..B", help="How long the model takes for each call."),
    ] = None,
    llm_sim: Annotated[
        bool, typer.Option("--llm-sim", help="Start a stack whose workers ask a simulated provider over HTTP.")
    ] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-w", min=1, max=64, metavar="N", help="Workers of the stack started here.")
    ] = 2,
    json_file: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write the report there, as JSON; - prints it."),
    ] = None,
    tenant: Tenant = "default",
) -> None:
    """Send made-up customers' messages at a steady rate, and report what came back.

    Uses a running stack, or the servers in the settings, with the workers that are there; with neither it starts a
    stack in a folder of its own, as it always does with --llm-sim. Exit code 1: something was lost, duplicated or out
    of order.
    """
    from ops.cli.servers import load_command_settings, point_at_servers
    from ops.cli.stopping import interrupted_by_signals
    from ops.terminal import open_console
    from producer.load.run import LoadOptions

    _check_latency(model_latency_ms, simulated=llm_sim)
    settings = load_command_settings()
    console = open_console(stderr=json_file == _STANDARD_OUTPUT)
    options = LoadOptions(
        conversations=conversations,
        turns=turns,
        messages_per_second=rate,
        seed=seed,
        model_latency_ms=None if llm_sim else model_latency_ms,
        bookings=_sample_bookings(),
        tenant=tenant,
    )
    with interrupted_by_signals():
        try:
            here = None if llm_sim else point_at_servers(settings)
            with _provider(settings, model_latency_ms, simulated=llm_sim) as settings:
                report = _run(console, here, options) if here else _run_apart(console, settings, workers, options)
        except KeyboardInterrupt:
            console.print("[dim]interrupted[/]")
            raise typer.Exit(1) from None
    _finish(console, report, json_file)


def _check_latency(text: str | None, *, simulated: bool) -> None:
    """Refuse a latency that nobody understands: the simulated provider knows one form more than the embedded models."""
    from ops.llm_sim.latency import Lognormal, read_latency

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

    from ops.llm_sim.child import run_simulator

    with run_simulator(["--latency-ms", latency_ms or "0"]) as url:
        changed = {"model": "openai:sim", "openai_api_key": SecretStr("any"), "openai_base_url": url}
        yield settings.model_copy(update=changed)


def _finish(console: Console, report: LoadReport, json_file: str | None) -> None:
    """Show and write the report, and end with 1 when the product broke a promise."""
    _show(console, report)
    if json_file is not None:
        _write(json_file, report)
    if report["lost"] or report["duplicated"] or report["out_of_order"]:
        raise typer.Exit(1)


def _sample_bookings() -> tuple[Booking, ...]:
    """Give the customers of the sample airline, whose bookings the seat changes are about."""
    from ops.seed import SAMPLES
    from producer.load.scripts import Booking

    return tuple(Booking(sample.confirmation_number, *sample.passengers[0]) for sample in SAMPLES)


def _run_apart(console: Console, settings: Settings, workers: int, options: LoadOptions) -> LoadReport:
    import tempfile
    from pathlib import Path

    from ops.standalone import run_everything
    from ops.terminal import tell_on

    with tempfile.TemporaryDirectory(prefix="fte-load-", ignore_cleanup_errors=True) as folder:
        settings = settings.model_copy(update={"state_dir": Path(folder)})
        with run_everything(settings, workers=workers, say=tell_on(console)) as (here, _):
            return _run(console, here, options)


def _run(console: Console, settings: Settings, options: LoadOptions) -> LoadReport:
    import asyncio

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from producer.load.run import run_load

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

        return asyncio.run(run_load(settings, options, show))


def _show(console: Console, report: LoadReport) -> None:
    from rich.table import Table
    from rich.text import Text

    counts = Table.grid(padding=(0, 3))
    counts.add_column(style="dim")
    counts.add_column(justify="right")
    counts.add_row("messages", f"{report['messages']:,}")
    counts.add_row("replies", f"{report['replies']:,}")
    counts.add_row("escalations", f"{report['escalations']:,}")
    counts.add_row("messages a second", f"{report['messages_per_s']:,.1f}")
    broken = {"lost": report["lost"], "duplicated": report["duplicated"], "out of order": report["out_of_order"]}
    for name, count in broken.items():
        counts.add_row(name, Text(f"{count:,}", "bold red" if count else "green"))
    counts.add_row("model calls a turn", f"{report['model_calls_per_turn']:.2f}")
    counts.add_row("tokens a turn, in", f"{report['input_tokens_per_turn']:,.0f}")
    counts.add_row("tokens a turn, out", f"{report['output_tokens_per_turn']:,.0f}")
    times = Table(box=None, pad_edge=False, header_style="dim")
    times.add_column("milliseconds")
    for name in ("p50", "p95", "p99", "max"):
        times.add_column(name, justify="right")
    rows = {"from sending to the reply": report["latency_ms"], "of these, without the model": report["overhead_ms"]}
    for title, of in rows.items():
        times.add_row(title, *(f"{value:,.0f}" for value in (of["p50"], of["p95"], of["p99"], of["max"])))
    console.print()
    console.print(counts)
    console.print()
    console.print(times)


def _write(file: str, report: LoadReport) -> None:
    from pathlib import Path

    from ops.runtime.encoding import dump_json
    from ops.terminal import print_line

    if file == _STANDARD_OUTPUT:
        print_line(dump_json(report))
        return
    try:
        Path(file).write_text(dump_json(report) + "\n")
    except OSError as error:
        raise typer.BadParameter(f"--json {file}: {error.strerror}") from None
