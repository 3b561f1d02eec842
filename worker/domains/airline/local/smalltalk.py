"""Answer greetings, thanks and goodbyes."""

from __future__ import annotations

import re

from worker.domains.airline.local import phrases
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import flatten
from worker.domains.airline.local.situation import Situation
from worker.models.output import Say

_DONE = re.compile(
    r"\b(?:nothing (?:else|more)|that'?s (?:all|it)|that is (?:all|it)|that will (?:be all|do)|that'?ll do|"
    r"all (?:i need|set|good|done)|no more questions|"
    r"i'?m (?:all set|good|done)|bye|goodbye|good night|have a (?:nice|good|great) \w+)\b",
    re.IGNORECASE,
)
SHORT_WORDS_MAX = 8


def is_smalltalk(situation: Situation) -> bool:
    """Check whether a message only greets, thanks or ends the conversation."""
    message = situation.message
    cues = cues_in(flatten(message))
    if len(message.split()) > SHORT_WORDS_MAX:
        return situation.intent.label == "smalltalk"
    says_so = bool(cues & {"thanks", "greeting"}) or not situation.last_reply
    return bool(_DONE.search(message)) or (situation.intent.label == "smalltalk" and says_so)


def answer_smalltalk(situation: Situation) -> Say:
    """Choose between a welcome, a goodbye and a nod."""
    cues = cues_in(flatten(situation.message))
    facts = situation.facts
    if "thanks" in cues or _DONE.search(situation.message):
        return Say(phrases.close(facts.passenger_name if facts.verified else None, facts.ticket_id))
    if not situation.last_reply or "greeting" in cues:
        return Say(phrases.greet(situation.airline))
    return Say(phrases.acknowledge())
