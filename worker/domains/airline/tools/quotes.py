"""Quote changes to a booking, and confirm them. A change is staged for the turn's commit, never made by a tool."""

from agents import FunctionTool
from agents.tool_context import ToolContext
from pydantic import BaseModel, ConfigDict

from worker.conversation.context import TurnContext
from worker.domains.airline.records.backend import Cabin
from worker.domains.airline.rules.cancellation import CancellationReason
from worker.domains.airline.rules.compensation import Complaint
from worker.domains.airline.rules.seats import SeatPreference
from worker.domains.airline.tools.quoting import confirm, quote
from worker.tools.airline_tool import airline_tool


class ChosenFlight(BaseModel):
    """Name one flight of one day."""

    model_config = ConfigDict(extra="forbid")

    flight_number: str
    date: str


@airline_tool
async def quote_seat_change(
    context: ToolContext[TurnContext],
    seat_number: str | None = None,
    preference: SeatPreference | None = None,
    flight_number: str | None = None,
    passenger_name: str | None = None,
) -> str:
    """Offer the customer one seat, with its price. Changes nothing: the customer must say yes to it first.

    Args:
        seat_number: The seat wanted, such as 12A; null to offer the best free one for the preference.
        preference: What the customer prefers, when no seat is named; any when they do not mind.
        flight_number: Which flight of the booking; null for the one talked about, or the next one.
        passenger_name: Who of the booking is to sit there; null for the customer who writes.

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


@airline_tool
async def quote_flight_change(
    context: ToolContext[TurnContext], flights: list[ChosenFlight], payment_method: int | None = None
) -> str:
    """Offer other flights for the booking, with the difference in price. Changes nothing before the customer's yes.

    Args:
        flights: All flights of the trip in the order flown, also those that stay: flight_number and date (YYYY-MM-DD).
        payment_method: Number of the payment method to charge; null for the card on file.

    """
    request = {"flights": [flight.model_dump() for flight in flights], "payment_method": payment_method}
    return await quote(context, "flight_change", request)


@airline_tool
async def quote_cancellation(context: ToolContext[TurnContext], reason: CancellationReason) -> str:
    """Offer to cancel the whole booking, with what is paid back. Changes nothing before the customer's yes.

    Args:
        reason: Why the customer cancels, in their own words' sense; ask if they have not said.

    """
    return await quote(context, "cancellation", {"reason": reason})


@airline_tool
async def quote_bags(context: ToolContext[TurnContext], additional_bags: int, payment_method: int | None = None) -> str:
    """Offer more checked bags, with their price. Changes nothing before the customer's yes.

    Args:
        additional_bags: How many bags more than are booked now, for all passengers together.
        payment_method: Number of the payment method to charge; null for the card on file.

    """
    return await quote(context, "bags", {"additional_bags": additional_bags, "payment_method": payment_method})


@airline_tool
async def quote_passenger_correction(
    context: ToolContext[TurnContext], passenger_name: str, given_name: str, surname: str
) -> str:
    """Offer to correct the spelling of a passenger's name; the person stays. Changes nothing before the customer's yes.

    Args:
        passenger_name: The name as it stands in the booking now.
        given_name: The right given name or names.
        surname: The right surname.

    """
    request = {"passenger_name": passenger_name, "given_name": given_name.strip(), "surname": surname.strip()}
    return await quote(context, "passenger_correction", request)


@airline_tool
async def quote_cabin_change(context: ToolContext[TurnContext], cabin: Cabin, payment_method: int | None = None) -> str:
    """Offer another cabin for all passengers on all flights, with the price. Changes nothing before the customer's yes.

    Args:
        cabin: The cabin wanted.
        payment_method: Number of the payment method to charge; null for the card on file.

    """
    return await quote(context, "cabin_change", {"cabin": cabin, "payment_method": payment_method})


@airline_tool
async def quote_compensation(context: ToolContext[TurnContext], complaint: Complaint) -> str:
    """Offer the certificate that is due for a disrupted flight. Only for a customer who asks for compensation.

    Args:
        complaint: What happened to the flight.

    """
    return await quote(context, "compensation", {"complaint": complaint})


@airline_tool
async def confirm_quote(context: ToolContext[TurnContext], quote_id: str) -> str:
    """Make the change of any quote that the customer has said yes to, in a message after the one it was offered in.

    Args:
        quote_id: The id of the offer.

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
