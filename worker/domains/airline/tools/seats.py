"""Find free seats."""

from agents import FunctionTool
from agents.tool_context import ToolContext

from worker.conversation.context import TurnContext
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import backend_of
from worker.domains.airline.rules.flights import check_open
from worker.domains.airline.rules.seats import SeatPreference, choose_seats, due_for
from worker.domains.airline.tools.access import once_verified, open_booking, remember_flight
from worker.tools.airline_tool import airline_tool
from worker.tools.results import give, refuse


@once_verified
@airline_tool
async def find_free_seats(
    context: ToolContext[TurnContext], preference: SeatPreference, flight_number: str | None = None
) -> str:
    """Find free seats on a flight of the verified booking, with what each costs extra.

    Args:
        preference: "any" when they do not mind.
        flight_number: Null for the flight talked about, or the next one.

    """
    turn = context.context
    booking = await open_booking(context, flight_number or "")
    if isinstance(booking, Refusal):
        return refuse(turn, booking)
    segment = booking.segment
    closed = check_open(booking.reservation, segment, turn.now)
    if closed:
        return refuse(turn, closed)
    if preference != "any":
        turn.airline.seat_preference = preference
    remember_flight(turn, booking)
    taken = await backend_of(turn).find_taken_seats(turn.key.tenant, segment.flight_number, segment.flight_date)
    return give(
        turn,
        flight_number=segment.flight_number,
        date=segment.flight_date.isoformat(),
        current_seat=booking.seat.seat_number if booking.seat else None,
        seats=[
            {"seat": seat.number, "kind": seat.kind, "price_usd": due_for(seat, booking.seat)}
            for seat in choose_seats(taken, preference)
        ],
    )


SEAT_LOOKUP_TOOLS: tuple[FunctionTool, ...] = (find_free_seats,)
