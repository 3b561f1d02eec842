"""Play conversations turn by turn: guard, agents and tools as in a turn, the embedded model as the brain."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from agents import RunConfig, Runner
from agents.exceptions import InputGuardrailTripwireTriggered

from schema.settings import Settings
from tests.unit.airline_stand_ins import MemoryAirline, MemoryKnowledge, make_turn
from worker.conversation.context import AirlineAgentContext, EscalationRequest
from worker.conversation.effects import Passage
from worker.conversation.vault import Vault
from worker.domains.airline.agents.graph import AgentGraph, build_graph
from worker.domains.airline.agents.start import choose_start
from worker.domains.airline.local.model import LocalModel
from worker.guardrails.inputs import input_guardrails
from worker.guardrails.pii import mask_text, normalise
from worker.models.provider import OneModelProvider
from worker.store.session import last_reply_of

BAGS = Passage("Baggage", "Checked bags", "baggage", "Each passenger may check one bag of up to 50 lbs.", 1.0)
GRAPH = build_graph()
MODEL_CALLS_MAX = 6
SETTINGS = Settings()
BOOKING_STEP_CALLS_MAX = 3


@dataclass
class Played:
    """Hold what one turn came to."""

    reply: str
    path: list[str]
    agent: str
    calls: int
    escalation: EscalationRequest | None
    effects: list[str]
    refused: str | None = None


@dataclass
class Conversation:
    """Hold a conversation between turns, as the store would."""

    graph: AgentGraph = GRAPH
    airline: AirlineAgentContext = field(default_factory=lambda: AirlineAgentContext(conversation_id="c1"))
    vault: Vault = field(default_factory=Vault)
    items: list[Any] = field(default_factory=list)
    last_agent: str | None = None
    backend: MemoryAirline = field(default_factory=MemoryAirline)
    sender: str | None = None
    knowledge: MemoryKnowledge = field(default_factory=lambda: MemoryKnowledge(BAGS))

    def copy(self) -> Conversation:
        """Give a conversation that has come as far as this one, on the same graph."""
        return deepcopy(self, {id(self.graph): self.graph})

    async def say(self, text: str) -> Played:
        masked = mask_text(normalise(text), self.vault).text
        self.airline.turn_count += 1
        fresh = make_turn(text=masked, turn_count=self.airline.turn_count, airline=self.airline)
        turn = replace(
            fresh,
            vault=self.vault,
            backend=self.backend,
            knowledge=self.knowledge,
            verified_sender=self.sender,
            last_reply=last_reply_of(self.items),
        )
        asked = [*self.items, {"role": "user", "content": masked}]
        config = RunConfig(
            model_provider=OneModelProvider(LocalModel()),
            input_guardrails=input_guardrails(SETTINGS),
            tracing_disabled=True,
        )
        try:
            start = await choose_start(self.graph, turn, self.items, self.last_agent, SETTINGS)
            result = await Runner.run(start, asked, context=turn, run_config=config)
        except InputGuardrailTripwireTriggered as tripped:
            verdict = tripped.guardrail_result.output.output_info
            self.items = [*asked, {"role": "assistant", "content": "I'm afraid I cannot help with that."}]
            return Played("", [], "", 0, None, [], refused=verdict["reason"])
        self.items = result.to_input_list()
        self.last_agent = result.last_agent.name
        path = [
            str(getattr(item.raw_item, "name", ""))
            for item in result.new_items
            if item.type in {"tool_call_item", "handoff_call_item"}
        ]
        assert len(result.raw_responses) <= MODEL_CALLS_MAX
        return Played(
            self.vault.render(str(result.final_output)),
            path,
            result.last_agent.name,
            len(result.raw_responses),
            turn.escalation,
            [effect.what for effect in turn.effects],
        )
