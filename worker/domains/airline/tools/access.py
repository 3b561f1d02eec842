"""Open the one booking a conversation may act on: the verified customer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from worker.conversation.refusal import Refusal
from worker.conversation.vault import find_names
from worker.domains.airline.records.backend import backend_of
from worker.domains.airline.records.booking import Booking
from worker.domains.airline.rules.flights import find_segment
from worker.domains.airline.rules.identity import find_confirmation_numbers, find_passenger

if TYPE_CHECKING:
    from agents import FunctionTool, RunContextWrapper
    from agents.agent import AgentBase
    from agents.tool_context import ToolContext

    from worker.conversation.context import TurnContext
    from worker.domains.airline.records.backend import Reservation

NOT_VERIFIED = Refusal(
    "not_verified",
    "Before I can do that, I need your confirmation number and the surname on the booking.",
    counts=False,
)
OTHER_BOOKING = Refusal(
    "other_booking",
    "I can only act for the booking that you have proved to be yours. For another one I need its confirmation number "
    "and surname first.",
)


def once_verified(tool: FunctionTool) -> FunctionTool:
    """Offer a tool to models only while the customer is verified: until then it could but refuse, and cost tokens."""
    tool.is_enabled = _is_verified
    return tool


def _is_verified(context: RunContextWrapper[TurnContext], agent: AgentBase) -> bool:  # noqa: ARG001 - the SDK's signature
    return context.context.is_verified


async def open_booking(context: ToolContext[TurnContext], flight_number: str = "") -> Booking | Refusal:
    """Open the verified booking for a tool call, at a flight: the one named, else the one talked about, else the next.

    Refuses while nobody is verified, and arguments that name another booking than the verified one, in whatever
    argument it stands: no tool acts for a booking because a model, or a message that talked it into it, says so.
    """
    booking = await open_verified(context.context, flight_number)
    if not isinstance(booking, Refusal) and _names_another(context, booking.reservation):
        return OTHER_BOOKING
    return booking


async def open_verified(turn: TurnContext, flight_number: str = "") -> Booking | Refusal:
    """Open the verified booking.

    Refuses also when the conversation has moved on to another confirmation number than the verified one.
    """
    airline = turn.airline
    verified = airline.verified_confirmation_number
    if not turn.is_verified or verified is None or airline.confirmation_number != verified:
        return NOT_VERIFIED
    confirmation_number = turn.vault.open(verified)
    if confirmation_number is None:
        return NOT_VERIFIED
    reservation = await backend_of(turn).find_reservation(turn.key.tenant, confirmation_number)
    passenger = find_passenger(reservation, airline.passenger_name or "") if reservation else None
    if reservation is None or passenger is None:
        return NOT_VERIFIED
    talked_about = airline.flight_number or ""
    if talked_about not in {segment.flight_number for segment in reservation.segments}:
        talked_about = ""
    segment = find_segment(reservation, flight_number or talked_about, turn.now)
    if isinstance(segment, Refusal):
        return segment
    return Booking(reservation, passenger, segment, reservation.seat_of(passenger, segment))


def remember_flight(turn: TurnContext, booking: Booking) -> None:
    """Note in the conversation's context which flight and seat are talked about."""
    turn.airline.flight_number = booking.segment.flight_number
    turn.airline.flight_date = booking.segment.flight_date.isoformat()
    turn.airline.seat_number = booking.seat.seat_number if booking.seat else None


def _names_another(context: ToolContext[TurnContext], reservation: Reservation) -> bool:
    arguments = context.tool_arguments
    vault = context.context.vault
    named = {vault.open(placeholder) for placeholder in find_names(arguments, "CONFIRMATION_NUMBER")}
    return bool((named | find_confirmation_numbers(arguments)) - {reservation.confirmation_number})
