"""Read what a turn's messages answer to the open offer: whether the last reply made it, and whether they say yes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from worker.domains.airline.rules.consent import A_PERSON, Offered, is_a_yes, tells_offer

if TYPE_CHECKING:
    from worker.conversation.context import Quote, TurnContext


def was_just_offered(turn: TurnContext, quoted: Quote) -> bool:
    """Check whether the reply before these messages made this very offer, to a customer who had it when they wrote.

    Read from the reply as it went out, so it holds for whatever wrote that: another agent, a second try after review,
    a notice, a release that knew nothing of this rule. What was accepted before the offer was made, as after an outage,
    was not written in answer to it.
    """
    answers_it = turn.position > quoted.details.get("seen_position", 0)
    is_earlier = quoted.made_in_turn < turn.airline.turn_count
    return answers_it and is_earlier and tells_offer(turn.last_reply, offered_by(turn, quoted), quoted.price_usd)


def says_yes(turn: TurnContext, quoted: Quote) -> bool:
    """Check whether this turn's messages agree to an offer, whenever it was made."""
    return is_a_yes(turn.messages, offered_by(turn, quoted), turn.vault.entries)


def agrees(turn: TurnContext) -> bool:
    """Check whether this turn's messages are a yes as they stand, whatever they may answer."""
    return is_a_yes(turn.messages, Offered("", "", names=_names(turn)), turn.vault.entries)


def agrees_to_person(turn: TurnContext) -> bool:
    """Check whether this turn's messages are a yes to "Shall I pass this on to a colleague?"."""
    return is_a_yes(turn.messages, replace(A_PERSON, names=_names(turn)), turn.vault.entries)


def offered_by(turn: TurnContext, quoted: Quote) -> Offered:
    """Return what a quote offers, as the rule of a yes reads it."""
    new_terms = frozenset(map(str, quoted.details.get("new_terms", ())))
    return Offered(quoted.kind, str(quoted.details.get("summary", "")), new_terms, _names(turn))


def _names(turn: TurnContext) -> frozenset[str]:
    name = turn.airline.passenger_name
    return frozenset({name} if name else ())
