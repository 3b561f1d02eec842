"""Cut a text into sentences, and bring it into the form in which rules read it."""

from __future__ import annotations

import re
from functools import lru_cache

_ABBREVIATIONS = ("Mr", "Mrs", "Ms", "Dr", "St", "Prof", "Capt", "approx", "incl", "vs", "e.g", "i.e")
_NOT_AFTER = "".join(rf"(?<!\b{re.escape(one)}\.)" for one in _ABBREVIATIONS)
SENTENCE_END = re.compile(rf"(?<=[.!?]){_NOT_AFTER}\s+|\n+")

SOURCE = re.compile(r"^\W*source:\s*(?P<article>.+?)\s*[\u203a>]\s*(?P<section>.+?)\W*$", re.IGNORECASE | re.MULTILINE)
"""A line that cites a section of an article."""


@lru_cache(maxsize=64)  # each rule reads the same reply
def sentences_of(text: str) -> tuple[str, ...]:
    """Return a text's sentences; a line that cites a source is none."""
    return tuple(one for one in SENTENCE_END.split(SOURCE.sub("", text)) if one.strip())


@lru_cache(maxsize=512)  # tools' answers are compared with each sentence of a reply
def to_plain(text: str) -> str:
    """Bring a text into the form that texts are compared in: lower case, single blanks, plain apostrophes."""
    return " ".join(text.replace("\\n", " ").replace("\u2019", "'").replace("\\u203a", "\u203a").lower().split())
