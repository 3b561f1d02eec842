"""Answer greetings, thanks and goodbyes."""

from __future__ import annotations

from worker.models.local import phrases
from worker.models.local.cues import cues_in
from worker.models.local.intent import flatten
from worker.models.local.situation import Situation
from worker.models.output import Say


def answer_smalltalk(situation: Situation) -> Say:
    """Choose between a welcome, a goodbye and a nod."""
    cues = cues_in(flatten(situation.message))
    facts = situation.facts
    if "thanks" in cues or "bye" in situation.message.lower():
        return Say(phrases.close(facts.passenger_name if facts.verified else None, facts.ticket_id))
    if not situation.last_reply or "greeting" in cues:
        return Say(phrases.greet(situation.airline))
    return Say(phrases.acknowledge())
