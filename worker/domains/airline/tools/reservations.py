"""Verify a customer and show the booking."""

from typing import Any

from agents import FunctionTool
from agents.tool_context import ToolContext

from worker.conversation.context import TurnContext
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import Passenger, Reservation, backend_of
from worker.domains.airline.records.booking import Booking
from worker.domains.airline.rules.bags import free_bags
from worker.domains.airline.rules.flights import find_segment
from worker.domains.airline.rules.identity import (
    find_passenger,
    find_speaker,
    is_name_said,
    is_number_said,
    read_confirmation_number,
)
from worker.domains.airline.rules.payment import describe_payment
from worker.domains.airline.tools.access import remember_flight
from worker.tools.airline_tool import airline_tool
from worker.tools.results import give, refuse

_NOT_FOUND = Refusal(
    "not_found",
    "I could not find a booking with that confirmation number and surname. Could you check both and send them again?",
)
_TOO_MANY_GUESSES = Refusal(
    "too_many_attempts",
    "I still cannot find that booking, so a colleague will have to look it up with you.",
)
_NOT_SAID = Refusal(
    "not_said",
    "To look that up I need your confirmation number and the surname on the booking, in your own words.",
    counts=False,
)
_CHANNEL_NOT_VERIFIED = Refusal(
    "channel_not_verified",
    "I cannot tell from your address which bookings are yours. May I have your confirmation number and the surname on "
    "the booking?",
    counts=False,
)
_NOTHING_ON_FILE = Refusal(
    "not_found",
    "I found no booking under the address you write from. May I have the confirmation number and the surname on it?",
    counts=False,
)


@airline_tool
async def look_up_reservation(context: ToolContext[TurnContext], confirmation_number: str, surname: str) -> str:
    """Verify the customer and read their booking. Both arguments are the customer's own words; never guess one.

    Args:
        confirmation_number: Such as [CONFIRMATION_NUMBER_1], as it stands in the conversation.
        surname: As the customer wrote it, or the whole name; empty for a booking from find_my_reservations.

    """
    turn = context.context
    opened = read_confirmation_number(turn.vault.open(confirmation_number.strip()) or confirmation_number)
    found = await backend_of(turn).find_reservation(turn.key.tenant, opened) if opened else None
    known = await _recognise(turn, found) if found else None
    passenger = (find_passenger(found, surname) or known) if found else None
    if known is None and not _is_said(turn, opened or confirmation_number, surname):
        return refuse(turn, _NOT_SAID)
    if known is None:
        is_right = passenger is not None
        if not await turn.guesses.may_answer(turn.key.tenant, turn.sender_key, opened, is_right=is_right):
            return refuse(turn, _TOO_MANY_GUESSES)
    if found is None or passenger is None:
        turn.airline.lookups_failed += 1  # the release before counts by it
        return refuse(turn, _NOT_FOUND)
    return give(turn, reservation=_verify(turn, found, passenger))


@airline_tool
async def find_my_reservations(context: ToolContext[TurnContext]) -> str:
    """Find the bookings of a customer whose address is verified and who has no confirmation number.

    A single one is opened at once. Of several, ask which is meant, and open it with look_up_reservation.
    """
    turn = context.context
    if turn.verified_sender is None:
        return refuse(turn, _CHANNEL_NOT_VERIFIED)
    found = await backend_of(turn).find_reservations_of(turn.key.tenant, turn.verified_sender)
    if not found:
        return refuse(turn, _NOTHING_ON_FILE)
    if len(found) == 1:
        return give(turn, verified=True, reservations=[_verify(turn, found[0], find_speaker(found[0]))])
    shown = [_show(reservation, _placeholder(turn, reservation)) for reservation in found]
    return give(turn, verified=turn.is_verified, reservations=shown)


async def _recognise(turn: TurnContext, reservation: Reservation) -> Passenger | None:
    """Find who of a reservation writes without a surname: by what they proved before, or by the verified address."""
    passenger = None
    airline = turn.airline
    verified = airline.verified_confirmation_number if turn.is_verified else None
    if verified is not None and turn.vault.open(verified) == reservation.confirmation_number:
        # Whoever has proved it once need not again: a name misread later in the conversation locks nobody out.
        passenger = find_passenger(reservation, airline.passenger_name or "")
    if passenger is None and turn.verified_sender is not None:
        own = await backend_of(turn).find_reservations_of(turn.key.tenant, turn.verified_sender)
        if reservation.reservation_id in {mine.reservation_id for mine in own}:
            passenger = find_speaker(reservation)
    return passenger


def _is_said(turn: TurnContext, confirmation_number: str, surname: str) -> bool:
    """Check whether both stand in the customer's own words: what a model makes up must not use up their guesses.

    A number in the vault was masked in their words, or found under their verified address.
    """
    texts = (*turn.earlier_texts, turn.text)
    kept = {read_confirmation_number(value) for value in turn.vault.entries.values()}
    is_number = confirmation_number in kept or is_number_said(confirmation_number, texts)
    return is_number and is_name_said(surname, texts)


def _verify(turn: TurnContext, reservation: Reservation, passenger: Passenger) -> dict[str, Any]:
    """Remember that the customer is verified for this booking, and give it to be shown."""
    airline = turn.airline
    placeholder = _placeholder(turn, reservation)
    if airline.verified_confirmation_number != placeholder:
        airline.quote = None  # it was for another booking
        airline.flight_number = None
    airline.confirmation_number = airline.verified_confirmation_number = placeholder
    airline.verified = True
    airline.verified_sender_key = turn.sender_key
    airline.lookups_failed = 0
    airline.passenger_name = passenger.name
    kept = {segment.flight_number for segment in reservation.segments} & {airline.flight_number}
    segment = find_segment(reservation, kept.pop() or "" if kept else "", turn.now)
    if not isinstance(segment, Refusal):
        remember_flight(turn, Booking(reservation, passenger, segment, reservation.seat_of(passenger, segment)))
    return {
        **_show(reservation, placeholder),
        "insured": reservation.insured,
        "membership": reservation.customer.membership,
        "checked_bags": reservation.checked_bags,
        "free_bags": free_bags(reservation),
        "paid_usd": sum(payment.amount_usd for payment in reservation.payments),
        "payment_methods": {m.number: describe_payment(m) for m in reservation.customer.payment_methods},
    }


def _placeholder(turn: TurnContext, reservation: Reservation) -> str:
    return turn.vault.keep("CONFIRMATION_NUMBER", reservation.confirmation_number)


def _show(reservation: Reservation, placeholder: str) -> dict[str, Any]:
    return {
        "confirmation_number": placeholder,
        "status": reservation.status,
        "trip_type": reservation.trip_type,
        "passengers": [
            {
                "name": passenger.name,
                "seats": {
                    seat.flight_number: seat.seat_number
                    for seat in reservation.seats
                    if seat.passenger_number == passenger.number
                },
            }
            for passenger in reservation.passengers
        ],
        "segments": [
            {
                "flight_number": segment.flight_number,
                "date": segment.flight_date.isoformat(),
                "origin": segment.origin,
                "destination": segment.destination,
                "departs": segment.departs_local,
                "arrives": segment.arrives_local,
                "status": segment.status,
            }
            for segment in reservation.segments
        ],
        "cabin": reservation.cabin,
    }


RESERVATION_TOOLS: tuple[FunctionTool, ...] = (look_up_reservation, find_my_reservations)
