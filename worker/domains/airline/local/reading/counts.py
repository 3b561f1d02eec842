"""Read how many bags are wanted: the last number that is not turned down, in digits or words."""

from __future__ import annotations

import re

from worker.domains.airline.rules.calendar_words import NUMBERS

_WORDS = NUMBERS | {
    "a": 1, "an": 1, "another": 1, "extra": 1, "single": 1, "couple": 2, "pair": 2, "ten": 10, "eleven": 11,
    "twelve": 12,
}  # fmt: skip
_NUMBER = rf"(?!an? (?:couple|pair)\b)(?P<count>{'|'.join(sorted(_WORDS, key=len, reverse=True))}|\d{{1,2}})"
_BAGS = re.compile(
    rf"\b{_NUMBER}\b(?: of| more| extra| additional| checked| big| large| small| heavy| \w+){{0,3}}? ?"
    r"(?:bags?|suitcases?|pieces?|luggage|baggage)\b",
    re.IGNORECASE,
)
_NUMBER_ALONE = re.compile(
    r"\b(?P<count>one|two|three|four|five|six|seven|eight|nine|ten|couple|\d{1,2})\b(?!\s*(?:lbs?|kg|pounds|kilos?|%|[:/.]\d))",
    re.IGNORECASE,
)
_TURNED_DOWN = re.compile(r"\b(?:not|instead of|rather than|than|no longer|never)(?: just| only)? $", re.IGNORECASE)


def count_bags(text: str, *, asked: bool = False) -> int | None:
    """Return how many bags a message names, "one bag, not two" being one; `asked`: a bare number is an answer."""
    named = [match for match in _BAGS.finditer(text) if not _TURNED_DOWN.search(text[: match.start()])]
    if not named and asked:
        named = [match for match in _NUMBER_ALONE.finditer(text) if not _TURNED_DOWN.search(text[: match.start()])]
    if not named:
        return None
    written = named[-1]["count"].lower()
    return _WORDS.get(written) or int(written)
