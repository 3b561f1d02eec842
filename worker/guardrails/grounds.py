"""What a reply may rest on: what this conversation knows, has done and has offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.conversation.vocabulary import Claims
from worker.guardrails.sentences import to_plain


@dataclass(frozen=True)
class OpenOffer:
    """The offer that waits for the customer's yes: its summary, masked, its effect's query and its sum in USD."""

    summary: str
    query: str
    usd: int


@dataclass(frozen=True)
class Grounds:
    """What a reply may rest on, masked: what the customer wrote, what tools answered, what was done.

    `told` are tools' answers of the whole conversation, `told_now` those of this turn. `changes` are the queries of
    effects, of this turn and of earlier ones; `staged` those of this turn alone. `known` is what the agent is told of
    the conversation besides: known facts, the ticket's times. `said` are the last replies before the newest message.
    `agent` wrote the reply, and `brand` is the name that it speaks for. `characters_max` is what its channel takes.
    """

    written: Sequence[str]
    told: Sequence[str]
    vault: Mapping[str, str]
    changes: frozenset[str]
    tickets: frozenset[str]
    claims: Claims
    instructions: str = ""
    staged: frozenset[str] = frozenset()
    offered: OpenOffer | None = None
    said: Sequence[str] = ()
    told_now: Sequence[str] = ()
    known: str = ""
    agent: str = ""
    brand: str = ""
    characters_max: int | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Return every text in which a stated value may be found."""
        summary = (self.offered.summary, f"${self.offered.usd}") if self.offered is not None else ()
        return (*self.told, *self.written, *summary, self.known, " ".join(self.tickets))

    @property
    def evidence(self) -> tuple[str, ...]:
        """Return what the airline's tools have said: their answers, and the open offer."""
        return (*self.told, self.offered.summary if self.offered is not None else "")

    def tells(self, plain: str) -> bool:
        """Check whether a sentence, as `to_plain` gives it, stands word for word in what tools or the facts say."""
        bare = plain.rstrip(".! ")
        return any(bare in to_plain(text) for text in (*self.told, self.known))
