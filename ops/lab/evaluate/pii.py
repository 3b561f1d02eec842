"""Measure the masking: is every secret covered, does everything else stay, and how long does it take."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Sequence
from typing import get_args

from ops.lab.evaluate.figures import Figure, Measured, Miss, Target, count_shares
from ops.lab.evaluate.sets import PiiRow, SecretSpan, SecretType
from worker.conversation.vault import Vault, disarm
from worker.guardrails.found import Found
from worker.guardrails.pii import find_secrets, mask_text, normalise

RECALL_MIN = 0.97
NEGATIVES_MASKED_MAX = 0.03
MILLISECONDS_MAX = 1.0
_TIMED_ROUNDS = 5

_KEPT_FOR_NOBODY = {"CREDIT_CARD": "CARD_NUMBER", "SSN": "SSN"}
"""What must be found as what it is: as anything else it would go into the vault."""


def measure_pii(rows: Sequence[PiiRow]) -> Measured:
    """Measure every figure of one set."""
    misses: list[Miss] = []
    covered: dict[str, list[bool]] = {}
    clean: list[bool] = []
    debatable: list[bool] = []
    for row in rows:
        found = list(_found_in_original(row.text))
        for span in row.spans:
            is_covered = covers(found, span, row.text)
            covered.setdefault(span.type, []).append(is_covered)
            if not is_covered:
                misses.append(Miss("pii", row.id, f"{span.type} {span.value!r} shows", row.text))
        if not row.spans:
            (debatable if row.is_debatable else clean).append(bool(found))
            if found and not row.is_debatable:
                misses.append(Miss("pii", row.id, f"masked {', '.join(one.kind for one in found)}", row.text))
    figures = [
        Figure("pii", f"{kind} masked", *count_shares(covered[kind]), Target("≥", RECALL_MIN))
        for kind in get_args(SecretType)
        if kind in covered
    ]
    figures.append(Figure("pii", "negatives masked", *count_shares(clean), Target("≤", NEGATIVES_MASKED_MAX)))
    if debatable:
        figures.append(Figure("pii", "debatable negatives masked", *count_shares(debatable)))
    figures.append(
        Figure("pii", "time per message", _milliseconds(rows), len(rows), Target("≤", MILLISECONDS_MAX), "ms")
    )
    return Measured(tuple(figures), tuple(misses))


def covers(found: Sequence[Found], span: SecretSpan, text: str) -> bool:
    """Check whether every letter and digit of a secret is taken out, separators aside, and as what it is."""
    wanted = _KEPT_FOR_NOBODY.get(span.type)
    taken = {place for one in found if wanted is None or one.kind == wanted for place in range(one.start, one.end)}
    return all(place in taken for place in range(span.start, span.end) if _is_telling(text[place]))


def _is_telling(character: str) -> bool:
    return character.isalnum() or character == "@"


def _found_in_original(text: str) -> list[Found]:
    """Find secrets as the guard does, and give their places in the text as it was before normalising."""
    places = [
        place for place, character in enumerate(text) for _ in normalise(unicodedata.normalize("NFKC", character))
    ]
    clean = normalise(text)
    if len(places) != len(clean):  # characters that compose: places are right only up to the first of them
        places = list(range(len(clean)))
    return [
        found._replace(start=places[found.start], end=places[found.end - 1] + 1)
        for found in find_secrets(disarm(clean), Vault())
    ]


def _milliseconds(rows: Sequence[PiiRow]) -> float:
    """Return the mean CPU time of the fastest round: noise of the machine only ever adds."""
    fastest = float("inf")
    for _ in range(_TIMED_ROUNDS):
        started = time.process_time()
        for row in rows:
            mask_text(normalise(row.text), Vault())
        fastest = min(fastest, time.process_time() - started)
    return fastest / max(1, len(rows)) * 1_000
