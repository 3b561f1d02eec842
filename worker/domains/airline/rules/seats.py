"""Decide about seats: the map, what a seat costs, which ones to offer, and whether one may be had."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from worker.conversation.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from worker.domains.airline.records.backend import SeatTaken

SeatKind = Literal["window", "aisle", "middle"]
SeatPreference = Literal["window", "aisle", "middle", "any"]

ROWS = range(1, 31)
PREMIUM_ROWS = range(1, 6)
PREMIUM_PRICE_USD = 35
SEAT_KINDS: dict[str, SeatKind] = {
    "A": "window", "B": "middle", "C": "aisle", "D": "aisle", "E": "middle", "F": "window"
}  # fmt: skip
SEATS_OFFERED_MAX = 6
PREMIUM_SEATS_OFFERED = 2

_SEAT = re.compile(r"0?([1-9]|[12][0-9]|30)([A-F])")


@dataclass(frozen=True, slots=True)
class Seat:
    """One place on the map; the same on every aircraft of the fleet."""

    number: str
    row: int
    kind: SeatKind

    @property
    def is_premium(self) -> bool:
        """Check whether it is in the rows that cost extra."""
        return self.row in PREMIUM_ROWS

    @property
    def price_usd(self) -> int:
        """Return what the seat costs on top of the fare."""
        return PREMIUM_PRICE_USD if self.is_premium else 0


SEAT_MAP: tuple[Seat, ...] = tuple(
    Seat(f"{row}{letter}", row, kind) for row in ROWS for letter, kind in SEAT_KINDS.items()
)
_SEATS = {seat.number: seat for seat in SEAT_MAP}


def read_seat(text: str) -> Seat | None:
    """Read a seat number as customers write it (`12a`, `12 A`, `07C`); None when it is not on the map."""
    match = _SEAT.fullmatch(re.sub(r"[\s-]", "", text).upper())
    return _SEATS[match[1] + match[2]] if match else None


def due_for(seat: Seat, current: SeatTaken | None) -> int:
    """Return what a passenger pays to sit there: what the seat costs beyond what was paid for the present one.

    Nothing is paid back for a cheaper seat.
    """
    return max(0, seat.price_usd - (current.price_usd if current else 0))


def choose_seats(taken: Iterable[str], preference: SeatPreference) -> list[Seat]:
    """Choose which free seats to offer: at most `SEATS_OFFERED_MAX`, those without a charge first, front to back.

    A couple of premium ones are among them while there are any: a customer who would pay for one should hear of it.
    """
    gone = frozenset(taken)
    free = [seat for seat in SEAT_MAP if seat.number not in gone and preference in {"any", seat.kind}]
    standard = [seat for seat in free if not seat.is_premium]
    premium = [seat for seat in free if seat.is_premium]
    kept_for_premium = min(PREMIUM_SEATS_OFFERED, len(premium))
    offered = standard[: SEATS_OFFERED_MAX - kept_for_premium]
    return offered + premium[: SEATS_OFFERED_MAX - len(offered)]


def check_seat(seat_number: str, taken: Iterable[str], current: SeatTaken | None) -> Seat | Refusal:
    """Check whether a passenger may have this seat: on the map, nobody's, and another than the present one."""
    seat = read_seat(seat_number)
    if seat is None:
        return Refusal("no_such_seat", f"There is no seat {seat_number[:8]}. Seats run from 1A to 30F.")
    if current is not None and current.seat_number == seat.number:
        return Refusal("already_yours", f"Seat {seat.number} is already assigned to this passenger.", counts=False)
    if seat.number in frozenset(taken):
        return Refusal("seat_taken", f"Seat {seat.number} is already taken. Would you like another seat?")
    return seat
