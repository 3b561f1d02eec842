"""Run whole turns without servers: guard and act on stand-ins, one conversation remembered from turn to turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from agents import set_trace_processors

from runtime.switches import Switches
from schema.channels import Channel
from schema.ids import ConversationKey
from schema.messages.inbound import Inbound
from schema.settings import Settings
from tests.unit.airline_stand_ins import NOW, SENDER_KEY, TENANT, MemoryAirline, MemoryGuesses, MemoryKnowledge
from worker.agents.pool import GraphPool
from worker.conversation.context import AirlineAgentContext
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.guardrails.inputs import input_guardrails
from worker.journal.model_calls import JournalEntry, TurnJournal
from worker.models.provider import OneModelProvider
from worker.pipeline.act import Brain, act
from worker.pipeline.guard import guard
from worker.pipeline.outcome import Answer, Clock, OpenedMessage, Snapshot, TurnRun, due_of

if TYPE_CHECKING:
    from agents.models.interface import Model


@dataclass
class Talk:
    """Hold a conversation between turns, as the store would."""

    model: Model
    settings: Settings = field(default_factory=Settings)
    graphs: Any = field(default_factory=lambda: GraphPool(build_graph))
    airline: AirlineAgentContext = field(default_factory=AirlineAgentContext)
    vault: dict[str, str] = field(default_factory=dict)
    items: list[Any] = field(default_factory=list)
    last_agent: str | None = None
    backend: MemoryAirline = field(default_factory=MemoryAirline)
    knowledge: MemoryKnowledge = field(default_factory=MemoryKnowledge)
    guesses: MemoryGuesses = field(default_factory=MemoryGuesses)
    recorded: dict[int, JournalEntry] = field(default_factory=dict)
    switches: Switches = field(default_factory=Switches)
    now: datetime = NOW
    position: int = 0
    journal: TurnJournal | None = None

    def __post_init__(self) -> None:
        set_trace_processors([])

    async def say(
        self, text: str, *, recorded: dict[int, JournalEntry] | None = None, channel: Channel = "chat"
    ) -> Answer:
        """Bring one message to its answer, and remember what a commit would store."""
        self.position += 1
        self.recorded = {}
        key = ConversationKey(TENANT, "c1")
        message_id = f"m{self.position}"
        inbound = Inbound(
            message_id=message_id, tenant=TENANT, conversation="c1", channel=channel, sender="ada", text=text
        )

        async def record(step: int, entry: JournalEntry) -> None:
            self.recorded[step] = entry

        self.journal = TurnJournal(recorded or {}, record)
        run = TurnRun(
            OpenedMessage(key, self.position, inbound, "", 1),
            self.snapshot,
            due_of(self.now, self.now, timedelta(hours=1)),
            Clock(self.now),
            self.journal,
        )
        answer = await act(self.brain, run, guard([inbound], self.airline, self.vault))
        # What a commit stores is read anew by the next turn.
        self.airline = AirlineAgentContext.model_validate_json(answer.context.model_dump_json())
        self.vault = answer.vault
        self.items = [*self.items, *answer.items]
        self.last_agent = answer.agent or self.last_agent
        return answer

    @property
    def brain(self) -> Brain:
        return Brain(
            graphs=self.graphs,
            provider=OneModelProvider(self.model),
            guardrails=input_guardrails(self.settings),
            backend=self.backend,
            knowledge=self.knowledge,
            guesses=self.guesses,
            settings=self.settings,
            domain=AIRLINE,
            switches=self.switches,
        )

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(
            version=self.position,
            owner="bot",
            last_position=self.position,
            done_position=self.position - 1,
            last_sequence=0,
            last_ordinal=0,
            last_agent=self.last_agent,
            context=self.airline,
            vault=self.vault,
            state="accepted",
            read_at=self.now,
            accepted_at=self.now,
            waited_seconds=0.0,
            items=self.items,
            unpublished=[],
            journal=[],
            sender_key=SENDER_KEY,
        )
