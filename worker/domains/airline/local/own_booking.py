"""Answer questions about the customer's own booking from what the look-up showed of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from worker.domains.airline.local.reading.own_questions import Fact, find_own_questions
from worker.domains.airline.local.situation import Situation
from worker.domains.airline.rules.seats import SEAT_KINDS

Reservation = dict[str, Any]

_SEAT = re.compile(r"\b(\d{1,2}) ?([A-Fa-f])\b")


def answer_own_questions(situation: Situation, reservation: Reservation) -> list[str]:
    """Return a sentence for each fact that the newest message asks for, in its order."""
    answers = []
    for fact in find_own_questions(situation.message):
        tell = _TELL.get(fact)
        answer = tell(reservation) if tell else _tell_seat_kind(situation)
        if answer:
            answers.append(answer)
    return answers


def _tell_bags_included(reservation: Reservation) -> str | None:
    if "free_bags" not in reservation:
        return None
    free, people = int(reservation["free_bags"]), len(reservation.get("passengers", []))
    cabin = str(reservation.get("cabin", "")).replace("_", " ")
    who = f"a {reservation.get('membership')} member in {cabin}"
    whole = "on your booking" if people == 1 else f"on your booking for all {people} passengers together"
    if free == 0:
        return f"No checked bag is free {whole}: as {who} each checked bag costs extra."
    return f"{free} checked bag{' is' if free == 1 else 's are'} free {whole}, as {who}."


def _tell_bags_booked(reservation: Reservation) -> str | None:
    if "checked_bags" not in reservation:
        return None
    booked = int(reservation["checked_bags"])
    return f"Your booking has {booked or 'no'} checked bag{'' if booked == 1 else 's'} at the moment."


def _tell_insured(reservation: Reservation) -> str | None:
    if "insured" not in reservation:
        return None
    return f"Your booking {'has' if reservation['insured'] else 'has no'} travel insurance."


def _tell_paid(reservation: Reservation) -> str | None:
    paid = reservation.get("paid_usd")
    return None if paid is None else f"For this booking ${int(paid)} has been paid in all."


def _tell_membership(reservation: Reservation) -> str | None:
    membership = reservation.get("membership")
    return f"Your membership level is {membership}." if membership else None


def _tell_payment_methods(reservation: Reservation) -> str | None:
    methods = reservation.get("payment_methods")
    if not isinstance(methods, dict) or not methods:
        return None
    return f"On file for you I see: {', '.join(map(str, methods.values()))}."


def _flights(reservation: Reservation) -> list[dict[str, Any]]:
    return [segment for segment in reservation.get("segments", []) if isinstance(segment, dict)]


def _tell_departure(reservation: Reservation) -> str | None:
    flights = _flights(reservation)
    told = [f"{f.get('flight_number')} from {f.get('origin')} leaves on {_at(f.get('departs'))}" for f in flights]
    delayed = _DELAYED if _has_delay(flights) else ""
    return f"Your flight {' and '.join(told)}, local time.{delayed}" if told else None


def _tell_arrival(reservation: Reservation) -> str | None:
    flights = [flight for flight in _flights(reservation) if flight.get("arrives")]
    told = [f"{f.get('flight_number')} reaches {f.get('destination')} on {_at(f.get('arrives'))}" for f in flights]
    delayed = _DELAYED if _has_delay(flights) else ""
    return f"Your flight {' and '.join(told)}, local time.{delayed}" if told else None


_DELAYED = " It is delayed: that is its timetable, and the new time stands in our app and at the gate."


def _has_delay(flights: list[dict[str, Any]]) -> bool:
    return any(flight.get("status") == "delayed" for flight in flights)


def _tell_stop(reservation: Reservation) -> str | None:
    """Return where flights are changed, and from when to when: of two flights, one right after the other."""
    flights = _flights(reservation)
    told = [
        f"You change at {second.get('origin')}: {first.get('flight_number')} arrives there on {_at(first['arrives'])}, "
        f"and {second.get('flight_number')} leaves on {_at(second['departs'])}, local times."
        for first, second in pairwise(flights)
        if first.get("destination") == second.get("origin") and _is_stop(first.get("arrives"), second.get("departs"))
    ]
    if told or not flights:
        return " ".join(told) or None
    numbers = " and ".join(str(flight.get("flight_number")) for flight in flights)
    return f"You change nowhere: {numbers} {'goes' if len(flights) == 1 else 'go'} without a stop."


_STOP_MAX = timedelta(hours=24)


def _is_stop(arrives: object, departs: object) -> bool:
    """Check whether two local times of one airport, as `2026-12-04 09:05`, are of a stop and not of a stay."""
    if not arrives or not departs:
        return False
    stop = datetime.fromisoformat(str(departs)) - datetime.fromisoformat(str(arrives))
    return timedelta() < stop <= _STOP_MAX


def _tell_cabin(reservation: Reservation) -> str | None:
    cabin = reservation.get("cabin")
    return f"You are booked in {str(cabin).replace('_', ' ')}." if cabin else None


def _tell_number(reservation: Reservation) -> str | None:
    number = reservation.get("confirmation_number")
    return f"Your confirmation number is {number}." if number else None


def _tell_passengers(reservation: Reservation) -> str | None:
    names = [str(passenger.get("name")) for passenger in reservation.get("passengers", [])]
    return f"On this booking {'travels' if len(names) == 1 else 'travel'} {' and '.join(names)}." if names else None


def _tell_bookings(reservation: Reservation) -> str | None:
    told = [
        f"{f.get('flight_number')} from {f.get('origin')} to {f.get('destination')} on {f.get('date')}"
        for f in _flights(reservation)
    ]
    return (
        f"The booking that is open here holds {' and '.join(told)}. Others I can open by their number."
        if told
        else None
    )


def _tell_seat_kind(situation: Situation) -> str | None:
    """Return which kinds of seats the newest message names, else the kind of the one offered last, else of theirs."""
    seats = _SEAT.findall(situation.message) or _SEAT.findall(situation.last_reply)[-1:]
    seats = seats or _SEAT.findall(situation.facts.seat_number or "")
    told = [f"{row}{letter.upper()} is {_A[SEAT_KINDS[letter.upper()]]}" for row, letter in seats]
    return f"{', '.join(dict.fromkeys(told))}." if told else None


_A = {"window": "a window seat", "aisle": "an aisle seat", "middle": "a middle seat"}


def _at(written: object) -> str:
    day, _, clock = str(written or "").partition(" ")
    return f"{day} at {clock}" if clock else day


_TELL: Mapping[Fact, Callable[[Reservation], str | None]] = {
    "bags_included": _tell_bags_included,
    "bags_booked": _tell_bags_booked,
    "insured": _tell_insured,
    "paid": _tell_paid,
    "membership": _tell_membership,
    "payment_methods": _tell_payment_methods,
    "departure": _tell_departure,
    "arrival": _tell_arrival,
    "cabin": _tell_cabin,
    "number": _tell_number,
    "bookings": _tell_bookings,
    "passengers": _tell_passengers,
    "stop": _tell_stop,
}
