"""Decide as the Booking Agent: verify, read, offer, and change only after a yes."""

from __future__ import annotations

import re
from typing import Any

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.amending import amend, ask_for_payment, is_for_tool
from worker.domains.airline.local.answers import AFTER_ALL, KEEP, WISH_OF_KIND, accepts_person, answer_offer
from worker.domains.airline.local.asking import FOUND_MIN, is_facet
from worker.domains.airline.local.beside import asks_about_own, next_question, with_answers
from worker.domains.airline.local.counter_offers import wants_another
from worker.domains.airline.local.details import Details, collect_details
from worker.domains.airline.local.escalation import ONLY_A_STEP, REFUSALS_MAX
from worker.domains.airline.local.lookups import asks_before_booking, results_of
from worker.domains.airline.local.lookups import look_up as look_up_articles
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.intent import calls_for_person, flatten, urgent_cue
from worker.domains.airline.local.reading.names import find_name
from worker.domains.airline.local.reading.own_questions import asks_what_if
from worker.domains.airline.local.reading.places import asks_where_we_fly
from worker.domains.airline.local.reading.seats import find_preference, find_seat
from worker.domains.airline.local.reading.slots import (
    find_confirmation_number,
    find_confirmation_numbers,
    pick_by_ordinal,
    says_no_code,
)
from worker.domains.airline.local.reading.wishes import SEAT_WISHES, OpenWish, Wish, find_wish, open_wish
from worker.domains.airline.local.rebooking import (
    look_for_place,
    offer_flights,
    search_trip,
    status_of_flight,
    trip_wanted,
    work_on_flights,
)
from worker.domains.airline.local.seating import next_move, offer_seat, work_on_seat
from worker.domains.airline.local.situation import LEFT_AS_IT_WAS, FinishedCall, Situation
from worker.domains.airline.local.smalltalk import answer_smalltalk, is_smalltalk
from worker.domains.airline.local.verifying import (
    TO_TRIAGE,
    after_lookup_refused,
    find_reservation,
    is_verified,
    lacks_code,
    look_up,
    offer_person,
    untried_name,
    verify,
)
from worker.domains.airline.local.wanting import asks_price_of_listed, chooses_flight, fulfilled, takes_up_next, wish_of
from worker.models.output import Call, Say, Step

_SURE = 0.6
_SHORT_WORDS_MAX = 2
_HANDOFFS_BEFORE_LOOKUP_MAX = 1
"""A turn that came over two agents already skips reading a booking it can do nothing about: six calls must do."""

_ASKS_PRICE = re.compile(r"\b(?:how much|costs?|price|fee|charge|pay|free|extra|expensive)\b", re.IGNORECASE)
_LOOKUPS = frozenset({"look_up_reservation", "find_my_reservations"})


def decide(situation: Situation) -> Step:
    """Choose the next step; what is said takes along what else the message asks, so that no clause is dropped."""
    step = _decide(situation)
    return with_answers(situation, step) if isinstance(step, Say) else step


def _decide(situation: Situation) -> Step:
    latest = situation.latest
    if latest is not None:
        return _go_on(situation, latest) if latest.is_ok else _after_refusal(situation, latest)
    sent_here = "transfer_to_booking_agent" in situation.handoffs_made
    if asks_price_of_listed(situation):
        return Say(offers.explain_prices())
    step = _answer_offer(situation) or (None if sent_here else _leave(situation))
    return step or _work(situation)


def _go_on(situation: Situation, latest: FinishedCall) -> Step:
    """Go on after what a tool did."""
    if latest.name == "confirm_quote":
        return Say(_confirm(situation, latest))
    if latest.name == "faq_lookup" and (step := _answer_offer(situation)) is not None:
        return step
    if latest.name.startswith("quote_"):
        quote = _object(latest.output.get("quote"))
        return Say(phrases.tell_what_if(quote) if _only_asks(situation) else phrases.offer_quote(quote))
    if latest.name == "find_free_seats":
        return offer_seat(situation, latest)
    if latest.name == "flight_status":
        return Say(offers.tell_status(_object(latest.output.get("flight"))))
    return _offer_flights(situation, latest) if latest.name == "search_flights" else _work(situation)


def _only_asks(situation: Situation) -> bool:
    """Check whether the customer asked what the change would come to, and has not wished it since."""
    spoken = [text for text in situation.customer_texts if find_wish(text) is not None]
    chose = offers.ASK_WHICH in situation.last_reply
    return bool(spoken) and asks_what_if(spoken[-1]) and not chose


def _offer_flights(situation: Situation, latest: FinishedCall) -> Step:
    found = wish_of(situation)
    changes = found is not None and found.wish == "change_flight"
    return offer_flights(
        situation, latest, find_reservation(situation) if changes else None, found.since if found else 0
    )


def _confirm(situation: Situation, latest: FinishedCall) -> str:
    """Tell what was done, and lead to the wish that is still open."""
    done = offers.confirm(latest.output)
    kind = str(latest.output.get("kind", ""))
    move = next_move(situation) if kind == "seat_change" else None
    if move is not None:
        return f"{done} {offers.go_on_with(move.passenger, move.seat)}"
    turn = len(situation.customer_texts) + 1
    left = open_wish(situation.customer_texts, (*fulfilled(situation), (kind, turn))) if kind else None
    if left is not None and left.wish in offers.NAMES_OF_WISHES and left.wish != WISH_OF_KIND.get(kind):
        return f"{done} Shall I go on with {offers.NAMES_OF_WISHES[left.wish]}?"
    return f"{done} {phrases.ANYTHING_ELSE}"


def _after_refusal(situation: Situation, latest: FinishedCall) -> Step:
    message = str(latest.output.get("message", ""))
    code = latest.output.get("refusal")
    if latest.name in _LOOKUPS:
        return after_lookup_refused(situation, latest, collect_details(situation))
    if latest.name == "confirm_quote" and code == "not_yet_confirmed":
        return Say(message)
    if code == "answer_unclear":
        return Say(phrases.hand_over_unclear(latest.output))
    if code in ONLY_A_STEP:
        place = asks_where_we_fly(situation.message) if code == "same_airport" else None
        return Say(offers.serves(place) if place else phrases.refuse(message))
    earlier = [done for done in situation.done_before if done.name == latest.name and not done.is_ok]
    if len(earlier) + 1 >= REFUSALS_MAX and situation.can(TO_TRIAGE) and not situation.was_called(TO_TRIAGE):
        return Call(TO_TRIAGE)
    return Say(offers.offer_colleague(phrases.refuse(message)))


def _answer_offer(situation: Situation) -> Step | None:
    """Take the answer to an open offer; None when there is none, or the message is about something else."""
    quote = situation.open_offer
    if quote is None:
        return _offer_again(situation)
    asks_price = is_facet(situation.message) and _ASKS_PRICE.search(situation.message) is not None
    if quote.was_just_offered and asks_price:
        return Say(phrases.ask_again_for_yes(quote.summary, 0))
    wants_other = wants_another(situation, quote.kind) and not KEEP.search(situation.message)
    step = answer_offer(situation, wants_other=wants_other)
    question = next_question(situation, has_wish=False) if isinstance(step, Say) else None
    return Call("faq_lookup", {"question": question}) if question else step


def _offer_again(situation: Situation) -> Step | None:
    """Make the offer again that the customer has just turned down and wants after all; None for any other message."""
    if LEFT_AS_IT_WAS not in situation.last_reply or not AFTER_ALL.search(situation.message):
        return None
    made = [done for done in situation.done_before if done.name.startswith("quote_") and done.is_ok]
    return Call(made[-1].name, made[-1].arguments) if made and situation.can(made[-1].name) else None


def _leave(situation: Situation) -> Step | None:
    """Hand back, or decline, what is no matter of a booking; None when it may be one."""
    message, (label, confidence) = situation.message, situation.intent
    offered = situation.open_offer
    if offered is not None and wants_another(situation, offered.kind) and not urgent_cue(flatten(message)):
        return None
    is_answer = _holds_details(situation) or (_is_asked(situation) and "?" not in message)
    is_calm_answer = is_answer and not cues_in(flatten(message)) & {"angry", "complaint"}
    complains = label == "escalation" and confidence >= _SURE and calls_for_person(message)
    complains = complains and not lacks_code(situation) and not is_calm_answer
    if accepts_person(situation) or complains or urgent_cue(flatten(message)):
        return _to_triage(situation)
    if is_smalltalk(situation) and not _holds_details(situation):
        return answer_smalltalk(situation)
    if confidence < _SURE or _is_ours(situation):
        return None
    if label == "off_topic" and "[" not in message:
        return Say(phrases.decline_off_topic(booking_open=True))
    return _to_triage(situation) if label == "faq" else None


def _is_ours(situation: Situation) -> bool:
    message = situation.message
    today = situation.facts.today
    return bool(
        _holds_details(situation)
        or asks_about_own(situation)
        or says_no_code(message, asked=phrases.ASKED_FOR_DETAILS.search(situation.last_reply) is not None)
        or len(message.split()) <= _SHORT_WORDS_MAX
        or find_wish(message) in SEAT_WISHES
        or (situation.open_offer and wants_another(situation, situation.open_offer.kind))
        or _speaks_on(situation)
        or chooses_flight(situation)
        or takes_up_next(situation)
        or asks_where_we_fly(message)
        or (message.count("?") == 0 and (_is_asked(situation) or (today and find_day(message, today))))
    )


def _speaks_on(situation: Situation) -> bool:
    """Check whether a message speaks of the very thing that is being worked on, and is no question of policy."""
    wish = find_wish(situation.message)
    spoken_of = {find_wish(text) for text in situation.customer_texts[:-1]}
    return (
        wish is not None and wish in spoken_of and not cues_in(flatten(situation.message)) & {"policy", "how_question"}
    )


def _is_asked(situation: Situation) -> bool:
    """Check whether the airline's last words asked for something that any words may answer, but another trade's."""
    if cues_in(flatten(situation.message)) & {"trade", "brand"}:
        return False
    asked = (
        offers.ASKED_FOR_DAY, offers.ASKED_FOR_ORIGIN, offers.ASKED_FOR_DESTINATION, offers.ASKED_FOR_FLIGHT,
        offers.ASKED_FOR_REASON, offers.ASKED_FOR_BAGS, offers.ASKED_FOR_NEW_NAME, phrases.ASKED_FOR_DETAILS,
    )  # fmt: skip
    return any(pattern.search(situation.last_reply) for pattern in asked) or offers.ASK_WHICH in situation.last_reply


def _holds_details(situation: Situation) -> bool:
    message = situation.message
    asked = phrases.ASKED_FOR_NAME.search(situation.last_reply) is not None
    return bool(
        find_confirmation_number(message)
        or find_name(message, asked=asked)
        or find_seat(message)
        or find_preference(message)
    )


def _to_triage(situation: Situation) -> Step | None:
    return Call(TO_TRIAGE) if situation.can(TO_TRIAGE) and not situation.was_called(TO_TRIAGE) else None


def _work(situation: Situation) -> Step:
    """Do what the customer wants, verifying first."""
    details = collect_details(situation)
    found = wish_of(situation)
    wish, since = (found.wish, found.since) if found else (None, 0)
    step = _without_booking(situation, details, wish)
    if step is not None:
        return step
    if wish is not None and wish not in _SERVED and not is_for_tool(situation, wish, since):
        return _pass_on(situation, details, wish)
    asks_number = "number" in situation.reading.own_questions and not details.confirmation_number
    if asks_number and not situation.facts.sender_verified:
        return offer_person(situation, offers.cannot_tell_number(), offers.noted_without_code())
    numbers = [one for text in situation.customer_texts for one in find_confirmation_numbers(text)]
    is_other = pick_by_ordinal(situation.message, list(dict.fromkeys(numbers))) is not None
    if not is_verified(situation, details) and (is_other or find_reservation(situation) is None):
        if asks_before_booking(situation) and situation.can("faq_lookup"):
            return look_up_articles(situation)
        ticket_id = situation.facts.ticket_id
        wants_more = wish is not None or situation.reading.own_questions
        return (
            verify(situation, details, wish)
            if wants_more or not ticket_id
            else Say(phrases.already_handed_over(ticket_id))
        )
    return _work_when_open(situation, details, found)


def _work_when_open(situation: Situation, details: Details, found: OpenWish | None) -> Step:
    """Answer and serve what an open booking is wanted for; ask when nothing of the message says what that is."""
    if find_reservation(situation) is None and situation.reading.own_questions:
        return look_up(details)
    cancelled = _cancelled_flights(situation)
    question = next_question(situation, has_wish=found is not None or bool(cancelled))
    if question is not None and not (chooses_flight(situation) or takes_up_next(situation)):
        return Call("faq_lookup", {"question": question})
    if found is None and cancelled:
        return Say(offers.ask_after_cancelled(cancelled))
    if found is None:
        asides = situation.reading.asides
        return Say(phrases.ask_for_wish(situation.facts.passenger_name, asides[0] if asides else None))
    return _work_on_booking(situation, details, found.wish, found.since)


def _cancelled_flights(situation: Situation) -> list[dict[str, Any]]:
    """Return the flights of the open booking that the airline itself has cancelled."""
    reservation = find_reservation(situation) or {}
    if reservation.get("status") == "cancelled":
        return []
    return [segment for segment in reservation.get("segments", []) if segment.get("status") == "cancelled"]


_SERVED = frozenset[Wish]({"seat_change", "seat_status", "booking_status", "change_flight"})


def _work_on_booking(situation: Situation, details: Details, wish: Wish, since: int) -> Step:
    if wish in SEAT_WISHES:
        return work_on_seat(situation, details, wish)
    reservation = find_reservation(situation)
    if reservation is None:
        return look_up(details)
    step = ask_for_payment(situation, reservation)
    if step is not None:
        return step
    if wish == "booking_status":
        return Say(phrases.tell_reservation(reservation))
    if wish == "change_flight":
        return work_on_flights(situation, reservation, since)
    return amend(situation, reservation, wish, since)


def _without_booking(situation: Situation, details: Details, wish: Wish | None) -> Step | None:
    """Do what needs no open booking; None for the rest."""
    place = asks_where_we_fly(situation.message)
    if place is not None and situation.can("search_flights"):
        return look_for_place(situation, place)
    if wish == "new_booking" and situation.can("search_flights"):
        return search_trip(situation)
    if wish == "booking_status" and not details.confirmation_number:
        return status_of_flight(situation)
    has_none = not details.confirmation_number and lacks_code(situation)
    if wish == "change_flight" and has_none and not situation.facts.sender_verified:
        route, day = trip_wanted(situation)
        was_shown = any(done.name == "search_flights" for done in (*situation.done_before, *situation.done))
        if route.origin and route.destination and day and not was_shown and situation.can("search_flights"):
            return search_trip(situation)
    return None


def _pass_on(situation: Situation, details: Details, wish: Wish) -> Step:
    """Have a person do what no tool does, with everything that person needs already asked for."""
    if situation.facts.ticket_id:
        return Say(phrases.already_handed_over(situation.facts.ticket_id))
    step = _tell_way(situation, wish)
    if step is not None:
        return step
    asked = phrases.ASKED_FOR_DETAILS.search(situation.last_reply) is not None
    is_open = is_verified(situation, details) or situation.was_called("look_up_reservation")
    if not is_open and wish != "new_booking":
        complete = bool(details.name and details.confirmation_number)
        if (
            complete
            and len(situation.handoffs_made) <= _HANDOFFS_BEFORE_LOOKUP_MAX
            and (name := untried_name(situation, details)) is not None
        ):
            return look_up(details, name)
        gave_something = _holds_details(situation) or lacks_code(situation)
        if not complete and (not asked or gave_something):
            return verify(situation, details, wish)
    if situation.was_called(TO_TRIAGE) or not situation.can(TO_TRIAGE):
        return Say(phrases.nothing_found())
    return offer_person(situation, offers.cannot_do(wish), offers.noted())


def _tell_way(situation: Situation, wish: Wish) -> Step | None:
    """Say how customers do themselves what no tool does, once; None where the articles know no way."""
    published = situation.facts.published
    if wish not in _ON_THE_WEBSITE:
        return None
    if offers.DO_IT_YOURSELF in situation.last_reply and find_wish(situation.message) is None:
        return Say(offers.still_yourself())
    if any(offers.DO_IT_YOURSELF in line.text for line in situation.lines):
        return None
    if published is None or published.rank < FOUND_MIN:
        return None
    found = [done for done in situation.done if done.name == "faq_lookup"]
    if not found and situation.can("faq_lookup"):
        return look_up_articles(situation)
    return Say(offers.do_it_yourself()) if found and results_of(found[0]) else None


_ON_THE_WEBSITE = frozenset[Wish]({"documents", "check_in"})


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
