"""Measure triage: where the product sends a first message, guardrails first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from ops.evaluate.figures import Figure, Measured, Miss, Target, count_shares
from ops.evaluate.sets import TriageLabel, TriageRow
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.pii import mask_text, normalise
from worker.guardrails.relevance import assess_relevance
from worker.guardrails.vault import Vault
from worker.models.local import phrases, triage
from worker.models.local.situation import KnownFacts, Line, Situation
from worker.models.output import Say

ACCURACY_MIN = 0.85
LABELS: tuple[str, ...] = get_args(TriageLabel)
ASKED = "asked back"
"""What the product does with a message that says too little; no label, so never right."""

COLUMNS = (*LABELS, ASKED)
_HANDOFFS = {triage.TO_FAQ: "faq", triage.TO_BOOKING: "booking", triage.TO_ESCALATION: "escalation"}


@dataclass(frozen=True)
class Triaged:
    """Hold the figures of triage, and how often each label was sent where: (label, route) -> count."""

    measured: Measured
    confusion: Counter[tuple[str, str]]


def measure_triage(rows: Sequence[TriageRow]) -> Triaged:
    """Measure every figure of one set, with the local model."""
    routed = [(row, route_of(row.text)) for row in rows]
    misses = tuple(
        Miss("triage", row.id, f"{row.label} went to {route}", row.text) for row, route in routed if route != row.label
    )
    figures = [
        Figure("triage", "accuracy", *count_shares(r == row.label for row, r in routed), Target("≥", ACCURACY_MIN))
    ]
    for label in LABELS:
        figures += [
            Figure(
                "triage", f"{label}: precision", *count_shares(row.label == label for row, r in routed if r == label)
            ),
            Figure("triage", f"{label}: recall", *count_shares(r == label for row, r in routed if row.label == label)),
        ]
    confusion = Counter((str(row.label), route) for row, route in routed)
    return Triaged(Measured(tuple(figures), misses), confusion)


def route_of(text: str) -> str:
    """Say where the product sends a first message: a label, or ASKED.

    Greetings and thanks count as off_topic: nothing is asked of the airline.
    """
    masked = mask_text(normalise(text), Vault()).text
    if assess_abuse(masked).is_abusive:
        return "escalation"
    if not assess_relevance(masked, under_way=False).is_relevant:
        return "off_topic"
    step = triage.decide(_first_message(masked))
    if not isinstance(step, Say):
        return _HANDOFFS[step.name]
    return ASKED if phrases.ASKED_TO_CLARIFY.search(step.text) else "off_topic"


def _first_message(masked: str) -> Situation:
    return Situation(
        agent="Triage Agent",
        airline="the airline",
        facts=KnownFacts(turn_count=1),
        lines=(Line("customer", masked),),
        done_before=(),
        done=(),
        callable_names=frozenset(_HANDOFFS),
    )
