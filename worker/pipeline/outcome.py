"""What a turn starts from and comes to, as plain values that its steps hand to each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from runtime.telemetry.tracing import measure
from schema.tenants import EscalationHours, TenantSettings
from worker.conversation.context import AirlineAgentContext, EscalationRequest, PendingApproval
from worker.conversation.opening_hours import add_open_time

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from schema.ids import ConversationKey
    from schema.messages.envelope import Envelope
    from schema.messages.event import EventName
    from schema.messages.inbound import Inbound
    from worker.conversation.domain import EarlierConversation
    from worker.conversation.effects import Effect
    from worker.journal.model_calls import TurnJournal
    from worker.journal.tool_calls import ToolEntry
    from worker.outbound.publisher import OutboxRow

TurnOutcome = Literal["answered", "refused", "escalated", "forwarded", "ignored", "dead"]


@dataclass(frozen=True)
class OpenedMessage:
    """One opened envelope: the customer's message and its place in the conversation."""

    key: ConversationKey
    position: int
    inbound: Inbound
    payload: str
    attempts: int
    unreadable: str | None = None
    """Why nobody can read it; then `inbound` holds no words of the customer."""
    reachable: bool = True
    """Whether `inbound.sender` is an address."""
    stray: bool = False
    """Whether the inbox does not know it; then `position` is no place in the conversation, and `payload` the entry."""
    followers: tuple[OpenedMessage, ...] = ()
    """Later messages of the same burst, in order: the same turn answers them."""
    cause: str = ""
    """Why the attempt before failed, as far as is known."""
    is_open: bool = False
    """Whether a message that comes while it is answered belongs to it: a reply that leaves it out would be stale."""

    @property
    def messages(self) -> tuple[OpenedMessage, ...]:
        """Return all messages that the turn answers, in order: this one first."""
        return (self, *self.followers)

    @property
    def last_position(self) -> int:
        """Return the position of the last message that the turn answers."""
        return self.messages[-1].position


@dataclass(frozen=True)
class Snapshot:
    """What hydrate read: everything a turn starts from, at one version of the conversation."""

    version: int
    owner: str
    last_position: int
    done_position: int
    last_sequence: int
    last_ordinal: int
    last_agent: str | None
    context: AirlineAgentContext
    vault: dict[str, str]
    state: str | None
    read_at: datetime
    """PostgreSQL's time, and so the turn's: workers' clocks may differ, and a quote of one is taken up by another."""
    accepted_at: datetime
    waited_seconds: float
    items: list[Any]
    unpublished: list[OutboxRow]
    journal: list[dict[str, Any]]
    tools: dict[str, ToolEntry] = field(default_factory=dict)
    followers: list[dict[str, Any]] = field(default_factory=list)
    """What waits behind the message on its channel (message_id, position, payload, seconds_after it), in order."""
    stream_epoch: int = 0
    """Epoch of the tenant's streams when this was read."""
    brand: str | None = None
    """The tenant's name for the airline; None: as the settings have it."""
    tenant_settings: TenantSettings = field(default_factory=TenantSettings)
    """What the tenant sets for itself."""
    sender_key: str = ""
    """Whose state this is: `context`, `vault`, `last_agent` and `items` are theirs alone."""
    held_sender_key: str | None = None
    """Whose state the conversation held; that of another sender is put aside when the turn commits."""
    sender_is_new: bool = False
    """Whether the sender was silent for so long that it may be somebody else; what was theirs is put aside for ever."""
    first_sender_key: str | None = None
    """Who the conversation began with, as far as anybody can tell."""
    earlier: tuple[EarlierConversation, ...] = ()
    """What earlier conversations of a sender who begins here knew, newest first; only where the gateway vouches."""
    sealed_key: str | None = None
    """The conversation's own key, sealed; None: it has none yet."""

    @property
    def published_ordinal(self) -> int:
        """Return the ordinal up to which the conversation is known to be published."""
        return self.unpublished[0].ordinal - 1 if self.unpublished else self.last_ordinal


@dataclass
class Answer:
    """What a turn decided: the reply (None: silence), what goes with it, and what to remember."""

    outcome: TurnOutcome
    reply: str | None
    agent: str | None
    context: AirlineAgentContext
    vault: dict[str, str]
    items: list[Any] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    escalation: EscalationRequest | None = None
    events: list[tuple[EventName, dict[str, str]]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    buried_because: str | None = None
    approval: PendingApproval | None = None
    """A change that a person is to approve."""
    decide_by: datetime | None = None
    """By when."""
    settled: tuple[str, str] | None = None
    """The approval whose decision the turn took up, and what became of it."""


_AROUND_THE_CLOCK: Final = EscalationHours()


@dataclass(frozen=True)
class Due:
    """A turn's time, and by when a human is to answer if one is called."""

    now: datetime
    answer_by: datetime


def due_of(
    accepted_at: datetime, now: datetime, answer_within: timedelta, hours: EscalationHours = _AROUND_THE_CLOCK
) -> Due:
    """Set by when a human answers: counted from when the message came, or from now when it had to wait for long.

    Only time in which people answer counts.

    A turn that is run again soon makes the same promise, so what its model is told is the same, too.
    """
    waited_long = now - accepted_at > answer_within / 4
    return Due(now, add_open_time(now if waited_long else accepted_at, answer_within, hours))


@dataclass
class Clock:
    """Durations of a turn's steps, monotonic; `started_at` is wall-clock time, for the record."""

    started_at: datetime
    timings: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: Literal["hydrate", "guard", "act", "commit"]) -> Iterator[None]:
        """Measure a step: for the turn's record, and as a span of its trace, there also when it fails.

        When a turn starts over because a message came meanwhile, its record has what each step took in all.
        """
        with measure(name) as span:
            yield
        self.timings[f"{name}_ms"] = round(self.timings.get(f"{name}_ms", 0.0) + span.milliseconds, 3)


@dataclass(frozen=True)
class TurnRun:
    """One run of a turn: the message it answers, what it starts from, and where it records what it does."""

    message: OpenedMessage
    snapshot: Snapshot
    due: Due
    clock: Clock
    journal: TurnJournal


@dataclass(frozen=True)
class Done:
    """The head is dealt with, and `followers` together with it: acknowledge them."""

    followers: tuple[Envelope, ...] = ()


@dataclass(frozen=True)
class Later:
    """The head must be tried again; `counts` tells whether this attempt counts, `cause` why it failed."""

    backoff_seconds: float
    counts: bool
    cause: str = ""


@dataclass(frozen=True)
class Again:
    """The turn must start over at once: somebody else committed, or what it relied on changed."""


@dataclass(frozen=True)
class Repair:
    """The mailbox lacked so many earlier messages, which have been put back: look at its head anew."""

    messages: int


@dataclass(frozen=True)
class Mend:
    """The head is damaged: put these inbox rows (message_id, position, payload) in its place."""

    rows: list[dict[str, Any]]


Verdict = Done | Later | Repair | Mend
