"""Stand in for the airline's systems: the protocols of worker.tools.backend over plain data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agents.tool_context import ToolContext

from schema.ids import ConversationKey
from worker.agents.context import AirlineAgentContext, TurnContext
from worker.guardrails.vault import Vault
from worker.tools.backend import Passage, Passenger, Reservation, SeatTaken, Segment

if TYPE_CHECKING:
    from agents import FunctionTool

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TENANT = "acme"
NUMBER = "DEMO42"
PLACEHOLDER = "[CONFIRMATION_NUMBER_1]"

OUT = Segment(
    "LF118", date(2026, 3, 7), "BOS", "SEA", datetime(2026, 3, 7, 14, 5, tzinfo=UTC), "2026-03-07 09:05", "available"
)
BACK = Segment(
    "LF119", date(2026, 3, 9), "SEA", "BOS", datetime(2026, 3, 9, 22, 0, tzinfo=UTC), "2026-03-09 14:00", "available"
)
ADA = Passenger(1, "Ada", "Okafor")
BEN = Passenger(2, "Ben", "Okafor")
RESERVATION = Reservation(
    reservation_id=7,
    confirmation_number=NUMBER,
    status="booked",
    cabin="economy",
    passengers=(ADA, BEN),
    segments=(OUT, BACK),
    seats=(SeatTaken("LF118", OUT.flight_date, 1, "14C", 0), SeatTaken("LF118", OUT.flight_date, 2, "14D", 0)),
)


class MemoryAirline:
    """Hold reservations, and seats that strangers have."""

    def __init__(self, *reservations: Reservation, strangers: dict[tuple[str, date], set[str]] | None = None) -> None:
        self.reservations = {(TENANT, r.confirmation_number): r for r in reservations or (RESERVATION,)}
        self.strangers = strangers or {}
        self.asked: list[str] = []

    async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
        self.asked.append(confirmation_number)
        return self.reservations.get((tenant, confirmation_number))

    async def find_taken_seats(self, tenant: str, flight_number: str, flight_date: date) -> frozenset[str]:
        own = {
            seat.seat_number
            for (owner, _), reservation in self.reservations.items()
            for seat in reservation.seats
            if (owner, seat.flight_number, seat.flight_date) == (tenant, flight_number, flight_date)
        }
        return frozenset(own | self.strangers.get((flight_number, flight_date), set()))

    def change(self, **changes: Any) -> None:
        """Change the one reservation, as somebody else would."""
        self.reservations[(TENANT, NUMBER)] = replace(self.reservations[(TENANT, NUMBER)], **changes)


class MemoryKnowledge:
    """Answer every question with the same passages."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = list(passages)
        self.asked: list[tuple[str, str]] = []

    async def search(self, tenant: str, question: str, limit: int) -> list[Passage]:
        self.asked.append((tenant, question))
        return self.passages[:limit]


def make_turn(*, text: str = "hello", turn_count: int = 1, airline: AirlineAgentContext | None = None) -> TurnContext:
    """Make a turn of a conversation whose vault holds the sample's number; nobody is verified."""
    context = airline or AirlineAgentContext()
    context.turn_count = turn_count
    return TurnContext(
        key=ConversationKey(TENANT, "c1"),
        message_id="m1",
        position=turn_count,
        channel="chat",
        text=text,
        airline=context,
        vault=Vault({PLACEHOLDER: NUMBER}),
        backend=MemoryAirline(),
        knowledge=MemoryKnowledge(),
        now=NOW,
        ticket_id="T-23456789AB",
        answer_by=NOW + timedelta(minutes=60),
        quote_minutes=30,
    )


def make_verified_turn(*, text: str = "hello", turn_count: int = 1) -> TurnContext:
    """Make a turn in which Ada Okafor is verified."""
    turn = make_turn(text=text, turn_count=turn_count)
    turn.airline.confirmation_number = turn.airline.verified_confirmation_number = PLACEHOLDER
    turn.airline.verified = True
    turn.airline.passenger_name = "Ada Okafor"
    return turn


def next_turn(turn: TurnContext, text: str, **changes: Any) -> TurnContext:
    """Make the turn after: what outlives a turn stays, as if read from the database."""
    airline = AirlineAgentContext.model_validate_json(turn.airline.model_dump_json())
    airline.turn_count += 1
    fresh = make_turn(text=text, turn_count=airline.turn_count, airline=airline)
    return replace(fresh, **{"vault": turn.vault, "backend": turn.backend, "knowledge": turn.knowledge, **changes})


async def call(tool: FunctionTool, turn: TurnContext, **arguments: Any) -> dict[str, Any]:
    """Call a tool as the runner does and read its answer."""
    context = ToolContext(turn, tool_name=tool.name, tool_call_id="call_1", tool_arguments=json.dumps(arguments))
    answer = await tool.on_invoke_tool(context, json.dumps(arguments))
    assert isinstance(answer, str)
    assert len(answer) <= turn.tool_output_characters_max
    read: dict[str, Any] = json.loads(answer)
    return read
