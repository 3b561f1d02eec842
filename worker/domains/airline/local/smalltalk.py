"""Answer greetings, thanks and goodbyes."""

from __future__ import annotations

import re

from worker.domains.airline.local import phrases
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import flatten, praises_us
from worker.domains.airline.local.situation import Situation
from worker.models.output import Say

_DONE = re.compile(
    r"\b(?:nothing (?:else|more)|that'?s (?:all|it)|that is (?:all|it)|that will (?:be all|do)|that'?ll do|"
    r"all (?:i need|set|good|done)|no more questions|"
    r"i'?m (?:all set|good|done)|bye|goodbye|good night|have a (?:nice|good|great) \w+)\b",
    re.IGNORECASE,
)
_NO_NEED = (
    r"(?:there(?:'?s| is) )?no (?:more |further )?need(?: for (?:that|it|more))?|"
    r"(?:it'?s |that'?s |it is |that is )?(?:not|no longer) (?:necessary|needed|required)|"
    r"(?:i |we )?(?:don'?t|do not) need (?:anything|that|it|more|any|this)(?: else| more)?|"
    r"(?:there'?s |i have |i need )?nothing(?: else| more)?|no|nope|nah|not (?:now|today|really)"
)
_CONTENT = (
    r"(?:that'?s |it'?s |that is |it is |all |i'?m |we'?re )?(?:very |quite |perfectly |all )?"
    r"(?:fine|good|great|perfect|clear|ok|okay|alright|right|cool|super|lovely|wonderful|excellent|understood|enough|"
    r"nice|well|set)|got it|i see|i understand|makes sense|sounds good|works for me|good to know"
)
_FILLER = (
    r"yes|yeah|yep|oh|ah|well|so|and|but|thanks?|thank you|then|now|for now|any ?more|at all|really|for me|today|"
    r"with that|with me"
)
_CLOSING = re.compile(rf"^\W*(?:(?:{_NO_NEED}|{_CONTENT}|{_FILLER})\b\W*)+$", re.IGNORECASE)
_SAYS_SO = re.compile(rf"\b(?:{_NO_NEED}|{_CONTENT})\b", re.IGNORECASE)
_NEEDS_NONE = re.compile(rf"\b(?:{_NO_NEED})\b", re.IGNORECASE)
SHORT_WORDS_MAX = 8


def is_closing(situation: Situation) -> bool:
    """Check whether a message is content, or wants nothing, where nothing is open: "no need", "yes fine, good"."""
    message = situation.message.replace("\u2019", "'")
    if situation.open_offer is not None or _asks_for_something(situation.last_reply):
        return False
    return len(message.split()) <= SHORT_WORDS_MAX and bool(_CLOSING.match(message) and _SAYS_SO.search(message))


def _asks_for_something(reply: str) -> bool:
    """Check whether a reply asks for anything but whether there is something else to do."""
    return not reply or "?" in phrases.MORE_ASKED.sub("", reply)


def is_smalltalk(situation: Situation) -> bool:
    """Check whether a message only greets, thanks or ends the conversation."""
    message = situation.message
    if is_closing(situation):
        return True
    cues = cues_in(flatten(message))
    if len(message.split()) > SHORT_WORDS_MAX:
        return situation.intent.label == "smalltalk"
    says_so = bool(cues & {"thanks", "greeting"}) or not situation.last_reply
    return bool(_DONE.search(message)) or (situation.intent.label == "smalltalk" and says_so)


def answer_smalltalk(situation: Situation) -> Say:
    """Choose between a welcome, a goodbye and a nod."""
    cues = cues_in(flatten(situation.message))
    facts = situation.facts
    wants_none = is_closing(situation) and _NEEDS_NONE.search(situation.message) is not None
    if "praise" in cues and praises_us(situation.message) and not situation.facts.ticket_id:
        return Say(f"Thank you for telling us, that is good to hear. {phrases.ANYTHING_ELSE}")
    if "thanks" in cues or wants_none or _DONE.search(situation.message):
        return Say(phrases.close(facts.passenger_name if facts.verified else None, facts.ticket_id))
    if not situation.last_reply or "greeting" in cues:
        return Say(phrases.greet(situation.airline))
    return Say(phrases.acknowledge())
