"""Tell whether the answer to an offer asks for another one: another seat, day, number of bags, way to pay."""

from __future__ import annotations

from worker.domains.airline.local.amending import PAID_KINDS, wants_other_payment
from worker.domains.airline.local.answers import WISH_OF_KIND
from worker.domains.airline.local.reading.counts import count_bags
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.options import is_choosing
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.wishes import find_wish
from worker.domains.airline.local.seating import ELSEWHERE
from worker.domains.airline.local.situation import Situation


def wants_another(situation: Situation, kind: str) -> bool:
    """Check whether the newest message wishes something else than what is offered, of the same kind or another."""
    message = situation.message
    wish = find_wish(message)
    if wish is not None and wish != WISH_OF_KIND.get(kind) and kind != "flight_change":
        return True
    if kind == "flight_change" and not wants_other_payment(message):
        today = situation.facts.today
        return is_choosing(message) or (today and find_day(message, today)) is not None
    if kind in PAID_KINDS and wants_other_payment(message):
        return True
    if kind == "bags":
        return count_bags(message, asked=True) is not None
    names_a_seat = bool(find_seat(message) or find_preference(message))
    return names_a_seat or (kind == "seat_change" and ELSEWHERE.search(message) is not None)
