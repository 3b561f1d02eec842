"""Take tools out of service that operators have switched off: not offered, and refused if they are called."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool

from worker.conversation.context import TurnContext
from worker.conversation.out_of_service import find_call_switch, names_out_of_service
from worker.conversation.refusal import Refusal
from worker.tools.escalation import ESCALATION_TOOLS
from worker.tools.results import refuse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from agents import RunContextWrapper, Tool
    from agents.agent import AgentBase
    from agents.run_config import ToolErrorFormatterArgs
    from agents.tool_context import ToolContext

OUT_OF_SERVICE: Final = Refusal(
    "out_of_service", "I cannot do this here at the moment, so a colleague takes it up with you.", counts=False
)

_INSTEAD: Final = "Hand the conversation to a person: call escalate_to_human, and promise nothing else."


def with_person(tools: Sequence[Tool]) -> list[Tool]:
    """Return an agent's tools with that for calling a person, which it is offered while anything is switched off."""
    names = {tool.name for tool in tools}
    return [*tools, *(_while_out_of_service(tool) for tool in ESCALATION_TOOLS if tool.name not in names)]


def switchable_tools(tools: Sequence[Tool]) -> list[Tool]:
    """Return an agent's tools as operators may switch them; hosted tools are the model's, and go with its provider."""
    return [switchable(tool) if isinstance(tool, FunctionTool) else tool for tool in tools]


def switchable(tool: FunctionTool) -> FunctionTool:
    """Return a copy of a tool that is neither offered nor run while it is switched off.

    The call is checked as well: the switch may be turned after the model was asked, and a result that is recorded from
    an earlier attempt at the turn is not replayed either.
    """
    made = copy.copy(tool)
    invoke, was_enabled = made.on_invoke_tool, tool.is_enabled  # the copy's call: the SDK binds it anew

    def is_enabled(context: RunContextWrapper[TurnContext], agent: AgentBase) -> bool | Awaitable[bool]:
        if find_call_switch(context.context, tool.name) is not None:
            return False
        return was_enabled if isinstance(was_enabled, bool) else was_enabled(context, agent)

    async def on_invoke_tool(context: ToolContext[TurnContext], arguments: str) -> Any:
        if find_call_switch(context.context, tool.name) is not None:
            return refuse_switched_off(context.context, tool.name)
        return await invoke(context, arguments)

    made.is_enabled = is_enabled
    made.on_invoke_tool = on_invoke_tool
    return made


def refuse_switched_off(turn: TurnContext, called: str) -> str:
    """Answer a call of what is switched off; the turn remembers it, so that a person takes over whatever is said."""
    turn.wanted = called
    return refuse(turn, OUT_OF_SERVICE, instead=_INSTEAD)


def explain_missing(asked: ToolErrorFormatterArgs[TurnContext]) -> str | None:
    """Answer a call of a tool or handoff that was not offered because it is switched off; None: the SDK's own words."""
    turn = asked.run_context.context
    if asked.kind != "tool_not_found" or find_call_switch(turn, asked.tool_name) is None:
        return None
    return refuse_switched_off(turn, asked.tool_name)


def _while_out_of_service(tool: FunctionTool) -> FunctionTool:
    made = copy.copy(tool)
    made.is_enabled = _is_something_off
    return made


def _is_something_off(context: RunContextWrapper[TurnContext], agent: AgentBase) -> bool:  # noqa: ARG001 - the SDK's signature
    return bool(names_out_of_service(context.context))
