"""Hold what a detector of secrets found."""

from __future__ import annotations

from typing import NamedTuple

CUE_CHARACTERS = 40
"""How far before a number the word that names it may stand."""


class Found(NamedTuple):
    """Locate one secret: `[start, end)`, its kind, and its value in the one spelling the vault keeps."""

    start: int
    end: int
    kind: str
    value: str


BLOT = "\ue000"
"""Stands in a detector's text where a placeholder is, once for each of its characters. Normalised texts have none."""
