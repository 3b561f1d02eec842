"""Follow the handoffs that the local model would make, before a turn's first model call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from worker.domains.airline.local import booking, escalation, faq, triage
from worker.domains.airline.local.at_once import answer_at_once
from worker.domains.airline.local.reading.intent import Intent
from worker.domains.airline.local.reading.slots import declines
from worker.domains.airline.local.situation import HANDOFF_PREFIX, FinishedCall, KnownFacts, Situation, read_situation
from worker.models.output import Call, Step

DECISIONS: Mapping[str, Callable[[Situation], Step]] = MappingProxyType(
    {
        "Triage Agent": triage.decide,
        "FAQ Agent": faq.decide,
        "Booking Agent": booking.decide,
        "Escalation Agent": escalation.decide,
    }
)

SURE_FOR_ANY_MODEL = 0.85
"""Confidence from which a message is routed although another model would route it itself.

Measured on sentences that the classifier was not fitted to (three folds of five): of the questions that it gives at
least this much 0.956 are questions, of the booking requests 0.949, of the escalations 0.960; that is 0.72 of all.
"""

_HOPS_MAX = 3
_AGENTS = MappingProxyType({f"{HANDOFF_PREFIX}{name.lower().replace(' ', '_')}": name for name in DECISIONS})


def route(
    facts: KnownFacts,
    items: list[dict[str, Any]],
    callables: Mapping[str, frozenset[str]],
    *,
    at: str,
    sure_min: float,
) -> str:
    """Name the agent that a conversation goes on with; `items` end with the newest message.

    A function of what was said and what is known, so that a turn that is taken up again starts where it started.
    `callables` names what each agent may call; `at` is the agent that would have the message; `sure_min` the confidence
    from which another may have it instead (0: whenever the local model would hand over).
    """
    arrived = replace(read_situation("", items, callables[at]), agent=at, facts=facts)
    if not _is_sure(arrived, sure_min) or answer_at_once(arrived) is not None:
        return at
    chosen, situation = at, arrived
    for _ in range(_HOPS_MAX):
        step = DECISIONS[chosen](situation)
        if not (isinstance(step, Call) and step.name in _AGENTS):
            break
        chosen = _AGENTS[step.name]
        done = (*situation.done, FinishedCall(step.name, {}, {}))
        situation = replace(situation, agent=chosen, done=done, callable_names=callables[chosen])
    return chosen if _stays(arrived, chosen, callables) else at


def _is_sure(situation: Situation, sure_min: float) -> bool:
    intent: Intent = triage.settled_intent(situation)
    quote = situation.open_offer
    answers_offer = quote is not None and (quote.said_yes or declines(situation.message))
    return intent.confidence >= sure_min or answers_offer


def _stays(arrived: Situation, agent: str, callables: Mapping[str, frozenset[str]]) -> bool:
    """Check whether the agent would keep a message that nobody handed to it; one that hands it back costs calls."""
    step = DECISIONS[agent](replace(arrived, agent=agent, callable_names=callables[agent]))
    return not (isinstance(step, Call) and step.name in _AGENTS)
