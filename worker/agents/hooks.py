"""Log what happens in an agent run as facts: names, counts and times, never a text."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import structlog
from agents import RunHooks
from agents.tool_context import ToolContext

from worker.conversation.context import TurnContext

if TYPE_CHECKING:
    from agents import Agent, AgentHookContext, ModelResponse, RunContextWrapper, Tool, TResponseInputItem


class TurnHooks(RunHooks[TurnContext]):
    """Logs one run; made anew for each, as it holds when the calls under way began."""

    def __init__(self) -> None:
        self._log = structlog.get_logger(__name__)
        self._model_call_at = 0.0
        self._tool_call_at: dict[str, float] = {}  # by call id: tools of one response run at the same time

    async def on_agent_start(self, context: AgentHookContext[TurnContext], agent: Agent[TurnContext]) -> None:
        """Log which agent begins."""
        self._log.debug("agent.started", agent=agent.name, **_whose(context))

    async def on_handoff(
        self, context: RunContextWrapper[TurnContext], from_agent: Agent[TurnContext], to_agent: Agent[TurnContext]
    ) -> None:
        """Log which agent hands over to which."""
        self._log.info("handoff.made", from_agent=from_agent.name, to_agent=to_agent.name, **_whose(context))

    async def on_tool_start(
        self,
        context: RunContextWrapper[TurnContext],
        agent: Agent[TurnContext],  # noqa: ARG002 - the SDK's signature, here and below
        tool: Tool,  # noqa: ARG002
    ) -> None:
        """Note when a tool begins."""
        self._tool_call_at[_call_id(context)] = perf_counter()

    async def on_tool_end(
        self,
        context: RunContextWrapper[TurnContext],
        agent: Agent[TurnContext],
        tool: Tool,
        result: object,  # noqa: ARG002
    ) -> None:
        """Log that a tool has answered, and after how long."""
        began = self._tool_call_at.pop(_call_id(context), None)
        self._log.info(
            "tool.called", tool=tool.name, agent=agent.name, milliseconds=_milliseconds_since(began), **_whose(context)
        )

    async def on_llm_start(
        self,
        context: RunContextWrapper[TurnContext],  # noqa: ARG002
        agent: Agent[TurnContext],  # noqa: ARG002
        system_prompt: str | None,  # noqa: ARG002
        input_items: list[TResponseInputItem],  # noqa: ARG002
    ) -> None:
        """Note when a model call begins."""
        self._model_call_at = perf_counter()

    async def on_llm_end(
        self, context: RunContextWrapper[TurnContext], agent: Agent[TurnContext], response: ModelResponse
    ) -> None:
        """Log that the model has answered, after how long, and what it cost."""
        self._log.debug(
            "model.called",
            agent=agent.name,
            milliseconds=_milliseconds_since(self._model_call_at),
            input_tokens=response.usage.input_tokens,
            output_tokens=response.usage.output_tokens,
            **_whose(context),
        )


def _whose(context: RunContextWrapper[Any]) -> dict[str, str]:
    turn: TurnContext = context.context
    return {"tenant": turn.key.tenant, "conversation": turn.key.conversation}


def _call_id(context: RunContextWrapper[Any]) -> str:
    return context.tool_call_id if isinstance(context, ToolContext) else ""


def _milliseconds_since(began: float | None) -> float | None:
    return None if began is None else round((perf_counter() - began) * 1_000, 1)
