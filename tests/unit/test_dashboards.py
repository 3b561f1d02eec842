"""Dashboards and alerts ask for what the product measures, and show all of it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any, Final

import pytest
import yaml

from ops.watch.boards import BOARDS
from ops.watch.catalog import SECTIONS, every_metric, series_names
from ops.watch.files import ROOT, render_files
from runtime.telemetry.metrics import OF_THE_CLIENT, BoundedLabel, Metrics, MetricSpec
from tests.unit.promql import parse, series_of

OF_PROMETHEUS: Final = {"up": {"job", "instance"}}
ADDED_BY_PROMETHEUS: Final = {"instance", "job"}
SHOWN_NOWHERE: Final[dict[str, str]] = {}
"""Metrics that no dashboard shows, each with the reason."""


def rules() -> list[dict[str, Any]]:
    text = (ROOT / "deploy/prometheus/rules.yml").read_text(encoding="utf-8")
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]


def asked_by_panels() -> list[str]:
    return [query.expression for board in BOARDS for _, row in board.rows for panel in row for query in panel.queries]


def known_series() -> dict[str, set[str]]:
    known = {name: set(OF_PROMETHEUS[name]) for name in OF_PROMETHEUS}
    known |= {name: set(ADDED_BY_PROMETHEUS) for name in OF_THE_CLIENT}
    for spec in every_metric().values():
        for name in series_names(spec):
            bucket = {"le"} if name.endswith("_bucket") else set()
            known[name] = {*spec.labels, *ADDED_BY_PROMETHEUS, *bucket}
    return known


@pytest.mark.parametrize("place", sorted(render_files()))
def test_what_is_written_from_the_list_of_metrics_is_up_to_date(place: str) -> None:
    assert (ROOT / place).read_text(encoding="utf-8") == render_files()[place], "run python -m ops.watch.files"


def test_every_question_of_a_dashboard_and_an_alert_can_be_parsed() -> None:
    for expression in [*asked_by_panels(), *(rule["expr"] for rule in rules())]:
        assert parse(expression)


def test_nothing_is_asked_for_that_nobody_measures() -> None:
    known = known_series()

    asked = [series_of(expression) for expression in [*asked_by_panels(), *(rule["expr"] for rule in rules())]]

    unknown = [name for series in asked for name in series if name not in known]
    strange = [(name, labels - known[name]) for series in asked for name, labels in series.items() if name in known]
    assert unknown == []
    assert [pair for pair in strange if pair[1]] == []


def test_every_metric_is_shown_somewhere() -> None:
    asked = {name for expression in asked_by_panels() for name in series_of(expression)}

    unseen = [spec.name for spec in every_metric().values() if not asked & set(series_names(spec))]

    assert [name for name in unseen if name not in SHOWN_NOWHERE] == []


def test_every_alert_has_its_section_in_the_runbook_and_every_section_its_alert() -> None:
    headings = re.findall(r"^## (Fte\w+)$", (ROOT / "docs/runbook.md").read_text(encoding="utf-8"), re.MULTILINE)

    alerts = [rule["alert"] for rule in rules()]

    assert sorted(headings) == sorted(alerts)
    assert len(set(alerts)) == len(alerts)
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "warn"}


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_the_panels_of_a_dashboard_stand_side_by_side_and_say_what_they_show(board: Any) -> None:
    panels = json.loads((ROOT / f"deploy/grafana/{board.name}.json").read_text(encoding="utf-8"))["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    cells: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        taken = {
            (column, line)
            for column in range(place["x"], place["x"] + place["w"])
            for line in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        cells |= taken
        if panel["type"] != "row":
            assert panel["description"].endswith((".", "0."))
            assert panel["fieldConfig"]["defaults"]["unit"]


def test_every_metric_is_named_as_prometheus_wants_it() -> None:
    assert sum(len(specs) for _, specs in SECTIONS) == len(every_metric())
    for spec in every_metric().values():
        assert re.fullmatch(r"fte_[a-z0-9_]+", spec.name)
        assert (spec.kind == "counter") == spec.name.endswith("_total") or spec.name == "fte_slots_total"  # a size
        assert (spec.kind == "histogram") == bool(spec.buckets)
        assert all(low < high for low, high in pairwise(spec.buckets))
        assert not {"conversation", "message", "message_id", "worker"} & set(spec.labels)


def test_a_label_has_so_many_values_and_no_more() -> None:
    tenants = BoundedLabel(2)

    assert [tenants.of(name) for name in ("a", "b", "c", "a", "d")] == ["a", "b", "other", "a", "other"]


def test_a_reading_that_fails_costs_no_other_and_is_counted() -> None:
    metrics = Metrics()
    metrics.read(MetricSpec("fte_good", "gauge", "Good"), lambda: 1.0)
    metrics.read(MetricSpec("fte_bad", "gauge", "Bad"), lambda: float("bad"))
    metrics.read(MetricSpec("fte_unknown", "gauge", "Unknown"), lambda: None)

    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
    }

    assert values["fte_good",] == 1
    assert values["fte_collect_failed_total", "fte_bad"] == 1
    assert [name for name in values if name[0] in {"fte_bad", "fte_unknown"}] == []
