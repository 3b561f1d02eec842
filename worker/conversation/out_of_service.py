"""Tell which tools and agents operators have switched off for a turn, by the names that models call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.switches import Switch
    from worker.conversation.context import TurnContext

_HANDOFF = re.compile(r"transfer_to_(?P<agent>\w+)_agent")


def switch_name_of(agent_name: str) -> str:
    """Return by which name operators switch an agent, such as `booking` for the Booking Agent."""
    return agent_name.lower().removesuffix(" agent").replace(" ", "_")


def find_agent_switch(turn: TurnContext, agent_name: str) -> Switch | None:
    """Return what switches an agent off for a turn, if anything does."""
    return turn.switches.find("agent", turn.key.tenant, switch_name_of(agent_name))


def find_call_switch(turn: TurnContext, called: str) -> Switch | None:
    """Return what switches off a tool, or the agent that a handoff leads to; `called`: as a model calls it."""
    handoff = _HANDOFF.fullmatch(called)
    if handoff is not None:
        return turn.switches.find("agent", turn.key.tenant, handoff["agent"])
    return turn.switches.find("tool", turn.key.tenant, called)


def names_out_of_service(turn: TurnContext) -> list[str]:
    """Name the tools and handoffs that are switched off for a turn, as models call them."""
    agents = turn.switches.names_off("agent", turn.key.tenant)
    return [
        *turn.switches.names_off("tool", turn.key.tenant),
        *(f"transfer_to_{name}_agent" for name in agents),
    ]
