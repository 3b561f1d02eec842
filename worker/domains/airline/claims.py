"""Which claims of a reply about a booking need a deed behind them, which deeds stand behind each, and what else is one.

The airline's own kinds of values (seats, flights, bags, gates) are read here; whatever any business has is read in
`worker/guardrails/values.py`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from runtime.patterns import load_patterns
from worker.conversation.vocabulary import Claims, Vocabulary
from worker.domains.airline.emergencies import ADVICE
from worker.guardrails.values import with_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PACKAGE: Final = "worker.domains.airline"

_SEAT, _FLIGHTS, _CANCELLATION = "move_to_seat", "change_flights", "cancel_reservation"
_BAGS, _NAME, _CABIN, _CERTIFICATE = "add_bags", "correct_passenger", "change_cabin", "issue_certificate"

_BACKED_BY: Final[Mapping[str, frozenset[str]]] = {
    "seat_moved": frozenset({_SEAT, _FLIGHTS, _CABIN}),
    "flight_moved": frozenset({_FLIGHTS, _SEAT, _CABIN, _BAGS, _NAME}),  # "I have updated your booking"
    "rebooked": frozenset({_FLIGHTS}),
    "cancelled": frozenset({_CANCELLATION}),
    "flight_cancelled": frozenset({_CANCELLATION}),
    "bags_added": frozenset({_BAGS}),
    "name_corrected": frozenset({_NAME}),
    "upgraded": frozenset({_CABIN}),
    "refunded": frozenset({_CANCELLATION, _FLIGHTS, _CABIN}),
    "compensated": frozenset({_CERTIFICATE}),
    "waived": frozenset(),
    "arranged": frozenset(),
    "charged": frozenset({_SEAT, _FLIGHTS, _CABIN, _BAGS}),
    "done": frozenset(),  # whatever it was: any change, or a ticket
    "acted": frozenset(),  # the same
    "money_comes": frozenset({_CANCELLATION, _FLIGHTS, _CABIN, _CERTIFICATE}),
    "vouched": frozenset(),
}

_POLICY_NOUNS: Final[Mapping[str, tuple[str, ...]]] = {
    "refunded": ("refund", "money back", "reimburse"),
    "money_comes": ("refund", "money back", "reimburse", "paid back", "certificate", "voucher"),
    "compensated": ("compensat", "voucher", "certificate", "goodwill", "gift card", "credit", "miles", "hotel"),
    "upgraded": ("upgrade",),
    "waived": ("waive",),
}

_OFFERS: Final[Mapping[str, frozenset[str]]] = {
    "offers_cancelling": frozenset({_CANCELLATION}),
    "offers_money_back": frozenset({_CANCELLATION, _FLIGHTS, _CABIN}),
    "offers_upgrade": frozenset({_CABIN}),
    "offers_bags": frozenset({_BAGS}),
    "offers_certificate": frozenset({_CERTIFICATE}),
    "offers_extras": frozenset(),
}

_STATUSES: Final[Mapping[str, str]] = {
    "on_time": r"\"status\": \"(?:on_time|available)\"",
    "late": r"\"status\": \"delayed\"|\bdelay(?:ed|s)?\b|\blate\b",
    "arrived": r"\"status\": \"landed\"",
    "under_way": r"\"status\": \"(?:flying|boarding)\"",
    "bag_found": r"\bbag found\b",
}

_SEAT_NUMBER: Final = re.compile(r"\b0?([1-9]|[1-5]\d)([A-HJK])\b|\bseat 0?([1-9]|[1-5]\d)([A-HJKa-hjk])\b")
_FLIGHT_NUMBER: Final = re.compile(r"\b(?!AM|PM|AT|BY|IN|ON|OF|TO|OR|AS|UP|IS|MY|NO)([A-Z]{2}) ?(\d{2,4})\b")
_BAG_COUNT: Final = re.compile(
    r"\b(\d{1,2}) (?:(?:more|extra|additional|free|checked|booked|further) )*(?:bags?|suitcases?|pieces of luggage)\b|"
    r"bags\": (\d+)",
    re.IGNORECASE,
)
_BAG_NUMBERS: Final = re.compile(r"(?<![\w$.])\d{1,2}(?![\w.,]*\d|%| ?(?:lbs?|inches|kg|x )\b)")
_EXTRA: Final = re.compile(
    r"\b(voucher|certificate|goodwill|gift card|travel credit|bonus mile|miles\b|hotel|lounge|free night|discount|"
    r"cash)",
    re.IGNORECASE,
)
_GATE: Final = re.compile(r"\b(gate|terminal|concourse|belt|carousel) ([A-Z]?\d{1,3}[A-Z]?|[A-Z])\b", re.IGNORECASE)


@cache
def load_vocabulary() -> Vocabulary:
    """Read the airline's words for the guardrails: `claims.patterns` and `relevance.patterns`."""
    relevance = load_patterns(_PACKAGE, "relevance.patterns")
    patterns = load_patterns(_PACKAGE, "claims.patterns")
    return Vocabulary(
        claims=Claims(
            patterns,
            _BACKED_BY,
            _POLICY_NOUNS,
            offers=_OFFERS,
            statuses=_STATUSES,
            values=_VALUES,
            policy_agents=frozenset({"FAQ Agent"}),
            names_nobody=frozenset(re.findall(r"[a-z]+", patterns["names_nobody"])),
        ),
        other_trade=relevance["other_trade"],
        emergency_advice=ADVICE,
        ours=rf"\b{relevance['ours']}\b|\[confirmation_number_\d+\]",
    )


def _read_seats(text: str) -> frozenset[str]:
    parts = ([part for part in found if part] for found in _SEAT_NUMBER.findall(text))
    return frozenset(f"seat {row}{letter.upper()}" for row, letter in parts)


def _read_flights(text: str) -> frozenset[str]:
    return frozenset(f"flight {airline}{int(number)}" for airline, number in _FLIGHT_NUMBER.findall(text))


def _read_bags(text: str) -> frozenset[str]:
    """Read counts of bags; in an article about bags every bare number may be one ("1 in economy and 2 in business")."""
    written = with_digits(text)
    counts = {int(one or other) for one, other in _BAG_COUNT.findall(written)}
    if '"article"' in text and "bag" in text:
        counts |= {int(one) for one in _BAG_NUMBERS.findall(written)}
    return frozenset(f"{count} bags" for count in counts)


def _read_gates(text: str) -> frozenset[str]:
    return frozenset(f"{place.lower()} {number.upper()}" for place, number in _GATE.findall(text))


def _read_extras(text: str) -> frozenset[str]:
    return frozenset(f"a {found.lower()}" for found in _EXTRA.findall(text))


_VALUES: Final[Mapping[str, Callable[[str], frozenset[str]]]] = {
    "seat": _read_seats,
    "flight": _read_flights,
    "bags": _read_bags,
    "gate": _read_gates,
    "extra": _read_extras,
}
