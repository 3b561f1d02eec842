"""Decide about flights: how one stands, other flights for a booking, and what flies where."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.amending import find_payment
from worker.domains.airline.local.journeys import Segment, journeys_of, leg_meant
from worker.domains.airline.local.reading.clauses import own_text
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.options import (
    Option,
    choose_by_wish,
    choose_option,
    is_choosing,
    options_at,
    options_shown,
    price_of,
    time_of_day_in,
)
from worker.domains.airline.local.reading.places import Route, find_bare_place, find_route
from worker.domains.airline.local.reading.slots import find_flight_number
from worker.domains.airline.local.situation import FinishedCall, Situation
from worker.models.output import Call, Say, Step

_SEARCH = "search_flights"
_KEEPS_THE_DAY = re.compile(
    r"\b(?:earlier|later|next|another|other|different|morning|evening|afternoon) (?:flights?|one|time|departure)\b",
    re.IGNORECASE,
)
_CALLS_BEFORE_QUOTE_MAX = 1
"""Calls of a turn after which found flights are listed, and the best one is not quoted at once: three calls a step."""


def work_on_flights(situation: Situation, reservation: dict[str, Any], since: int) -> Step:
    """Find the flight meant, the day, the options, the choice; ask for the first of these that is unknown."""
    texts = situation.customer_texts[since:]
    journeys = journeys_of(reservation)
    journey = _choose_journey(journeys, texts, situation)
    if reservation.get("cabin") == "basic_economy" and journeys and situation.can("quote_flight_change"):
        return _quote(situation, reservation, journeys[0], {"flights": journeys[0]})  # the rule says why it stays
    if journey is None:
        return Say(offers.ask_for_flight([segments[0] for segments in journeys if segments]))
    day = _day_wanted(situation, texts, journey)
    elsewhere = _other_place(situation.message)
    picked = None if elsewhere else _picked(situation, reservation, journey, day)
    if picked is not None:
        return _quote(situation, reservation, journey, picked)
    if day is None and elsewhere is None:
        return Say(offers.ask_for_day(f" from {journey[0].get('origin')} to {journey[-1].get('destination')}"))
    if not situation.can(_SEARCH):
        return Say(phrases.nothing_found())
    booked = date.fromisoformat(str(journey[0].get("date")))
    return _search(journey, day or booked, elsewhere or str(journey[-1].get("destination")))


def _search(journey: list[Segment], day: date, destination: str) -> Call:
    return Call(_SEARCH, {"origin": journey[0].get("origin"), "destination": destination, "date": day.isoformat()})


def offer_flights(situation: Situation, found: FinishedCall, reservation: dict[str, Any] | None, since: int) -> Step:
    """Offer what a search found: the one that was wished for, else a few to choose from."""
    texts = situation.customer_texts[since:]
    day = date.fromisoformat(str(found.output.get("date", situation.facts.today)))
    origin, destination = str(found.output.get("origin")), str(found.output.get("destination"))
    cabin = str(reservation.get("cabin", "economy")) if reservation else "economy"
    options = _options_of(found, cabin, reservation)
    journey = _choose_journey(journeys_of(reservation), texts, situation) if reservation else None
    if journey is not None and destination != str(journey[-1].get("destination")):
        return Say(offers.keeps_route(str(journey[0].get("origin")), str(journey[-1].get("destination"))))
    if not options:
        return Say(offers.no_flights(origin, destination, day))
    if reservation is None:
        listed = offers.list_options(options[: offers.OPTIONS_MAX], cabin, day.isoformat())
        return Say(f"{listed.removesuffix(offers.ASK_WHICH).rstrip()}\n{offers.cannot_book_new()}")
    time_of_day = next((text for text in reversed(texts) if time_of_day_in(text)), "")
    fitting = options_at(time_of_day, options)
    lacking = None if fitting else time_of_day_in(time_of_day)
    options = fitting or options
    best = next((one for text in reversed(texts) if (one := choose_by_wish(text, options, cabin))), None)
    if best is None and len(options) == 1 and not lacking:
        best = options[0]
    if best is not None and journey and len(situation.done) <= _CALLS_BEFORE_QUOTE_MAX:
        return _quote(situation, reservation, journey, best)
    shown = options[: offers.OPTIONS_MAX]
    if best is not None and best not in shown:
        shown = [best, *shown[:-1]]
    return Say(offers.list_options(shown, cabin, day.isoformat(), lacking))


_FLIES_TO = re.compile(
    r"\b(?:fly|flying|go|going|travel|get|flights?|land|arrive)(?: \w+){0,2}? (?:to|into) "
    r"(?P<place>[A-Z][a-z]+(?: [A-Z][a-z]+)?)"
)


def _other_place(text: str) -> str | None:
    """Return where a message wants to fly to by name; the search knows whether that is another place."""
    named = (find_route(match[0]).destination for match in _FLIES_TO.finditer(text))
    return next((place for place in named if place is not None), None)


def search_trip(situation: Situation) -> Step:
    """Search for a trip that is not booked yet, or without opening a booking; ask for what is unknown of it."""
    route, day = trip_wanted(situation)
    if route.origin is None:
        return Say(offers.ask_for_origin())
    if route.destination is None:
        return Say(offers.ask_for_destination())
    if day is None:
        return Say(offers.ask_for_day(f" from {route.origin} to {route.destination}"))
    if not situation.can(_SEARCH):
        return Say(phrases.nothing_found())
    return Call(_SEARCH, {"origin": route.origin, "destination": route.destination, "date": day.isoformat()})


def look_for_place(situation: Situation, place: str) -> Call:
    """Search from a place to itself: the tool names all places where this one is not flown to, and refuses else."""
    today = situation.facts.today or date.min
    return Call(_SEARCH, {"origin": place, "destination": place, "date": today.isoformat()})


def trip_wanted(situation: Situation) -> tuple[Route, date | None]:
    """Return the places and the day said, the newest of each, also as bare answers to questions for them."""
    route, day = Route(), None
    asked = ""
    for line in situation.lines:
        if line.speaker == "airline":
            asked = line.text
            continue
        written = own_text(line.text)
        said = find_route(written)
        if said == Route() and offers.ASKED_FOR_ORIGIN.search(asked):
            said = Route(origin=find_bare_place(written))
        elif said == Route() and offers.ASKED_FOR_DESTINATION.search(asked):
            said = Route(destination=find_bare_place(written))
        route = said.over(route)
        day = find_day(_outward(written), situation.facts.today or date.min) or day
    return route, day


def _outward(text: str) -> str:
    """Leave out what is said of the way back: "on the 5th, returning on the 8th", "with a March 7th return"."""
    return re.split(r"\b(?:return|com(?:e|ing) (?:back|home))\w*", _DAY_OF_RETURN.sub(" return", text), maxsplit=1)[0]


_DAY_OF_RETURN = re.compile(r"\b\w+ \d{1,2}(?:st|nd|rd|th)? return\w*", re.IGNORECASE)


def status_of_flight(situation: Situation) -> Step | None:
    """Ask for the status of a flight that a message names; None when it names none."""
    number = find_flight_number(situation.message)
    if number is None or not situation.can("flight_status"):
        return None
    day = find_day(situation.message, situation.facts.today or date.min)
    return Call("flight_status", {"flight_number": number, **({"date": day.isoformat()} if day else {})})


def _picked(
    situation: Situation, reservation: dict[str, Any], journey: list[Segment], day: date | None
) -> Option | None:
    """Return the option that the newest message takes of those listed last."""
    found = situation.latest_result(_SEARCH)
    if found is None or found in situation.done:
        return None
    if day is not None and str(found.output.get("date")) != day.isoformat():
        return None
    if str(found.output.get("origin")) != str(journey[0].get("origin")):
        return None
    cabin = str(reservation.get("cabin", "economy"))
    options = _options_of(found, cabin, reservation)
    listed = next((line.text for line in reversed(situation.lines) if offers.ASK_WHICH in line.text), "")
    shown = options_shown(listed, options)
    chosen = choose_option(situation.message, shown or options, cabin) or choose_option(
        situation.message, options, cabin
    )
    if chosen is None and len(options) == 1 and situation.facts.agrees:
        return options[0]
    return chosen


def _quote(situation: Situation, reservation: dict[str, Any], journey: list[Segment], option: Option) -> Step:
    flights: list[dict[str, Any]] = []
    for segments in journeys_of(reservation):
        chosen = option.get("flights", []) if segments == journey else segments
        flights += [{"flight_number": one.get("flight_number"), "date": one.get("date")} for one in chosen]
    method = find_payment(situation.message, reservation)
    payment = {"payment_method": method} if method is not None else {}
    return Call("quote_flight_change", {"flights": flights, **payment})


def _options_of(found: FinishedCall, cabin: str, reservation: dict[str, Any] | None) -> list[Option]:
    """Return the options with a seat in the cabin, but not the one that is booked already."""
    booked = {(s.get("flight_number"), s.get("date")) for s in (reservation or {}).get("segments", [])}
    options = [option for option in found.output.get("options", []) if isinstance(option, dict)]
    return [
        option
        for option in options
        if price_of(option, cabin) is not None
        and not {(f.get("flight_number"), f.get("date")) for f in option.get("flights", [])} <= booked
    ]


def _day_wanted(situation: Situation, texts: Sequence[str], journey: list[Segment]) -> date | None:
    today = situation.facts.today or date.min
    booked = date.fromisoformat(str(journey[0].get("date")))
    offered = _day_offered(situation, journey)
    shown = _day_shown(situation, journey)
    for text in reversed(texts):
        is_of_offer = offered is not None and text is situation.message
        day = find_day(text, today, offered if is_of_offer else booked, shown) or shown
        if day is not None:
            return day
    wants_other_time = any(_KEEPS_THE_DAY.search(text) for text in texts)
    return booked if wants_other_time or (is_choosing(texts[-1]) and situation.latest_result(_SEARCH)) else None


def _day_offered(situation: Situation, journey: list[Segment]) -> date | None:
    """Return the day of the flight that is offered in a journey's place; "and the day after" is the one after that."""
    made = situation.latest_result("quote_flight_change")
    if situation.open_offer is None or made is None:
        return None
    kept = {(one.get("flight_number"), one.get("date")) for one in journey}
    asked = [
        one for one in made.arguments.get("flights", []) if (one.get("flight_number"), one.get("date")) not in kept
    ]
    return date.fromisoformat(str(asked[0].get("date"))) if asked else None


def _day_shown(situation: Situation, journey: list[Segment]) -> date | None:
    """Return the day of which the last reply listed flights for a journey; "what about Tuesday" is the one near it."""
    found = situation.latest_result(_SEARCH)
    if found is None or found in situation.done or offers.ASK_WHICH not in situation.last_reply:
        return None
    is_of_it = str(found.output.get("origin")) == str(journey[0].get("origin"))
    return date.fromisoformat(str(found.output.get("date"))) if is_of_it else None


def _choose_journey(journeys: list[list[Segment]], texts: Sequence[str], situation: Situation) -> list[Segment] | None:
    if len(journeys) == 1:
        return journeys[0]
    named = next((journey for text in reversed(texts) if (journey := leg_meant(journeys, text))), None)
    broken = [journey for journey in journeys if any(one.get("status") == "cancelled" for one in journey)]
    if named is None and len(broken) == 1:
        return broken[0]
    if named is None and offers.ASKED_FOR_FLIGHT.search(situation.last_reply):
        return journeys[0]  # an answer that names none of them: the offer will say which, and a no corrects it
    return named
