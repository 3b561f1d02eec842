"""Collect what the customer has said over the whole conversation, so that nothing is asked twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from worker.domains.airline.local import phrases
from worker.domains.airline.local.reading.names import Name, find_names
from worker.domains.airline.local.reading.seats import Preference, find_preference, find_seat
from worker.domains.airline.local.reading.slots import (
    find_confirmation_number,
    find_confirmation_numbers,
    find_flight_number,
    pick_by_ordinal,
)
from worker.domains.airline.local.situation import Situation


@dataclass(frozen=True)
class Details:
    """What was stated, the newest of each; a seat without a newer preference, or the other way round."""

    name: str | None = None
    confirmation_number: str | None = None
    flight_number: str | None = None
    seat: str | None = None
    preference: Preference | None = None
    name_is_guessed: bool = False
    """It stood in a user id or beside a wish: good for one try, and never asked about as if it had been given."""
    other_names: tuple[str, ...] = ()
    """What else may be the name, the likeliest first: tried when the booking is not found under `name`."""

    def as_arguments(self) -> dict[str, Any]:
        """Return what a handoff to the Booking Agent carries."""
        carried = {
            "passenger_name": None if self.name_is_guessed else self.name,
            "confirmation_number": self.confirmation_number,
            "flight_number": self.flight_number,
            "seat_preference": self.preference,
        }
        return {name: value for name, value in carried.items() if value}


def collect_details(situation: Situation) -> Details:
    """Read every message in sight, oldest first; what is known already fills the gaps."""
    confirmation_number = flight_number = seat = None
    preference: Preference | None = None
    numbers: list[str] = []
    for text in situation.customer_texts:
        numbers += [one for one in find_confirmation_numbers(text) if one not in numbers]
        named = find_confirmation_number(text) or pick_by_ordinal(text, numbers)
        confirmation_number = named or confirmation_number
        flight_number = find_flight_number(text) or flight_number
        stated_seat, stated_preference = find_seat(text), find_preference(text)
        if stated_seat or stated_preference:
            seat, preference = stated_seat, stated_preference or preference
    facts = situation.facts
    if any(done.name == "confirm_quote" and done.is_ok for done in situation.done_before):
        # What was wished for before the change is fulfilled; only the newest message says what is wanted now.
        seat, preference = find_seat(situation.message), find_preference(situation.message)
    names = _names_in(situation)
    return Details(
        name=names[0].text if names else None,
        confirmation_number=confirmation_number or facts.confirmation_number,
        flight_number=flight_number or facts.flight_number,
        seat=seat,
        preference=preference,
        name_is_guessed=bool(names) and not names[0].is_told,
        other_names=tuple(name.text for name in names[1:]),
    )


def _names_in(situation: Situation) -> list[Name]:
    """Return the names that were told, the newest message's first, then what is known, then what was only guessed."""
    told: dict[str, Name] = {}
    guessed: dict[str, Name] = {}
    asked, found = False, []
    for line in situation.lines:
        if line.speaker == "customer":
            found.append(find_names(line.text, asked=asked))
        asked = line.speaker == "airline" and phrases.ASKED_FOR_NAME.search(line.text) is not None
    for names in reversed(found):
        for name in names:
            (told if name.is_told else guessed).setdefault(name.text.lower(), name)
    known = situation.facts.passenger_name
    if known and known.lower() not in told:
        told[known.lower()] = Name(known)
    return [*told.values(), *guessed.values()]
