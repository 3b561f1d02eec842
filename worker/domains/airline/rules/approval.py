"""Which changes need a person's yes beside the customer's: a tenant's settings decide, and no prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schema.tenants import TenantApprovals


@dataclass(frozen=True, slots=True)
class Costs:
    """What a change costs the airline, in dollars."""

    refund_usd: int = 0
    """Money that is paid back."""
    compensation_usd: int = 0
    """The worth of a certificate."""
    waived_usd: int = 0
    """Of a fee, what falls away."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Why a change needs a person's yes."""

    words: str
    """The limits that it is over, as `refund over $300`."""
    amount_usd: int
    """What is over the first of them."""


def costs_of(kind: str, price_usd: int, waived_usd: int, change: Mapping[str, Any]) -> Costs:
    """Return what a change of a kind costs the airline; a negative price is a refund."""
    if kind == "compensation":
        return Costs(compensation_usd=int(change.get("amount_usd", 0)))
    return Costs(refund_usd=max(0, -price_usd), waived_usd=waived_usd)


def find_rule(costs: Costs, approvals: TenantApprovals) -> ApprovalRule | None:
    """Return the rule by which a change needs a person's yes; None where it needs none."""
    limits = (
        ("refund", costs.refund_usd, approvals.refund_usd_over),
        ("compensation", costs.compensation_usd, approvals.compensation_usd_over),
        ("waived fee", costs.waived_usd, approvals.waiver_usd_over),
    )
    over = [(f"{what} over ${limit}", usd) for what, usd, limit in limits if limit is not None and usd > limit]
    return ApprovalRule(" and ".join(words for words, _ in over), over[0][1]) if over else None
