"""Write the files that follow from the list of metrics: `python -m ops.watch.files`, and a test says when to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from ops.watch.boards import BOARDS
from ops.watch.catalog import BEGIN, END, render_tables
from ops.watch.dashboards import dashboard_of

ROOT: Final = Path(__file__).parents[2]
DOCUMENT: Final = "docs/metrics.md"


def render_files() -> dict[str, str]:
    """Return each file that is written, by its path in the project, with its text."""
    files = {f"deploy/grafana/{board.name}.json": json.dumps(dashboard_of(board), indent=1) + "\n" for board in BOARDS}
    text = (ROOT / DOCUMENT).read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    files[DOCUMENT] = before + render_tables() + rest.partition(END)[2]
    return files


def write_files() -> None:
    """Write each file to its place in the project."""
    for place, text in render_files().items():
        path = ROOT / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_files()
