"""Stand in for the airline's systems: the protocols of worker.domains.airline.records.backend over plain data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agents.tool_context import ToolContext

from schema.ids import ConversationKey
from worker.conversation.context import AirlineAgentContext, TurnContext
from worker.conversation.effects import Passage
from worker.conversation.vault import Vault
from worker.domains.airline.domain import AIRLINE
from worker.domains.airline.records.backend import (
    Airport,
    Customer,
    Fare,
    Flight,
    Passenger,
    Payment,
    PaymentMethod,
    Reservation,
    SeatTaken,
    Segment,
)

if TYPE_CHECKING:
    from agents import FunctionTool

    from runtime.database import Transaction
    from worker.conversation.effects import Effect
    from worker.domains.airline.records.backend import Connection

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TENANT = "acme"
NUMBER = "DEMO42"
SENDER_KEY = "ada"
WRONG_GUESSES_MAX = 5
PLACEHOLDER = "[CONFIRMATION_NUMBER_1]"

OUT = Segment(
    number=1,
    flight_number="LF118",
    flight_date=date(2026, 3, 7),
    origin="BOS",
    destination="SEA",
    departs_at=datetime(2026, 3, 7, 14, 5, tzinfo=UTC),
    arrives_at=datetime(2026, 3, 7, 20, 20, tzinfo=UTC),
    departs_local="2026-03-07 09:05",
    arrives_local="2026-03-07 12:20",
    status="available",
    price_usd=210,
)
BACK = Segment(
    number=2,
    flight_number="LF119",
    flight_date=date(2026, 3, 9),
    origin="SEA",
    destination="BOS",
    departs_at=datetime(2026, 3, 9, 22, 0, tzinfo=UTC),
    arrives_at=datetime(2026, 3, 10, 3, 25, tzinfo=UTC),
    departs_local="2026-03-09 14:00",
    arrives_local="2026-03-09 22:25",
    status="available",
    price_usd=190,
)
ADA = Passenger(1, "Ada", "Okafor", date(1990, 5, 17))
BEN = Passenger(2, "Ben", "Okafor", date(1988, 11, 2))
CARD = PaymentMethod(1, "card", "4242", None)
GIFT_CARD = PaymentMethod(2, "gift_card", None, 150)
CERTIFICATE = PaymentMethod(3, "certificate", None, 60)
CUSTOMER = Customer(3, "Ada", "Okafor", "regular", (CARD, GIFT_CARD, CERTIFICATE))
ADDRESS = "ada@example.com"
RESERVATION = Reservation(
    reservation_id=7,
    version=3,
    confirmation_number=NUMBER,
    status="booked",
    trip_type="round_trip",
    cabin="economy",
    checked_bags=1,
    insured=False,
    created_at=NOW - timedelta(days=20),
    customer=CUSTOMER,
    passengers=(ADA, BEN),
    segments=(OUT, BACK),
    seats=(SeatTaken("LF118", OUT.flight_date, 1, "14C", 0), SeatTaken("LF118", OUT.flight_date, 2, "14D", 0)),
    payments=(Payment("card", 800, "fare", 1),),
    certificates_usd=0,
    changed_at=None,
    given_up=(),
)
AIRPORTS = (Airport("BOS", "Boston"), Airport("DEN", "Denver"), Airport("SEA", "Seattle"))


def flight_of(segment: Segment, **changes: Any) -> Flight:
    """Make the flight that a segment is on, each cabin with seats left, economy at what was paid for it."""
    return replace(
        Flight(
            flight_number=segment.flight_number,
            flight_date=segment.flight_date,
            origin=segment.origin,
            destination=segment.destination,
            departs_at=segment.departs_at,
            arrives_at=segment.arrives_at,
            departs_local=segment.departs_local,
            arrives_local=segment.arrives_local,
            status=segment.status,
            fares=(
                Fare("basic_economy", 9, segment.price_usd - 40),
                Fare("economy", 9, segment.price_usd),
                Fare("business", 9, segment.price_usd + 300),
            ),
        ),
        **changes,
    )


def later(flight: Flight, hours: int = 24, **changes: Any) -> Flight:
    """Make the same flight some hours later; its number stays unless changed as well."""
    shift = timedelta(hours=hours)
    return replace(
        flight,
        flight_date=(datetime.fromisoformat(flight.departs_local) + shift).date(),
        departs_at=flight.departs_at + shift,
        arrives_at=flight.arrives_at + shift,
        departs_local=f"{datetime.fromisoformat(flight.departs_local) + shift:%Y-%m-%d %H:%M}",
        arrives_local=f"{datetime.fromisoformat(flight.arrives_local) + shift:%Y-%m-%d %H:%M}",
        **changes,
    )


class MemoryAirline:
    """Hold reservations, flights beyond theirs, and seats that strangers have. An applied change is only noted."""

    def __init__(
        self,
        *reservations: Reservation,
        strangers: dict[tuple[str, date], set[str]] | None = None,
        flights: tuple[Flight, ...] | None = None,
        addresses: dict[str, int] | None = None,
    ) -> None:
        self.reservations = {(TENANT, r.confirmation_number): r for r in reservations or (RESERVATION,)}
        self.strangers = strangers or {}
        self.flights = flights if flights is not None else tuple(later(flight_of(s), hours=24) for s in (OUT, BACK))
        self.addresses = addresses or {ADDRESS: CUSTOMER.customer_id}
        self.asked: list[str] = []
        self.applied: list[Effect] = []

    async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
        self.asked.append(confirmation_number)
        return self.reservations.get((tenant, confirmation_number))

    async def find_reservations_of(self, tenant: str, address: str) -> tuple[Reservation, ...]:
        customer = self.addresses.get(address.lower())
        return tuple(
            reservation
            for (owner, _), reservation in self.reservations.items()
            if (owner, reservation.customer.customer_id) == (tenant, customer)
        )[:5]

    async def find_taken_seats(self, tenant: str, flight_number: str, flight_date: date) -> frozenset[str]:
        own = {
            seat.seat_number
            for (owner, _), reservation in self.reservations.items()
            for seat in reservation.seats
            if (owner, seat.flight_number, seat.flight_date) == (tenant, flight_number, flight_date)
        }
        return frozenset(own | self.strangers.get((flight_number, flight_date), set()))

    async def search_flights(self, tenant: str, origin: str, destination: str, day: date) -> tuple[Connection, ...]:
        first = [f for f in self._open(tenant) if (f.origin, f.flight_date) == (origin, day)]
        found: list[Connection] = [(f,) for f in first if f.destination == destination]
        found += [
            (f, g)
            for f in first
            for g in self._open(tenant)
            if (g.origin, g.destination) == (f.destination, destination)
            and timedelta(minutes=45) <= g.departs_at - f.arrives_at <= timedelta(hours=6)
        ]
        return tuple(sorted(found, key=lambda connection: connection[-1].arrives_at)[:8])

    async def find_flight(self, tenant: str, flight_number: str, day: date) -> Flight | None:
        wanted = (flight_number, day)
        return next((f for f in self._flights(tenant) if (f.flight_number, f.flight_date) == wanted), None)

    async def find_airports(self, tenant: str) -> tuple[Airport, ...]:
        return AIRPORTS if tenant == TENANT else ()

    async def apply(self, tenant: str, effect: Effect, transaction: Transaction) -> int:
        self.applied.append(effect)
        return effect.rows

    def change(self, **changes: Any) -> None:
        """Change the one reservation, as somebody else would."""
        self.reservations[(TENANT, NUMBER)] = replace(self.reservations[(TENANT, NUMBER)], **changes)

    def _open(self, tenant: str) -> list[Flight]:
        return [f for f in self._flights(tenant) if f.status in {"available", "on_time", "delayed"}]

    def _flights(self, tenant: str) -> list[Flight]:
        """Give the flights of the reservations, as far as no other stands in their place, and the others."""
        booked = {
            (segment.flight_number, segment.flight_date): flight_of(segment)
            for (owner, _), reservation in self.reservations.items()
            for segment in reservation.segments
            if owner == tenant
        }
        others = {(f.flight_number, f.flight_date): f for f in self.flights if tenant == TENANT}
        return list({**booked, **others}.values())


class MemoryGuesses:
    """Count wrong guesses, and answer so many."""

    def __init__(self) -> None:
        self.wrong: list[tuple[str, str, str | None]] = []

    async def may_answer(
        self, tenant: str, sender_key: str, confirmation_number: str | None, *, is_right: bool
    ) -> bool:
        if len(self.wrong) >= WRONG_GUESSES_MAX:
            return False
        if not is_right:
            self.wrong.append((tenant, sender_key, confirmation_number))
        return True


class MemoryKnowledge:
    """Answer every question with the same passages."""

    def __init__(self, *passages: Passage) -> None:
        self.passages = list(passages)
        self.asked: list[tuple[str, str]] = []

    async def search(self, tenant: str, question: str, limit: int, about: str = "") -> list[Passage]:
        self.asked.append((tenant, f"{about} / {question}" if about else question))
        return self.passages[:limit]


SAID = "I am Ada Okafor. Or is it Santos? My number was ZZZ999, OTHER1 or H7KQ2M."
"""What the customer of `make_turn` wrote before: names and numbers that a model may look up."""


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
        guesses=MemoryGuesses(),
        sender_key=SENDER_KEY,
        brand="Larkfield Air",
        vocabulary=AIRLINE.vocabulary,
        now=NOW,
        ticket_id="T-23456789AB",
        answer_by=NOW + timedelta(minutes=60),
        quote_minutes=30,
        earlier_texts=(SAID,),
    )


def make_verified_turn(*, text: str = "hello", turn_count: int = 1) -> TurnContext:
    """Make a turn in which Ada Okafor is verified."""
    turn = make_turn(text=text, turn_count=turn_count)
    turn.airline.confirmation_number = turn.airline.verified_confirmation_number = PLACEHOLDER
    turn.airline.verified = True
    turn.airline.verified_sender_key = SENDER_KEY
    turn.airline.passenger_name = "Ada Okafor"
    return turn


def next_turn(turn: TurnContext, text: str, **changes: Any) -> TurnContext:
    """Make the turn after: what outlives a turn stays, as if read from the database. Its reply made the open offer."""
    airline = AirlineAgentContext.model_validate_json(turn.airline.model_dump_json())
    airline.turn_count += 1
    fresh = make_turn(text=text, turn_count=airline.turn_count, airline=airline)
    told = (
        f"Here is what we can do: {airline.quote.details.get('summary')}. Shall I?" if airline.quote is not None else ""
    )
    kept = {name: getattr(turn, name) for name in ("vault", "backend", "knowledge", "guesses")} | {"last_reply": told}
    return replace(fresh, **{**kept, **changes})


async def call(tool: FunctionTool, turn: TurnContext, **arguments: Any) -> dict[str, Any]:
    """Call a tool as the runner does and read its answer."""
    context = ToolContext(turn, tool_name=tool.name, tool_call_id="call_1", tool_arguments=json.dumps(arguments))
    answer = await tool.on_invoke_tool(context, json.dumps(arguments))
    assert isinstance(answer, str)
    assert len(answer) <= turn.tool_output_characters_max
    read: dict[str, Any] = json.loads(answer)
    return read
