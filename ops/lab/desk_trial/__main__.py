"""Run a trial of the desk: `python -m ops.lab.desk_trial --seconds 300`."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ops.lab.desk_trial.run import TrialOptions, run_trial
from ops.terminal import print_line
from runtime.configuration import load_settings
from runtime.encoding import dump_json
from runtime.telemetry.logs import configure_logs


def main(
    *,
    seconds: Annotated[float, typer.Option(min=5)] = 300,
    agents: Annotated[int, typer.Option(min=1)] = 20,
    customers: Annotated[int, typer.Option(min=1)] = 100,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Let people and customers at it while processes are killed; exit code 1 when a promise was broken."""
    settings = load_settings(log_level="error")
    configure_logs(settings)
    with tempfile.TemporaryDirectory(prefix="fte-desk-") as folder:
        options = TrialOptions(seconds=seconds, agents=agents, customers=customers, seed=seed)
        trial, counts = run_trial(settings, options, Path(folder))
    print_line(dump_json({"sent": trial.sent, "kills": trial.kills, **asdict(counts)}))
    raise typer.Exit(1 if counts.broken else 0)


if __name__ == "__main__":
    typer.run(main)
