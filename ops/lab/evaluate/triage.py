"""Measure triage: where the product sends a first message, guardrails first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import get_args

from ops.knowledge.articles import read_articles
from ops.knowledge.indexing import index_articles
from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares
from ops.lab.evaluate.sets import TriageLabel, TriageRow
from ops.seed import ARTICLES_FOLDER
from worker.conversation.vault import Vault, without_placeholders
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.agents.start import callable_names
from worker.domains.airline.claims import load_vocabulary
from worker.domains.airline.local import phrases, triage
from worker.domains.airline.local.routing import route
from worker.domains.airline.local.situation import KnownFacts, Published, read_situation
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.emergency import assess_emergency
from worker.guardrails.pii import mask_text, normalise
from worker.guardrails.relevance import assess_relevance
from worker.models.output import Call, Say
from worker.store.article_index import ArticleIndex

ACCURACY_MIN = 0.85
LABELS: tuple[str, ...] = get_args(TriageLabel)
ASKED = "asked back"
"""What the product does with a message that says too little; no label, so never right."""

COLUMNS = (*LABELS, ASKED)
_TRIAGE = "Triage Agent"
_LABELS = {"FAQ Agent": "faq", "Booking Agent": "booking", "Escalation Agent": "escalation"}
_HANDOFFS = {triage.TO_FAQ: "faq", triage.TO_BOOKING: "booking", triage.TO_ESCALATION: "escalation"}


@dataclass(frozen=True)
class Triaged:
    """The figures of triage, and how often each label was sent where: (label, route) -> count."""

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
    """Return where the product sends a first message: a label, or ASKED.

    As a turn does: the articles are searched, then the guardrails, then the agent it starts at, then what the Triage
    Agent decides if it starts there.
    Abuse is answered in steps that end with a person, so it counts as escalation. Greetings and thanks count as
    off_topic: nothing is asked of the airline.
    """
    masked = mask_text(normalise(text), Vault()).text
    if assess_emergency(masked).kind or assess_abuse(masked).is_abusive:
        return "escalation"
    found = _index().search(without_placeholders(masked), 1)
    relevance = assess_relevance(masked, load_vocabulary())
    if relevance.reason == "injection" or not (relevance.is_relevant or found):
        return "off_topic"
    published = Published(rank=found[0].rank) if found else None
    facts, items = KnownFacts(turn_count=1, published=published), [{"role": "user", "content": masked}]
    starts_at = route(facts, items, _callables(), at=_TRIAGE, sure_min=0.0)
    if starts_at != _TRIAGE:
        return _LABELS[starts_at]
    step = triage.decide(replace(read_situation("", items, _callables()[_TRIAGE]), agent=_TRIAGE, facts=facts))
    if not isinstance(step, Say):
        return _HANDOFFS[step.name if isinstance(step, Call) else step.calls[0].name]
    return ASKED if phrases.ASKED_TO_CLARIFY.search(step.text) else "off_topic"


@cache
def _index() -> ArticleIndex:
    return index_articles(read_articles(ARTICLES_FOLDER))


@cache
def _callables() -> dict[str, frozenset[str]]:
    return {name: callable_names(agent) for name, agent in build_graph().by_name.items()}
