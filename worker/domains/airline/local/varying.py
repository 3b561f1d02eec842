"""Keep replies from repeating: other words where a reply was just given, then the offer of a person, then a person."""

from __future__ import annotations

from worker.domains.airline.local import phrases
from worker.domains.airline.local.asking import leans_on_last
from worker.domains.airline.local.narrowing import narrow
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.situation import SOURCE, Situation
from worker.models.output import Call, Say, Step

REPLIES_LOOKED_AT = 4
"""Replies before the newest message that the next one must differ from."""
_TO_TRIAGE, _TO_ESCALATION = "transfer_to_triage_agent", "transfer_to_escalation_agent"


def vary(situation: Situation, said: Say) -> Step:
    """Return a reply that is none of the last ones.

    A courtesy is put in other words, whatever else is repeated says what was not understood, then offers a person, and
    when that was said as well, calls one. Where nothing is left to say, the reply is given as it is: the pipeline
    sends none twice.
    """
    last = [line.text for line in situation.lines if line.speaker == "airline"][-REPLIES_LOOKED_AT:]
    if said.text not in last or situation.was_called("confirm_quote"):
        return said  # what was changed in this turn is news, also where it was once changed so before
    repeats_itself = situation.message in situation.customer_texts[:-1]
    if SOURCE in said.text and leans_on_last(situation.message) and not repeats_itself:
        return Say(narrow(said.text, situation.message, last))
    ticket_id = situation.facts.ticket_id
    again, *others = phrases.put_differently(
        said.text, is_noted=_gave_something(situation), may_offer_person=ticket_id is None
    )
    was_said_again = any(text != said.text and text.endswith(phrases.core_of(said.text)) for text in last)
    for text in (
        *phrases.other_courtesies(said.text),
        *(phrases.added_again(ticket_id) if ticket_id and said.text == phrases.already_handed_over(ticket_id) else ()),
        *(others if was_said_again else (again, *others)),
    ):
        if text not in last:
            return Say(text)
    if ticket_id is None:
        for name in (_TO_TRIAGE, _TO_ESCALATION):
            if situation.can(name) and not situation.was_called(name):
                return Call(name)
    return said


def _gave_something(situation: Situation) -> bool:
    """Check whether the newest message names anything of a trip, and is no mere nod."""
    reading, today = situation.reading, situation.facts.today
    names_a_day = today is not None and find_day(situation.message, today) is not None
    return bool(
        reading.wishes or reading.names or reading.seats or reading.preference or reading.flight_number or names_a_day
    )
