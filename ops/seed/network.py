"""The sample airline's airports, and flights between them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

CARRIER = "LF"
FLIGHTS_COUNT = 300
FIRST_FLIGHT_NUMBER = 100
_MINUTES_A_DAY = 1_440


@dataclass(frozen=True, slots=True)
class SampleAirport:
    """An airport: IATA code, IANA time zone, standard time's hours from UTC, degrees north and east."""

    code: str
    city: str
    time_zone: str
    hours_from_utc: int
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class DailyFlight:
    """A daily flight; times are local."""

    number: str
    origin: str
    destination: str
    departs_at: time
    arrives_at: time
    arrives_days_later: int
    minutes: int


AIRPORTS: tuple[SampleAirport, ...] = (
    SampleAirport("ATL", "Atlanta", "America/New_York", -5, 33.64, -84.43),
    SampleAirport("AUS", "Austin", "America/Chicago", -6, 30.19, -97.67),
    SampleAirport("BNA", "Nashville", "America/Chicago", -6, 36.12, -86.68),
    SampleAirport("BOS", "Boston", "America/New_York", -5, 42.36, -71.01),
    SampleAirport("CLT", "Charlotte", "America/New_York", -5, 35.21, -80.95),
    SampleAirport("DEN", "Denver", "America/Denver", -7, 39.86, -104.67),
    SampleAirport("DFW", "Dallas", "America/Chicago", -6, 32.90, -97.04),
    SampleAirport("DTW", "Detroit", "America/Detroit", -5, 42.21, -83.35),
    SampleAirport("IAD", "Washington", "America/New_York", -5, 38.94, -77.46),
    SampleAirport("JFK", "New York", "America/New_York", -5, 40.64, -73.78),
    SampleAirport("LAS", "Las Vegas", "America/Los_Angeles", -8, 36.08, -115.15),
    SampleAirport("LAX", "Los Angeles", "America/Los_Angeles", -8, 33.94, -118.41),
    SampleAirport("MCO", "Orlando", "America/New_York", -5, 28.43, -81.31),
    SampleAirport("MIA", "Miami", "America/New_York", -5, 25.79, -80.29),
    SampleAirport("MSP", "Minneapolis", "America/Chicago", -6, 44.88, -93.22),
    SampleAirport("ORD", "Chicago", "America/Chicago", -6, 41.98, -87.90),
    SampleAirport("PDX", "Portland", "America/Los_Angeles", -8, 45.59, -122.60),
    SampleAirport("PHX", "Phoenix", "America/Phoenix", -7, 33.43, -112.01),
    SampleAirport("SEA", "Seattle", "America/Los_Angeles", -8, 47.45, -122.31),
    SampleAirport("SFO", "San Francisco", "America/Los_Angeles", -8, 37.62, -122.38),
)


def lay_out_flights(random: Random) -> list[DailyFlight]:
    """Draw the flights in pairs, out and back; a flight's number and the next one serve the same route."""
    flights = []
    for index in range(FLIGHTS_COUNT // 2):
        origin, destination = random.sample(AIRPORTS, 2)
        number = FIRST_FLIGHT_NUMBER + 2 * index  # an even number goes out, the odd one after it comes back
        out_minute = random.randrange(6 * 60, 12 * 60, 5)
        out = _fly(number, origin, destination, out_minute)
        back = _fly(number + 1, destination, origin, random.randrange(13 * 60, 21 * 60, 5))
        flights += [out, back]
    return flights


def _fly(number: int, origin: SampleAirport, destination: SampleAirport, departs_minute: int) -> DailyFlight:
    minutes = _minutes_between(origin, destination)
    local_shift = (destination.hours_from_utc - origin.hours_from_utc) * 60
    days_later, arrives_minute = divmod(departs_minute + minutes + local_shift, _MINUTES_A_DAY)
    return DailyFlight(
        f"{CARRIER}{number}",
        origin.code,
        destination.code,
        time(*divmod(departs_minute, 60)),
        time(*divmod(arrives_minute, 60)),
        days_later,
        minutes,
    )


def _minutes_between(origin: SampleAirport, destination: SampleAirport) -> int:
    """Return a flight's minutes: the great circle at 800 km/h and half an hour on the ground, in steps of five."""
    north, south = math.radians(origin.latitude), math.radians(destination.latitude)
    east = math.radians(destination.longitude - origin.longitude)
    angle = math.acos(math.sin(north) * math.sin(south) + math.cos(north) * math.cos(south) * math.cos(east))
    return 5 * round((angle * 6_371 / 800 * 60 + 30) / 5)
