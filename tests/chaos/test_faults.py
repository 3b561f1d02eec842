"""Break the product while it works: whatever dies, nothing is lost, doubled, out of order or done twice.

These are rows of `fte chaos`, with short leases and a small load; docs/reliability.md has the whole table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.lab.chaos.faults import choose_faults
from ops.lab.chaos.run import Chaos, ChaosOptions, chaos_on
from runtime.configuration import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.timeout(300)  # a row is played again when it is late
OPTIONS = ChaosOptions(conversations=18, turns=3, messages_per_second=12, model_latency_ms="50..200", kills=5)


@pytest.fixture(scope="module")
async def chaos(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chaos]:
    """Run servers, a simulated provider and three workers for all faults."""
    settings = load_settings(lease_seconds=2, renew_seconds=0.5)
    async with chaos_on(settings, tmp_path_factory.mktemp("chaos"), OPTIONS) as running:
        yield running


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("F1b", id="workers-killed"),
        pytest.param("F3", id="worker-frozen"),
        pytest.param("F4", id="workers-stopped"),
        pytest.param("F5", id="redis-killed"),
        pytest.param("F8", id="redis-emptied"),
        pytest.param("F10", id="postgres-killed"),
        pytest.param("F14", id="half-open-connections"),
        pytest.param("F18", id="poison"),
        pytest.param("F28", id="doorbells-lost"),
        pytest.param("P1", id="sender-dying-before-the-bell"),
        pytest.param("P6", id="dying-at-commit"),
        pytest.param("P8", id="dying-after-commit"),
        pytest.param("P9", id="dying-before-release"),
        pytest.param("P12", id="consumer-dying-before-acknowledgement"),
    ],
)
async def test_whatever_breaks_nothing_is_lost_doubled_or_out_of_order(chaos: Chaos, name: str) -> None:
    (fault,) = choose_faults(name)

    row = await chaos.run(fault)
    if row.broken and row.broken == row.late:  # a machine may stall for seconds; the product is late each time
        row = await chaos.run(fault)

    least = round(OPTIONS.conversations * fault.crowd) * (fault.turns or OPTIONS.turns)
    assert row.findings.messages >= least if fault.keeps_sending else row.findings.messages == least
    assert row.findings.changes > 0
    assert row.broken == ()
