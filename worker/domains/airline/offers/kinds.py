"""Name every kind of offer and what works it out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from worker.domains.airline.offers.bags import offer_bags
from worker.domains.airline.offers.cabins import offer_cabin
from worker.domains.airline.offers.cancellation import offer_cancellation
from worker.domains.airline.offers.compensation import offer_compensation
from worker.domains.airline.offers.flights import offer_flights
from worker.domains.airline.offers.passengers import offer_correction
from worker.domains.airline.offers.seats import offer_seat

if TYPE_CHECKING:
    from worker.domains.airline.offers.offer import Propose

PROPOSE: Mapping[str, Propose] = MappingProxyType(
    {
        "seat_change": offer_seat,
        "flight_change": offer_flights,
        "cancellation": offer_cancellation,
        "bags": offer_bags,
        "passenger_correction": offer_correction,
        "cabin_change": offer_cabin,
        "compensation": offer_compensation,
    }
)
