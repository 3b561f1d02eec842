"""Run the bare SDK: the agent graph in a loop, with nothing around it. It is the limit for the product's speed.

Agents, tools, model and knowledge base are the product's own; everything that keeps a promise is missing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agents import RunConfig, Runner

from ops.lab.bench.cpu import CpuRound, cpu_seconds, spent_since
from schema.ids import ConversationKey
from worker.conversation.context import AirlineAgentContext, TurnContext
from worker.conversation.run_spans import configure_tracing
from worker.conversation.vault import Vault
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.models.provider import build_model_provider
from worker.store.knowledge import PostgresKnowledge

if TYPE_CHECKING:
    from runtime.database import Database
    from schema.settings import Settings
    from worker.conversation.effects import KnowledgeBase
    from worker.domains.airline.agents.graph import AgentGraph


@dataclass(frozen=True)
class BareRunner:
    """The agent graph, run in a loop without anything of the product around it."""

    graph: AgentGraph
    config: RunConfig
    knowledge: KnowledgeBase
    brand: str

    async def run(self, questions: list[str]) -> CpuRound:
        """Answer the questions one after the other."""
        before, started = cpu_seconds(), time.perf_counter()
        for question in questions:
            await Runner.run(self.graph.start(None), question, context=self._context(question), run_config=self.config)
        return CpuRound(len(questions), time.perf_counter() - started, spent_since(before))

    def _context(self, question: str) -> TurnContext:
        now = datetime.now(UTC)
        nothing: Any = None
        return TurnContext(
            key=ConversationKey("default", "bare"),
            message_id="bare",
            position=1,
            channel="chat",
            text=question,
            airline=AirlineAgentContext(turn_count=1),
            vault=Vault(),
            backend=nothing,
            knowledge=self.knowledge,
            guesses=nothing,
            sender_key="",
            brand=self.brand,
            vocabulary=AIRLINE.vocabulary,
            now=now,
            ticket_id="",
            answer_by=now + timedelta(hours=1),
            quote_minutes=30,
        )


def make_bare_runner(settings: Settings, database: Database) -> BareRunner:
    """Build the bare loop; `settings.model` must be the stub."""
    configure_tracing(settings)
    config = RunConfig(
        model_provider=build_model_provider(settings, local=AIRLINE.local_model), trace_include_sensitive_data=False
    )
    return BareRunner(build_graph(), config, PostgresKnowledge(database), settings.brand)
