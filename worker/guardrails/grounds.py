"""What a reply may rest on: what this conversation knows, has done and has offered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from worker.conversation.vocabulary import Claims


@dataclass(frozen=True)
class OpenOffer:
    """The offer that waits for the customer's yes: its summary, masked, its effect's query and its sum in USD."""

    summary: str
    query: str
    usd: int


@dataclass(frozen=True)
class Grounds:
    """What a reply may rest on, masked: what the customer wrote, what tools answered, what was done.

    `changes` are the queries of effects, of this turn and of earlier ones; `staged` those of this turn alone.
    `said` are the last replies before the newest message.
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
