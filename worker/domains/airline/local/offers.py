"""Word what the Booking Agent offers and asks about flights, cabins, bags, names and cancelling."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from worker.domains.airline.local.reading.options import Option, price_of

ASKED_FOR_DAY = re.compile(r"\bwhich day\b", re.IGNORECASE)
ASKED_FOR_ORIGIN = re.compile(r"\bwhere would you like to fly from\b", re.IGNORECASE)
ASKED_FOR_DESTINATION = re.compile(r"\bwhere would you like to fly to\b", re.IGNORECASE)
ASKED_FOR_FLIGHT = re.compile(r"\bwhich of your flights\b", re.IGNORECASE)
ASKED_FOR_REASON = re.compile(r"\bwhy you would like to cancel\b", re.IGNORECASE)
ASKED_FOR_BAGS = re.compile(r"\bhow many (?:more )?bags\b", re.IGNORECASE)
ASKED_FOR_NEW_NAME = re.compile(r"\bname read exactly\b", re.IGNORECASE)
OFFERED_OPTIONS_OF_BOOKING = re.compile(r"\bwhich one is it about\b", re.IGNORECASE)
ASK_WHICH = "Which option would you like?"

OPTIONS_MAX = 3
_STATUSES = {
    "available": "is planned as booked",
    "on_time": "is on time",
    "delayed": "is delayed",
    "flying": "is in the air",
    "landed": "has landed",
    "cancelled": "has been cancelled",
}


def ask_for_day(route: str) -> str:
    """Ask for the day of a flight."""
    return f"Gladly. Which day would you like to fly{route}?"


def ask_for_origin() -> str:
    """Ask where a flight starts."""
    return "Gladly. Where would you like to fly from?"


def ask_for_destination() -> str:
    """Ask where a flight goes."""
    return "Gladly. Where would you like to fly to?"


def ask_for_flight(segments: list[dict[str, Any]]) -> str:
    """Ask which flight of a booking is meant."""
    listed = " or ".join(
        f"{s.get('flight_number')} from {s.get('origin')} to {s.get('destination')} on {s.get('date')}"
        for s in segments
    )
    return f"Which of your flights is it: {listed}?"


def list_options(options: list[Option], cabin: str, day: str, lacking: str | None = None) -> str:
    """Offer options with numbers, flights, times and prices; `lacking` is the time of day at which nothing flies."""
    lines = [
        f"Option {number}: {_flights_of(option)}{_price_of(option, cabin)}" for number, option in enumerate(options, 1)
    ]
    listed = "\n".join(lines)
    if lacking:
        return f"I find none in the {lacking} of {day}. These flights are open on that day:\n{listed}\n{ASK_WHICH}"
    return f"These flights are open on {day}:\n{listed}\n{ASK_WHICH}"


def explain_prices() -> str:
    """Say what the prices of listed flights mean, and how the sum of a change is learned."""
    return (
        "The prices are fares for one passenger. A change costs the difference in fare, besides a change fee where one "
        "applies. Tell me which option you have in mind, and I'll work out the exact sum before anything is changed."
    )


def keeps_route(origin: str, destination: str) -> str:
    """Say that the ends of a booked trip stay, and ask for another day."""
    return (
        f"This booking is from {origin} to {destination}, and where a trip starts and ends cannot be changed, only its "
        "flights. Which day would suit you instead? Or shall I pass this on to a colleague?"
    )


def ask_after_cancelled(flights: list[dict[str, Any]]) -> str:
    """Say which flights the airline itself has cancelled, and ask what the customer wants instead."""
    told = " and ".join(f"{one.get('flight_number')} on {one.get('date')}" for one in flights)
    return (
        f"I have your booking here. We had to cancel {told}, and I'm sorry for that. Would you like me to look for "
        "another flight, or to cancel the booking?"
    )


def serves(place: str) -> str:
    """Say that a place is flown to, and ask for the trip."""
    return f"Yes, we fly to {place}. Where would you like to fly from, and on which day?"


def no_flights(origin: str, destination: str, day: date) -> str:
    """Say that nothing flies, and ask for another day."""
    return (
        f"I'm sorry, I find no other flight with seats left from {origin} to {destination} on {day.isoformat()}. "
        "Which day would suit you instead?"
    )


def cannot_book_new() -> str:
    """Say after the options of a new trip who books it."""
    return "I cannot make a new booking myself. Shall I pass this on to a colleague?"


def tell_status(flight: dict[str, Any]) -> str:
    """Tell how a flight stands."""
    status = _STATUSES.get(str(flight.get("status")), str(flight.get("status")))
    times = f"{_clock(flight.get('departs'))} and arrives at {_clock(flight.get('arrives'))}, local times"
    told = f"it leaves at {times}"
    if flight.get("status") == "delayed":
        told = f"by its timetable it would leave at {times}; the new time stands in our app and at the gate"
    return (
        f"Flight {flight.get('flight_number')} on {flight.get('date')} from {flight.get('origin')} to "
        f"{flight.get('destination')} {status}: {told}. Is there anything else I can do for you?"
    )


def ask_for_reason() -> str:
    """Ask why somebody cancels, since the terms hang on it."""
    return "I can look into that. May I ask why you would like to cancel? What is paid back depends on it."


def ask_for_reason_again() -> str:
    """Ask once more why somebody cancels, after something else was asked in between."""
    return "Coming back to your booking: may I ask why you would like to cancel? What is paid back depends on it."


ASKED_FOR_PASSENGER = re.compile(r"\bFor whom is it\b")


def ask_for_passenger(names: list[str]) -> str:
    """Ask which passenger of a booking is meant."""
    return f"For whom is it: {', '.join(names[:-1])} or {names[-1]}?"


def ask_for_bags() -> str:
    """Ask for a number of bags."""
    return "Gladly. How many more bags would you like to check in, for all passengers together?"


def ask_for_payment(methods: list[str]) -> str:
    """Ask which of the ways to pay on file is to be used."""
    if len(methods) < 2:  # noqa: PLR2004 - a choice
        on_file = methods[0] if methods else "nothing"
        return (
            f"I see only {on_file} on file, and I can't take card details here. Another way to pay can be added in our "
            "app or by a colleague. Shall I pass this on to a colleague?"
        )
    return f"On file I see {', '.join(methods[:-1])} and {methods[-1]}. Which one shall I use?"


NAMES_OF_WISHES = {
    "bags": "the bags", "upgrade": "the cabin", "seat_change": "the seat", "name": "the name", "cancel": "cancelling",
    "change_flight": "the flight",
}  # fmt: skip


def one_at_a_time(wishes: list[str]) -> str:
    """Say in which order several wishes are served."""
    first, *others = wishes
    return f"I take one change at a time: first {first}, then {' and '.join(others)}."


def ask_for_new_name() -> str:
    """Ask for the right spelling."""
    return "I can look into that. How should the name read exactly, given name and surname, and how is it written now?"


def ask_for_cabin() -> str:
    """Ask which cabin is wanted."""
    return "Which cabin would you like: economy or business?"


def which_booking(reservations: list[dict[str, Any]]) -> str:
    """Ask which of several bookings is meant."""
    lines = "\n".join(f"Option {n}: {_trip_of(booking)}" for n, booking in enumerate(reservations, 1))
    return f"I see more than one booking of yours:\n{lines}\nWhich one is it about?"


def confirm(output: dict[str, Any]) -> str:
    """Confirm what was done."""
    return f"Done: {str(output.get('summary', 'it is changed')).rstrip('.')}."


def unknown_beside_offer(summary: str) -> str:
    """Say of a question about an offer that nothing is known, and make the offer again."""
    return f"I don't know that, I'm afraid, and would rather not guess. {offer_stands(summary)}"


def offer_stands(summary: str) -> str:
    """Make an offer again, after something else was said."""
    return f"The offer is: {summary.rstrip('.')}. Is that a yes?"


def wrong_guess() -> str:
    """Ask for the surname alone, where a name read between the lines did not open the booking."""
    return "I have your number and cannot open the booking yet. What is the surname on the booking?"


def where_number_stands() -> str:
    """Tell where a confirmation number is found."""
    return (
        "It stands in the confirmation e-mail for your trip, on your boarding pass and in our app: six letters and "
        "digits. What is it, and what is the surname? If you can't find it, just say so."
    )


def cannot_tell_number() -> str:
    """Say that a confirmation number is told to nobody, and who can help."""
    return (
        "For your safety I can't tell confirmation numbers here: yours stands in the e-mail about your booking and in "
        "our app. Without it a colleague can find your booking by name and flight. Shall I pass this on to a colleague?"
    )


def cannot_undo() -> str:
    """Say that a change is not taken back by itself, and how it is changed again."""
    return (
        "I can't take a change back by itself, but I can look for another one. How should it be: which flight, seat or "
        "number of bags would you like?"
    )


def cannot_do(wish: str) -> str:
    """Say that a person does what no tool does."""
    if wish == "documents":
        return (
            "Your documents stand in our app and on our website under your booking. I cannot send them from here. "
            "Shall I pass this on to a colleague?"
        )
    return "I cannot do that myself, but a colleague can. Shall I pass this on to a colleague?"


DO_IT_YOURSELF = "That is how you get it yourself, at once. I cannot send it from here."


def do_it_yourself() -> str:
    """Say, below what an article says on it, that this is the way; a colleague is there for whoever needs one."""
    return f"{DO_IT_YOURSELF} If it does not work, tell me and a colleague takes over."


def still_yourself() -> str:
    """Say again, of an address or the like, that nothing is sent from here."""
    return (
        "I cannot send anything from here, to no address, but the way that I named works at once. Is there anything "
        "else I can do for you?"
    )


def cannot_seat_together() -> str:
    """Say that seats side by side for several are a person's to choose, and what can be done here."""
    return (
        "I can move one passenger at a time to a seat you name. Finding seats side by side for all of you is best done "
        "by a colleague. Shall I pass this on to a colleague?"
    )


def go_on_with(passenger: str, seat: str) -> str:
    """Ask whether to go on with the next passenger's seat."""
    return f"Shall I go on with seat {seat} for {passenger}?"


GO_ON_WITH = re.compile(r"\bShall I go on with (?:the )?(?P<what>[a-z]+)\?$")
GO_ON_WITH_SEAT = re.compile(r"\bShall I go on with seat \d+[A-F] for\b")


def noted() -> str:
    """Take something down for a person."""
    return "Thank you, I have taken that down. Shall I pass this on to a colleague?"


def noted_without_code() -> str:
    """Take down a wish that only a person can serve as long as no booking is open."""
    return (
        "I have taken that down. Since the booking cannot be opened without its number, a colleague has to find it by "
        "your name and flight. Shall I pass this on to a colleague?"
    )


def offer_colleague(message: str) -> str:
    """Add to a refusal the offer of a person, where it does not ask anything itself."""
    return message if "?" in message else f"{message} Shall I pass this on to a colleague?"


def _flights_of(option: Option) -> str:
    return ", then ".join(
        f"{flight.get('flight_number')} {flight.get('origin')} {_clock(flight.get('departs'))} to "
        f"{flight.get('destination')} {_clock(flight.get('arrives'))}"
        for flight in option.get("flights", [])
    )


def _price_of(option: Option, cabin: str) -> str:
    price = price_of(option, cabin)
    return f", {cabin.replace('_', ' ')} ${price}" if price is not None else ""


def _trip_of(booking: dict[str, Any]) -> str:
    segments = booking.get("segments", [])
    return ", ".join(
        f"{s.get('flight_number')} {s.get('origin')} to {s.get('destination')} on {s.get('date')}" for s in segments
    )


def _clock(written: object) -> str:
    return str(written or "").rpartition(" ")[2]
