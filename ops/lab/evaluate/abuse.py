"""Measure the abuse detector: what it finds, what it finds wrongly, and how it treats the merely angry."""

from __future__ import annotations

from collections.abc import Sequence

from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares
from ops.lab.evaluate.sets import AbuseRow
from worker.conversation.vault import Vault
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.pii import mask_text, normalise

PRECISION_MIN = 0.95
RECALL_MIN = 0.88
ANGRY_FLAGGED_MAX = 0.02


def measure_abuse(rows: Sequence[AbuseRow]) -> Measured:
    """Measure every figure of one set, with the local detector."""
    verdicts = [(row, is_abuse(row.text)) for row in rows]
    misses = tuple(
        Miss("abuse", row.id, "let through" if row.abusive else "flagged", row.text)
        for row, flagged in verdicts
        if flagged != row.abusive
    )
    figures = [
        Figure(
            "abuse",
            "precision",
            *count_shares(row.abusive for row, flagged in verdicts if flagged),
            Target("≥", PRECISION_MIN),
        ),
        Figure(
            "abuse",
            "recall",
            *count_shares(flagged for row, flagged in verdicts if row.abusive),
            Target("≥", RECALL_MIN),
        ),
    ]
    angry = [flagged for row, flagged in verdicts if row.is_angry_only]
    if angry:
        figures.append(
            Figure("abuse", "angry complaints flagged", *count_shares(angry), Target("≤", ANGRY_FLAGGED_MAX))
        )
    return Measured(tuple(figures), misses)


def is_abuse(text: str) -> bool:
    """Judge a message as the guardrail does: after normalising and masking."""
    return assess_abuse(mask_text(normalise(text), Vault()).text).is_abusive
