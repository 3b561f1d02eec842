"""Fill a tenant with the sample airline: the same one for the same seed and day."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from ops.seed.booking import CUSTOMERS_COUNT, RESERVATIONS_COUNT, Booker
from ops.seed.network import AIRPORTS, DailyFlight, lay_out_flights
from ops.seed.samples import SAMPLE_FARES, SAMPLES
from ops.seed.tables import Leg, SampleAirline, load

if TYPE_CHECKING:
    from datetime import date

    import psycopg

    from ops.seed.booking import Prices

DAYS_BACK = 2
DAYS_AHEAD = 30
PLACES = {"basic_economy": 30, "economy": 126, "business": 24}
"""In each cabin of every aircraft."""

_TIMES_ECONOMY = {"basic_economy": 0.8, "economy": 1.0, "business": 2.6}
_DELAY_MINUTES = 95
_LEFT_FOR_SAMPLES = 9  # on a sample's flights and on the same ones a day later: room for trying a change


@dataclass(frozen=True, slots=True)
class SeedCounts:
    """How many rows were added; all zero when the tenant had flights already."""

    flights: int = 0
    flight_dates: int = 0
    customers: int = 0
    reservations: int = 0
    seats: int = 0


def seed_airline(connection: psycopg.Connection[Any], tenant: str, today: date, seed: int = 1) -> SeedCounts:
    """Fill an existing tenant with the sample airline, all of it or nothing; do nothing when it has flights already.

    Flights run from `DAYS_BACK` days before `today` to `DAYS_AHEAD` after it.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('fte.tenant', %s, true)", [tenant])
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('fte seed ' || %s))", [tenant])
        cursor.execute("SELECT FROM flight WHERE tenant_id = %s LIMIT 1", [tenant])
        if cursor.fetchone() is not None:
            return SeedCounts()
        airline = make_airline(today, seed)
        load(cursor, tenant, airline)
    return SeedCounts(
        flights=len(airline.flight),
        flight_dates=len(airline.flight_date),
        customers=len(airline.customer),
        reservations=len(airline.reservation),
        seats=len(airline.seat),
    )


def make_airline(today: date, seed: int = 1) -> SampleAirline:
    """Make every row of the sample airline; the same rows for the same arguments."""
    random = Random(seed)  # noqa: S311 - sample data, not secrets
    airline = SampleAirline(airport=[(a.code, a.city, a.time_zone) for a in AIRPORTS])
    flights = lay_out_flights(random)
    airline.flight = [
        (f.number, f.origin, f.destination, f.departs_at, f.arrives_at, f.arrives_days_later) for f in flights
    ]
    prices = _schedule(airline, flights, today, random)
    booker = Booker(airline, prices, today, random)
    for sample in SAMPLES:
        booker.book_sample(sample)
    booker.add_customers(CUSTOMERS_COUNT - len(airline.customer))
    while len(airline.reservation) < RESERVATIONS_COUNT:
        booker.book_any(flights)
    _sell_the_rest(airline, prices, booker.places, today, random)
    return airline


def _schedule(airline: SampleAirline, flights: list[DailyFlight], today: date, random: Random) -> Prices:
    """Schedule the flights for every day, and price their cabins."""
    fixed = dict.fromkeys(_legs_of_samples(today), "available")
    fixed |= {
        (leg.flight_number, today + timedelta(days=leg.days_ahead)): leg.status
        for sample in SAMPLES
        for leg in sample.flights
    }
    prices = {}
    for flight in flights:
        base_usd = 60 + flight.minutes * 2 // 3
        for ahead in range(-DAYS_BACK, DAYS_AHEAD + 1):
            day = today + timedelta(days=ahead)
            drawn = _status(ahead, random)
            status = fixed.get((flight.number, day), drawn)
            delay_minutes = _DELAY_MINUTES if status == "delayed" else None
            airline.flight_date.append((flight.number, day, status, delay_minutes))
            for cabin, times in _TIMES_ECONOMY.items():
                prices[flight.number, day, cabin] = round(base_usd * times * random.uniform(0.85, 1.4))
    return prices


def _status(days_ahead: int, random: Random) -> str:
    draw = random.random()
    if days_ahead < 0:
        return "cancelled" if draw < 0.02 else "landed"  # noqa: PLR2004 - shares
    if days_ahead == 0:
        return "delayed" if draw < 0.15 else "on_time"  # noqa: PLR2004 - shares
    return "cancelled" if draw < 0.01 else "available"  # noqa: PLR2004 - shares


def _legs_of_samples(today: date) -> set[Leg]:
    """Return the samples' flights that are still ahead, and the same flights a day later."""
    return {
        (leg.flight_number, today + timedelta(days=leg.days_ahead + later))
        for sample in SAMPLES
        for leg in sample.flights
        for later in (0, 1)
        if leg.days_ahead + later > 0
    }


def _sell_the_rest(
    airline: SampleAirline, prices: Prices, booked: Counter[tuple[str, date, str]], today: date, random: Random
) -> None:
    """Set how many places are left: strangers have a share of those that the bookings leave."""
    roomy = _legs_of_samples(today)
    named: dict[tuple[str, date, str], int] = {
        (fare.flight_number, today + timedelta(days=fare.days_ahead), fare.cabin): fare.seats_left
        for fare in SAMPLE_FARES
    }
    for place, price_usd in prices.items():
        flight_number, day, cabin = place
        free = PLACES[cabin] - booked[place]
        left = 0 if random.random() < 0.05 else random.randrange(free + 1)  # noqa: PLR2004 - one in twenty is full
        if (flight_number, day) in roomy:
            left = max(left, min(free, _LEFT_FOR_SAMPLES))
        airline.fare.append((flight_number, day, cabin, named.get(place, left), price_usd))
