"""Decide about checked bags: how many are free, and what more of them cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.domains.airline.rules.flights import check_booked, first_departure

if TYPE_CHECKING:
    from datetime import datetime

    from worker.domains.airline.records.backend import Cabin, Membership, Reservation

EXTRA_BAG_USD = 50
BAGS_PER_PASSENGER_MAX = 10
"""Checked bags that we book for one passenger; with more, somebody is moving house and a person should know."""

FREE_BAGS: dict[Membership, dict[Cabin, int]] = {
    "regular": {"basic_economy": 0, "economy": 1, "business": 2},
    "silver": {"basic_economy": 1, "economy": 2, "business": 3},
    "gold": {"basic_economy": 2, "economy": 3, "business": 4},
}
"""Free checked bags of each passenger."""


def free_bags(reservation: Reservation) -> int:
    """Return how many checked bags of a booking are free, for all its passengers together."""
    return FREE_BAGS[reservation.customer.membership][reservation.cabin] * len(reservation.passengers)


def price_of_bags(reservation: Reservation, additional_bags: int) -> int:
    """Return what more checked bags cost: only those beyond the free ones, and none that is paid for already."""
    free = free_bags(reservation)
    before = reservation.checked_bags
    return EXTRA_BAG_USD * (max(0, before + additional_bags - free) - max(0, before - free))


def check_bags(reservation: Reservation, additional_bags: int, now: datetime) -> Refusal | None:
    """Return why bags cannot be added: a cancelled booking, no flight ahead, fewer instead of more, or too many."""
    cancelled = check_booked(reservation)
    if cancelled:
        return cancelled
    if first_departure(reservation, now) is None:
        return Refusal("flight_departed", "No flight of this booking is still ahead, so no bag can be added to it.")
    if additional_bags < 1:
        return Refusal("bags_never_removed", "Checked bags can be added to a booking, but not removed from it.")
    bags_max = BAGS_PER_PASSENGER_MAX * len(reservation.passengers)
    if reservation.checked_bags + additional_bags > bags_max:
        return Refusal(
            "too_many_bags", f"I can book up to {bags_max} checked bags on this booking; for more, a colleague helps."
        )
    return None
