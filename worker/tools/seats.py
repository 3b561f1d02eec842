"""Find, quote and change seats. A change is staged for the turn's commit, never made by the tool."""

import hashlib
from datetime import timedelta

from agents import FunctionTool, function_tool
from agents.tool_context import ToolContext

from worker.agents.context import Quote, TurnContext
from worker.tools.access import Booking, open_booking, remember_flight
from worker.tools.backend import Effect
from worker.tools.results import explain_bad_arguments, give, refuse
from worker.tools.rules.consent import Offered, is_a_yes, terms_of
from worker.tools.rules.flights import check_open
from worker.tools.rules.refusal import Refusal
from worker.tools.rules.seats import Seat, SeatPreference, check_seat, choose_seats, due_for

SEAT_CHANGE = "seat_change"

_NO_QUOTE = Refusal("no_such_quote", "That offer is no longer open. Shall I make a new one?", counts=False)
_QUOTE_EXPIRED = Refusal("quote_expired", "That offer has expired. Shall I make a new one?", counts=False)
_OFFER_CHANGED = Refusal(
    "quote_expired", "Your booking has changed since that offer. Shall I make a new one?", counts=False
)
_NOT_YET_CONFIRMED = Refusal(
    "not_yet_confirmed", "I change the seat once you have said yes to the offer. Shall I go ahead?", counts=False
)


@function_tool(failure_error_function=explain_bad_arguments)
async def find_free_seats(
    context: ToolContext[TurnContext], preference: SeatPreference, flight_number: str | None = None
) -> str:
    """Find free seats on a flight of the verified booking, with what each costs extra.

    Args:
        preference: What the customer prefers; any when they do not mind.
        flight_number: Which flight of the booking; null for the one talked about, or the next one.

    """
    turn = context.context
    booking = await open_booking(turn, flight_number or "")
    if isinstance(booking, Refusal):
        return refuse(turn, booking)
    closed = check_open(booking.reservation, booking.segment, turn.now)
    if closed:
        return refuse(turn, closed)
    if preference != "any":
        turn.airline.seat_preference = preference
    remember_flight(turn, booking)
    offered = choose_seats(await _taken(turn, booking), preference)
    return give(
        turn,
        flight_number=booking.segment.flight_number,
        date=booking.segment.flight_date.isoformat(),
        current_seat=booking.seat.seat_number if booking.seat else None,
        seats=[{"seat": s.number, "kind": s.kind, "price_usd": due_for(s, booking.seat)} for s in offered],
    )


@function_tool(failure_error_function=explain_bad_arguments)
async def quote_seat_change(
    context: ToolContext[TurnContext], seat_number: str, flight_number: str | None = None
) -> str:
    """Offer one seat to the verified customer, with its price. Changes nothing: the customer must say yes to it first.

    Args:
        seat_number: The seat wanted, such as 12A.
        flight_number: Which flight of the booking; null for the one talked about, or the next one.

    """
    turn = context.context
    booking = await open_booking(turn, flight_number or "")
    if isinstance(booking, Refusal):
        return refuse(turn, booking)
    closed = check_open(booking.reservation, booking.segment, turn.now)
    if closed:
        return refuse(turn, closed)
    seat = check_seat(seat_number, await _taken(turn, booking), booking.seat)
    if isinstance(seat, Refusal):
        return refuse(turn, seat)
    remember_flight(turn, booking)
    quote = turn.airline.quote = _make_quote(turn, booking, seat)
    shown = {"quote_id": quote.quote_id, "kind": quote.kind, "price_usd": quote.price_usd}
    return give(turn, quote={**shown, "summary": quote.details["summary"]})


@function_tool(failure_error_function=explain_bad_arguments)
async def confirm_quote(context: ToolContext[TurnContext], quote_id: str) -> str:
    """Make the seat change that the customer has said yes to, in a message after the one it was offered in.

    Args:
        quote_id: The id of the offer.

    """
    turn = context.context
    quote = turn.airline.quote
    if quote is None or quote.quote_id != quote_id or quote.kind != SEAT_CHANGE:
        return refuse(turn, _NO_QUOTE)
    if turn.now >= quote.expires_at:
        turn.airline.quote = None
        return refuse(turn, _QUOTE_EXPIRED)
    if quote.made_in_turn >= turn.airline.turn_count or not is_a_yes(turn.text, _offered(quote)):
        return refuse(turn, _NOT_YET_CONFIRMED)
    booking = await open_booking(turn, quote.details["flight_number"])
    if isinstance(booking, Refusal):
        return refuse(turn, booking)
    refusal = await _recheck(turn, booking, quote)
    if refusal:
        turn.airline.quote = None
        return refuse(turn, refusal)
    return _stage(turn, booking, quote, context.tool_call_id)


def _offered(quote: Quote) -> Offered:
    return Offered(quote.details["summary"], terms_of(quote.details["to_seat"]))


async def _taken(turn: TurnContext, booking: Booking) -> frozenset[str]:
    segment = booking.segment
    return await turn.backend.find_taken_seats(turn.key.tenant, segment.flight_number, segment.flight_date)


def _make_quote(turn: TurnContext, booking: Booking, seat: Seat) -> Quote:
    segment, price = booking.segment, due_for(seat, booking.seat)
    origin = f" from {booking.seat.seat_number}" if booking.seat else ""
    cost = f"for ${price} extra" if price else "at no extra charge"
    premium = "premium " if seat.is_premium else ""
    # Made from what it offers and where, so that a turn run again offers the same id.
    leg = f"{segment.flight_number} {segment.flight_date}"
    identity = f"{turn.key} {turn.position} {booking.passenger.number} {leg} {seat.number}"
    return Quote(
        quote_id="q_" + hashlib.sha256(identity.encode()).hexdigest()[:12],
        kind=SEAT_CHANGE,
        details={
            "summary": (
                f"Move {booking.passenger.name}{origin} to {premium}{seat.kind} seat {seat.number} on flight "
                f"{segment.flight_number} on {segment.flight_date.isoformat()} {cost}"
            ),
            "reservation_id": booking.reservation.reservation_id,
            "version": booking.reservation.version,
            "passenger_number": booking.passenger.number,
            "flight_number": segment.flight_number,
            "flight_date": segment.flight_date.isoformat(),
            "from_seat": booking.seat.seat_number if booking.seat else None,
            "to_seat": seat.number,
        },
        price_usd=price,
        made_in_turn=turn.airline.turn_count,
        expires_at=turn.now + timedelta(minutes=turn.quote_minutes),
    )


async def _recheck(turn: TurnContext, booking: Booking, quote: Quote) -> Refusal | None:
    details = quote.details
    present = {
        "reservation_id": booking.reservation.reservation_id,
        "version": booking.reservation.version,
        "passenger_number": booking.passenger.number,
        "flight_number": booking.segment.flight_number,
        "flight_date": booking.segment.flight_date.isoformat(),
        "from_seat": booking.seat.seat_number if booking.seat else None,
    }
    if any(details[name] != value for name, value in present.items()):
        return _OFFER_CHANGED
    closed = check_open(booking.reservation, booking.segment, turn.now)
    if closed:
        return closed
    seat = check_seat(details["to_seat"], await _taken(turn, booking), booking.seat)
    return seat if isinstance(seat, Refusal) else None


def _stage(turn: TurnContext, booking: Booking, quote: Quote, tool_call_id: str) -> str:
    details = quote.details
    cards = [method.number for method in booking.reservation.customer.payment_methods if method.kind == "card"]
    parameters = {name: value for name, value in details.items() if name != "summary"} | {
        "price_usd": quote.price_usd,
        "method_number": cards[0] if quote.price_usd and cards else None,
        "conversation_id": turn.key.conversation,
        "tool_call_id": tool_call_id,
        "details": {"from_seat": details["from_seat"], "to_seat": details["to_seat"]},
    }
    what = f"seat {details['to_seat']} on {details['flight_number']} {details['flight_date']}"
    turn.effects.append(Effect("move_to_seat", parameters, what))
    turn.airline.quote = None
    turn.airline.flight_number = booking.segment.flight_number
    turn.airline.flight_date = booking.segment.flight_date.isoformat()
    turn.airline.seat_number = details["to_seat"]
    turn.airline.issue_resolved = True
    turn.airline.refusals = 0
    return give(turn, seat_number=details["to_seat"], flight_number=details["flight_number"], price_usd=quote.price_usd)


SEAT_LOOKUP_TOOLS: tuple[FunctionTool, ...] = (find_free_seats,)
SEAT_CHANGE_TOOLS: tuple[FunctionTool, ...] = (quote_seat_change, confirm_quote)
