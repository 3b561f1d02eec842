"""Play one turn before the first customer's: what is loaded at first use takes seconds of CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog
import structlog.testing

from schema.ids import ConversationKey
from schema.messages.inbound import Inbound
from worker.conversation.context import AirlineAgentContext
from worker.guardrails.language import load_judge
from worker.journal.model_calls import JournalEntry, TurnJournal
from worker.models.dry import make_dry_client
from worker.models.provider import OneModelProvider, build_model_provider
from worker.pipeline.act import Brain, act
from worker.pipeline.guard import guard
from worker.pipeline.outcome import Clock, OpenedMessage, Snapshot, TurnRun, due_of

if TYPE_CHECKING:
    from datetime import date

    from runtime.database import Transaction
    from worker.conversation.effects import Effect, Passage
    from worker.domains.airline.records.backend import Airport, Connection, Flight, Reservation

_QUESTION = "Hello, I am Ada. How much is a second bag? My number is +1 415 555 0132."


@dataclass(frozen=True)
class _NothingKnown:
    """Stand-in for the airline's systems: no reservation, no seat, no article."""

    async def find_reservation(self, _tenant: str, _confirmation_number: str) -> Reservation | None:
        return None

    async def find_reservations_of(self, _tenant: str, _address: str) -> tuple[Reservation, ...]:
        return ()

    async def find_taken_seats(self, _tenant: str, _flight_number: str, _flight_date: date) -> frozenset[str]:
        return frozenset()

    async def search_flights(self, _tenant: str, _origin: str, _destination: str, _day: date) -> tuple[Connection, ...]:
        return ()

    async def find_flight(self, _tenant: str, _flight_number: str, _day: date) -> Flight | None:
        return None

    async def find_airports(self, _tenant: str) -> tuple[Airport, ...]:
        return ()

    async def apply(self, _tenant: str, effect: Effect, _transaction: Transaction) -> int:
        return effect.rows

    async def may_answer(self, _tenant: str, _sender_key: str, _number: str | None, *, is_right: bool) -> bool:
        return is_right

    async def search(self, _tenant: str, _question: str, _limit: int, _about: str = "") -> list[Passage]:
        return []


async def warm_up(brain: Brain) -> None:
    """Run the guards, the agents and the models once; nothing is read, written or asked of a provider.

    The embedded model stands by whatever model is set; a provider's client is tried on an endpoint in memory. The judge
    of languages takes 0.8 s of CPU and 46 MB: of the embedded model's own sentences hardly any is asked about.
    """
    nothing = _NothingKnown()
    provider = OneModelProvider(brain.domain.local_model())
    dry = replace(brain, provider=provider, backend=nothing, knowledge=nothing, guesses=nothing)
    with structlog.testing.capture_logs():
        await _play(dry)
        if not brain.settings.is_embedded_model:
            load_judge()
            client = build_model_provider(brain.settings, make_dry_client(), local=brain.domain.local_model)
            await _play(replace(dry, provider=client))
            await client.aclose()


async def _play(brain: Brain) -> None:
    now = datetime.now(UTC)
    key = ConversationKey("default", "warm-up")
    inbound = Inbound(
        message_id="warm-up", tenant="default", conversation="warm-up", channel="chat", sender="nobody", text=_QUESTION
    )
    guarded = guard([inbound], AirlineAgentContext(), {})
    run = TurnRun(
        OpenedMessage(key, 1, inbound, "", 1),
        _new_conversation(now),
        due_of(now, now, timedelta(hours=1)),
        Clock(now),
        TurnJournal({}, _record_nothing),
    )
    await act(brain, run, guarded)


async def _record_nothing(_step: int, _entry: JournalEntry) -> None:
    """Record nothing: the warm-up keeps no journal."""


def _new_conversation(now: datetime) -> Snapshot:
    return Snapshot(
        version=0,
        owner="bot",
        last_position=1,
        done_position=0,
        last_sequence=0,
        last_ordinal=0,
        last_agent=None,
        context=AirlineAgentContext(),
        vault={},
        state="accepted",
        read_at=now,
        accepted_at=now,
        waited_seconds=0.0,
        items=[],
        unpublished=[],
        journal=[],
    )
