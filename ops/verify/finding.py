"""Say what a check found, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FINDINGS_MAX = 100
"""Findings of one check that are shown: where there are more, one tells as much as all."""


@dataclass(frozen=True)
class Finding:
    """Hold one violation: what is wrong, where, the numbers, and the way out. Holds nothing of a customer's words."""

    check: str
    tenant: str
    conversation: str
    what: str
    way_out: str
    item: str = ""
    """What tells it from others of its check in its conversation."""
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Give what two looks at the same violation have in common."""
        return (self.check, self.tenant, self.conversation, self.item)


@dataclass(frozen=True)
class TenantCount:
    """Count a tenant's messages: accepted = waiting + answered + dead + erased; some of those that wait are in work."""

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
        """Give how many accepted messages are nowhere."""
        return self.accepted - self.waiting - self.answered - self.dead - self.erased


@dataclass(frozen=True)
class Report:
    """Hold what one verification saw."""

    tenants: list[TenantCount]
    findings: list[Finding]
