"""Every alert fires when it should and is quiet when it should, as Prometheus itself evaluates it.

Needs promtool, of the Debian package `prometheus`.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from ops.watch.files import ROOT
from tests.integration.alert_cases import CASES, AlertCase

PROMTOOL: Final = shutil.which("promtool")
RULES: Final = ROOT / "deploy/prometheus/rules.yml"

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool of the Debian package prometheus")


def test_every_alert_has_a_case() -> None:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]

    assert sorted(CASES) == sorted(rule["alert"] for group in groups for rule in group["rules"])


def group_of(alert: str, series: dict[str, str], case: AlertCase, *, fires: bool) -> dict[str, Any]:
    """Describe one run of one alert to promtool: whether it fires, whatever other alerts do."""
    return {
        "name": f"{alert} {'fires' if fires else 'is quiet'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > 0',
                "eval_time": f"{case.minutes}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
            }
        ],
    }


@needs_promtool
def test_every_alert_fires_when_it_should_and_is_quiet_when_it_should(tmp_path: Path) -> None:
    tests = [
        group_of(alert, series, case, fires=fires)
        for alert, case in CASES.items()
        for fires, series in ((True, case.firing), (False, case.quiet))
    ]
    path = tmp_path / "tests.yml"
    path.write_text(
        yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}), encoding="utf-8"
    )

    done = run_promtool("test", "rules", str(path))

    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_the_rules_and_the_example_are_what_prometheus_reads() -> None:
    for arguments in (
        ("check", "rules", str(RULES)),
        ("check", "config", str(ROOT / "deploy/prometheus/prometheus.yml")),
        ("check", "config", str(ROOT / "deploy/prometheus/compose.yml")),
    ):
        done = run_promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


def run_promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROMTOOL), *arguments], capture_output=True, text=True, encoding="utf-8", timeout=60, check=False
    )
