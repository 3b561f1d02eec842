"""The command `fte model check`: try the model that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from rich.table import Table

    from worker.models.check import ModelCheck

model = typer.Typer(no_args_is_help=True, help="Look after the model that answers.")


@model.callback()
def _group() -> None:
    """Keep `check` a command of its own: Typer would make the only one of a group the group itself."""


@model.command("check")
def check(*, as_json: Json = False) -> None:
    """Make four small calls to the model of FTE_MODEL: a text, a tool call, a handoff, a structured output.

    Says what the endpoint can do, what to set, and what a turn costs. Exit code 1: agents cannot work with it.
    """
    import asyncio
    from dataclasses import asdict

    from ops.cli.servers import load_command_settings
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    settings = load_command_settings()
    console = open_console(stderr=as_json)
    if settings.is_embedded_model:
        console.print(f"FTE_MODEL={settings.model} runs in the process: there is no endpoint to check", markup=False)
        return
    from worker.models.check import check_model  # loads the agents SDK, which takes a second

    found = asyncio.run(check_model(settings))
    if as_json:
        for trial in found.trials:
            print_line(dump_json({"model": found.model, **asdict(trial), "tokens": trial.tokens._asdict()}))
    else:
        console.print(_table(found))
        for trial in found.trials:
            if not trial.works:
                console.print(f"{trial.ability}: {trial.problem}\n  {trial.advice}", markup=False, soft_wrap=True)
        console.print(_cost_of(found), markup=False, soft_wrap=True)
    if not found.can_serve:
        raise typer.Exit(1)


def _table(found: ModelCheck) -> Table:
    from rich.table import Table

    table = Table("call", "works", "ms", "tokens in", "cached", "out", title=f"{found.model}")
    for trial in found.trials:
        counts = [str(count) for count in trial.tokens]
        table.add_row(trial.ability, "yes" if trial.works else "no", f"{trial.milliseconds:.0f}", *counts)
    return table


def _cost_of(found: ModelCheck) -> str:
    if found.cost_usd is None or found.turn_usd is None:
        return f"no price: set {found.model} in FTE_MODEL_PRICES to see what a turn costs, and to limit it"
    return f"these calls cost {found.cost_usd:.5f} USD; an ordinary turn costs about {found.turn_usd:.5f} USD"
