"""Collect what the customer has said over the whole conversation, so that nothing is asked twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worker.domains.airline.local import phrases
from worker.domains.airline.local.reading.slots import (
    Preference,
    find_confirmation_number,
    find_flight_number,
    find_name,
    find_preference,
    find_seat,
    guess_name,
)
from worker.domains.airline.local.situation import Situation


@dataclass(frozen=True)
class Details:
    """Hold what was stated, the newest of each; a seat without a newer preference, or the other way round."""

    name: str | None = None
    confirmation_number: str | None = None
    flight_number: str | None = None
    seat: str | None = None
    preference: Preference | None = None
    name_is_guessed: bool = False
    """It stood in a user id or beside a wish: good for one try, and never asked about as if it had been given."""

    def as_arguments(self) -> dict[str, Any]:
        """Give what a handoff to the Booking Agent carries."""
        carried = {
            "passenger_name": None if self.name_is_guessed else self.name,
            "confirmation_number": self.confirmation_number,
            "flight_number": self.flight_number,
            "seat_preference": self.preference,
        }
        return {name: value for name, value in carried.items() if value}


def collect_details(situation: Situation) -> Details:
    """Read every message in sight, oldest first; what is known already fills the gaps."""
    name = confirmation_number = flight_number = seat = None
    preference: Preference | None = None
    asked = False
    for line in situation.lines:
        if line.speaker == "airline":
            asked = phrases.ASKED_FOR_NAME.search(line.text) is not None
            continue
        name = find_name(line.text, asked=asked) or name
        confirmation_number = find_confirmation_number(line.text) or confirmation_number
        flight_number = find_flight_number(line.text) or flight_number
        stated_seat, stated_preference = find_seat(line.text), find_preference(line.text)
        if stated_seat or stated_preference:
            seat, preference = stated_seat, stated_preference or preference
        asked = False
    facts = situation.facts
    guesses = [guess for text in situation.customer_texts if (guess := guess_name(text))]
    guessed = bool(guesses) and not name and not facts.passenger_name
    if any(done.name == "confirm_quote" and done.is_ok for done in situation.done_before):
        # What was wished for before the change is fulfilled; only the newest message says what is wanted now.
        seat, preference = find_seat(situation.message), find_preference(situation.message)
    return Details(
        name=name or facts.passenger_name or (guesses[0] if guesses else None),
        confirmation_number=confirmation_number or facts.confirmation_number,
        flight_number=flight_number or facts.flight_number,
        seat=seat,
        preference=preference,
        name_is_guessed=guessed,
    )
