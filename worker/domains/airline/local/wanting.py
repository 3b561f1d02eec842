"""Tell what a customer wants of their booking now: by their words, else by what the airline said last."""

from __future__ import annotations

import re

from worker.domains.airline.local import offers
from worker.domains.airline.local.amending import corrects_a_name
from worker.domains.airline.local.answers import WISH_OF_KIND
from worker.domains.airline.local.asking import is_facet
from worker.domains.airline.local.counter_offers import wants_another
from worker.domains.airline.local.reading.clauses import wish_text
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.options import is_choosing
from worker.domains.airline.local.reading.places import Route, find_route
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.wishes import OpenWish, open_wish, speaks_of_new
from worker.domains.airline.local.situation import Situation
from worker.domains.airline.local.verifying import find_reservation


def fulfilled(situation: Situation) -> tuple[tuple[str, int], ...]:
    """Return the kinds of changes that are made or turned down, each with the number of messages up to its answer."""
    made = [
        (str(done.output.get("kind", "seat_change")), done.turn + 1)
        for done in situation.done_before
        if done.name == "confirm_quote" and done.is_ok
    ]
    return (*made, *((kind, said + 1) for kind, said in situation.turned_down))


def wish_of(situation: Situation) -> OpenWish | None:
    """Return what is wanted now, and from which message on it is spoken of; None where nothing tells."""
    newest = len(situation.customer_texts) - 1
    if offers.GO_ON_WITH_SEAT.search(situation.last_reply) and situation.facts.agrees:
        return OpenWish("seat_change", newest)
    found = open_wish(situation.customer_texts, fulfilled(situation))
    is_older = found is None or found.wish == "new_booking" or (found.since < newest and found.wish != "change_flight")
    if chooses_flight(situation) and is_older:
        return OpenWish("change_flight", _since(situation, "search_flights"))
    if found is not None:
        is_change = found.wish == "new_booking" and _is_about_open_booking(situation)
        return OpenWish("change_flight", found.since) if is_change else found
    if find_seat(situation.message) or find_preference(situation.message):
        return OpenWish("seat_change", newest)
    if _only_names_a_day(situation):
        return OpenWish("change_flight", newest)
    return _wish_implied(situation)


def _is_about_open_booking(situation: Situation) -> bool:
    """Check whether flights are asked for beside a booking, and neither a new one nor a route: "show me flights"."""
    message = situation.message
    is_of_one = situation.facts.verified or situation.reading.confirmation_number is not None
    return is_of_one and not speaks_of_new(message) and find_route(message) == Route()


def takes_up_next(situation: Situation) -> bool:
    """Check whether a message takes up the wish that the last reply would go on with: "and the bag?"."""
    offered = offers.GO_ON_WITH.search(situation.last_reply)
    words = re.findall(r"\w+", situation.message.lower())
    return (
        offered is not None and len(words) <= _GOING_ON_WORDS_MAX and any(map(offered["what"].startswith, words[-1:]))
    )


_GOING_ON_WORDS_MAX = 4


def chooses_flight(situation: Situation) -> bool:
    """Check whether a message picks one of the flights that were listed: "which of these is direct?"."""
    reading = situation.reading
    message = situation.message
    asks_else = (reading.policy_questions and not _OF_THE_LISTED.search(message)) or reading.own_questions
    picks = is_choosing(message) or reading.flight_number is not None
    return _is_listing_open(situation) and picks and not asks_else


def asks_price_of_listed(situation: Situation) -> bool:
    """Check whether a message asks what the listed prices mean, and picks no flight: "is that per person?"."""
    message = situation.message
    asks_price = _OF_THE_PRICES.search(message) or (is_facet(message) and _HOW_MUCH.search(message))
    return offers.ASK_WHICH in situation.last_reply and bool(asks_price) and not chooses_flight(situation)


def _is_listing_open(situation: Situation) -> bool:
    """Check whether the customer still chooses from listed flights; one answer to a question may stand between."""
    replies = [line.text for line in situation.lines if line.speaker == "airline"][-_LISTING_REPLIES_MAX:]
    return situation.open_offer is None and any(offers.ASK_WHICH in reply for reply in replies)


_LISTING_REPLIES_MAX = 2
"""Replies, the one with the list among them, within which flights are chosen from it."""
_OF_THE_LISTED = re.compile(
    r"\b(?:of (?:these|those|them)|(?:which|what) (?:one|option|flight)s?|(?:is|are) there any|anything|"
    r"the (?:first|second|third|last|cheap\w+|earl\w+|lat\w+|direct) (?:one|option|flight)|"
    r"(?:what|which)(?:'?s| is| one is)? (?:the )?(?:cheap\w+|fast\w+|quick\w+|short\w+|soon\w+|earl\w+|lat\w+|direct|"
    r"non-?stop)(?=\W*$)|what (?:do|would|can) you (?:recommend|suggest|pick|take))\b",
    re.IGNORECASE,
)
_OF_THE_PRICES = re.compile(
    r"\b(?:(?:these|those|the|your) (?:prices?|fares?|amounts?)|in total|altogether|all in|fees? on top|"
    r"per (?:person|passenger|head))\b",
    re.IGNORECASE,
)
_HOW_MUCH = re.compile(r"\b(?:how much|costs?|price|fee|charge|extra)\b", re.IGNORECASE)


def _wish_implied(situation: Situation) -> OpenWish | None:
    """Return what a message wants that names no wish: another of what is offered, or a name spelled otherwise."""
    offer = situation.open_offer
    kind = WISH_OF_KIND.get(offer.kind) if offer is not None else None
    if offer is not None and kind is not None and wants_another(situation, offer.kind):
        return OpenWish(kind, _since(situation, "quote_"))
    reservation = find_reservation(situation)
    if reservation is not None and corrects_a_name(situation.message, reservation):
        return OpenWish("name", len(situation.customer_texts) - 1)
    return None


def _since(situation: Situation, tool: str) -> int:
    """Return the place of the message that a tool was called for last; the newest one's where none was."""
    called = [done.turn for done in situation.done_before if done.name.startswith(tool)]
    return max(called[-1] - 1, 0) if called else len(situation.customer_texts) - 1


def _only_names_a_day(situation: Situation) -> bool:
    """Check whether a message names a day and nothing else that could be meant: "not Friday, Thursday please"."""
    reading, today = situation.reading, situation.facts.today
    if today is None or reading.own_questions or reading.policy_questions:
        return False
    return find_day(wish_text(situation.message), today, today) is not None
