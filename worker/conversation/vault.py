"""Values that an agent must not see but a tool needs later: placeholder and value, per conversation.

The grammar of placeholders is here alone; other modules find them by its functions. A placeholder is what a
conversation's vault has an entry for, or one of the two words of `FOR_EVER`. Nobody can type one: `disarm` removes the
shape from every text from outside before it is masked, so in a masked text only our own placeholders have it.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KEPT_KINDS = frozenset({"CONFIRMATION_NUMBER", "PHONE", "EMAIL", "PASSPORT"})
"""Kinds that a vault holds. Card and social security numbers are not among them: nothing here ever needs them again."""

FOR_EVER: Mapping[str, str] = MappingProxyType({"CARD_NUMBER": "[CARD_NUMBER]", "SSN": "[SSN]"})
"""Placeholders of what is removed for ever, by kind; no value is behind them."""

_PLACEHOLDER = re.compile(r"\[(?P<kind>[A-Z][A-Z_]*?)(?:_(?P<number>[0-9]+))?\]")
_NAME = re.compile(rf"(?<![A-Za-z0-9_])(?P<kind>{'|'.join(sorted(KEPT_KINDS))})_[0-9]+(?![0-9A-Za-z_])")
# A name alone is openable too (`Vault.open`), and a model may write `phone_1` in capitals.
_OPENABLE = re.compile(rf"(?:{'|'.join(sorted(KEPT_KINDS))})_(?=[0-9])", re.IGNORECASE)


class Placeholder(NamedTuple):
    """Text with the shape of a placeholder: its place `[start, end)`, as it is written, its kind, its number if any."""

    start: int
    end: int
    written: str
    kind: str
    number: int | None


def find_placeholders(text: str, kind: str | None = None) -> Iterator[Placeholder]:
    """Find everything in a masked text that has a placeholder's shape, or those of one kind."""
    for match in _PLACEHOLDER.finditer(text):
        if kind is None or match["kind"] == kind:
            number = None if match["number"] is None else int(match["number"])
            yield Placeholder(match.start(), match.end(), match[0], match["kind"], number)


def replace_placeholders(text: str, put: Callable[[Placeholder], str]) -> str:
    """Replace everything in a masked text that has a placeholder's shape by what `put` returns for it."""
    parts: list[str] = []
    position = 0
    for found in find_placeholders(text):
        parts += [text[position : found.start], put(found)]
        position = found.end
    return "".join([*parts, text[position:]]) if parts else text


def without_placeholders(text: str) -> str:
    """Replace every placeholder of a masked text by a blank."""
    return replace_placeholders(text, lambda _: " ")


def find_names(text: str, kind: str) -> Iterator[str]:
    """Yield the placeholders of a kind that a tool's arguments name, with brackets even where none are written."""
    return (f"[{match[0]}]" for match in _NAME.finditer(text) if match["kind"] == kind)


def disarm(text: str) -> str:
    """Remove the shape of a placeholder from a text from outside; the text stays readable, and as long as it was.

    `[PHONE_1]` becomes `[PHONE-1]`, `[SSN]` becomes `(SSN)`. Without this a customer could name a value that somebody
    else gave, now or later in the conversation, and have it rendered, or put a secret where nobody looks for one.
    """
    if "[" not in text and "_" not in text:
        return text
    unnamed = _OPENABLE.sub(lambda match: f"{match[0][:-1]}-", text)
    return _PLACEHOLDER.sub(lambda match: f"({match[0][1:-1]})", unnamed)


class Vault:
    """A conversation's private values by placeholder, as `[PHONE_1]`; numbered per kind in the order first seen.

    Pure and without any cipher: who stores a vault seals it. `repr` shows no value, so a vault in a log line or a
    traceback gives nothing away.
    """

    def __init__(self, entries: Mapping[str, str] = MappingProxyType({})) -> None:
        self._values = dict(entries)
        self._placeholders = {(_kind_of(placeholder), value): placeholder for placeholder, value in entries.items()}
        self._counts: dict[str, int] = {}
        for placeholder in entries:
            kind, number = _parts_of(placeholder)
            self._counts[kind] = max(self._counts.get(kind, 0), number)

    def keep(self, kind: str, value: str) -> str:
        """Keep a value and return its placeholder; the same value of a kind always has the same one.

        Raises ValueError for a kind that must not be kept.
        """
        if kind not in KEPT_KINDS:
            raise ValueError(f"a vault does not keep {kind}; it keeps {', '.join(sorted(KEPT_KINDS))}")
        known = self._placeholders.get((kind, value))
        if known is not None:
            return known
        number = self._counts.get(kind, 0) + 1
        placeholder = f"[{kind}_{number}]"
        self._counts[kind] = number
        self._values[placeholder] = value
        self._placeholders[(kind, value)] = placeholder
        return placeholder

    def open(self, placeholder: str) -> str | None:
        """Return the value behind a placeholder, with or without its brackets; None when there is none."""
        found = self._values.get(placeholder)
        return found if found is not None else self._values.get(f"[{placeholder}]")

    def render(self, text: str) -> str:
        """Replace placeholders by their values in a text that leaves for the customer; unknown ones stay."""
        return replace_placeholders(text, lambda found: self._values.get(found.written, found.written))

    def holds(self, found: Placeholder) -> bool:
        """Check whether text with a placeholder's shape is one: it has an entry, or is one of the two fixed words."""
        return found.written in self._values or FOR_EVER.get(found.kind) == found.written

    @property
    def entries(self) -> dict[str, str]:
        """Return a copy of everything kept, for the store to seal."""
        return dict(self._values)

    def __repr__(self) -> str:
        """Show how many values are kept, and none of them."""
        return f"Vault({len(self._values)} kept)"


def _parts_of(placeholder: str) -> tuple[str, int]:
    match = _PLACEHOLDER.fullmatch(placeholder)
    if match is None or match["number"] is None:
        raise ValueError(f"not a placeholder of the form [KIND_1]: {len(placeholder)} characters")
    return match["kind"], int(match["number"])


def _kind_of(placeholder: str) -> str:
    return _parts_of(placeholder)[0]
