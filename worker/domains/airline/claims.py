"""Which claims of a reply about a booking need a deed behind them, and which deeds stand behind each."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from runtime.patterns import load_patterns
from worker.conversation.vocabulary import Claims, Vocabulary
from worker.domains.airline.emergencies import ADVICE

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGE: Final = "worker.domains.airline"

_SEAT, _FLIGHTS, _CANCELLATION = "move_to_seat", "change_flights", "cancel_reservation"
_BAGS, _NAME, _CABIN, _CERTIFICATE = "add_bags", "correct_passenger", "change_cabin", "issue_certificate"

_BACKED_BY: Final[Mapping[str, frozenset[str]]] = {
    "seat_moved": frozenset({_SEAT, _FLIGHTS, _CABIN}),
    "flight_moved": frozenset({_FLIGHTS, _SEAT, _CABIN, _BAGS, _NAME}),  # "I have updated your booking"
    "cancelled": frozenset({_CANCELLATION}),
    "flight_cancelled": frozenset({_CANCELLATION}),
    "bags_added": frozenset({_BAGS}),
    "name_corrected": frozenset({_NAME}),
    "upgraded": frozenset({_CABIN}),
    "refunded": frozenset({_CANCELLATION, _FLIGHTS, _CABIN}),
    "compensated": frozenset({_CERTIFICATE}),
    "waived": frozenset(),
    "done": frozenset(),  # whatever it was: any change, or a ticket
    "vouched": frozenset(),
}

_POLICY_NOUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "refunded": ("refund", "money back", "reimburse"),
    "compensated": ("compensat", "voucher", "certificate", "goodwill", "gift card", "credit", "miles", "hotel"),
    "upgraded": ("upgrade",),
    "waived": ("waive",),
}


@cache
def load_vocabulary() -> Vocabulary:
    """Read the airline's words for the guardrails: `claims.patterns` and `relevance.patterns`."""
    relevance = load_patterns(_PACKAGE, "relevance.patterns")
    return Vocabulary(
        claims=Claims(load_patterns(_PACKAGE, "claims.patterns"), _BACKED_BY, _POLICY_NOUNS),
        other_trade=relevance["other_trade"],
        emergency_advice=ADVICE,
        ours=rf"\b{relevance['ours']}\b|\[confirmation_number_\d+\]",
    )
