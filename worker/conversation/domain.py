"""Interface between the pipeline and the business that it works for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from agents import Agent, Tool
    from agents.models.interface import Model

    from runtime.database import Database
    from schema.messages.escalation import Sentiment
    from schema.settings.models import ModelSettings
    from worker.conversation.context import AirlineAgentContext, PendingApproval, TurnContext
    from worker.conversation.effects import EffectStore
    from worker.conversation.vocabulary import Vocabulary


class BuildGraph(Protocol):
    """Factory of graphs of the domain's agents."""

    def __call__(self, *, documentation: Sequence[Tool] = ()) -> Any:
        """Build one graph; `documentation` is what the agents may search besides the published articles."""


class Briefed(NamedTuple):
    """What a domain tells the person who takes a conversation over.

    `facts` are known facts by name, masked; `sentiment` is that of the customer's newest words, if any.
    """

    facts: dict[str, str]
    sentiment: Sentiment | None


class TakenUp(NamedTuple):
    """What became of an approved change (`applied`, or `changed` meanwhile), and what the customer reads of it."""

    outcome: str
    text: str


@dataclass(frozen=True)
class EarlierConversation:
    """What an earlier conversation of the same sender knew when it was last heard of."""

    context: AirlineAgentContext
    vault: Mapping[str, str] = field(repr=False)
    """Its private values by placeholder."""
    heard_at: datetime
    tickets: tuple[tuple[str, datetime], ...] = ()
    """Ids of open tickets, and when they were opened."""


ChooseStart = Callable[
    ["Any", "TurnContext", list["Any"], "str | None", "ModelSettings"], Awaitable["Agent[TurnContext]"]
]
"""Chooses the agent that a turn starts at, from: graph, turn, the conversation's items, its last agent, settings."""


@dataclass(frozen=True, eq=False)
class Domain:
    """One business as the pipeline sees it; `worker/process/service.py` alone names a concrete one."""

    name: str
    build_graph: BuildGraph
    choose_start: ChooseStart
    note_message: Callable[[TurnContext], None]
    """Records in the context what a message says plainly, before any agent sees it."""
    recall: Callable[[TurnContext, Sequence[EarlierConversation]], None]
    """Takes into the context of a sender's first turn what earlier conversations settled, newest first."""
    brief: Callable[[AirlineAgentContext, str | None], Briefed]
    """Takes the conversation's context and the customer's newest words, masked; None when there are none."""
    take_up: Callable[[TurnContext, PendingApproval], Awaitable[TakenUp]]
    """Takes up a change that a person has approved: worked out anew, staged if it is the same."""
    vocabulary: Vocabulary
    local_model: Callable[[], Model]
    """Makes the model that needs no network: the default brain, and the one that stands in for a provider."""
    open_backend: Callable[[Database], EffectStore]
    """Opens the business's own records: what tools read, and where their effects are applied."""
