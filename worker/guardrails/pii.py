"""Find secrets, which must not leave this process's memory, and replace them by placeholders.

Deterministic, and it fails closed: an exception in here ends the turn, and no text goes on unmasked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.conversation.vault import FOR_EVER, disarm, replace_placeholders
from worker.guardrails.cards import find_cards, find_ssns
from worker.guardrails.confirmation import find_confirmation_numbers
from worker.guardrails.contacts import find_emails, find_phones
from worker.guardrails.found import BLOT, Found
from worker.guardrails.passports import find_passports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.conversation.vault import Vault


@dataclass(frozen=True)
class MaskedText:
    """A text that anybody may see, and the kinds of what was taken out, sorted."""

    text: str
    types: tuple[str, ...]


_KEPT_CONTROLS = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_BLANKS = re.compile(r"[^\S\n]{4,}")
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n){3,}")
_DRAWS_NOTHING = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Letters and marks that no font draws: default-ignorable code points of other categories (Unicode, UAX #44)."""


def normalise(text: str) -> str:
    r"""Normalise a text to the one form that every rule reads: NFKC, no invisible and no control characters.

    Full-width digits become digits; zero-width characters, bidi controls and NUL disappear, so none of them can hide a
    number from a rule. Line ends become `\n`; other blanks (no-break, thin) become plain spaces by NFKC. Of a run of
    blanks or of blank lines three stay: they say nothing, and rules would go through them again and again.
    """
    if not (text.isascii() and text.isprintable()):
        text = without_hidden(unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n")))
    return _BLANK_LINES.sub("\n\n\n", _BLANKS.sub("   ", text))


def without_hidden(text: str) -> str:
    """Remove what nobody sees: zero-width and control characters, lone surrogates; what is shown stays as it is."""
    if text.isascii() and text.isprintable():
        return text
    kept = (
        character
        for character in _DRAWS_NOTHING.sub("", text)
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in _HIDDEN
    )
    return "".join(" " if unicodedata.category(character) in {"Zl", "Zp"} else character for character in kept)


def find_secrets(text: str, vault: Vault) -> list[Found]:
    """Find every secret in a normalised and disarmed text, in the order they stand.

    Where two readings overlap, the graver one wins (a card number is not a phone number). Placeholders of the vault are
    no secrets; whatever else looks like one is plain text.
    """
    blotted = replace_placeholders(text, lambda one: BLOT * len(one.written) if vault.holds(one) else one.written)
    plain = _plain_marks(blotted)
    spaced = _UNDERSCORED.sub(lambda match: match[0].replace("_", " "), plain) if "_" in plain else plain
    taken: list[tuple[int, int]] = []
    chosen: list[Found] = []
    for detect in _DETECTORS:
        for found in detect(plain if detect is find_emails else spaced):
            if BLOT not in plain[found.start : found.end] and all(
                found.end <= start or found.start >= end for start, end in taken
            ):
                chosen.append(found)
                taken.append((found.start, found.end))
    return sorted(chosen)


def mask_text(text: str, vault: Vault) -> MaskedText:
    """Replace every secret in a normalised text: by its vault placeholder, or a fixed one where it is not kept.

    The text is one from outside: nothing in it is a placeholder, whatever it looks like. What is left is looked at
    again until nothing is found: without its neighbour a number may read as another kind.
    """
    text = disarm(text)
    kinds: set[str] = set()
    while chosen := find_secrets(text, vault):
        parts: list[str] = []
        position = 0
        for found in chosen:
            parts.append(text[position : found.start])
            parts.append(FOR_EVER.get(found.kind) or vault.keep(found.kind, found.value))
            position = found.end
        text = "".join([*parts, text[position:]])
        kinds.update(found.kind for found in chosen)
    return MaskedText(text, tuple(sorted(kinds)))


_BRACKETS = str.maketrans("[{<]}>", "((()))")
_UNDERSCORED = re.compile(r"(?<![\w@#./:-])[^\W_]*_\w*")
"""A word with underscores, which only part it; in names of accounts, tags and addresses they are letters."""


def _plain_marks(text: str) -> str:
    """Return a text as long, in which every dash is a hyphen, every digit one of 0 to 9, every bracket a round one."""
    plain = text if text.isascii() else "".join(map(_plain_mark, text))
    return plain.translate(_BRACKETS)


def _plain_mark(character: str) -> str:
    if character.isascii():
        return character
    if unicodedata.category(character) == "Pd" or character == "\u2212":
        return "-"
    return str(unicodedata.digit(character, character))


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
