"""Keep what an agent must not see but a tool needs later: placeholder and value, per conversation."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KEPT_KINDS = frozenset({"CONFIRMATION_NUMBER", "PHONE", "EMAIL", "PASSPORT"})
"""What a vault may hold. Card and social security numbers are not among them: nothing here ever needs them again."""

_PLACEHOLDER = re.compile(r"\[([A-Z_]+)_(\d+)\]")


class Vault:
    """Hold a conversation's values by placeholder, as `[PHONE_1]`; numbered per kind in the order first seen.

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
        """Give the value's placeholder; the same value of a kind has the same one for ever.

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
        """Give the value behind a placeholder, with or without its brackets; None when there is none."""
        found = self._values.get(placeholder)
        return found if found is not None else self._values.get(f"[{placeholder}]")

    def render(self, text: str) -> str:
        """Put the values back into a text that leaves for the customer; unknown placeholders stay as they are."""
        return _PLACEHOLDER.sub(lambda match: self._values.get(match[0], match[0]), text)

    @property
    def entries(self) -> dict[str, str]:
        """Give a copy of everything kept, for the store to seal."""
        return dict(self._values)

    def __repr__(self) -> str:
        """Show how many values are kept, and none of them."""
        return f"Vault({len(self._values)} kept)"


def _parts_of(placeholder: str) -> tuple[str, int]:
    match = _PLACEHOLDER.fullmatch(placeholder)
    if match is None:
        raise ValueError(f"not a placeholder of the form [KIND_1]: {len(placeholder)} characters")
    return match[1], int(match[2])


def _kind_of(placeholder: str) -> str:
    return _parts_of(placeholder)[0]
