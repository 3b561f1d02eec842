"""Decide about putting other flights in the place of a booking's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.cabins import check_fare
from worker.domains.airline.rules.flights import OPEN_STATUSES, check_booked, has_flown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date, datetime

    from worker.domains.airline.records.backend import Flight, Reservation, Segment, TripType

CHANGE_FEE_USD = 50
FREE_UNTIL = timedelta(hours=24)
"""Before departure. Later a change or cancellation costs the fee, unless we cancelled or delayed the flight."""
CONNECTION_MIN = timedelta(minutes=45)
FLIGHTS_MAX = 4
"""Flights of a booking: out and back, each with one stop."""

_DISRUPTED = frozenset({"cancelled", "delayed"})


@dataclass(frozen=True, slots=True)
class ChangePrice:
    """What a change of flights costs everybody together; a negative difference is paid back."""

    difference_usd: int
    fee_usd: int
    waived_usd: int = 0
    """Of the fee, what falls away because the airline cancelled or delayed the flight."""

    @property
    def total_usd(self) -> int:
        """Return what is due now."""
        return self.difference_usd + self.fee_usd


def check_changeable(reservation: Reservation, flight_count: int) -> Refusal | None:
    """Return why a booking's flights cannot be changed at all."""
    cancelled = check_booked(reservation)
    if cancelled:
        return cancelled
    if reservation.cabin == "basic_economy":
        return Refusal(
            "basic_economy",
            "The flights of a basic economy ticket cannot be changed. You can move the booking to another cabin.",
        )
    if not 1 <= flight_count <= FLIGHTS_MAX:
        return Refusal(
            "wrong_flights", f"Name all 1 to {FLIGHTS_MAX} flights of the trip in the order flown.", counts=False
        )
    return None


def price_of_change(reservation: Reservation, flights: Sequence[Flight], now: datetime) -> ChangePrice | Refusal:
    """Return what it costs to fly these instead, in the order flown, or why that is not possible.

    Flights that are in the booking already stay as they are: they cost nothing and need no seat left.
    """
    booked = {(s.flight_number, s.flight_date): s for s in reservation.segments}
    wanted = {(f.flight_number, f.flight_date): f for f in flights}
    added = [flight for leg, flight in wanted.items() if leg not in booked]
    removed = [segment for leg, segment in booked.items() if leg not in wanted]
    refusal = (
        _check_flown(removed, now)
        or _check_connections(flights, kept=set(booked))
        or _check_route(reservation, flights)
        or _check_open(added, now)
    )
    if refusal:
        return refusal
    if not added and not removed:
        return Refusal("already_yours", "These are the flights of the booking already.", counts=False)
    people = len(reservation.passengers)
    difference_usd = -sum(segment.price_usd for segment in removed)
    for flight in added:
        fare = check_fare(flight, reservation.cabin, people)
        if isinstance(fare, Refusal):
            return fare
        difference_usd += fare.price_usd
    return ChangePrice(difference_usd * people, fee_of_change(removed, now), waived_fee(removed, now))


def fee_of_change(removed: Sequence[Segment], now: datetime) -> int:
    """Return the fee for giving up these flights, once for the booking: due in the last 24 hours before one departs.

    None is due for a flight that the airline itself cancelled or delayed.
    """
    return _late_fee([segment for segment in removed if segment.status not in _DISRUPTED], now)


def waived_fee(removed: Sequence[Segment], now: datetime) -> int:
    """Return what of the fee for giving up these flights falls away, since the airline cancelled or delayed them."""
    return _late_fee(removed, now) - fee_of_change(removed, now)


def _late_fee(removed: Sequence[Segment], now: datetime) -> int:
    return CHANGE_FEE_USD if any(segment.departs_at - now < FREE_UNTIL for segment in removed) else 0


def _check_flown(removed: Sequence[Segment], now: datetime) -> Refusal | None:
    flown = [segment for segment in removed if has_flown(segment, now)]
    if flown:
        return Refusal(
            "flight_departed",
            f"Flight {flown[0].flight_number} on {flown[0].flight_date.isoformat()} has already departed, so it cannot "
            "be changed.",
        )
    return None


def _check_open(added: Sequence[Flight], now: datetime) -> Refusal | None:
    for flight in added:
        if flight.status not in OPEN_STATUSES or flight.departs_at <= now:
            return Refusal(
                "flight_not_open",
                f"Flight {flight.flight_number} on {flight.flight_date.isoformat()} can no longer be booked. Would "
                "another flight do?",
            )
    return None


def _check_connections(flights: Sequence[Flight], *, kept: Collection[tuple[str, date]]) -> Refusal | None:
    """Refuse a new flight that leaves no time to change; what stands in the booking already was sold as it is."""
    for before, after in pairwise(flights):
        is_old = all((flight.flight_number, flight.flight_date) in kept for flight in (before, after))
        if not is_old and after.departs_at - before.arrives_at < CONNECTION_MIN:
            return Refusal(
                "no_connection",
                f"Flight {after.flight_number} leaves too soon after {before.flight_number} arrives. Would another "
                "flight do?",
            )
    return None


def _check_route(reservation: Reservation, flights: Sequence[Flight]) -> Refusal | None:
    journeys = _journeys(reservation.segments, reservation.trip_type)
    if _journeys(flights, reservation.trip_type) != journeys:
        stop = _stop_longer_than_the_stay(flights, journeys)
        if stop is not None:
            return Refusal(
                "stop_too_long",
                f"With these flights the stop in {stop} would be longer than the stay in {journeys[0][1]}, which is "
                "another trip. Would other flights do?",
            )
        route = " and ".join(f"{origin} to {destination}" for origin, destination in journeys)
        return Refusal(
            "route_never_changes",
            f"This booking is for {route}. Origin, destination and type of trip cannot be changed, only the flights.",
        )
    return None


def _journeys(flights: Sequence[Segment] | Sequence[Flight], trip_type: TripType) -> list[tuple[str, str]]:
    """Return from where to where each journey goes: one, or there and back. What does not fit together gives its parts.

    A round trip turns where it stays longest: a stop is a matter of hours.
    """
    turn = _longest_stay(flights) if trip_type == "round_trip" and len(flights) > 1 else None
    return _parted(flights, turn)


def _longest_stay(flights: Sequence[Segment] | Sequence[Flight]) -> int:
    """Return the index of the flight that leaves after the longest stay, of two or more."""
    stays = [flights[i].departs_at - flights[i - 1].arrives_at for i in range(1, len(flights))]
    return 1 + stays.index(max(stays))


def _stop_longer_than_the_stay(flights: Sequence[Flight], journeys: list[tuple[str, str]]) -> str | None:
    """Name the airport of a stop, when the right places are reached and only the stay there is not the longest."""
    there_and_back = 2
    if len(journeys) != there_and_back or not any(_parted(flights, i) == journeys for i in range(1, len(flights))):
        return None
    return flights[_longest_stay(flights)].origin


def _parted(flights: Sequence[Segment] | Sequence[Flight], turn: int | None) -> list[tuple[str, str]]:
    """Return from where to where flights lead that part at `turn`, and wherever one does not begin where one ended."""
    turns = {index for index in range(1, len(flights)) if flights[index - 1].destination != flights[index].origin}
    starts = [0, *sorted(turns | {turn} if turn is not None else turns)]
    ends = [*starts[1:], len(flights)]
    return [(flights[a].origin, flights[b - 1].destination) for a, b in zip(starts, ends, strict=True)]
