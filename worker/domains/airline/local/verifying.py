"""Decide how a booking is opened: by number and surname, by the channel's verified address, or by a person."""

from __future__ import annotations

import re
from typing import Any

from worker.domains.airline.local import offers, phrases
from worker.domains.airline.local.details import Details
from worker.domains.airline.local.escalation import REFUSALS_MAX
from worker.domains.airline.local.reading.options import choose_option
from worker.domains.airline.local.reading.own_questions import find_own_questions
from worker.domains.airline.local.reading.slots import says_no_code
from worker.domains.airline.local.reading.wishes import SEAT_WISHES, Wish
from worker.domains.airline.local.situation import FinishedCall, Situation
from worker.models.output import Call, Say, Step

TO_TRIAGE = "transfer_to_triage_agent"
_LOOK_UP, _FIND_MINE = "look_up_reservation", "find_my_reservations"


def lacks_code(situation: Situation) -> bool:
    """Check whether the customer told that they lack a confirmation number; a bare "no idea" does when asked for it."""
    asked = False
    for line in situation.lines:
        if line.speaker == "airline":
            asked = phrases.ASKED_FOR_DETAILS.search(line.text) is not None
        elif says_no_code(line.text, asked=asked) or "number" in find_own_questions(line.text):
            return True
    return False


def find_reservation(situation: Situation) -> dict[str, Any] | None:
    """Return the open booking as a tool showed it last; None when it has changed since, or is out of sight."""
    for done in reversed((*situation.done_before, *situation.done)):
        if done.name == "confirm_quote" and done.is_ok:
            return None
        if done.is_ok and done.name in {_LOOK_UP, _FIND_MINE}:
            shown = _shown_by(done)
            return shown if shown and shown.get("confirmation_number") == _verified_number(situation, done) else None
    return None


def is_verified(situation: Situation, details: Details) -> bool:
    """Check whether the booking that the customer speaks of is open."""
    facts = situation.facts
    return facts.verified and details.confirmation_number == facts.confirmation_number


def look_up(details: Details, name: str | None = None) -> Call:
    """Open a booking, under another name than the likeliest where one is given."""
    return Call(_LOOK_UP, {"confirmation_number": details.confirmation_number, "surname": name or details.name or ""})


def untried_name(situation: Situation, details: Details) -> str | None:
    """Return the likeliest name that has not been refused with this number yet; None when each has."""
    refused = [
        done.arguments for done in (*situation.done_before, *situation.done) if done.name == _LOOK_UP and not done.is_ok
    ]
    names = (details.name, *details.other_names) if details.name else ()
    return next((name for name in names if name and look_up(details, name).arguments not in refused), None)


def verify(situation: Situation, details: Details, wish: Wish | None) -> Step:
    """Open the booking, or ask for what is missing for it and was not said."""
    if details.name and details.confirmation_number:
        name = untried_name(situation, details)
        if name is not None:
            return look_up(details, name)
        return Say(offers.wrong_guess() if details.name_is_guessed else phrases.still_not_found())
    if not details.confirmation_number:
        step = _without_code(situation)
        if step is not None:
            return step
    if details.confirmation_number and phrases.STILL_ASKS_FOR_NAME.search(situation.last_reply):
        return Say(phrases.ask_for_name_again())
    purpose = "so that I can look at your seats" if wish in SEAT_WISHES else "so that I can open it"
    return Say(
        phrases.ask_for_details(
            has_code=bool(details.confirmation_number), has_name=bool(details.name), purpose=purpose
        )
    )


def after_lookup_refused(situation: Situation, latest: FinishedCall, details: Details) -> Step:
    """Go on after a booking was not found: ask again, or bring in a person the second time."""
    if latest.name == _FIND_MINE:
        return Say(str(latest.output.get("message", "")))
    tried = [done for done in situation.done if done.name == _LOOK_UP]
    another = untried_name(situation, details)
    if another is not None and len(tried) < _LOOKUPS_PER_TURN_MAX and not _has_many_guesses(latest):
        return look_up(details, another)
    earlier = {done.turn for done in situation.done_before if done.name == _LOOK_UP and not done.is_ok}
    if len(earlier) + 1 >= REFUSALS_MAX and situation.can(TO_TRIAGE):
        return Call(TO_TRIAGE)
    if details.name_is_guessed:
        return Say(offers.wrong_guess())
    return Say(phrases.refuse(str(latest.output.get("message", ""))))


_LOOKUPS_PER_TURN_MAX = 2
"""Names of one message that are tried; each wrong one counts as a guess, and a turn has few calls."""


def _has_many_guesses(refused: FinishedCall) -> bool:
    return refused.output.get("refusal") == "too_many_attempts"


def _without_code(situation: Situation) -> Step | None:
    """Find another way for a customer whose number is unknown; None when it is to be asked for."""
    facts = situation.facts
    listed = situation.latest_result(_FIND_MINE)
    if listed is not None:
        bookings = [booking for booking in listed.output.get("reservations", []) if isinstance(booking, dict)]
        return _open_one_of(situation, bookings)
    if facts.sender_verified and situation.can(_FIND_MINE) and not _was_tried(situation):
        return Call(_FIND_MINE)
    if not lacks_code(situation):
        return None
    return offer_person(situation, phrases.find_without_code(), offers.noted_without_code())


OFFERS_MAX = 2
"""Offers of a colleague that a customer may leave unanswered; then one is called."""


def offer_person(situation: Situation, first: str, again: str) -> Step:
    """Offer a colleague, in other words the second time; call one when neither offer was answered."""
    said = [line.text for line in situation.lines if line.speaker == "airline"]
    offered = sum(phrases.OFFERED_A_COLLEAGUE.search(text) is not None for text in said)
    if offered >= OFFERS_MAX and situation.can(TO_TRIAGE) and not situation.was_called(TO_TRIAGE):
        return Call(TO_TRIAGE)
    return Say(again if offered else first)


def _open_one_of(situation: Situation, bookings: list[dict[str, Any]]) -> Step:
    listed = [
        {"option": number, "flights": booking.get("segments", []), "booking": booking}
        for number, booking in enumerate(bookings, 1)
    ]
    chosen = (
        choose_option(situation.message, listed, "")
        if offers.OFFERED_OPTIONS_OF_BOOKING.search(situation.last_reply)
        else None
    )
    named = chosen or next((one for one in listed if _names_place_of(situation.message, one["flights"])), None)
    if named is None:
        return Say(offers.which_booking(bookings))
    return Call(_LOOK_UP, {"confirmation_number": named["booking"].get("confirmation_number"), "surname": ""})


def _names_place_of(message: str, flights: list[dict[str, Any]]) -> bool:
    named = {str(flight.get(end)) for flight in flights for end in ("origin", "destination")}
    return bool(named & set(re.findall(r"\b[A-Z]{3}\b", message)))


def _was_tried(situation: Situation) -> bool:
    return any(done.name == _FIND_MINE for done in (*situation.done_before, *situation.done))


def _shown_by(done: FinishedCall) -> dict[str, Any] | None:
    shown = done.output.get("reservation")
    if isinstance(shown, dict):
        return shown
    listed = done.output.get("reservations")
    return listed[0] if isinstance(listed, list) and len(listed) == 1 and isinstance(listed[0], dict) else None


def _verified_number(situation: Situation, done: FinishedCall) -> str | None:
    # What was opened in this very turn stands under the known facts from the next call on; a look-up that was
    # answered with a booking has verified its number.
    if situation.facts.verified and situation.facts.confirmation_number:
        return situation.facts.confirmation_number
    shown = _shown_by(done)
    return str(shown.get("confirmation_number")) if shown else None
