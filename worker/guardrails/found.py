"""The finding of a detector of secrets, and what detectors share."""

from __future__ import annotations

from typing import NamedTuple

CUE_CHARACTERS = 40
"""Distance before a number within which the word that names it may stand."""


class Found(NamedTuple):
    """One secret in a text: its place `[start, end)`, its kind, and its value in the one spelling the vault keeps."""

    start: int
    end: int
    kind: str
    value: str


BLOT = "\ue000"
"""Stands in a detector's text where a placeholder is, once for each of its characters. Normalised texts have none."""
