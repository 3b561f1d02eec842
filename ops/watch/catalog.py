"""List every metric of the product, by the process that has it: what documentation and dashboards are held to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.watch.specs import OF_THE_DEPLOYMENT
from producer.delivery.metrics import OF_A_DELIVERER
from producer.gateway.metrics import OF_A_GATEWAY
from runtime.telemetry.metrics import OF_ANY_PROCESS
from runtime.telemetry.process_metrics import OF_A_LOOPING_PROCESS
from worker.measures.metrics import OF_A_WORKER

if TYPE_CHECKING:
    from runtime.telemetry.metrics import MetricSpec

SECTIONS: Final[tuple[tuple[str, tuple[MetricSpec, ...]], ...]] = (
    ("Of the deployment as a whole (`fte metrics`)", OF_THE_DEPLOYMENT),
    ("Of a worker (`fte worker`)", OF_A_WORKER),
    ("Of a gateway (`fte gateway`)", OF_A_GATEWAY),
    ("Of a process that delivers (`fte deliver …`)", OF_A_DELIVERER),
    ("Of each of these processes", (*OF_ANY_PROCESS, *OF_A_LOOPING_PROCESS)),
)
"""Each kind of process, as a heading, with its metrics."""

BEGIN: Final = "<!-- Written by `python -m ops.watch.files`; not to be edited. -->"
END: Final = "<!-- The end of what is written. -->"


def every_metric() -> dict[str, MetricSpec]:
    """Return every metric by its name."""
    return {spec.name: spec for _, specs in SECTIONS for spec in specs}


def series_names(spec: MetricSpec) -> tuple[str, ...]:
    """Return the names of the series that Prometheus keeps of a metric."""
    if spec.kind == "histogram":
        return tuple(f"{spec.name}_{part}" for part in ("bucket", "sum", "count"))
    return (spec.name,)


def render_tables() -> str:
    """Return the tables of all metrics, as Markdown."""
    lines = [BEGIN, ""]
    for heading, specs in SECTIONS:
        lines += [f"### {heading}", "", "| metric | kind | labels | what it tells |", "| --- | --- | --- | --- |"]
        for spec in specs:
            labels = ", ".join(f"`{label}`" for label in spec.labels)
            lines.append(f"| `{spec.name}` | {spec.kind} | {labels} | {spec.meaning} |")
        lines.append("")
    return "\n".join([*lines, END])
