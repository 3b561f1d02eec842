"""Draw the confusion matrix of triage as a PNG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

_DOTS_PER_INCH = 150
_DARK_SHARE = 0.5
"""From this share of its row a cell is dark enough for white digits."""


def draw_confusion(
    confusion: Counter[tuple[str, str]], labels: Sequence[str], routes: Sequence[str], title: str, path: Path
) -> None:
    """Draw labels as rows and routes as columns; a cell's shade is its share of the row, its number the count."""
    counts = [[confusion[label, route] for route in routes] for label in labels]
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    figure = Figure(figsize=(1.3 * len(routes) + 1.6, 1.0 * len(labels) + 1.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(routes)), [route.replace("_", " ") for route in routes])
    axes.set_yticks(range(len(labels)), [label.replace("_", " ") for label in labels])
    axes.set_xlabel("where the product sent it")
    axes.set_ylabel("label")
    axes.set_title(title)
    for row, (row_counts, row_shares) in enumerate(zip(counts, shares, strict=True)):
        for column, (count, of_row) in enumerate(zip(row_counts, row_shares, strict=True)):
            colour = "white" if of_row > _DARK_SHARE else "black"
            axes.text(column, row, f"{count}\n{of_row:.0%}", ha="center", va="center", color=colour)
    figure.savefig(path, dpi=_DOTS_PER_INCH)
