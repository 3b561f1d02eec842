"""Write dashboards for Grafana, in its classic model, which every Grafana since 9 reads from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ops.watch.panels import Board, Panel

SCHEMA_VERSION: Final = 39
COLUMNS: Final = 24
_HEIGHT: Final = {"stat": 4, "timeseries": 8}
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def dashboard_of(board: Board) -> dict[str, Any]:
    """Return a dashboard as Grafana reads it: panels from left to right, a row for each heading."""
    panels: list[dict[str, Any]] = []
    top = 0
    for heading, row in board.rows:
        panels.append(_heading(heading, len(panels) + 1, top))
        top += 1
        left = lowest = 0
        for panel in row:
            if left + panel.columns > COLUMNS:
                top, left = top + lowest, 0
            place = {"h": _HEIGHT[panel.kind], "w": panel.columns, "x": left, "y": top}
            panels.append(_panel(panel, len(panels) + 1, place))
            left, lowest = left + panel.columns, place["h"]
        top += lowest
    return {
        "uid": f"fte-{board.name}",
        "title": board.title,
        "tags": ["fte"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables(board)},
        "panels": panels,
    }


def _variables(board: Board) -> list[dict[str, Any]]:
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus", "hide": 0}
    if not board.by_instance:
        return [source]
    question = f"label_values({board.by_instance}, instance)"
    return [
        source,
        {
            "name": "instance",
            "type": "query",
            "label": "Process",
            "datasource": _SOURCE,
            "definition": question,
            "query": {"query": question, "refId": "instances"},
            "refresh": 2,
            "includeAll": True,
            "allValue": ".*",
            "multi": True,
            "sort": 1,
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def _heading(title: str, number: int, top: int) -> dict[str, Any]:
    place = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place, "panels": []}


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    custom: dict[str, Any] = {"fillOpacity": 20, "stacking": {"mode": "normal", "group": "A"}} if panel.stacked else {}
    options: dict[str, Any] = (
        {
            "colorMode": "value",
            "graphMode": "area",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
        if panel.kind == "stat"
        else {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    )
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, "custom": custom}, "overrides": []},
        "options": options,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "range": True,
            }
            for index, query in enumerate(panel.queries)
        ],
    }
