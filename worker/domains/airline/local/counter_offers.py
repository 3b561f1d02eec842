"""Tell whether the answer to an offer asks for another one: another seat, day, number of bags, way to pay."""

from __future__ import annotations

from datetime import date

from worker.domains.airline.local.amending import PAID_KINDS, wants_other_payment
from worker.domains.airline.local.answers import agrees_on_condition, is_of_offer
from worker.domains.airline.local.journeys import journeys_of, leg_meant
from worker.domains.airline.local.reading.counts import count_bags
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.options import is_choosing
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.travellers import travellers_in
from worker.domains.airline.local.reading.wishes import WEAK, find_wish
from worker.domains.airline.local.seating import ELSEWHERE, passengers_of
from worker.domains.airline.local.situation import Situation
from worker.domains.airline.local.verifying import find_reservation


def wants_another(situation: Situation, kind: str) -> bool:
    """Check whether the newest message wishes something else than what is offered, of the same kind or another."""
    message = situation.message
    wish = find_wish(message)
    is_of_it = is_of_offer(wish, kind) or (wish in WEAK and agrees_on_condition(message))
    if not is_of_it and kind != "flight_change":
        return True
    if kind == "flight_change" and not wants_other_payment(message):
        return is_choosing(message) or _names_a_day(message, situation.facts.today)
    if kind in PAID_KINDS and wants_other_payment(message):
        return True
    if kind == "bags":
        return count_bags(message, asked=True) is not None
    names_a_seat = bool(find_seat(message) or find_preference(message))
    return names_a_seat or (kind == "seat_change" and _wants_other_seat(situation))


def _names_a_day(message: str, today: date | None) -> bool:
    """Check whether a message names a day, by itself or from the one that is offered: "and the day after?"."""
    if today is None:
        return False
    return find_day(message, today) is not None or find_day(message, today, today) not in {None, today}


def _wants_other_seat(situation: Situation) -> bool:
    """Check whether the answer to an offer of a seat wants it elsewhere, or for somebody else of the booking."""
    others = travellers_in(situation.message, passengers_of(situation), situation.facts.passenger_name)
    reservation = find_reservation(situation)
    leg = leg_meant(journeys_of(reservation), situation.message) if reservation else None
    return bool(others) or leg is not None or ELSEWHERE.search(situation.message) is not None
