"""Record what a customer has said, so that nobody asks for it again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from worker.conversation.vault import find_placeholders
from worker.domains.airline.rules.compensation import asks_for_compensation

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext

NAME_CHARACTERS_MAX = 80

_FLIGHT_NUMBER = re.compile(r"\b([A-Z]{2}) ?(\d{2,4})\b")
_PREFERENCE = re.compile(r"\b(window|aisle|middle)\b", re.IGNORECASE)
_PREFERENCES = frozenset({"window", "aisle", "middle"})
_NOT_WANTED = re.compile(
    r"\b(((not|no|don'?t|instead of|rather than|hate)\b((?!\bbut\b)[^.,;!?]){0,25})|from (an? |the |my )?)$",
    re.IGNORECASE,
)


def _leave_out_senseless(value: object) -> object:
    return value if isinstance(value, str) else None


Stated = Annotated[str | None, BeforeValidator(_leave_out_senseless)]
"""A fact as a model gives it; anything but a text is no fact."""


class StatedFacts(BaseModel):
    """Carry what a model read in the conversation along a handoff. Every part is optional, and none of it is proof.

    Loose on purpose: a value that makes no sense is left out, where refusing it would cost the customer the turn.
    """

    model_config = ConfigDict(extra="ignore")

    passenger_name: Stated = None
    confirmation_number: Stated = None
    flight_number: Stated = None
    seat_preference: Stated = None  # window, aisle, middle


def note_message(turn: TurnContext) -> None:
    """Record what this turn's message says plainly: numbers, seat preference, a wish to be compensated."""
    numbers = [
        found.written for found in find_placeholders(turn.text, "CONFIRMATION_NUMBER") if turn.vault.holds(found)
    ]
    flights = ["".join(found) for found in _FLIGHT_NUMBER.findall(turn.text)]
    preferences = [
        match[1].lower()
        for match in _PREFERENCE.finditer(turn.text)
        if not _NOT_WANTED.search(turn.text[: match.start()])
    ]
    stated = StatedFacts(
        confirmation_number=numbers[-1] if numbers else None,
        flight_number=flights[-1] if flights else None,
        seat_preference=preferences[-1] if preferences else None,
    )
    note_facts(turn, stated)
    turn.airline.vouched_for = turn.verified_sender is not None and turn.airline.vouched_for is not False
    if asks_for_compensation(turn.text):
        turn.airline.compensation_asked = True


def note_facts(turn: TurnContext, facts: StatedFacts) -> None:
    """Record stated facts. They verify nobody, and the name on a verified booking stays as it is booked."""
    airline = turn.airline
    number = facts.confirmation_number
    if number and turn.vault.open(number) is not None:
        airline.confirmation_number = number if number.startswith("[") else f"[{number}]"
    if facts.passenger_name and facts.passenger_name.strip() and not turn.is_verified:
        airline.passenger_name = facts.passenger_name.strip()[:NAME_CHARACTERS_MAX]
    if facts.flight_number and _FLIGHT_NUMBER.fullmatch(facts.flight_number.upper()):
        airline.flight_number = facts.flight_number.upper().replace(" ", "")
    if facts.seat_preference in _PREFERENCES:
        airline.seat_preference = facts.seat_preference
