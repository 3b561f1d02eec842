"""Decide about seats: tell the present one, offer another, for whom and on which flight it is wanted."""

from __future__ import annotations

import re
from typing import Any

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.details import Details
from worker.domains.airline.local.journeys import journeys_of, leg_meant
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.slots import find_flight_number
from worker.domains.airline.local.reading.travellers import (
    Move,
    moves_in,
    names_nobody_of_several,
    travellers_in,
    wants_together,
)
from worker.domains.airline.local.reading.wishes import Wish
from worker.domains.airline.local.situation import FinishedCall, Situation
from worker.domains.airline.local.verifying import find_reservation, look_up, offer_person
from worker.models.output import Call, Say, Step

ELSEWHERE = re.compile(r"\b(?:front|forward|back|rear|another|other|different|else)\b", re.IGNORECASE)
_FRONT = re.compile(r"\b(?:front|forward)\b", re.IGNORECASE)
_BACK = re.compile(
    r"\b(?:(?:at|in|to|towards?|near|further|far) (?:the )?(?:very )?(?:back|rear)|rear)\b", re.IGNORECASE
)
_SPEAKS_OF_OTHERS = re.compile(
    r"\b(?:for|my (?:wife|husband|son|daughter|partner|mother|father|friend|child\w*|kids?|family)|"
    r"together|return|way back|outbound|"
    r"we|us|both|all)\b",
    re.IGNORECASE,
)


def work_on_seat(situation: Situation, details: Details, wish: Wish) -> Step:
    """Tell, ask, or quote; a preference alone is quoted in one call."""
    message = situation.message
    reservation = find_reservation(situation)
    if reservation is None and _SPEAKS_OF_OTHERS.search(message) and not situation.was_called("look_up_reservation"):
        return look_up(details)
    asks_to_change = wish == "seat_change" or find_preference(message) or find_seat(message)
    if wish == "seat_status" and not asks_to_change:
        leg = leg_meant(journeys_of(reservation), message) if reservation else None
        if reservation is not None and (leg or len(reservation.get("passengers", [])) > 1):
            return Say(phrases.tell_seats(reservation, leg or [*reservation.get("segments", [])]))
        seat = situation.facts.seat_number
        return Say(phrases.tell_seat(seat, situation.facts.flight_number, situation.facts.flight_date))
    if not situation.can("quote_seat_change"):
        return Say(phrases.nothing_found())
    if reservation is not None and wants_together(message) and len(reservation.get("passengers", [])) > 1:
        return offer_person(situation, offers.cannot_seat_together(), offers.noted())
    return _quote_or_ask(situation, details, reservation)


def next_move(situation: Situation) -> Move | None:
    """Return the next of several passengers' seats that earlier messages asked for, of those not offered yet."""
    asked = [move for text in situation.customer_texts for move in moves_in(text, passengers_of(situation))]
    offered = {
        (done.arguments.get("passenger_name"), done.arguments.get("seat_number"))
        for done in (*situation.done_before, *situation.done)
        if done.name == "quote_seat_change" and done.is_ok
    }
    return next((move for move in asked if (move.passenger, move.seat) not in offered), None) if asked else None


def passengers_of(situation: Situation) -> list[str]:
    """Name the passengers of the booking that was shown last, whatever has been changed since."""
    shown = situation.latest_result("look_up_reservation", "find_my_reservations")
    reservation = (shown.output.get("reservation") or (shown.output.get("reservations") or [{}])[0]) if shown else {}
    return [str(passenger.get("name")) for passenger in reservation.get("passengers", [])]


def _quote_or_ask(situation: Situation, details: Details, reservation: dict[str, Any] | None) -> Step:
    message = _words_on_seat(situation)
    whom = names_nobody_of_several(message, passengers_of(situation), situation.facts.passenger_name)
    if whom:
        return Say(offers.ask_for_passenger(whom))
    asked = _seat_asked_for(situation, details, reservation)
    people = passengers_of(situation)
    is_about_several = offers.GO_ON_WITH_SEAT.search(situation.last_reply) or moves_in(message, people)
    move = next_move(situation) if is_about_several else None
    if move is not None:
        return Call("quote_seat_change", {**asked, "seat_number": move.seat, "passenger_name": move.passenger})
    wants_place = (_FRONT.search(message) or _BACK.search(message)) and not situation.done
    if details.seat and (find_seat(message) or not wants_place):
        return Call("quote_seat_change", {"seat_number": details.seat, **asked})
    if wants_place and situation.can("find_free_seats") and "passenger_name" not in asked:
        flight = {name: value for name, value in asked.items() if name == "flight_number"}
        return Call("find_free_seats", {"preference": details.preference or "any", **flight})
    if details.preference or ELSEWHERE.search(message):
        return Call("quote_seat_change", {"preference": details.preference or "any", **asked})
    return Say(phrases.ask_for_preference(situation.facts.seat_number))


def _words_on_seat(situation: Situation) -> str:
    """Return the newest message, with the one before it where it only tells for whom that was."""
    texts = situation.customer_texts
    is_answer = offers.ASKED_FOR_PASSENGER.search(situation.last_reply) is not None and len(texts) > 1
    return f"{texts[-2]}\n{situation.message}" if is_answer else situation.message


def _seat_asked_for(situation: Situation, details: Details, reservation: dict[str, Any] | None) -> dict[str, Any]:
    """Give for whom and on which flight a seat is wanted, as far as that is another than the customer and the next."""
    message = _words_on_seat(situation)
    asked: dict[str, Any] = {"flight_number": details.flight_number} if details.flight_number else {}
    if reservation is None:
        return asked
    leg = leg_meant(journeys_of(reservation), message)
    named = find_flight_number(message)
    if leg is not None:
        flights = [segment.get("flight_number") for segment in leg]
        asked["flight_number"] = named if named in flights else flights[0]
    others = travellers_in(message, passengers_of(situation), situation.facts.passenger_name)
    if others:
        asked["passenger_name"] = others[0]
    return asked


def offer_seat(situation: Situation, found: FinishedCall) -> Step:
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
