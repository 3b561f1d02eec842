"""List the sample bookings with fixed confirmation numbers, one for each situation worth trying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SampleFlight:
    """Hold one flight of a sample: its number, how many days after the day of seeding, and the passengers' seats."""

    flight_number: str
    days_ahead: int
    seats: tuple[str | None, ...]
    status: Literal["available", "on_time", "delayed", "landed", "cancelled"] = "available"


@dataclass(frozen=True, slots=True)
class Sample:
    """Hold one sample booking; the first passenger is the customer."""

    confirmation_number: str
    passengers: tuple[tuple[str, str], ...]
    flights: tuple[SampleFlight, ...]
    shows: str
    cabin: Literal["basic_economy", "economy", "business"] = "economy"
    membership: Literal["regular", "silver", "gold"] = "regular"
    insured: bool = False
    booked_days_ago: int = 20
    cancelled: bool = False


SAMPLES: tuple[Sample, ...] = (
    Sample("DEMO42", (("Ada", "Okafor"),), (SampleFlight("LF118", 5, ("14C",)),), "a seat change"),
    Sample(
        "H7KQ2M",
        (("Miguel", "Santos"),),
        (SampleFlight("LF204", 3, ("2A",)), SampleFlight("LF205", 9, ("2A",))),
        "a round trip in business, gold member, premium seats paid",
        cabin="business",
        membership="gold",
    ),
    Sample(
        "B3TX9L",
        (("Priya", "Raman"),),
        (SampleFlight("LF131", 8, ("27E",)),),
        "basic economy: the seat may change, the flight may not",
        cabin="basic_economy",
    ),
    Sample(
        "F4MLY5",
        (("Grace", "Lindholm"), ("Oskar", "Lindholm"), ("Mia", "Lindholm"), ("Noa", "Lindholm")),
        (
            SampleFlight("LF150", 14, ("18A", "18B", "18C", "18D")),
            SampleFlight("LF151", 21, ("19A", "19B", "19C", "19D")),
        ),
        "a family of four with one surname",
        insured=True,
    ),
    Sample(
        "Z0EL7A",
        (("Zoë", "Lindqvist-Åkerman"),),
        (SampleFlight("LF118", 5, ("9F",)),),
        "a surname with accents and a hyphen, on the flight of DEMO42",
        membership="silver",
    ),
    Sample("N0S3AT", (("Tom", "Becker"),), (SampleFlight("LF162", 6, (None,)),), "no seat assigned yet"),
    Sample("2G5D6H", (("Erik", "Ericsson"),), (SampleFlight("LF177", 4, ("11B",)),), "a middle seat nobody likes"),
    Sample(
        "D3LAY1",
        (("Hana", "Suzuki"),),
        (SampleFlight("LF190", 1, ("21D",), "delayed"),),
        "a delayed flight, insured",
        insured=True,
    ),
    Sample(
        "C4NC3L",
        (("Owen", "Price"),),
        (SampleFlight("LF191", 2, ("16A",), "cancelled"),),
        "a flight that the airline has cancelled, silver member",
        membership="silver",
    ),
    Sample("L4ND3D", (("Leila", "Haddad"),), (SampleFlight("LF133", -2, ("6C",), "landed"),), "a flight already flown"),
    Sample(
        "VO1D77",
        (("Marcus", "Webb"),),
        (SampleFlight("LF140", 10, (None,)),),
        "a booking already cancelled",
        cancelled=True,
    ),
    Sample(
        "N3W24H",
        (("Sofia", "Rossi"), ("Luca", "Rossi")),
        (SampleFlight("LF212", 12, ("23E", "23F")),),
        "booked on the day of seeding, so within the 24 hours",
        booked_days_ago=0,
    ),
)
"""Names and numbers are made up. Every number holds a digit and none reads like a flight's."""
