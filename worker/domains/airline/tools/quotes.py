"""Quote changes to a booking, and confirm them. A change is staged for the turn's commit, never made by a tool."""

from agents import FunctionTool
from agents.tool_context import ToolContext
from pydantic import BaseModel, ConfigDict

from worker.conversation.context import TurnContext
from worker.domains.airline.records.backend import Cabin
from worker.domains.airline.rules.cancellation import CancellationReason
from worker.domains.airline.rules.compensation import Complaint
from worker.domains.airline.rules.seats import SeatPreference
from worker.domains.airline.tools.access import once_verified
from worker.domains.airline.tools.quoting import confirm, quote
from worker.tools.airline_tool import airline_tool


class ChosenFlight(BaseModel):
    """Name one flight of one day."""

    model_config = ConfigDict(extra="forbid")

    flight_number: str
    date: str


@once_verified
@airline_tool
async def quote_seat_change(
    context: ToolContext[TurnContext],
    seat_number: str | None = None,
    preference: SeatPreference | None = None,
    flight_number: str | None = None,
    passenger_name: str | None = None,
) -> str:
    """Offer the customer one seat, with its price.

    Args:
        seat_number: Such as 12A; null for the best free one for the preference.
        preference: Where no seat is named; "any" when they do not mind.
        flight_number: Null for the flight talked about, or the next one.
        passenger_name: Who is to sit there; null for who writes.

    """
    if preference and preference != "any":
        context.context.airline.seat_preference = preference
    request = {
        "seat_number": seat_number,
        "preference": preference,
        "flight_number": flight_number,
        "passenger_name": passenger_name,
    }
    return await quote(context, "seat_change", request)


@once_verified
@airline_tool
async def quote_flight_change(
    context: ToolContext[TurnContext], flights: list[ChosenFlight], payment_method: int | None = None
) -> str:
    """Offer other flights for the booking, with the difference in price.

    Args:
        flights: All flights of the trip in the order flown, also those that stay; dates are YYYY-MM-DD.
        payment_method: Its number in the booking; null for the card on file.

    """
    request = {"flights": [flight.model_dump() for flight in flights], "payment_method": payment_method}
    return await quote(context, "flight_change", request)


@once_verified
@airline_tool
async def quote_cancellation(context: ToolContext[TurnContext], reason: CancellationReason) -> str:
    """Offer to cancel the whole booking, with what is paid back.

    Args:
        reason: What the customer has said.

    """
    return await quote(context, "cancellation", {"reason": reason})


@once_verified
@airline_tool
async def quote_bags(context: ToolContext[TurnContext], additional_bags: int, payment_method: int | None = None) -> str:
    """Offer more checked bags, with their price.

    Args:
        additional_bags: How many more than are booked now, for all passengers together.
        payment_method: Its number in the booking; null for the card on file.

    """
    return await quote(context, "bags", {"additional_bags": additional_bags, "payment_method": payment_method})


@once_verified
@airline_tool
async def quote_passenger_correction(
    context: ToolContext[TurnContext], passenger_name: str, given_name: str, surname: str
) -> str:
    """Offer to correct the spelling of a passenger's name; the person stays.

    Args:
        passenger_name: As it stands in the booking now.
        given_name: The right given name or names.
        surname: The right surname.

    """
    request = {"passenger_name": passenger_name, "given_name": given_name.strip(), "surname": surname.strip()}
    return await quote(context, "passenger_correction", request)


@once_verified
@airline_tool
async def quote_cabin_change(context: ToolContext[TurnContext], cabin: Cabin, payment_method: int | None = None) -> str:
    """Offer another cabin for all passengers on all flights, with the price.

    Args:
        cabin: The cabin wanted.
        payment_method: Its number in the booking; null for the card on file.

    """
    return await quote(context, "cabin_change", {"cabin": cabin, "payment_method": payment_method})


@once_verified
@airline_tool
async def quote_compensation(context: ToolContext[TurnContext], complaint: Complaint) -> str:
    """Offer the certificate that is due for a disrupted flight. Only for a customer who asks for compensation.

    Args:
        complaint: What happened to the flight.

    """
    return await quote(context, "compensation", {"complaint": complaint})


@airline_tool
async def confirm_quote(context: ToolContext[TurnContext], quote_id: str) -> str:
    """Make the change of a quote that the customer has said yes to, in a message after the offer.

    Args:
        quote_id: The offer's id.

    """
    return await confirm(context, quote_id)


SEAT_CHANGE_TOOLS: tuple[FunctionTool, ...] = (quote_seat_change, confirm_quote)
QUOTE_TOOLS: tuple[FunctionTool, ...] = (
    *SEAT_CHANGE_TOOLS,
    quote_flight_change,
    quote_cancellation,
    quote_bags,
    quote_passenger_correction,
    quote_cabin_change,
    quote_compensation,
)
