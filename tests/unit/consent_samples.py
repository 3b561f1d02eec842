"""Offers of every kind, and messages that agree to them or do not, from the two tables beside this file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from worker.domains.airline.rules.consent import A_PERSON, Offered
from worker.domains.airline.rules.terms import terms_of

_ADA = frozenset({"Ada Okafor"})
OFFERS = {
    "seat": Offered(
        "seat_change",
        "Move Ada Okafor from 14C to window seat 12A on flight LF118 on 2026-03-07 at no extra charge",
        terms_of("12A"),
        _ADA,
    ),
    "premium": Offered(
        "seat_change",
        "Move Ada Okafor to premium window seat 3A on flight LF118 on 2026-03-07 for $35 extra, charged to the card "
        "ending in 4242",
        terms_of("3A"),
        _ADA,
    ),
    "flights": Offered(
        "flight_change",
        "Change LF118 on 2026-03-07 to LF120, departing 2026-03-08 09:05, arriving 2026-03-08 12:20 in economy for 2 "
        "passengers for $70 extra, charged to the card ending in 4242; seats on the old flights are given up",
        terms_of("LF120, departing 2026-03-08 09:05, arriving 2026-03-08 12:20"),
        _ADA,
    ),
    "cancel": Offered(
        "cancellation",
        "Cancel the whole booking, LF118 on 2026-03-07 for Ada Okafor, with a refund of $800 within 5 to 7 days to the "
        "original payment, the card ending in 4242",
        names=_ADA,
    ),
    "round trip": Offered(
        "cancellation",
        "Cancel the whole booking, LF118 on 2026-03-07 and LF119 on 2026-03-09 for Ada Okafor and Ben Okafor, without "
        "a refund",
        names=_ADA,
    ),
    "bags": Offered(
        "bags",
        "Add 2 checked bags to the booking, 3 in all, for $100 extra, charged to the gift card with $150 on it",
        terms_of("2 bags"),
        _ADA,
    ),
    "name": Offered(
        "passenger_correction",
        "Correct the name of the passenger Ada Okafor to Ada Okafoor at no extra charge",
        frozenset({"name ada okafoor"}),
        _ADA,
    ),
    "cabin": Offered(
        "cabin_change",
        "Move the booking from economy to business for 2 passengers on all flights for $600 extra, charged to the card "
        "ending in 4242",
        terms_of("business"),
        _ADA,
    ),
    "certificate": Offered(
        "compensation",
        "Give Ada Okafor a certificate of $200 for the cancelled flight",
        frozenset({"certificate"}),
        _ADA,
    ),
    "person": replace(A_PERSON, names=_ADA),
}
PLACEHOLDERS = frozenset({"[CONFIRMATION_NUMBER_1]", "[PHONE_1]"})


def read_samples(file: str) -> list[tuple[str, str]]:
    """Give a table's rows: the name of an offer, or `any`, and the message."""
    lines = (Path(__file__).parent / file).read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(name, "" if text == "(empty)" else text.replace("\\n", "\n")) for name, text in rows]


YES = read_samples("consent_yes.txt")
NO = read_samples("consent_no.txt")


def offers_named(name: str) -> list[Offered]:
    """Give the offers that a row is about."""
    return list(OFFERS.values()) if name == "any" else [OFFERS[name]]
