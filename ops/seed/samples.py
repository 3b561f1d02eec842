"""The sample bookings with fixed confirmation numbers, one for each situation worth trying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SampleFlight:
    """One flight of a sample: its number, how many days after the day of seeding, and the passengers' seats."""

    flight_number: str
    days_ahead: int
    seats: tuple[str | None, ...]
    status: Literal["available", "on_time", "delayed", "landed", "cancelled"] = "available"


@dataclass(frozen=True, slots=True)
class SampleMethod:
    """A payment method of a sample's customer besides the card: its balance, and the part of the fare paid with it."""

    kind: Literal["gift_card", "certificate"]
    balance_usd: int
    paid_usd: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample booking; the first passenger is the customer, unless it is the customer of an earlier sample."""

    confirmation_number: str
    passengers: tuple[tuple[str, str], ...]
    flights: tuple[SampleFlight, ...]
    shows: str
    cabin: Literal["basic_economy", "economy", "business"] = "economy"
    membership: Literal["regular", "silver", "gold"] = "regular"
    insured: bool = False
    booked_days_ago: int = 20
    cancelled: bool = False
    checked_bags: int = 0
    methods: tuple[SampleMethod, ...] = ()
    customer_of: str | None = None
    trip_type: Literal["one_way", "round_trip"] | None = None  # by the number of flights, unless said

    @property
    def one_way(self) -> bool:
        """Check whether the trip is one way."""
        return self.trip_type == "one_way" if self.trip_type else len(self.flights) == 1


@dataclass(frozen=True, slots=True)
class SampleFare:
    """How many seats are left in a cabin of a flight, so many days after the day of seeding."""

    flight_number: str
    days_ahead: int
    cabin: Literal["basic_economy", "economy", "business"]
    seats_left: int


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
    Sample(
        "C0NN3C",
        (("Ines", "Duarte"),),
        (SampleFlight("LF102", 11, ("12A",)), SampleFlight("LF187", 11, ("12A",))),
        "one way from Boston to Las Vegas with a stop in Chicago",
        trip_type="one_way",
    ),
    Sample(
        "H4LFWY",
        (("Tariq", "Mansour"),),
        (SampleFlight("LF146", -1, ("8D",), "landed"), SampleFlight("LF147", 6, ("8D",))),
        "the way out is flown, so the way back may change, and nothing can be cancelled",
        insured=True,
    ),
    Sample(
        "F1VEP5",
        (("Rosa", "Vidal"), ("Jon", "Vidal"), ("Eva", "Vidal"), ("Leo", "Vidal"), ("Ana", "Vidal")),
        (SampleFlight("LF154", 9, ("20A", "20B", "20C", "20D", "20E")),),
        "five passengers, as many as a booking may have; silver member",
        membership="silver",
    ),
    Sample(
        "G1FT50",
        (("Nadia", "Kowalczyk"),),
        (SampleFlight("LF126", 7, ("17F",)),),
        "paid with a card and a gift card that has $50 left; a certificate of $150 unused",
        methods=(SampleMethod("gift_card", 50, paid_usd=40), SampleMethod("certificate", 150)),
        checked_bags=1,
    ),
    Sample(
        "S1CK4U",
        (("Helen", "Marsh"),),
        (SampleFlight("LF106", 13, ("22C",)), SampleFlight("LF107", 17, ("22C",))),
        "insured, so it can be cancelled for health or weather",
        insured=True,
    ),
    Sample(
        "B1ZFLX",
        (("Victor", "Almeida"),),
        (SampleFlight("LF172", 10, ("3C",)),),
        "business, regular member: can be cancelled for any reason; two bags free",
        cabin="business",
    ),
    Sample(
        "M1SP3L",
        (("Jonh", "Carter"), ("Amy", "Carter")),
        (SampleFlight("LF180", 15, ("24A", "24B")),),
        "a given name misspelled",
    ),
    Sample(
        "TW1N01",
        (("Freya", "Nilsen"),),
        (SampleFlight("LF188", 8, ("10F",)),),
        "the first of two bookings of a gold member in basic economy",
        cabin="basic_economy",
        membership="gold",
    ),
    Sample(
        "TW1N02",
        (("Freya", "Nilsen"), ("Odd", "Nilsen")),
        (SampleFlight("LF189", 18, ("10F", "10E")),),
        "the second booking of the customer of TW1N01",
        membership="gold",
        customer_of="TW1N01",
    ),
    Sample(
        "LATE2D",
        (("Bruno", "Teixeira"), ("Clara", "Teixeira")),
        (SampleFlight("LF136", 1, ("25A", "25B"), "delayed"),),
        "a delayed flight, silver member: compensation after a change or cancellation",
        membership="silver",
    ),
    Sample(
        "B1ZC4N",
        (("Anjali", "Menon"),),
        (SampleFlight("LF196", 3, ("4A",), "cancelled"), SampleFlight("LF197", 10, ("4A",))),
        "business, the way out cancelled by the airline: refund in full, or another flight, and compensation",
        cabin="business",
    ),
)
"""Names and numbers are made up. Every number holds a digit and none reads like a flight's."""

SAMPLE_FARES: tuple[SampleFare, ...] = (
    SampleFare("LF118", 6, "economy", 1),  # the flight of DEMO42 a day later: the last seat
    SampleFare("LF118", 7, "economy", 0),  # and two days later: sold out
    SampleFare("LF122", 5, "economy", 9),  # the same route and day as DEMO42, earlier
    SampleFare("LF122", 5, "business", 9),
)
"""Everywhere else on a sample's flights, and on the same ones a day later, there is room."""
