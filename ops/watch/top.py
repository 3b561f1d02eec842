"""Find the conversations that wait longest, and those with most turns lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.watch.facts import WaitingConversation, read_waiting
from runtime.database import EVERY_TENANT
from runtime.switches import Switch, read_switches
from schema.errors import ServerUnreachable

if TYPE_CHECKING:
    from ops.watch.status import Watched


@dataclass(frozen=True)
class BusyConversation:
    """A conversation and its turns within the time that was asked for."""

    tenant_id: str
    conversation_id: str
    turns: int
    messages: int
    attempts: int
    act_seconds: float
    """Time that its turns spent on agents and their models."""
    last_outcome: str
    owner: str


@dataclass(frozen=True)
class Top:
    """The conversations that wait longest, and the busiest ones of the last `seconds`."""

    seconds: int
    oldest: list[WaitingConversation]
    busiest: list[BusyConversation]
    switches: list[Switch]
    """What operators have switched off."""


async def read_top(watched: Watched, *, seconds: int, count: int) -> Top:
    """Read `count` of each; raises ServerUnreachable where PostgreSQL does not answer, and what Redis raises."""
    if watched.database is None:
        raise ServerUnreachable("PostgreSQL", "its address", "FTE_DATABASE_URL", "; ".join(watched.problems))
    waiting = await read_waiting(watched.database, watched.client, watched.settings.partitions, conversations_max=count)
    rows = await watched.database.read(
        EVERY_TENANT, "find_busy_conversations", seconds=seconds, conversations_max=count
    )
    switches = await read_switches(watched.database)
    return Top(seconds, list(waiting.heads), [BusyConversation(**row) for row in rows], switches)
