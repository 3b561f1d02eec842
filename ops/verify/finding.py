"""Findings of a check and counts of messages, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FINDINGS_MAX = 100
"""At most this many findings of one check are shown: more of them tell nothing new."""


@dataclass(frozen=True)
class Finding:
    """One violation: what is wrong, where, the numbers, and the way out. Holds nothing of a customer's words."""

    check: str
    tenant: str
    conversation: str
    what: str
    way_out: str
    item: str = ""
    """What distinguishes it from other findings of its check in the same conversation."""
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Return the identity by which two looks recognise the same violation."""
        return (self.check, self.tenant, self.conversation, self.item)


@dataclass(frozen=True)
class TenantCount:
    """Counts of a tenant's messages: accepted = waiting + answered + dead + erased; `in_work` counts conversations."""

    tenant: str
    accepted: int
    waiting: int
    in_work: int
    """Conversations that a worker holds."""
    answered: int
    dead: int
    erased: int

    @property
    def missing(self) -> int:
        """Return how many accepted messages are in no other state."""
        return self.accepted - self.waiting - self.answered - self.dead - self.erased


@dataclass(frozen=True)
class Report:
    """The outcome of one verification."""

    tenants: list[TenantCount]
    findings: list[Finding]
