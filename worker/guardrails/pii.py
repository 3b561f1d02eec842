"""Find what must not leave this process's memory, and put placeholders in its place.

Deterministic, and it fails closed: an exception in here ends the turn, and no text goes on unmasked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.guardrails.cards import find_cards, find_ssns
from worker.guardrails.confirmation import find_confirmation_numbers
from worker.guardrails.contacts import find_emails, find_phones
from worker.guardrails.found import Found
from worker.guardrails.passports import find_passports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.conversation.vault import Vault


@dataclass(frozen=True)
class MaskedText:
    """Hold a text that anybody may see, and the kinds of what was taken out, sorted."""

    text: str
    types: tuple[str, ...]


_KEPT_CONTROLS = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def normalise(text: str) -> str:
    r"""Bring a text into the one form that every rule reads: NFKC, no invisible and no control characters.

    Full-width digits become digits; zero-width characters, bidi controls and NUL disappear, so none of them can hide a
    number from a rule. Line ends become `\n`; other blanks (no-break, thin) become plain spaces by NFKC.
    """
    if text.isascii() and text.isprintable():
        return text
    folded = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (
        character
        for character in folded
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in _HIDDEN
    )
    return "".join(" " if unicodedata.category(character) in {"Zl", "Zp"} else character for character in kept)


def find_secrets(text: str) -> list[Found]:
    """Find every secret in a normalised text, in the order they stand.

    Where two readings overlap, the graver one wins (a card number is not a phone number). Placeholders are none.
    """
    plain = _plain_marks(text)
    taken = [match.span() for match in _PLACEHOLDER.finditer(plain)]
    chosen: list[Found] = []
    for detect in _DETECTORS:
        for found in detect(plain):
            if all(found.end <= start or found.start >= end for start, end in taken):
                chosen.append(found)
                taken.append((found.start, found.end))
    return sorted(chosen)


def mask_text(text: str, vault: Vault) -> MaskedText:
    """Replace every secret in a normalised text: by its placeholder in the vault, or for ever where it is not kept.

    What is left is looked at again until nothing is found: without its neighbour a number may read as another kind.
    """
    kinds: set[str] = set()
    while chosen := find_secrets(text):
        parts: list[str] = []
        position = 0
        for found in chosen:
            parts.append(text[position : found.start])
            parts.append(_FOR_EVER.get(found.kind) or vault.keep(found.kind, found.value))
            position = found.end
        text = "".join([*parts, text[position:]])
        kinds.update(found.kind for found in chosen)
    return MaskedText(text, tuple(sorted(kinds)))


_PLACEHOLDER = re.compile(r"\[[A-Z_]+(?:_\d+)?\]")
_FOR_EVER = {"CARD_NUMBER": "[CARD_NUMBER]", "SSN": "[SSN]"}


def _plain_marks(text: str) -> str:
    """Give a text of the same length in which every dash is a hyphen and every script's digit one of 0 to 9."""
    return text if text.isascii() else "".join(map(_plain_mark, text))


def _plain_mark(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Pd" or character == "\u2212":
        return "-"
    return str(unicodedata.decimal(character, character))


def _find_confirmations(text: str) -> Iterator[Found]:
    for start, end, code in find_confirmation_numbers(text):
        yield Found(start, end, "CONFIRMATION_NUMBER", code)


_DETECTORS: tuple[Callable[[str], Iterator[Found]], ...] = (
    find_cards,
    find_ssns,
    find_emails,
    find_passports,
    find_phones,
    _find_confirmations,
)
"""The gravest first."""
