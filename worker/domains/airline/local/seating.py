"""Decide about seats: tell the present one, offer another."""

from __future__ import annotations

import re
from typing import Any

from worker.domains.airline.local import phrases
from worker.domains.airline.local.details import Details
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.wishes import Wish
from worker.domains.airline.local.situation import Done, Situation
from worker.models.output import Call, Say, Step

ELSEWHERE = re.compile(r"\b(?:front|forward|back|rear|another|other|different|else)\b", re.IGNORECASE)
_FRONT = re.compile(r"\b(?:front|forward)\b", re.IGNORECASE)
_BACK = re.compile(r"\b(?:back|rear)\b", re.IGNORECASE)


def work_on_seat(situation: Situation, details: Details, wish: Wish) -> Step:
    """Tell, ask, or quote; a preference alone is quoted in one call."""
    message = situation.message
    asks_to_change = wish == "seat_change" or find_preference(message) or find_seat(message)
    if wish == "seat_status" and not asks_to_change:
        seat = situation.facts.seat_number
        return Say(phrases.tell_seat(seat, situation.facts.flight_number, situation.facts.flight_date))
    flight = {"flight_number": details.flight_number} if details.flight_number else {}
    if not situation.can("quote_seat_change"):
        return Say(phrases.nothing_found())
    if details.seat:
        return Call("quote_seat_change", {"seat_number": details.seat, **flight})
    wants_place = (_FRONT.search(message) or _BACK.search(message)) and not situation.done
    if wants_place and situation.can("find_free_seats"):
        return Call("find_free_seats", {"preference": details.preference or "any", **flight})
    if details.preference or ELSEWHERE.search(message):
        return Call("quote_seat_change", {"preference": details.preference or "any", **flight})
    return Say(phrases.ask_for_preference(situation.facts.seat_number))


def offer_seat(situation: Situation, found: Done) -> Step:
    """Quote the seat furthest to the front or back, of those the tool found."""
    seats = [seat for seat in found.output.get("seats", []) if isinstance(seat, dict)]
    flight = found.output.get("flight_number")
    if not seats:
        return Say(phrases.no_free_seat(str(found.arguments.get("preference", "any")), flight))
    if not situation.can("quote_seat_change"):
        return Say(phrases.list_seats(seats, flight))
    if _FRONT.search(situation.message):
        seats.sort(key=_row)
    elif _BACK.search(situation.message):
        seats.sort(key=_row, reverse=True)
    return Call("quote_seat_change", {"seat_number": seats[0]["seat"], "flight_number": flight})


def _row(seat: dict[str, Any]) -> int:
    digits = re.sub(r"\D", "", str(seat.get("seat", "")))
    return int(digits or 0)
