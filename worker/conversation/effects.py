"""What a turn's tools stage and look up, whatever the domain: effects, and passages of published articles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from runtime.database import Transaction


@dataclass(frozen=True)
class Effect:
    """A write that a tool stages: it takes effect in the turn's commit, or not at all.

    `query` names the change: with the airline's data in PostgreSQL, a file in `schema/queries`. It must touch exactly
    `rows` rows, else the commit is given up and the turn starts anew (somebody else was quicker: the seat is gone).
    `parameters` hold `reservation_id`, `version`, `conversation_id`, `tool_call_id` and what the change takes.
    """

    query: str
    parameters: dict[str, Any]
    what: str
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Passage:
    """One section of an article that answers a question; a greater `rank` answers it better."""

    article: str
    section: str
    slug: str
    text: str
    rank: float

    @property
    def source(self) -> str:
        """Name the section as a reply cites it."""
        return f"{self.article} \u203a {self.section}"


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the articles have on a turn's message, looked up before its agents run; nothing by default."""

    question: str = ""
    about: str = ""
    passages: tuple[Passage, ...] = ()

    def answers(self, question: str, about: str) -> bool:
        """Check whether this is what a search for the same words would find."""
        return " ".join(self.question.split()) == " ".join(question.split()) != "" and self.about == about


class EffectStore(Protocol):
    """Protocol of the store that applies staged changes within a turn's transaction."""

    async def apply(self, tenant: str, effect: Effect, transaction: Transaction) -> int:
        """Apply a staged change; returns the rows touched, fewer than `effect.rows` when its offer no longer holds.

        Called last in the turn's transaction, when nothing but the commit itself can fail any more. A change that does
        not belong to the transaction may therefore be asked for again, with the same conversation and tool call id:
        these two are its idempotency key.
        """


class GuessLimit(Protocol):
    """Protocol that limits guesses at bookings."""

    async def may_answer(
        self, tenant: str, sender_key: str, confirmation_number: str | None, *, is_right: bool
    ) -> bool:
        """Count a guess unless it is right, and return whether it may be answered; no number: it had no such form."""


class KnowledgeBase(Protocol):
    """Protocol of the search in what the airline publishes."""

    async def search(self, tenant: str, question: str, limit: int, about: str = "") -> list[Passage]:
        """Return the passages that answer a question, best first; none when nothing is about it.

        `about` is the question before it, where this one leans on that ("and in the hold?").
        """
