"""Find passport numbers: any country's, but only where a passport is spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from worker.guardrails.found import BLOT, Found

_CUE = re.compile(r"\b(?:pass?ports?|passprt|ppt|travel document)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<!\w)(?:(?:[A-Z]{1,3} ?)?\d{5,9}[A-Z]?|\d{2} ?[A-Z]{2} ?\d{5}|"
    r"\d{2} (?:\d{2} )?\d{6,7}|(?=(?:[A-Z]*\d){2})[A-Z0-9]{8,10})(?!\w)",
    re.IGNORECASE,
)
_REACH_CHARACTERS = 80
_REACH_BACK_CHARACTERS = 40


def find_passports(text: str) -> Iterator[Found]:
    """Find the first number after each mention, and those of the same form that follow it; else those before it."""
    for cue in _CUE.finditer(text):
        form = ""
        for after in _NUMBER.finditer(text, cue.end(), _end_of_reach(text, cue.end())):
            form = form or _form_of(after[0])
            if _form_of(after[0]) == form:
                yield _found(after)
        if not form and BLOT not in text[cue.end() : cue.end() + _REACH_CHARACTERS]:
            start = max(0, cue.start() - _REACH_BACK_CHARACTERS)
            yield from (_found(before) for before in _NUMBER.finditer(text, start, cue.start()))


def _end_of_reach(text: str, start: int) -> int:
    """Return where the reach of a cue ends: before a placeholder, since what follows that is not its number."""
    end = min(len(text), start + _REACH_CHARACTERS)
    placeholder = text.find(BLOT, start, end)
    return end if placeholder < 0 else placeholder


def _found(match: re.Match[str]) -> Found:
    return Found(match.start(), match.end(), "PASSPORT", match[0].replace(" ", "").upper())


def _form_of(number: str) -> str:
    return re.sub(r"[A-Z]", "A", re.sub(r"\d", "0", number.replace(" ", "").upper()))
