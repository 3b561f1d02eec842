"""A server dies for good and another takes its place: nothing is lost, doubled, out of order or done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.lab.chaos.faults import choose_faults
from ops.lab.chaos.run import ChaosOptions, chaos_on
from runtime.configuration import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from ops.lab.chaos.run import FaultResult

pytestmark = pytest.mark.timeout(400)  # two faults, of up to two minutes each, played again when late

OPTIONS = ChaosOptions(conversations=18, turns=3, messages_per_second=12, model_latency_ms="50..200", kills=5)


@pytest.mark.parametrize(
    "names",
    [pytest.param("R1,R3", id="redis-under-sentinels"), pytest.param("D1", id="postgres-with-a-standby")],
)
async def test_whoever_takes_over_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path, names: str) -> None:
    rows = await play(names, tmp_path / "once")
    if any(row.broken for row in rows) and all(row.broken == row.late for row in rows):
        rows = await play(names, tmp_path / "again")  # a machine may stall for seconds; the product is late each time

    assert [row.broken for row in rows] == [()] * len(rows)
    assert all(row.findings.messages >= OPTIONS.conversations * OPTIONS.turns for row in rows)
    assert all(row.findings.changes > 0 for row in rows)


async def play(names: str, folder: Path) -> list[FaultResult]:
    """Run faults one after the other on servers of their own."""
    settings = load_settings(lease_seconds=2, renew_seconds=0.5)
    faults = choose_faults(names)
    async with chaos_on(settings, folder, OPTIONS, servers=faults[0].servers) as chaos:
        return [await chaos.run(fault) for fault in faults]
