"""Run the bare SDK: the agent graph in a loop, with nothing around it. The limit the product is measured against."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from agents import RunConfig, Runner

from schema.ids import ConversationKey
from worker.agents.context import AirlineAgentContext, TurnContext
from worker.agents.graph import build_graph
from worker.guardrails.vault import Vault
from worker.models.provider import build_model_provider
from worker.tools.backend import Passage
from worker.agents.tracing import configure_tracing

if TYPE_CHECKING:
    from schema.settings import Settings
    from worker.agents.graph import AgentGraph


@dataclass(frozen=True)
class OnePassage:
    """Stand in for the knowledge base: the passage the tool would find, without a database."""

    passage: Passage

    async def search(self, tenant: str, question: str, limit: int) -> list[Passage]:
        """Give the one passage."""
        del tenant, question, limit
        return [self.passage]


@dataclass(frozen=True)
class BareRunner:
    """Hold the graph and the model of the bare loop."""

    graph: AgentGraph
    config: RunConfig
    knowledge: OnePassage

    async def run(self, questions: list[str]) -> float:
        """Answer the questions one after the other; gives the CPU seconds of this process."""
        started = time.process_time()
        for question in questions:
            await Runner.run(self.graph.start(None), question, context=self._context(question), run_config=self.config)
        return time.process_time() - started

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
            now=now,
            ticket_id="",
            answer_by=now + timedelta(hours=1),
            quote_minutes=30,
        )


def make_bare_runner(settings: Settings, passage: Passage) -> BareRunner:
    """Put the bare loop together; `settings.model` must be the stub."""
    configure_tracing()
    config = RunConfig(model_provider=build_model_provider(settings), trace_include_sensitive_data=False)
    return BareRunner(build_graph(), config, OnePassage(passage))
