"""Decide about flights: which one is meant, whether it has left, and how customers write numbers, days and places."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import DELAYED_STATUS_HOLDS
from worker.domains.airline.rules.names import letters_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from worker.domains.airline.records.backend import Airport, Cabin, Flight, Reservation, Segment

OPEN_STATUSES = frozenset({"available", "on_time", "delayed"})
FLOWN_STATUSES = frozenset({"flying", "landed"})
CABINS: tuple[Cabin, ...] = ("basic_economy", "economy", "business")

_FLIGHT_NUMBER = re.compile(r"[A-Z]{2}[0-9]{1,4}")


def read_flight_number(text: str) -> str | None:
    """Read a flight number as customers write it (`lf 118`, `LF-0118`); None when it is not one."""
    compact = re.sub(r"[^A-Z0-9]", "", text.upper())
    carrier, digits = compact[:2], compact[2:].lstrip("0")
    return carrier + digits if _FLIGHT_NUMBER.fullmatch(carrier + digits) else None


def read_day(text: str) -> date | Refusal:
    """Read a day written as YYYY-MM-DD, which is how a model passes days on."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return Refusal(
            "no_such_date", f"I could not read {text[:20]!r} as a day. Which day is it, as 2026-05-24?", counts=False
        )


def read_cabin(text: str) -> Cabin | None:
    """Read a cabin as customers write it; None when there is no such cabin."""
    wanted = re.sub(r"[\s-]+", "_", text.strip().lower()).removesuffix("_class")
    return next((cabin for cabin in CABINS if cabin == wanted), None)


def find_airport(airports: Sequence[Airport], place: str) -> Airport | Refusal:
    """Find the airport meant by a code or a city, also as `Boston (BOS)` or `Boston Logan`."""
    codes = set(re.findall(r"\b[A-Z]{3}\b", place)) | {place.strip().upper()}
    for airport in airports:
        if airport.code in codes:
            return airport
    said = letters_of(place)
    fitting = [a for a in airports if said and (letters_of(a.city) in said or said in letters_of(a.city))]
    exact = [a for a in fitting if letters_of(a.city) == said]
    if len(exact or fitting) == 1:
        return (exact or fitting)[0]
    if fitting:
        named = " or ".join(f"{a.city} ({a.code})" for a in fitting)
        return Refusal("which_airport", f"Which airport do you mean: {named}?", counts=False)
    cities = ", ".join(sorted({a.city for a in airports}))
    return Refusal("no_such_airport", f"We do not fly to or from {place.strip()[:40]}. We serve {cities}.")


def has_flown(segment: Segment, now: datetime) -> bool:
    """Check whether a flight of a booking has left; one that was cancelled never does.

    A delayed one is still at its gate until its status says that it flies, or is too old to be believed: how late it
    leaves is not always known.
    """
    if segment.status == "cancelled":
        return False
    slack = DELAYED_STATUS_HOLDS if segment.status == "delayed" else timedelta(0)
    return segment.status in FLOWN_STATUSES or segment.departs_at + slack <= now


def first_departure(reservation: Reservation, now: datetime) -> datetime | None:
    """Return when the next flight of a booking leaves; None when all have left or were cancelled.

    A time that has passed is that of a delayed flight, which leaves nobody knows when.
    """
    ahead = [s.departs_at for s in reservation.segments if s.status in OPEN_STATUSES and not has_flown(s, now)]
    return min(ahead, default=None)


def find_segment(reservation: Reservation, flight_number: str, now: datetime) -> Segment | Refusal:
    """Find the flight that a wish is about: the one named, else the next one that has not left.

    Refuses a flight that is not part of the reservation.
    """
    wanted = re.sub(r"[^A-Z0-9]", "", flight_number.upper())
    segments = [s for s in reservation.segments if not wanted or s.flight_number == wanted]
    if not segments:
        flights = ", ".join(segment.flight_number for segment in reservation.segments)
        return Refusal("no_such_flight", f"That flight is not part of this booking. The booking has {flights}.")
    ahead = [segment for segment in segments if check_open(reservation, segment, now) is None]
    return (ahead or segments)[0]


def check_booked(reservation: Reservation) -> Refusal | None:
    """Refuse any change of a cancelled booking."""
    if reservation.status == "cancelled":
        return Refusal("reservation_cancelled", "This booking has been cancelled, so nothing on it can be changed.")
    return None


def check_open(reservation: Reservation, segment: Segment, now: datetime) -> Refusal | None:
    """Return why the seats of a flight can no longer be changed; None when they can."""
    cancelled = check_booked(reservation)
    if cancelled:
        return cancelled
    flight = f"Flight {segment.flight_number} on {segment.flight_date.isoformat()}"
    if segment.status == "cancelled":
        return Refusal("flight_cancelled", f"{flight} has been cancelled, so its seats cannot be changed.")
    if has_flown(segment, now):
        return Refusal("flight_departed", f"{flight} has already departed, so its seats cannot be changed.")
    return None


def check_none_flown(reservation: Reservation, now: datetime, what: str) -> Refusal | None:
    """Refuse a change to the whole trip of which a flight has been flown. `what` completes the sentence."""
    flown = [segment.flight_number for segment in reservation.segments if has_flown(segment, now)]
    if flown:
        return Refusal(
            "already_flown", f"Flight {flown[0]} of this booking has been flown, so {what} is no longer possible."
        )
    return None


def choose_flight_of_day(flights: Sequence[Flight], now: datetime) -> Flight | None:
    """Choose which day's flight a customer means who names no day: the first not over yet, else the last one."""
    by_day = sorted(flights, key=lambda flight: flight.departs_at)
    under_way = [flight for flight in by_day if _may_be_under_way(flight, now)]
    return next(iter(under_way or by_day[::-1]), None)


def _may_be_under_way(flight: Flight, now: datetime) -> bool:
    slack = DELAYED_STATUS_HOLDS if flight.status == "delayed" else timedelta(0)
    return flight.arrives_at + slack > now


def days_around(now: datetime) -> tuple[date, ...]:
    """Return the days it may be today somewhere on the network, which lies west of Greenwich, and the day after."""
    today = now.date()
    return today - timedelta(days=1), today, today + timedelta(days=1)
