"""A customer's yes to what is over a tenant's limit asks for a person's yes, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schema.tenants import TenantApprovals
from tests.unit.airline_stand_ins import BACK, NOW, OUT, call, next_turn
from tests.unit.quote_cases import by_kind, quote_of, turn_for
from worker.domains.airline.tools.quotes import confirm_quote

DELAYED = replace(OUT, status="delayed", departs_at=NOW + timedelta(hours=5))
BUSINESS = {"cabin": "business"}


@pytest.mark.parametrize(
    ("kind", "booking", "limit", "waits_for"),
    [
        ("cancellation", {}, {"refund_usd_over": 799}, ("refund over $799", 800)),
        ("cancellation", {}, {"refund_usd_over": 800}, None),
        ("compensation", {}, {"compensation_usd_over": 100}, ("compensation over $100", 200)),
        ("compensation", {}, {"refund_usd_over": 0, "waiver_usd_over": 0}, None),
        ("flight_change", {"segments": (DELAYED, BACK)}, {"waiver_usd_over": 0}, ("waived fee over $0", 50)),
        ("flight_change", {"segments": (DELAYED, BACK)}, {"waiver_usd_over": 50}, None),
        ("flight_change", {}, {"waiver_usd_over": 0}, None),
        ("cancellation", {"segments": (DELAYED, BACK)}, {"waiver_usd_over": 0}, ("waived fee over $0", 50)),
    ],
)
async def test_what_is_over_a_limit_waits_for_a_person_and_stages_nothing(
    kind: str, booking: dict[str, Any], limit: dict[str, int], waits_for: tuple[str, int] | None
) -> None:
    case = by_kind(kind)
    turn = turn_for(case, **booking)
    await call(case.tool, turn, **case.arguments)
    turn = next_turn(turn, "yes please", approvals=TenantApprovals.model_validate(limit))

    answer = await call(confirm_quote, turn, quote_id=quote_of(turn).quote_id)

    pending = turn.airline.pending_approval
    assert (pending and (pending.policy, pending.amount_usd)) == waits_for
    assert answer["ok"] == (waits_for is None)
    assert len(turn.effects) == (waits_for is None)
