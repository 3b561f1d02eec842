"""The rules by which a change needs a person's yes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schema.tenants import TenantApprovals
from tests.unit.airline_stand_ins import BACK, NOW, OUT, RESERVATION
from worker.domains.airline.rules.approval import ApprovalRule, Costs, costs_of, find_rule
from worker.domains.airline.rules.cancellation import waived_of_cancellation
from worker.domains.airline.rules.flight_changes import waived_fee

LIMITS = TenantApprovals(refund_usd_over=300, compensation_usd_over=100, waiver_usd_over=0)
SOON = replace(OUT, departs_at=NOW + timedelta(hours=5))


@pytest.mark.parametrize(
    ("costs", "rule"),
    [
        (Costs(), None),
        (Costs(refund_usd=300), None),
        (Costs(refund_usd=301), ApprovalRule("refund over $300", 301)),
        (Costs(compensation_usd=100), None),
        (Costs(compensation_usd=101), ApprovalRule("compensation over $100", 101)),
        (Costs(waived_usd=50), ApprovalRule("waived fee over $0", 50)),
        (Costs(refund_usd=200, waived_usd=50), ApprovalRule("waived fee over $0", 50)),
        (Costs(refund_usd=400, waived_usd=50), ApprovalRule("refund over $300 and waived fee over $0", 400)),
    ],
)
def test_what_is_over_a_limit_needs_a_yes_and_is_told_by_every_limit_it_is_over(
    costs: Costs, rule: ApprovalRule | None
) -> None:
    assert find_rule(costs, LIMITS) == rule


def test_without_limits_nothing_needs_a_yes() -> None:
    assert find_rule(Costs(10_000, 10_000, 10_000), TenantApprovals()) is None


@pytest.mark.parametrize(
    ("kind", "price_usd", "waived_usd", "change", "costs"),
    [
        ("cancellation", -428, 0, {"refund_usd": 428}, Costs(refund_usd=428)),
        ("flight_change", 120, 50, {"amount_usd": 120}, Costs(waived_usd=50)),
        ("flight_change", -30, 50, {"amount_usd": -30}, Costs(refund_usd=30, waived_usd=50)),
        ("compensation", 0, 0, {"amount_usd": 200}, Costs(compensation_usd=200)),
    ],
)
def test_what_a_change_costs_the_airline_is_read_off_its_offer(
    kind: str, price_usd: int, waived_usd: int, change: dict[str, Any], costs: Costs
) -> None:
    assert costs_of(kind, price_usd, waived_usd, change) == costs


@pytest.mark.parametrize(
    ("segments", "waived_usd", "waived_of_cancelling_usd"),
    [
        ((OUT, BACK), 0, 0),
        ((SOON, BACK), 0, 0),  # its fee is due
        ((replace(SOON, status="delayed"), BACK), 50, 50),
        ((replace(SOON, status="cancelled"), BACK), 50, 50),
        ((replace(OUT, status="cancelled"), BACK), 0, 0),  # nothing would be due so early
        ((SOON, replace(BACK, status="cancelled")), 0, 50),  # all of it is cancelled without a fee
    ],
)
def test_a_fee_is_waived_where_it_would_be_due_but_for_what_the_airline_did(
    segments: tuple[Any, ...], waived_usd: int, waived_of_cancelling_usd: int
) -> None:
    assert waived_fee(segments, NOW) == waived_usd
    assert waived_of_cancellation(replace(RESERVATION, segments=segments), NOW) == waived_of_cancelling_usd
