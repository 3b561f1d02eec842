"""Answer who asks whether anybody is there, doubts what was answered, or wants to be called."""

from __future__ import annotations

import re
from collections.abc import Callable

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.reading.meta import speaks_of
from worker.domains.airline.local.situation import SOURCE, Situation
from worker.models.output import Say

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_OF_DANGER = re.compile(r"\b(?:emergency number|crisis line|call the crew|call button)\b", re.IGNORECASE)
_CITED = re.compile(rf"^{SOURCE}(?P<source>.+)$", re.MULTILINE)
_HERE = "I'm here."


def attend(situation: Situation) -> Say | None:
    """Return the reply to a message that only looks for an answer or for its ground; None for any other."""
    answers: tuple[tuple[str, Callable[[Situation], str | None]], ...] = (
        ("presence", _say_still_here),
        ("challenge", _name_the_ground),
        ("so_what", _ask_what_about_it),
        ("call_me", _cannot_call),
    )
    told = (tell(situation) for section, tell in answers if speaks_of(situation.message, section))
    return next((Say(text) for text in told if text is not None), None)


def _say_still_here(situation: Situation) -> str | None:
    """Say that somebody is there, and what waits: help in danger first, then a ticket, an offer, a question."""
    if not situation.last_reply:
        return phrases.greet(situation.airline)
    ticket_id, offer = situation.facts.ticket_id, situation.open_offer
    danger = [one for one in _SENTENCE_END.split(situation.last_reply) if _OF_DANGER.search(one)]
    if ticket_id:
        return " ".join([_HERE, *danger, phrases.ticket_stands(ticket_id, situation.answer_by)])
    if offer is not None:
        return f"{_HERE} {offers.offer_stands(offer.summary)}"
    asked = [one for one in _SENTENCE_END.split(phrases.MORE_ASKED.sub("", situation.last_reply)) if one.endswith("?")]
    return f"{_HERE} {asked[-1]}" if asked else phrases.ask_about_signs(None)


def _name_the_ground(situation: Situation) -> str | None:
    """Name the article that the last reply quoted."""
    cited = _CITED.search(situation.last_reply)
    if cited is None:
        return None
    return (
        f"I quoted that word for word from our published rules, \u201c{cited['source']}\u201d. Is your case another "
        "one? Or shall I pass this on to a colleague?"
    )


def _ask_what_about_it(situation: Situation) -> str | None:
    """Ask what is still wanted of an answer that an article gave."""
    if SOURCE not in situation.last_reply:
        return None
    return "What more would you like to know about it: a price, a size, a time, or whether it holds for your trip?"


def _cannot_call(situation: Situation) -> str | None:
    """Say that nobody is called from here, and who can be reached."""
    ticket_id = situation.facts.ticket_id
    if ticket_id:
        return f"I can't make calls myself. {phrases.ticket_stands(ticket_id, situation.answer_by)}"
    if set(situation.reading.wishes):
        return None
    return "I can't make calls; I answer right here. Shall I pass this on to a colleague?"
