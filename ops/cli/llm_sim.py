"""The command `fte llm-sim`: run a simulated provider of language models."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from ops.lab.llm_sim.server import Simulator


def llm_sim(
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port on loopback; 0: any free one.")] = 8_089,
    latency_ms: Annotated[
        str, typer.Option("--latency-ms", metavar="A..B", help="Time of each call; or lognormal:MEDIAN,P95.")
    ] = "0",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault", metavar="KIND=SHARE", help="What goes wrong with which share, as 429=0.05; repeatable."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="The same seed draws the same.")] = 1,
    log: Annotated[Path | None, typer.Option("--log", metavar="FILE", help="Add a JSON line for each call.")] = None,
    as_json: Json = False,
) -> None:
    """Run a simulated provider until Ctrl-C: OpenAI's two APIs, answered by the local model.

    Faults: 429, 500, 503, hang, cut, slow, malformed, page, error_inside, empty, malformed_arguments, unknown_tool,
    refusal. KIND=SHARE:SECONDS sets Retry-After, or how slow. POST /faults scripts the next calls, GET /stats sums up.
    """
    import asyncio

    from ops.cli.stopping import run_until_signalled
    from ops.lab.llm_sim.faults import Faults, read_share
    from ops.lab.llm_sim.latency import read_latency
    from ops.lab.llm_sim.record import Record
    from ops.lab.llm_sim.server import Simulator

    with ExitStack() as opened:
        try:
            stream = opened.enter_context(log.open("a", encoding="utf-8")) if log else None
            latency = read_latency(latency_ms)
            faults = Faults([read_share(text) for text in fault or []])
        except (OSError, ValueError) as error:
            raise typer.BadParameter(str(error)) from None
        simulator = Simulator(latency=latency, faults=faults, record=Record(stream), seed=seed)
        try:
            asyncio.run(run_until_signalled(_serve(simulator, port, as_json=as_json)))
        except OSError as error:
            raise typer.BadParameter(f"--port {port}: {error.strerror or error}") from None


async def _serve(simulator: Simulator, port: int, *, as_json: bool) -> None:
    import asyncio
    import os

    from ops.lab.llm_sim.server import serving
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    async with serving(simulator, port) as url:
        if as_json:
            print_line(dump_json({"url": url, "pid": os.getpid()}))
        else:
            console = open_console()
            console.print("\n[bold green]llm-sim is up[/]  [dim]Ctrl-C stops it. For a worker or fte up:[/]\n")
            for name, value in {"FTE_MODEL": "openai:sim", "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": url}.items():
                console.print(f"  export {name}={value}", markup=False, soft_wrap=True)
        await asyncio.Event().wait()
