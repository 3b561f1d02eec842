"""Word the replies: warm, short, asking only for what is unknown; and recognise them when they are read again."""

from __future__ import annotations

import re
from typing import Any

from worker.conversation.context import cut
from worker.domains.airline.local.situation import LEFT_AS_IT_WAS

PASSAGE_CHARACTERS_MAX = 700
_UNREAD_WORDS_MIN = 3
_UNREAD_CHARACTERS_MAX = 120

ASKED_FOR_NAME = re.compile(r"\b(?:surname|last name|name on)\b", re.IGNORECASE)
ASKED_FOR_DETAILS = re.compile(r"\bconfirmation number\b.*\?|\b(?:surname|last name)\b.*\?", re.IGNORECASE | re.DOTALL)
STILL_ASKS_FOR_NAME = re.compile(
    r"\bthank you, I have your confirmation number\b|\bthe one thing I need\b", re.IGNORECASE
)
ASKED_TO_CLARIFY = re.compile(r"\btell me a little more\b", re.IGNORECASE)
OFFERED_A_COLLEAGUE = re.compile(r"\bpass (?:this|it|your question) (?:on )?to a colleague\?", re.IGNORECASE)

FOUND_NOTHING = "I could not find that in our published policies"
CARD_REMOVED = (
    "For your security I have removed the card number from your message. Please never send card details here; "
    "we will not ask for them."
)
SSN_REMOVED = "For your security I have removed the social security number from your message; we never need it."
ANYTHING_ELSE = "Is there anything else I can do for you?"
MORE_ASKED = re.compile(
    r"(?:Is there anything (?:else I can do|about your trip I can do) for you|What can I do for you|"
    r"What would you like me to do|How can I help you today|Shall we go on with your booking)\?"
)
"""Questions that ask for nothing in particular."""
AUTOMATIC = (
    "This reads like an automatic reply, so I leave everything as it is. Write to me whenever you need anything."
)
DIGITAL = "I'm the airline's digital assistant, not a person."
ABILITIES = (
    "I can look at your booking and change seats, flights, bags, names and the cabin, cancel it, tell how a flight "
    "stands, and answer questions about our rules. What would you like?"
)
OR_A_PERSON = "I can settle most things right here, and a colleague takes over whenever you ask for one."
NOTHING_ATTACHED = "I can't open attachments or links here."
TELL_IN_WORDS = "Could you tell me in a few words what it is about?"
ENGLISH_ONLY = (
    "I'm sorry, I can only read and write English. Could you write to me in English? "
    "Or shall I pass this on to a colleague?"
)
SORRY = "I'm sorry about the trouble this has caused you."


def greet(airline: str) -> str:
    """Welcome a customer."""
    return f"Hello, and welcome to {airline}. How can I help you today?"


def close(name: str | None, ticket_id: str | None) -> str:
    """End a conversation kindly."""
    address = f", {first_name(name)}" if name else ""
    if ticket_id:
        return (
            f"You're welcome{address}. Your ticket {ticket_id} is with a colleague, who will get back "
            f"to you. Take care."
        )
    return f"You're welcome{address}. I'm here if anything else comes up. Have a good trip!"


def acknowledge() -> str:
    """Answer an okay."""
    return f"Good. {ANYTHING_ELSE}"


_COURTESIES = (
    f"Good. {ANYTHING_ELSE}",
    "All right. I'm here if you need anything for your trip.",
    "Fine. I'm here when something comes up.",
    "Okay. Whenever you have a question about your flight, I'm here.",
    "Very well. I'm glad to help with anything about your trip.",
)
_REPEATED = "I'm afraid I said that already, and it did not help."


def other_courtesies(text: str) -> tuple[str, ...]:
    """Return other words for a courtesy; none for what is no courtesy."""
    is_courtesy = text in _COURTESIES or text.startswith(("You're welcome", "Hello, and welcome"))
    return tuple(other for other in _COURTESIES if other != text) if is_courtesy else ()


def core_of(text: str) -> str:
    """Return what of a reply is said again: all but the nod that it began with."""
    return text.removeprefix("Gladly. ")


def put_differently(text: str, *, is_noted: bool, may_offer_person: bool) -> tuple[str, ...]:
    """Say again what the customer has read just now: first as it is, and why; then with the offer of a person.

    `is_noted`: whether the message gave something, which is kept although the answer stays the same.
    """
    before = "I have noted that." if is_noted else "I may not have understood you rightly, so let me say it once more."
    again = f"{before} {core_of(text)}"
    person = f"{_REPEATED} Could you tell me in other words what you need? Or shall I pass this on to a colleague?"
    return (
        (again, person) if may_offer_person else (again, f"{_REPEATED} Could you tell me in other words what you need?")
    )


def added_again(ticket_id: str) -> tuple[str, ...]:
    """Say in other words that a message was added to the ticket that is open."""
    return (
        f"Noted: this is on your ticket {ticket_id} as well, so the colleague who has it will read it.",
        f"I have put this on ticket {ticket_id}, too. The colleague who has it will get back to you.",
    )


def decline_off_topic(*, booking_open: bool) -> str:
    """Decline what is not the airline's matter, and lead back to what is."""
    back = (
        "Shall we go on with your booking?" if booking_open else "Is there anything about your trip I can do for you?"
    )
    return (
        f"I'm afraid that is outside what I can help with; I look after flights, bookings and travel questions. {back}"
    )


def ask_to_clarify() -> str:
    """Ask what is meant."""
    return (
        "I want to get this right. Could you tell me a little more: is it a general question, or "
        "is there something I should "
        "look at or change in a booking?"
    )


def ask_for_details(*, has_code: bool, has_name: bool, purpose: str) -> str:
    """Ask for what is missing of confirmation number and surname."""
    if has_code and not has_name:
        return f"Thank you, I have your confirmation number. May I also have the surname on the booking, {purpose}?"
    if has_name and not has_code:
        return (
            f"Thank you. May I also have your confirmation number, {purpose}? It has six letters and "
            f"digits. If you don't have it at "
            "hand, just say so and I'll find another way."
        )
    return (
        f"I'm happy to help with that. May I have your confirmation number and the surname on the "
        f"booking, {purpose}? If you "
        "don't have the number at hand, just say so and I'll find another way."
    )


def ask_for_name_again() -> str:
    """Ask once more for the surname alone, saying why."""
    return (
        "I have noted that. The one thing I need before I may open the booking is the surname on it: what is the "
        "surname?"
    )


def find_without_code() -> str:
    """Offer another way to a customer without a confirmation number."""
    return (
        "That's no problem: a colleague can find your booking by your name and flight. Shall I "
        "pass this on to a colleague?"
    )


def still_not_found() -> str:
    """Say that the same number and surname will not be found a second time."""
    return (
        "I still cannot find a booking with that confirmation number and surname. Could you check both for a typing "
        "mistake and send them again? Or shall I pass this on to a colleague?"
    )


def card_not_kept() -> str:
    """Say that no card number is at hand."""
    return "I don't have your card number: it was removed as soon as your message came in, and we do not keep it."


def ask_for_wish(name: str | None, unread: str | None = None) -> str:
    """Ask what to do with a booking that is open; words of which nothing was understood are repeated."""
    address = f", {first_name(name)}" if name else ""
    if unread and len(unread.split()) >= _UNREAD_WORDS_MIN:
        words = cut(unread, _UNREAD_CHARACTERS_MAX)
        return (
            f"Thank you{address}, I have your booking here. You wrote: \u201c{words}\u201d "
            "What would you like me to do about it: is it about the flight, a seat, bags, the cabin or a name?"
        )
    return f"Thank you{address}, I have your booking here. What can I do for you?"


def ask_for_preference(seat: str | None) -> str:
    """Ask which kind of seat is wanted."""
    now = f"You are in seat {seat} at the moment. " if seat else ""
    return f"{now}Would you like a window, aisle or middle seat? You can also name a seat, such as 12A."


def tell_seat(seat: str | None, flight: str | None, date: str | None) -> str:
    """Tell which seat is assigned."""
    where = _flight_of(flight, date)
    if seat is None:
        return f"You have no seat yet{where}. Would you like a window, aisle or middle seat?"
    return f"You are in seat {seat}{where}. Would you like to keep it, or shall I look for another?"


def offer_quote(quote: dict[str, Any]) -> str:
    """Tell an offer, and ask for a yes."""
    summary = str(quote.get("summary", "")).rstrip(".")
    return f"Here is what I can do: {summary}. Shall I make this change? Please answer yes or no."


def tell_what_if(quote: dict[str, Any]) -> str:
    """Tell what a change would come to that was only asked about; no yes answers this, only the wish for it."""
    summary = str(quote.get("summary", "")).rstrip(".")
    return f"This is what it would come to, and nothing is changed: {summary}. If you want it, tell me to go ahead."


def ask_again_for_yes(summary: str, times: int) -> str:
    """Ask for a plain yes or no to an open offer, in other words than the `times` before.

    The offer's own words stand apart from any "I", so that the review takes them for what they are, an offer.
    """
    offer = summary.rstrip(".")
    if times == 0:
        return f"There is no hurry, and I have changed nothing so far. The offer is: {offer}. Is that a yes?"
    return (
        f"I would rather ask once more than do what you don't want. To be clear: {offer}. "
        "Please write yes and I'll do it, or no and everything stays as it is. Is it a yes?"
    )


ASKED_AGAIN = re.compile(r"\bis (?:that|it) a yes\?\s*$", re.IGNORECASE)


def drop_offer(seat: str | None) -> str:
    """Leave things as they are."""
    kept = f" You keep seat {seat}." if seat else ""
    return f"Of course, {LEFT_AS_IT_WAS}.{kept} {ANYTHING_ELSE}"


def no_free_seat(preference: str, flight: str | None) -> str:
    """Say that no seat of a kind is free."""
    kind = f"{preference} seat" if preference != "any" else "other seat"
    return (
        f"I'm sorry, there is no {kind} free{_flight_of(flight, None)}. Would a window, aisle or "
        f"middle seat elsewhere do?"
    )


def list_seats(seats: list[dict[str, Any]], flight: str | None) -> str:
    """Offer a choice of seats."""
    listed = ", ".join(f"{seat['seat']} ({seat['kind']}, {_price(seat.get('price_usd'))})" for seat in seats)
    return f"These seats are free{_flight_of(flight, None)}: {listed}. Which one would you like?"


_STATUSES = {
    "available": "as planned", "on_time": "on time", "delayed": "delayed", "flying": "in the air", "landed": "landed",
    "cancelled": "cancelled by us",
}  # fmt: skip


def tell_seats(reservation: dict[str, Any], flights: list[dict[str, Any]]) -> str:
    """Tell where everybody of a booking sits on some of its flights."""
    told = []
    for flight in flights:
        number = str(flight.get("flight_number"))
        seats = [
            f"{passenger.get('name')} in {passenger.get('seats', {}).get(number) or 'no seat yet'}"
            for passenger in reservation.get("passengers", [])
        ]
        told.append(f"On {number} on {flight.get('date')}: {', '.join(seats)}.")
    return f"{' '.join(told)} Would you like to change one of these seats?"


def tell_reservation(reservation: dict[str, Any]) -> str:
    """Tell what a booking holds, flight by flight."""
    parts = []
    for segment in reservation.get("segments", []):
        number = segment.get("flight_number")
        seats = [
            f"{p.get('name')} in {p['seats'][number]}"
            for p in reservation.get("passengers", [])
            if p.get("seats", {}).get(number)
        ]
        seated = f", {' and '.join(seats)}" if seats else ", no seat chosen yet"
        parts.append(
            f"{number} on {segment.get('date')} from {segment.get('origin')} to {segment.get('destination')}, departs "
            f"{segment.get('departs')}, {_STATUSES.get(str(segment.get('status')), 'as planned')}{seated}"
        )
    flights = "; ".join(parts) or "no flights"
    if reservation.get("status") == "cancelled":
        return f"This booking has the status cancelled; it held {flights}. What would you like me to do?"
    return f"Here is your booking: {flights}. What would you like me to do?"


def cite(result: dict[str, Any]) -> str:
    """Answer with an article's passage and its source."""
    text = _shorten(" ".join(str(result.get("text", "")).split()))
    return f"{text}\n\nSource: {result.get('article')} \u203a {result.get('section')}"


def until_then(result: dict[str, Any]) -> str:
    """Answer, beside a ticket, with an article's passage and its source."""
    return f"Until then, this is what our published rules say:\n\n{cite(result)}"


def nothing_found() -> str:
    """Say that no article answers, and offer a person."""
    return f"{FOUND_NOTHING}, and I would rather not guess. Shall I pass this on to a colleague?"


def not_found(question: str) -> str:
    """Say of one question among others that no article answers it."""
    return f"{FOUND_NOTHING}: \u201c{cut(question, _UNREAD_CHARACTERS_MAX)}\u201d"


def some_not_found(questions: list[str]) -> str:
    """Say of which questions among others no article answers them, and offer a person."""
    named = " and ".join(f"\u201c{cut(question, _UNREAD_CHARACTERS_MAX)}\u201d" for question in questions)
    return f"{FOUND_NOTHING}: {named}. Shall I pass this on to a colleague?"


def handed_over(ticket_id: object, answer_by: object, *, feeling: str) -> str:
    """Tell the ticket and when a person answers."""
    return (
        f"{feeling} I have passed everything you told me to a colleague, so you won't have to "
        f"repeat it. Your ticket number is "
        f"{ticket_id}, and you can expect an answer by {answer_by}."
    )


def hand_over_unclear(output: dict[str, Any]) -> str:
    """Tell that a person decides what an answer meant, after a tool has called one."""
    feeling = "I would rather have a person look at this than guess what you would like; nothing is changed."
    return handed_over(output.get("ticket_id"), output.get("answer_by"), feeling=feeling)


def ticket_stands(ticket_id: str, answer_by: str) -> str:
    """Tell the number of the ticket, and by when a person answers."""
    when = f" You can expect an answer by {answer_by}." if answer_by else ""
    return f"Your ticket number is {ticket_id}. A colleague has it, and nothing more is needed from you.{when}"


def person_decides(ticket_id: str, answer_by: str) -> str:
    """Say that a person decides what is paid."""
    when = f" and answers by {answer_by}" if answer_by else ""
    return f"That is for a person to decide: the colleague who has your ticket {ticket_id} looks into it{when}."


def ask_about_signs(subject: str | None) -> str:
    """Ask what a message without words is about."""
    if subject:
        return f"Is it about {subject}? Please tell me in a few words what you would like to know or have done."
    return "I'm here. What can I do for you?"


def already_handed_over(ticket_id: str) -> str:
    """Point to the ticket that is open."""
    return (
        f"Thank you, I have added this to your ticket {ticket_id}. A colleague has it and will "
        f"get back to you; you don't have to "
        "do anything more."
    )


def refuse(message: str) -> str:
    """Pass on a tool's refusal."""
    return message or "I'm sorry, that is not possible."


def first_name(name: str | None) -> str:
    """Return the name to address somebody by."""
    return (name or "").split(" ")[0].title()


def _flight_of(flight: str | None, date: str | None) -> str:
    if not flight:
        return ""
    return f" on flight {flight} on {date}" if date else f" on flight {flight}"


def _price(price: object) -> str:
    amount = float(str(price or 0))
    return f"${amount:g}" if amount else "no charge"


def _shorten(text: str) -> str:
    if len(text) <= PASSAGE_CHARACTERS_MAX:
        return text
    cut = text[:PASSAGE_CHARACTERS_MAX]
    return cut[: cut.rfind(". ") + 1] or cut
