"""Describe what a dashboard shows: panels, each with its questions to Prometheus and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

RATE: Final = "$__rate_interval"
THIS: Final = 'instance=~"$instance"'

PanelKind = Literal["timeseries", "stat"]


@dataclass(frozen=True)
class Query:
    """One question to Prometheus; `legend` may name labels, as `{{loop}}`."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel of a dashboard; `unit` as Grafana names it, `columns` of 24."""

    title: str
    meaning: str
    unit: str
    queries: tuple[Query, ...]
    kind: PanelKind = "timeseries"
    columns: int = 8
    stacked: bool = False


@dataclass(frozen=True)
class Board:
    """A dashboard: its file's name, its title, its panels in rows by heading."""

    name: str
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    by_instance: str = ""
    """The metric whose instances can be chosen; empty: all are shown together."""


def quantiles(metric: str, by: str = "", where: str = "") -> tuple[Query, ...]:
    """Ask for the median and the 99th percentile of a histogram, or for the latter by a label alone."""
    labels = f"le, {by}" if by else "le"
    legend = f"{{{{{by}}}}} " if by else ""
    return tuple(
        Query(
            f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{where}[{RATE}])))",
            f"{legend}p{share * 100:g}",
        )
        for share in ((0.5, 0.99) if not by else (0.99,))
    )


def rate(metric: str, *by: str, where: str = "") -> Query:
    """Ask how often a second a counter counted, by labels."""
    grouping = f" by ({', '.join(by)})" if by else ""
    return Query(f"sum{grouping} (rate({metric}{where}[{RATE}]))", " ".join(f"{{{{{label}}}}}" for label in by))


def increase(metric: str, *by: str) -> Query:
    """Ask by how much a counter rose in the last five minutes, by labels."""
    grouping = f" by ({', '.join(by)})" if by else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in by) or metric.removeprefix("fte_").removesuffix("_total")
    return Query(f"sum{grouping} (increase({metric}[5m]))", legend)


def now(title: str, meaning: str, unit: str, expression: str) -> Panel:
    """Return a panel that shows one figure as it is now."""
    return Panel(title, meaning, unit, (Query(expression),), kind="stat", columns=4)
