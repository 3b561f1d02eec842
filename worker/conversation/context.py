"""Context of an agent run: the conversation's, which outlives the turn, and the turn's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict

from runtime.switches import Switches
from schema.ids import ConversationKey
from schema.messages.escalation import EscalationCategory, Priority
from schema.messages.wire import IssueType
from schema.tenants import TenantApprovals
from worker.conversation.effects import LookedUp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agents import ModelProvider
    from agents.tool_context import ToolContext

    from worker.conversation.effects import Effect, EffectStore, GuessLimit, KnowledgeBase
    from worker.conversation.vault import Vault
    from worker.conversation.vocabulary import Vocabulary


class Quote(BaseModel):
    """An offer that waits for the customer's yes; a write needs one that was made in an earlier turn.

    Stored between turns, which may run in two releases: unknown fields are ignored, and the offer is worked out anew
    before it is taken up. A quote with fields that must not be ignored is of another `kind`.
    """

    model_config = ConfigDict(extra="ignore")

    quote_id: str
    kind: str
    details: dict[str, Any]
    price_usd: int
    made_in_turn: int
    expires_at: datetime


class PendingApproval(BaseModel):
    """A change that the customer has said yes to, and that waits for a person's yes. Stored as a quote is."""

    model_config = ConfigDict(extra="ignore")

    approval_id: str
    kind: str
    amount_usd: int
    policy: str
    summary: str
    request: dict[str, Any]
    relied_on: dict[str, Any]
    made_in_turn: int


class AirlineAgentContext(BaseModel):
    """What a conversation knows of one of its senders. Stored masked: secrets stand as placeholders of their vault."""

    model_config = ConfigDict(extra="ignore", validate_assignment=True)

    passenger_name: str | None = None
    confirmation_number: str | None = None
    flight_number: str | None = None
    flight_date: str | None = None
    seat_number: str | None = None
    seat_preference: str | None = None
    issue_type: IssueType | None = None
    issue_resolved: bool = False
    escalation_reason: str | None = None
    conversation_id: str = ""
    turn_count: int = 0
    contains_pii: bool = False
    pii_detected: list[str] = []
    # Beyond the airline's list
    verified: bool = False
    ticket_id: str | None = None
    refusals: int = 0
    quote: Quote | None = None
    pending_approval: PendingApproval | None = None
    verified_confirmation_number: str | None = None  # `verified` holds for this one only
    verified_sender_key: str | None = None  # … and for this sender only
    lookups_failed: int = 0
    abuse_count: int = 0
    abused_at: datetime | None = None
    cooling_until: datetime | None = None
    compensation_asked: bool = False  # by the customer, in so many words; none is offered otherwise
    vouched_for: bool | None = None  # whether the gateway vouched for the sender with every message so far
    facts: dict[str, str] = {}  # what earlier conversations of the sender settled, with dates
    changes_made: list[str] = []  # queries of the effects that this conversation's turns committed, each once
    told_off_at: datetime | None = None  # since when what the customer was last told of as out of service had been off


@dataclass(frozen=True)
class EscalationRequest:
    """A request to hand the conversation to a human."""

    category: EscalationCategory
    reason: str
    summary: str
    priority: Priority = "normal"
    answer_by: datetime | None = None
    """Set where a person must answer sooner than the deployment promises otherwise."""


class ToolCalls(Protocol):
    """Protocol through which a turn's tools are called."""

    async def call(
        self,
        context: ToolContext[TurnContext],
        arguments: str,
        run: Callable[[], Awaitable[str]],
        *,
        looks_at_turn: bool,
    ) -> str:
        """Call a tool by `run`, or return what it answered to an earlier attempt at this turn."""


@dataclass
class TurnContext:
    """The SDK's context of one agent run: what tools, hooks, instructions and guardrails may use."""

    key: ConversationKey
    message_id: str
    position: int
    channel: str
    text: str  # normalised and masked; of a burst all messages
    airline: AirlineAgentContext
    vault: Vault
    backend: EffectStore  # the domain knows what else it offers
    knowledge: KnowledgeBase
    guesses: GuessLimit
    vocabulary: Vocabulary
    sender_key: str  # of who wrote `text`
    brand: str  # what the airline is called
    now: datetime
    ticket_id: str
    answer_by: datetime
    quote_minutes: int
    effects: list[Effect] = field(default_factory=list)
    escalation: EscalationRequest | None = None
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    tool_output_characters_max: int = 8_000
    verified_sender: str | None = field(default=None, repr=False)  # only where the gateway vouches; no model sees it
    models_beside: ModelProvider | None = None  # for a guardrail that asks a model while the agents are at work
    tools: ToolCalls | None = None  # None: a run whose tool calls nobody takes up again
    texts: tuple[str, ...] = ()  # the messages of `text`, where it is more than one
    seen_position: int = 0  # of the newest message accepted when the turn began
    looked_up: LookedUp = field(default_factory=LookedUp)  # what the articles have on `text`, before the agents run
    earlier_texts: tuple[str, ...] = ()  # what this sender wrote before, masked, as far back as the history goes
    prompt_lines: tuple[str, ...] = ()  # that the tenant adds to the instructions of every agent
    emergency_number: str | None = None  # the tenant's; None: the deployment's
    crisis_line: str | None = None  # likewise
    approvals: TenantApprovals = field(default_factory=TenantApprovals)  # which changes need a person's yes
    last_reply: str = ""  # what these messages answer, masked; empty when no reply stands right before them
    switches: Switches = field(default_factory=Switches)  # what operators have switched off, as of each moment
    wanted: str | None = None  # what a model called although it is switched off: a person does that

    @property
    def is_verified(self) -> bool:
        """Return whether this sender has proved a booking to be theirs; another sender's proof counts for nothing."""
        return self.airline.verified and self.airline.verified_sender_key == self.sender_key

    @property
    def answered_by(self) -> str:
        """Return by when a person answers, as customers read it."""
        return f"{self.answer_by.astimezone(UTC):%H:%M UTC on %d %B %Y}"

    @property
    def messages(self) -> tuple[str, ...]:
        """Return the texts of the messages that this turn answers, in order."""
        return self.texts or (self.text,)


def cut(text: str, characters_max: int) -> str:
    """Shorten a text to at most so many characters; one that was cut ends in an ellipsis."""
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"


def call_human(turn: TurnContext, request: EscalationRequest) -> None:
    """Hand the conversation to a human; within a turn the first reason stands."""
    if turn.escalation is not None:
        return
    turn.escalation = request
    turn.airline.escalation_reason = request.category
    turn.airline.ticket_id = turn.ticket_id
    turn.airline.quote = None  # what was offered waits for nobody: a person takes over
