"""Measure what it costs a turn to be counted: `python -m ops.lab.bench.counting`."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Final

from worker.measures.metrics import CommittedTurn, WorkerMetrics

CALLS_A_TURN: Final = 3
TENANTS: Final = 20
ROUNDS: Final = 20
TURNS: Final = 500

_STEPS: Final = {"queue_ms": 12.0, "hydrate_ms": 3.0, "guard_ms": 1.0, "act_ms": 640.0, "commit_ms": 4.0}


def microseconds_a_turn() -> float:
    """Return the CPU time of all that is counted of a turn with three model calls: the best of ROUNDS, in µs."""
    metrics = WorkerMetrics()
    return min(_round(metrics) for _ in range(ROUNDS))


def _round(metrics: WorkerMetrics) -> float:
    began = time.process_time()
    for number in range(TURNS):
        tenant = f"tenant-{number % TENANTS}"
        for _ in range(CALLS_A_TURN):
            metrics.note_model_wait(0.001)
            metrics.note_model_answer(
                tenant, "gpt-5", seconds=0.6, tokens=(2_000, 1_500, 80), cost_usd=Decimal("0.0123")
            )
        metrics.note_turn(
            CommittedTurn(
                tenant=tenant,
                channel="sms",
                outcome="answered",
                messages=1,
                seconds=0.7,
                waited_seconds=0.012,
                step_milliseconds=_STEPS,
                escalation=None,
                burial=None,
                is_degraded=False,
            )
        )
    return (time.process_time() - began) / TURNS * 1e6


if __name__ == "__main__":
    print(f"counting a turn takes {microseconds_a_turn():.0f} µs of CPU time")  # noqa: T201 - its output
