"""What a turn and the model below it tell each other about a call, beside the SDK's own arguments."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from schema.messages.event import EventName


@dataclass
class Caller:
    """For whom models are asked: the turn's tenant, the attempt at its message, and when its time is up.

    `deadline` is a time of the event loop's clock. `events` gathers what operators are told.
    """

    tenant: str = ""
    attempt: int = 1
    deadline: float | None = None
    events: list[tuple[EventName, dict[str, str]]] = field(default_factory=list)


Asker = Literal["agents", "rewrite", "abuse"]
"""What a model is asked for: the agents' turn, a reply to be written again, a verdict on abuse."""


@dataclass
class CallNote:
    """Note of one call: who asks; whoever answers adds its own name, how it went, what it cost (None: unknown)."""

    caller: Caller
    model: str
    asker: Asker = "agents"
    degraded: bool = False
    retries: int = 0
    cost_usd: Decimal | None = Decimal(0)


current_call: ContextVar[CallNote | None] = ContextVar("current_call", default=None)
"""The note of the call under way in this task: the SDK hands a model no arguments of ours."""
