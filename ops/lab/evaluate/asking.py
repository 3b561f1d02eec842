"""Tell from a reply's words what it asks the customer for."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]?")
_GIVE = r"(?:send|give|tell|provide|share|confirm|check|enter|type|let me)"
_REQUEST = re.compile(
    rf"\?$|\bplease {_GIVE}\b|\b(?:may|can|could) i (?:also )?(?:have|get|ask)\b|"
    rf"\b(?:can|could|would|will) you (?:also |please )?{_GIVE}\b|"
    r"\b(?:i(?:'ll| will)? (?:also )?need|send (?:me )?(?:both|them|it)|tell me|let me know)\b",
    re.IGNORECASE,
)
_CONDITIONAL = re.compile(r"^\s*(?:if|when|should) you (?:do not|don't|have no|can't|cannot)\b", re.IGNORECASE)
_WITHOUT = re.compile(r"\b(?:without|no need|don't need|do not need|won't (?:have|need)|needn't)\b", re.IGNORECASE)

ASKS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(pattern, re.IGNORECASE)
        for name, pattern in {
            "name": r"\b(?:surname|(?:last|full|first|your) name|(?:the )?names? (?:on|of|under|as)|"
            r"who is travell?ing)\b",
            "confirmation": r"\b(?:confirmation (?:number|code)|booking (?:reference|number|code)|record locator|pnr|"
            r"reservation (?:number|id|code))\b",
            "user_id": r"\b(?:user ?(?:id|name)|customer (?:id|number)|account)\b",
            "flight": r"\b(?:(?:which|what) flight|flight number)\b",
            "origin": r"\b(?:(?:fly|flying|travel\w*|leav\w+|depart\w*|start\w*) from|from (?:where|which)|"
            r"where from|departure (?:city|airport)|origin)\b",
            "destination": r"\b(?:where (?:to|are you (?:going|flying|travel\w+))|"
            r"where (?:do you want|would you like) to (?:go|fly)|to (?:where|which (?:city|airport))|"
            r"destination|arrival (?:city|airport))\b",
            "date": r"\b(?:(?:which|what) (?:day|date)s?|when (?:do|would|are|will|did) (?:you|it)|"
            r"travel dates?|date of)\b",
            "seat_preference": r"\b(?:window,? (?:or )?(?:an )?aisle|(?:which|what) (?:kind of )?seat|"
            r"seat preference)\b",
            "email": r"\b(?:your |an? )e-?mail(?: address)?\b",
            "phone": r"\b(?:phone|mobile|telephone) number\b",
        }.items()
    }
)
"""What asking for each kind of fact sounds like, within a sentence that asks for something."""


def asked_for(reply: str, fact: str) -> str | None:
    """Return the sentence in which a reply asks for a kind of fact; None when it does not, or nobody could tell.

    A sentence that says what happens without the fact ("if you don't have it at hand") asks for nothing.
    """
    pattern = ASKS.get(fact)
    if pattern is None:
        return None
    for match in _SENTENCE.finditer(reply):
        sentence = match[0].strip()
        if _CONDITIONAL.search(sentence) or _WITHOUT.search(sentence):
            continue
        if _REQUEST.search(sentence) and pattern.search(sentence):
            return sentence
    return None
