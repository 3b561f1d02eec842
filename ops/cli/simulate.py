"""The command `fte simulate`: how long messages would wait in a deployment, on paper."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, read_option

if TYPE_CHECKING:
    from rich.console import Console

    from ops.lab.load.profile import Profile
    from ops.lab.simulate.figures import SimulatedFigures
    from ops.lab.simulate.system import SimulatedSystem

_DAY_SECONDS = 86_400
_WARM_UP_SHARE = 0.1
"""Part of a simulation that does not count: it begins with nothing under way."""

Rate = Annotated[float, typer.Option("--rate", min=0.01, metavar="R", help="Messages a second, at random moments.")]
Day = Annotated[
    int | None,
    typer.Option("--conversations-a-day", min=1, metavar="N", help="In place of --rate, with --turns and --peak."),
]
Turns = Annotated[int, typer.Option("--turns", min=1, metavar="M", help="Messages of a conversation.")]
Peak = Annotated[
    float, typer.Option("--peak", min=1, metavar="F", help="The busiest time of the day, as a multiple of its mean.")
]
Seconds = Annotated[float, typer.Option("--seconds", min=1, metavar="S", help="How long messages come.")]
Pause = Annotated[
    float, typer.Option("--pause", min=0.1, metavar="S", help="Seconds between two messages of one customer.")
]
ModelMs = Annotated[
    str, typer.Option("--model-ms", metavar="A..B", help="Time of a model call: A, A..B or lognormal:MEDIAN,P95.")
]
Calls = Annotated[
    str, typer.Option("--calls", metavar="X", help="Model calls a turn: an average, or weights such as 1:15,2:80,3:5.")
]
WorkerCpu = Annotated[
    float, typer.Option("--worker-cpu-ms", min=0, metavar="MS", help="CPU of a turn in its worker process.")
]
SharedCpu = Annotated[
    float, typer.Option("--shared-cpu-ms", min=0, metavar="MS", help="CPU of a turn in PostgreSQL, Redis, gateways.")
]
IoMs = Annotated[float, typer.Option("--io-ms", min=0, metavar="MS", help="Time of a turn on disks and networks.")]
Workers = Annotated[int, typer.Option("--workers", "-w", min=1, max=1_000, metavar="N", help="Worker processes.")]
Concurrency = Annotated[int, typer.Option("--concurrency", "-c", min=1, metavar="N", help="Slots of each.")]
Cores = Annotated[int, typer.Option("--cores", min=1, max=4_096, metavar="N", help="Processors that all share.")]
Others = Annotated[
    float, typer.Option("--others", min=0, metavar="N", help="Tasks of somebody else that always want one of them.")
]
HotShare = Annotated[
    float, typer.Option("--hot-share", min=0, max=1, metavar="P", help="Part of the messages of hot conversations.")
]
Hot = Annotated[int, typer.Option("--hot-conversations", min=1, metavar="N", help="How many of them there are.")]
Tenants = Annotated[int, typer.Option("--tenants", min=1, max=1_000, metavar="N", help="The first has the hot ones.")]
Share = Annotated[
    float, typer.Option("--tenant-share-max", min=0.01, max=1, metavar="P", help="Part of a worker's slots of one.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="S", help="The same seed gives the same figures.")]
ProfileFile = Annotated[
    str | None, typer.Option("--profile", metavar="FILE", help="Messages as a profile of `fte load` says.")
]
Measured = Annotated[
    str | None,
    typer.Option(
        "--measured", metavar="FILE", help="Simulate what `fte load --json FILE` measured on a stack of its own."
    ),
]


def simulate(
    *,
    rate: Rate = 10,
    conversations_a_day: Day = None,
    turns: Turns = 5,
    peak: Peak = 1,
    seconds: Seconds = 300,
    pause: Pause = 60,
    model_ms: ModelMs = "lognormal:1000,2500",
    calls: Calls = "2",
    worker_cpu_ms: WorkerCpu = 27,
    shared_cpu_ms: SharedCpu = 13,
    io_ms: IoMs = 0,
    workers: Workers = 2,
    concurrency: Concurrency = 256,
    cores: Cores = 2,
    others: Others = 0,
    hot_share: HotShare = 0,
    hot_conversations: Hot = 1,
    tenants: Tenants = 1,
    tenant_share_max: Share = 0.8,
    seed: Seed = 1,
    profile_file: ProfileFile = None,
    measured_file: Measured = None,
    as_json: Json = False,
) -> None:
    """Simulate how long messages wait, from rates and times alone: no server, nothing is sent.

    Counts slots, one turn at a time for a conversation, bursts, processors and tenants' shares as the product does.
    With --measured it takes everything of a load test's report and is compared with it. docs/load-testing.md.
    """
    from ops.lab.llm_sim.latency import read_latency
    from ops.lab.simulate.system import SimulatedSystem, read_calls

    if measured_file is not None:
        _show_measured(measured_file, seed, as_json=as_json)
        return
    if conversations_a_day is not None:
        rate = conversations_a_day * turns / _DAY_SECONDS * peak
    amounts = {"turns": turns, "hot_conversations": hot_conversations, "seed": seed}
    profile = _read_profile(profile_file) or _steady(rate, seconds, math.ceil(rate * pause), hot_share, amounts)
    system = SimulatedSystem(
        model=read_option("--model-ms", read_latency, profile.model_latency_ms or model_ms),
        calls=read_option("--calls", read_calls, calls),
        worker_cpu_ms=worker_cpu_ms,
        shared_cpu_ms=shared_cpu_ms,
        io_ms=io_ms,
        workers=workers,
        concurrency=concurrency,
        cores=cores,
        others_runnable=others,
        tenants=tenants,
        tenant_share_max=tenant_share_max,
    )
    warm_up = 0.0 if profile_file else seconds * _WARM_UP_SHARE
    _show(_run(system, profile, seed, warm_up_seconds=warm_up), as_json=as_json)


def _read_profile(file: str | None) -> Profile | None:
    from ops.lab.load.profile import read_profile

    return read_option("--profile", read_profile, file) if file is not None else None


def _steady(rate: float, seconds: float, conversations: int, hot_share: float, amounts: dict[str, Any]) -> Profile:
    from pydantic import ValidationError

    from ops.lab.load.profile import Phase, Profile

    try:
        phase = Phase(name="steady", seconds=seconds, rate=rate, hot_share=hot_share)
        return Profile(name="steady", phases=(phase,), arrivals="random", conversations=conversations, **amounts)
    except ValidationError as error:
        raise typer.BadParameter("; ".join(found["msg"] for found in error.errors())) from None


def _run(system: SimulatedSystem, profile: Profile, seed: int, *, warm_up_seconds: float) -> SimulatedFigures:
    from ops.lab.load.schedule import make_schedule
    from ops.lab.simulate.engine import simulate as run_simulation
    from ops.lab.simulate.figures import sum_up

    run = run_simulation(system, make_schedule(profile), seed=seed)
    return sum_up(system, run, warm_up_seconds=warm_up_seconds)


def _show(figures: SimulatedFigures, *, as_json: bool) -> None:
    from ops.cli.simulate_page import busy_of, waits_of
    from runtime.encoding import dump_json

    console = _console(as_json, dump_json(figures))
    if console is not None:
        for part in (busy_of(figures), waits_of(figures)):
            console.print()
            console.print(part)
        if figures["is_saturated"]:
            console.print("\n[bold red]overloaded: waiting grows for as long as this lasts[/]")


def _show_measured(file: str, seed: int, *, as_json: bool) -> None:
    from ops.cli.simulate_page import compared_of, off_by
    from ops.lab.simulate.measured_run import read_measured_run
    from runtime.encoding import dump_json

    measured = read_option("--measured", read_measured_run, file)
    figures = _run(measured.system(), measured.setup.profile, seed, warm_up_seconds=measured.warm_up_seconds)
    facts = {"simulated": figures, "measured": measured.model_dump(mode="json"), "off": off_by(measured, figures)}
    console = _console(as_json, dump_json(facts))
    if console is not None:
        console.print()
        console.print(compared_of(measured, figures))
        if not measured.is_valid:
            console.print("\n[bold red]the measured run is invalid: its generator was late[/]")


def _console(as_json: bool, facts: str) -> Console | None:
    """Return where to print tables; None where the facts were to be printed as JSON, which is done then."""
    from ops.terminal import open_console, print_line

    if as_json:
        print_line(facts)
        return None
    return open_console()
