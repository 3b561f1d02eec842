"""What tests of the review of replies share: grounds that hold nothing, and the kind of breach of a reply."""

from __future__ import annotations

from worker.domains.airline.claims import load_vocabulary
from worker.guardrails.grounds import Grounds
from worker.guardrails.outputs import find_breach

NOTHING = Grounds([], [], {}, frozenset(), frozenset(), load_vocabulary().claims, brand="Larkfield Air")

VALUES = (
    "Flights LF118 and LF120 on 2026-03-07, departing 2026-03-07 09:05; seats 3C, 12A and 14C, $35 extra or at no "
    "extra charge; a card; 2 bags of 50 lbs for $50; 24 hours; 5 to 7 days; a voucher or certificate for one year; "
    '22 x 14 x 9 inches; $100, $300; Adah Okafor; "status": "on_time"'
)
"""What a tool may have said, so that a reply's values are known and its claims alone are judged."""


def kind_of(reply: str, grounds: Grounds) -> str | None:
    """Return the kind of a reply's gravest breach; None when there is none."""
    breach = find_breach(reply, grounds)
    return breach.kind if breach is not None else None
