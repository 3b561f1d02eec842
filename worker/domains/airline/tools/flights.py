"""Search flights, and say how one stands. Neither needs a verified customer."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from agents import FunctionTool
from agents.tool_context import ToolContext

from worker.conversation.context import TurnContext
from worker.conversation.refusal import Refusal
from worker.domains.airline.records.backend import Airport, Connection, Flight, backend_of
from worker.domains.airline.rules.flights import (
    CABINS,
    choose_flight_of_day,
    days_around,
    find_airport,
    read_day,
    read_flight_number,
)
from worker.tools.airline_tool import airline_tool
from worker.tools.results import give, refuse

_SAME_PLACE = Refusal(
    "same_airport", "A flight goes from one place to another. Where would you like to go?", counts=False
)
_NO_SUCH_FLIGHT = Refusal(
    "no_such_flight", "I cannot find that flight. Could you check its number, such as LF118, and the day?", counts=False
)


@airline_tool
async def search_flights(context: ToolContext[TurnContext], origin: str, destination: str, date: str) -> str:
    """Find the flights of a day that can be booked, direct or with one stop, with prices per cabin and passenger.

    Args:
        origin: City or airport code.
        destination: City or airport code.
        date: Of departure, YYYY-MM-DD.

    """
    turn = context.context
    wish = _read_wish(await backend_of(turn).find_airports(turn.key.tenant), (origin, destination, date), turn.now)
    if isinstance(wish, Refusal):
        return refuse(turn, wish)
    start, end, day = wish
    found = await backend_of(turn).search_flights(turn.key.tenant, start.code, end.code, day)
    ahead = [connection for connection in found if connection[0].departs_at > turn.now]
    return give(
        turn,
        origin=start.code,
        destination=end.code,
        date=day.isoformat(),
        options=[_show_option(number, connection) for number, connection in enumerate(ahead, 1)],
    )


@airline_tool
async def flight_status(context: ToolContext[TurnContext], flight_number: str, date: str | None = None) -> str:
    """Tell how a flight stands: its times, and whether it is on time, delayed or cancelled.

    Args:
        flight_number: Such as LF118.
        date: Of departure, YYYY-MM-DD; null for today, or the day of the booking.

    """
    turn = context.context
    number = read_flight_number(flight_number)
    if number is None:
        return refuse(turn, _NO_SUCH_FLIGHT)
    if date is None and turn.airline.flight_number == number:
        date = turn.airline.flight_date
    days = days_around(turn.now)
    if date is not None:
        day = read_day(date)
        if isinstance(day, Refusal):
            return refuse(turn, day)
        days = (day,)
    found = [await backend_of(turn).find_flight(turn.key.tenant, number, day) for day in days]
    flight = choose_flight_of_day([flight for flight in found if flight], turn.now)
    return give(turn, flight=_show_flight(flight)) if flight else refuse(turn, _NO_SUCH_FLIGHT)


def _read_wish(
    airports: Sequence[Airport], wish: tuple[str, str, str], now: datetime
) -> tuple[Airport, Airport, date] | Refusal:
    start, end, day = find_airport(airports, wish[0]), find_airport(airports, wish[1]), read_day(wish[2])
    if isinstance(start, Refusal):
        return start
    if isinstance(end, Refusal):
        return end
    if isinstance(day, Refusal):
        return day
    if start == end:
        return _SAME_PLACE
    if day < days_around(now)[0]:
        return Refusal("date_past", f"{day.isoformat()} is in the past. Which day do you mean?", counts=False)
    return start, end, day


def _show_option(number: int, connection: Connection) -> dict[str, Any]:
    prices = {}
    for cabin in CABINS:
        fares = [fare for flight in connection for fare in flight.fares if fare.cabin == cabin and fare.seats_left > 0]
        if len(fares) == len(connection):
            prices[cabin] = {
                "price_usd": sum(fare.price_usd for fare in fares),
                "seats_left": min(fare.seats_left for fare in fares),
            }
    return {"option": number, "flights": [_show_flight(flight) for flight in connection], "cabins": prices}


def _show_flight(flight: Flight) -> dict[str, Any]:
    return {
        "flight_number": flight.flight_number,
        "date": flight.flight_date.isoformat(),
        "origin": flight.origin,
        "destination": flight.destination,
        "departs": flight.departs_local,
        "arrives": flight.arrives_local,
        "status": flight.status,
    }


FLIGHT_TOOLS: tuple[FunctionTool, ...] = (search_flights, flight_status)
