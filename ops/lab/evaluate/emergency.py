"""Measure the emergency detector: what it finds, of which kind, and how often it is alarmed without need."""

from __future__ import annotations

from collections.abc import Sequence

from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares
from ops.lab.evaluate.sets import EmergencyRow
from worker.conversation.vault import Vault
from worker.guardrails.emergency import assess_emergency
from worker.guardrails.pii import mask_text, normalise

RECALL_MIN = 0.95
FALSE_ALARMS_MAX = 0.03


def measure_emergency(rows: Sequence[EmergencyRow]) -> Measured:
    """Measure every figure of one set."""
    found = [(row, assess_emergency(mask_text(normalise(row.text), Vault()).text).kind) for row in rows]
    misses = tuple(
        Miss("emergency", row.id, f"{row.kind or 'none'} was taken for {kind or 'none'}", row.text)
        for row, kind in found
        if kind != row.kind
    )
    grave = [(row, kind) for row, kind in found if row.kind is not None]
    calm = [kind is not None for row, kind in found if row.kind is None]
    figures = [
        Figure("emergency", "recall", *count_shares(kind is not None for _, kind in grave), Target("≥", RECALL_MIN)),
        Figure("emergency", "of the right kind", *count_shares(kind == row.kind for row, kind in grave if kind)),
        Figure("emergency", "false alarms", *count_shares(calm), Target("≤", FALSE_ALARMS_MAX)),
    ]
    return Measured(tuple(figure for figure in figures if figure.out_of), misses)
