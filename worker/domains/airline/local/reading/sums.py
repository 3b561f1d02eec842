"""Read sums of dollars, in digits or in words: "$408", "400 dollars", "the four hundred dollar one"."""

from __future__ import annotations

import re

from worker.domains.airline.rules.calendar_words import NUMBERS

_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {
    **NUMBERS,
    **{word: number for number, word in enumerate(_TEENS, 10)},
    **{word: 10 * number for number, word in enumerate(_TENS, 2)},
}
_HUNDRED, _THOUSAND = 100, 1000
_DOLLARS = r"(?:dollars?|bucks?|usd)"
_DIGITS = re.compile(rf"\$ ?(\d{{1,3}}(?:,\d{{3}})+|\d{{2,4}})\b|\b(\d{{2,4}})[ -]?{_DOLLARS}\b")
_WORD = rf"(?:{'|'.join(sorted(_SMALL, key=len, reverse=True))}|hundred|thousand)"
_WORDS = re.compile(
    rf"\b(?P<before>(?:the|for|at|costs?) )?"
    rf"(?P<words>(?:an? (?=hundred|thousand))?{_WORD}(?:(?:[ -]| and |-and-){_WORD})*)"
    rf"(?P<dollars>[ -]?{_DOLLARS})?\b(?P<after> (?:one|option|flight|fare)\b)?"
)


def sums_in(text: str) -> frozenset[int]:
    """Return the sums that a text in lower case names.

    Words without "dollars" count from a hundred on, as what something costs or is called by: "the four hundred one".
    """
    found = {int((match[1] or match[2]).replace(",", "")) for match in _DIGITS.finditer(text)}
    for match in _WORDS.finditer(text):
        number = _number_of(re.findall(r"[a-z]+", match["words"]))
        if match["dollars"] or (number >= _HUNDRED and (match["before"] or match["after"])):
            found.add(number)
            if match["words"].endswith(" one") and not match["dollars"]:
                found.add(number - 1)  # "the four hundred one" may be the one for 400
    return frozenset(found)


def _number_of(words: list[str]) -> int:
    """Return a number in words, also as it is spoken: "four hundred and eight", "one sixty one", "a thousand"."""
    whole = part = 0
    for word in words:
        if word == "hundred":
            part = max(part, 1) * _HUNDRED
        elif word == "thousand":
            whole, part = whole + max(part, 1) * _THOUSAND, 0
        elif word in _SMALL:
            number = _SMALL[word]
            is_said_apart = 0 < part < 10 <= number  # noqa: PLR2004 - "one sixty" is 160
            part = part * _HUNDRED + number if is_said_apart else part + number
    return whole + part
