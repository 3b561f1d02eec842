"""Decide as the Booking Agent: verify, read, offer, and change only after a yes."""

from __future__ import annotations

import re
from typing import Any

from worker.models.local import phrases
from worker.models.local.details import Details, collect_details
from worker.models.local.escalation import REFUSALS_MAX
from worker.models.local.intent import flatten, urgent_cue
from worker.models.local.situation import Done, Situation
from worker.models.local.slots import find_confirmation_number, find_name, find_preference, find_seat, find_yes_no
from worker.models.local.smalltalk import answer_smalltalk, is_smalltalk
from worker.models.local.wishes import READ_WISHES, SEAT_WISHES, Wish, current_wish, find_wish
from worker.models.output import Call, Say, Step

TO_TRIAGE = "transfer_to_triage_agent"
_SURE = 0.6
_SHORT_WORDS_MAX = 2
_HANDOFFS_BEFORE_LOOKUP_MAX = 1
"""A turn that came over two agents already skips reading a booking it can do nothing about: six calls must do."""

_NO_CODE = re.compile(
    r"\b(?:don'?t|do not|can'?t|cannot|no longer|lost|forgot|without|not)\b.{0,30}\b(?:have|remember|find|know|recall|"
    r"got|see)?\b.{0,30}"
    r"\b(?:confirmation|reservation|booking|code|number|id|it|one)\b(?! (?:work|change))",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(r"\b(?:front|forward|back|rear|another|other|different|else)\b", re.IGNORECASE)
_FRONT = re.compile(r"\b(?:front|forward)\b", re.IGNORECASE)
_BACK = re.compile(r"\b(?:back|rear)\b", re.IGNORECASE)
_KEEP = re.compile(r"\bnever ?mind\b|\bkeep\b|\bstay\b|\bleave it\b", re.IGNORECASE)


def decide(situation: Situation) -> Step:
    """Choose the next step."""
    latest = situation.latest
    if latest is not None:
        return _go_on(situation, latest)
    sent_here = "transfer_to_booking_agent" in situation.handoffs_made
    step = _answer_offer(situation) or (None if sent_here else _leave(situation))
    return step or _work(situation)


def _go_on(situation: Situation, latest: Done) -> Step:
    """Go on after a tool's answer."""
    if not latest.is_ok:
        return _after_refusal(situation, latest)
    if latest.name == "confirm_quote":
        return Say(phrases.confirm_change(latest.output))
    if latest.name == "quote_seat_change":
        return Say(phrases.offer_quote(_object(latest.output.get("quote"))))
    if latest.name == "find_free_seats":
        return _offer_seat(situation, latest)
    return _work(situation)


def _after_refusal(situation: Situation, latest: Done) -> Step:
    message = str(latest.output.get("message", ""))
    code = latest.output.get("refusal")
    if latest.name == "confirm_quote" and code == "not_yet_confirmed" and situation.facts.quote:
        return Say(phrases.ask_again_for_yes(situation.facts.quote.summary))
    earlier = [
        done for done in situation.done_before if done.name == latest.name and done.output.get("refusal") == code
    ]
    if latest.name == "look_up_reservation" and len(earlier) + 1 >= REFUSALS_MAX and situation.can(TO_TRIAGE):
        return Call(TO_TRIAGE)
    return Say(phrases.refuse(message))


def _answer_offer(situation: Situation) -> Step | None:
    """Take the answer to an open offer; None when there is none, or the message is about something else."""
    quote = situation.facts.quote
    if quote is None:
        return None
    message = situation.message
    answer = find_yes_no(message)
    wants_other = bool(
        find_seat(message) or find_preference(message) or _ELSEWHERE.search(message)
    ) and not _KEEP.search(message)
    if answer == "yes" and not wants_other and situation.can("confirm_quote"):
        return Call("confirm_quote", {"quote_id": quote.quote_id})
    if answer == "no" and not wants_other and find_wish(message) in {None, "seat_change"}:
        return Say(phrases.drop_offer(situation.facts.seat_number))
    return None


def _leave(situation: Situation) -> Step | None:
    """Hand back, or decline, what is no matter of a booking; None when it may be one."""
    message, (label, confidence) = situation.message, situation.intent
    accepted = phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) and find_yes_no(message) == "yes"
    complains = label == "escalation" and confidence >= _SURE and not _NO_CODE.search(message)
    if accepted or complains or urgent_cue(flatten(message)):
        return _to_triage(situation)
    if is_smalltalk(situation) and not _holds_details(situation):
        return answer_smalltalk(situation)
    if confidence < _SURE or _is_about_seats(situation):
        return None
    if label == "off_topic" and "[" not in message:
        return Say(phrases.decline_off_topic(booking_open=True))
    return _to_triage(situation) if label == "faq" else None


def _is_about_seats(situation: Situation) -> bool:
    message = situation.message
    return bool(
        _holds_details(situation)
        or len(message.split()) <= _SHORT_WORDS_MAX
        or find_wish(message) in SEAT_WISHES
        or (situation.facts.quote and _ELSEWHERE.search(message))
    )


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
    wish = current_wish(situation.customer_texts)
    if wish is not None and wish not in SEAT_WISHES | READ_WISHES:
        return _pass_on(situation, details, wish)
    reservation = _reservation_in(situation)
    if not _is_verified(situation, details) and reservation is None:
        return _verify(situation, details, wish)
    if wish == "booking_status" and reservation is None and details.name and details.confirmation_number:
        return _look_up(details)
    if wish == "booking_status" and reservation is not None:
        return Say(phrases.tell_reservation(reservation))
    if wish is None:
        return Say(phrases.ask_for_wish(situation.facts.passenger_name))
    return _work_on_seat(situation, details, wish)


def _is_verified(situation: Situation, details: Details) -> bool:
    facts = situation.facts
    return facts.verified and details.confirmation_number == facts.confirmation_number


def _verify(situation: Situation, details: Details, wish: Wish | None) -> Step:
    if _was_refused(situation, details):
        return Say(phrases.still_not_found())
    if details.name and details.confirmation_number:
        return _look_up(details)
    if situation.facts.ticket_id and wish not in SEAT_WISHES | READ_WISHES:
        return Say(phrases.already_handed_over(situation.facts.ticket_id))
    if not details.confirmation_number:
        if phrases.OFFERED_A_COLLEAGUE.search(situation.last_reply) and not situation.was_called(TO_TRIAGE):
            return Call(TO_TRIAGE)
        if _NO_CODE.search(situation.message):
            return Say(phrases.find_without_code())
    purpose = "so that I can look at your seats" if wish in SEAT_WISHES else "so that I can open it"
    return Say(
        phrases.ask_for_details(
            has_code=bool(details.confirmation_number), has_name=bool(details.name), purpose=purpose
        )
    )


def _look_up(details: Details) -> Call:
    return Call(
        "look_up_reservation", {"confirmation_number": details.confirmation_number, "surname": details.name or ""}
    )


def _was_refused(situation: Situation, details: Details) -> bool:
    wanted = _look_up(details).arguments
    return any(
        done.name == "look_up_reservation" and not done.is_ok and done.arguments == wanted
        for done in (*situation.done_before, *situation.done)
    )


def _reservation_in(situation: Situation) -> dict[str, Any] | None:
    for done in reversed(situation.done):
        if done.name == "look_up_reservation" and done.is_ok:
            return _object(done.output.get("reservation"))
    return None


def _pass_on(situation: Situation, details: Details, wish: Wish) -> Step:
    """Have a person do what no tool does yet, with everything that person needs already asked for."""
    if situation.facts.ticket_id:
        return Say(phrases.already_handed_over(situation.facts.ticket_id))
    asked = phrases.ASKED_FOR_DETAILS.search(situation.last_reply) is not None
    is_open = _is_verified(situation, details) or situation.was_called("look_up_reservation")
    if not is_open and wish != "new_booking":
        complete = bool(details.name and details.confirmation_number)
        if (
            complete
            and len(situation.handoffs_made) <= _HANDOFFS_BEFORE_LOOKUP_MAX
            and not _was_refused(situation, details)
        ):
            return _look_up(details)
        gave_something = _holds_details(situation) or _NO_CODE.search(situation.message) is not None
        if not complete and (not asked or gave_something):
            return _verify(situation, details, wish)
    if situation.was_called(TO_TRIAGE) or not situation.can(TO_TRIAGE):
        return Say(phrases.nothing_found())
    return Call(TO_TRIAGE)


def _work_on_seat(situation: Situation, details: Details, wish: Wish) -> Step:
    message = situation.message
    asks_to_change = wish == "seat_change" or find_preference(message) or find_seat(message)
    if wish == "seat_status" and not asks_to_change:
        seat = situation.facts.seat_number
        return Say(phrases.tell_seat(seat, situation.facts.flight_number, situation.facts.flight_date))
    flight = {"flight_number": details.flight_number} if details.flight_number else {}
    if details.seat and situation.can("quote_seat_change"):
        return Call("quote_seat_change", {"seat_number": details.seat, **flight})
    if not situation.can("find_free_seats"):
        return Say(phrases.nothing_found())
    preference = details.preference
    if preference or _ELSEWHERE.search(message):
        return Call("find_free_seats", {"preference": preference or "any", **flight})
    return Say(phrases.ask_for_preference(situation.facts.seat_number))


def _offer_seat(situation: Situation, found: Done) -> Step:
    """Quote the seat that fits best, of those the tool found."""
    seats = [seat for seat in found.output.get("seats", []) if isinstance(seat, dict)]
    flight = found.output.get("flight_number")
    if not seats:
        return Say(phrases.no_free_seat(str(found.arguments.get("preference", "any")), flight))
    if not situation.can("quote_seat_change"):
        return Say(phrases.list_seats(seats, flight))
    message = situation.message
    if _FRONT.search(message):
        seats.sort(key=_row)
    elif _BACK.search(message):
        seats.sort(key=_row, reverse=True)
    return Call("quote_seat_change", {"seat_number": seats[0]["seat"], "flight_number": flight})


def _row(seat: dict[str, Any]) -> int:
    digits = re.sub(r"\D", "", str(seat.get("seat", "")))
    return int(digits or 0)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
