"""The command `fte doctor`: examine how a deployment is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ops.cli.options import Json

if TYPE_CHECKING:
    from ops.watch.doctor import Diagnosis
    from schema.settings import Settings

_STYLES = {"well": "green", "doubtful": "yellow", "wrong": "bold red"}


def doctor(as_json: Json = False) -> None:
    """Examine settings, servers, rights, durability, connections, clocks, workers; say how to mend what is not well.

    Only looks. Exit code 1: something is wrong; what is doubtful works for now and leaves it at 0.
    """
    import asyncio
    from dataclasses import asdict

    from ops.cli.servers import find_servers, load_command_settings
    from ops.terminal import open_console, print_line, safe_text
    from runtime.encoding import dump_json

    diagnoses = asyncio.run(_examine(find_servers(), is_embedded=load_command_settings().database_url is None))
    console = open_console()
    for diagnosis in diagnoses:
        if as_json:
            print_line(dump_json(asdict(diagnosis)))
            continue
        line = safe_text(f"{diagnosis.verdict:>8}  ", _STYLES[diagnosis.verdict])
        line.append_text(safe_text(f"{diagnosis.about}: {diagnosis.found}"))
        console.print(line, soft_wrap=True)
        if diagnosis.verdict != "well":
            console.print(safe_text(f"          way out: {diagnosis.remedy}", "dim"), soft_wrap=True)
    if any(diagnosis.verdict == "wrong" for diagnosis in diagnoses):
        raise typer.Exit(1)


async def _examine(settings: Settings, *, is_embedded: bool) -> list[Diagnosis]:
    from ops.watch.doctor import examine
    from ops.watch.status import open_watched

    async with open_watched(settings) as watched:
        return await examine(watched, settings, is_embedded=is_embedded)
