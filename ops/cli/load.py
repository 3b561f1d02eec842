"""The command `fte load`: put load on the product."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ops.cli.options import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from ops.cli.load_run import LoadOutcome
    from ops.lab.load.baseline import Baseline
    from ops.lab.load.profile import Profile
    from ops.lab.load.scripts import BookingAccess
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


ProfileFile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="FILE",
        help="Phases of the load, in TOML; or one that comes along: hot, ramp, soak, spike, staircase, steady.",
    ),
]
Senders = Annotated[
    int,
    typer.Option("--senders", min=1, max=64, metavar="N", help="Processes that send; 1: this one, which reads too."),
]
LagMax = Annotated[
    float | None,
    typer.Option(
        "--lag-max-ms",
        min=1,
        metavar="MS",
        help="A run counts only while its generator is no later than that (99th percentile); default: 100.",
    ),
]
ReportFile = Annotated[
    str | None, typer.Option("--report", metavar="FILE", help="Write a page there, as HTML without scripts.")
]
BaselineFile = Annotated[
    str | None, typer.Option("--baseline", metavar="FILE", help="What --json wrote of another run; --report compares.")
]
Via = Annotated[
    Literal["library", "http"],
    typer.Option("--via", help="How messages go in: by the Python library, or by an HTTP gateway started for it."),
]


def load(
    context: typer.Context,
    *,
    conversations: Conversations = 100,
    turns: Turns = 5,
    duration: Duration = None,
    rate: Rate = 20,
    profile_file: ProfileFile = None,
    senders: Senders = 1,
    lag_max_ms: LagMax = None,
    via: Via = "library",
    seed: Seed = 1,
    model_latency_ms: Latency = None,
    llm_sim: LlmSim = False,
    workers: Workers = 2,
    faults: Faults = False,
    json_file: JsonFile = None,
    report_file: ReportFile = None,
    baseline_file: BaselineFile = None,
    tenant: Tenant = "default",
) -> None:
    """Send made-up customers' messages at a steady rate, or as a profile says, and report the outcome.

    Uses a running stack, or the servers in the settings, with the workers that are there; with neither it starts a
    stack in a folder of its own, as it always does with --llm-sim and --faults. Exit code 1: something was lost,
    unanswered, unread, duplicated or out of order; or, with --duration, has grown; or the generator was too late for
    the figures to mean anything. docs/load-testing.md.
    """
    from ops.cli.load_run import run_anywhere
    from ops.cli.servers import load_command_settings
    from ops.lab.load.options import LoadOptions
    from ops.terminal import open_console

    _check_faults(via, profile_file, baseline_file, faults=faults)
    profile = _read_profile(context, profile_file, model_latency_ms, simulated=llm_sim or faults)
    baseline = _read_baseline(baseline_file, report_file)
    settings = load_command_settings(breaks_servers=faults)
    console = open_console(stderr=json_file == _STANDARD_OUTPUT)
    seconds = _read_duration(duration)
    if faults:
        _soak(console, settings, seconds, _amounts(context.params), json_file=json_file, report_file=report_file)
        return
    options = LoadOptions(
        conversations=conversations,
        turns=max(1, math.ceil(seconds * rate / conversations)) if seconds else turns,
        messages_per_second=rate,
        seed=seed,
        model_latency_ms=model_latency_ms,
        profile=profile,
        bookings=_sample_bookings(),
        tenant=tenant,
        via_http=via == "http",
        senders=senders,
        lag_ms_max=lag_max_ms,
    )
    watches = bool(seconds) or options.phases.watch_growth
    outcome = run_anywhere(console, settings, options, workers=workers, simulated=llm_sim, watches=watches)
    _finish(console, outcome, json_file, report_file, baseline)


def _check_faults(via: str, profile_file: str | None, baseline_file: str | None, *, faults: bool) -> None:
    """Refuse what does not go with --faults, which runs a load of its own kind."""
    if not faults:
        return
    if via == "http":
        raise typer.BadParameter("--faults goes by the library; `fte chaos --fault P14,F32` breaks an HTTP gateway")
    for option, value in (("--profile", profile_file), ("--baseline", baseline_file)):
        if value is not None:
            raise typer.BadParameter(f"{option} does not go with --faults")


def _read_profile(
    context: typer.Context, file: str | None, latency_ms: str | None, *, simulated: bool
) -> Profile | None:
    """Read the profile, if any, and check its latency or the option's; refuse options that a profile has itself."""
    from ops.cli.options import read_option
    from ops.lab.load.profile import read_profile

    if file is None:
        _check_latency(latency_ms, simulated=simulated)
        return None
    given = [
        name
        for name in ("conversations", "turns", "duration", "rate", "seed", "model_latency_ms")
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    ]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise typer.BadParameter(f"--profile says that itself: leave out {options}")
    profile = read_option("--profile", read_profile, file)
    _check_latency(profile.model_latency_ms, simulated=simulated)
    return profile


def _read_baseline(file: str | None, report_file: str | None) -> Baseline | None:
    from ops.cli.options import read_option
    from ops.lab.load.baseline import read_baseline

    if file is None:
        return None
    if report_file is None:
        raise typer.BadParameter("--baseline needs --report, the page that compares")
    return read_option("--baseline", read_baseline, file)


def _amounts(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a soak's options take of a load's."""
    amounts = {name: given[name] for name in ("conversations", "workers", "seed")}
    amounts["messages_per_second"] = given["rate"]
    latency_ms = given["model_latency_ms"]
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
    *,
    json_file: str | None,
    report_file: str | None,
) -> None:
    from ops.cli.soak import facts_of, soak_apart
    from ops.cli.stopping import interrupted_by_signals
    from ops.lab.chaos.run import ChaosOptions
    from ops.lab.chaos.soak_page import make_soak_page
    from runtime.encoding import dump_json

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
        _write("--json", json_file, dump_json(facts_of(soaked)))
    if report_file is not None:
        _write("--report", report_file, make_soak_page(soaked))
    if not soaked.is_good:
        raise typer.Exit(1)


def _check_latency(text: str | None, *, simulated: bool) -> None:
    """Refuse an invalid latency: the simulated provider knows one form more than the embedded models."""
    from ops.cli.options import read_option
    from ops.lab.llm_sim.latency import Lognormal, read_latency

    latency = read_option("--model-latency-ms", read_latency, text or "0")
    if isinstance(latency, Lognormal) and not simulated:
        raise typer.BadParameter(f"--model-latency-ms {text!r} needs --llm-sim; the embedded models know A..B")


def _finish(
    console: Console,
    outcome: LoadOutcome,
    json_file: str | None,
    report_file: str | None,
    baseline: Baseline | None,
) -> None:
    """Show and write the report; exit with 1 when the run is invalid, or the product broke a promise, or grew."""
    from dataclasses import asdict

    from ops.cli.load_page import counts_of, growth_of, lag_of, phases_of, times_of
    from ops.lab.load.measured import verdict_of
    from ops.lab.load.page import make_page
    from ops.verify.tally import is_kept
    from runtime.encoding import dump_json

    report, figures = outcome.report, outcome.figures
    shown = [counts_of(report), times_of(report), lag_of(report)]
    shown += [phases_of(report)] if len(report["phases"]) > 1 else []
    for part in (*shown, *([growth_of(figures)] if figures else [])):
        console.print()
        console.print(part)
    growth = {"growth": [asdict(figure) for figure in figures]} if figures else {}
    facts: dict[str, Any] = {**report, **growth}
    if json_file is not None:
        _write("--json", json_file, dump_json(facts))
    if report_file is not None:
        _write("--report", report_file, make_page(report, figures, baseline))
    if not report["is_valid"]:
        console.print(f"\n[bold red]{verdict_of(report)}[/]", soft_wrap=True)
    if not report["is_valid"] or not is_kept(report) or any(figure.has_grown for figure in figures):
        raise typer.Exit(1)


def _sample_bookings() -> tuple[BookingAccess, ...]:
    """Return the sample airline's customers, whose bookings the seat changes are about."""
    from ops.lab.load.scripts import BookingAccess
    from ops.seed import SAMPLES

    return tuple(BookingAccess(sample.confirmation_number, *sample.passengers[0]) for sample in SAMPLES)


def _write(option: str, file: str, text: str) -> None:
    from pathlib import Path

    from ops.terminal import print_line

    if file == _STANDARD_OUTPUT:
        print_line(text)
        return
    try:
        Path(file).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{option} {file}: {error.strerror}") from None
