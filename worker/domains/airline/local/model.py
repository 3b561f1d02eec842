"""The embedded model behind the SDK's model interface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from worker.domains.airline.local import escalation, offers, phrases, triage
from worker.domains.airline.local.at_once import answer_at_once, introduce
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import flatten
from worker.domains.airline.local.routing import DECISIONS
from worker.domains.airline.local.situation import Situation, read_situation
from worker.domains.airline.local.varying import vary
from worker.models.embedded import EmbeddedModel
from worker.models.output import Call, Say, Step

CALLS_PER_TURN_MAX = 8
"""Tool calls and handoffs of one turn after which this model only speaks: a run ends, whatever the tools answer."""


class LocalModel(EmbeddedModel):
    """Classify, extract, call the same tools through the same graph as any model, and answer from their results.

    It sees instructions, input, tools and handoffs, and nothing else; an agent it does not know is served as triage.
    """

    name = "local"

    def decide(self, instructions: str, items: list[dict[str, Any]], callable_names: frozenset[str]) -> Step:
        """Choose the next step for the agent that the instructions name."""
        situation = read_situation(instructions, items, callable_names)
        step = answer_at_once(situation) or _decide(situation)
        if not isinstance(step, Say) and len(situation.done) >= CALLS_PER_TURN_MAX:
            step = Say(phrases.nothing_found())
        if isinstance(step, Say):
            step = keep_offer_open(situation, step)
        return vary(situation, Say(_dress(situation, step.text))) if isinstance(step, Say) else step


def _decide(situation: Situation) -> Step:
    """Choose the next step of an agent, and call a person where it would need what is out of service."""
    off = frozenset(situation.facts.out_of_service)
    decide = DECISIONS.get(situation.agent, triage.decide)
    if not off:
        return decide(situation)
    asked = situation.done[-1] if situation.done else None
    if asked is not None and (asked.name == "escalate_to_human" or asked.output.get("refusal") == "out_of_service"):
        return escalation.call_person(situation)
    step = decide(replace(situation, callable_names=situation.callable_names | off))
    return escalation.call_person(situation) if isinstance(step, Call) and step.name in off else step


def keep_offer_open(situation: Situation, said: Say) -> Say:
    """Lead back to an offer that waits for its answer, where a question in between has none: a yes means the offer.

    An answer from the articles ends without it: thanks for that answer would be taken for a yes.
    """
    offer = situation.open_offer
    if said.text != phrases.nothing_found() or offer is None or not offer.was_just_offered:
        return said
    return Say(offers.unknown_beside_offer(offer.summary))


def _dress(situation: Situation, text: str) -> str:
    """Put before a reply what the message calls for whatever it is about: a warning, or a word of sympathy."""
    before = [said for said in introduce(situation) if said not in text]
    if "[CARD_NUMBER]" in situation.message:
        before.append(phrases.CARD_REMOVED)
    if "[SSN]" in situation.message:
        before.append(phrases.SSN_REMOVED)
    is_upset = "angry" in cues_in(flatten(situation.message)) and situation.intent.label in {"faq", "booking"}
    if is_upset and "sorry" not in text.lower():
        before.append(phrases.SORRY)
    return " ".join([*before, text])
