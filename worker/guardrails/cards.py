"""Find payment cards and social security numbers: what nothing here ever needs again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import luhn
from stdnum.us import ssn

from worker.guardrails.found import CUE_CHARACTERS, Found

# A number may be spread out by anything but letters and what makes a number a price, a share, a tag or an address.
_GAP = r"(?:[^\w$\u20ac\u00a3%#@&!?]|_)"
_DIGIT_RUN = re.compile(rf"(?<!\d)(?:\d{_GAP}{{0,3}}){{11,}}\d")
_DIGIT_GROUP = re.compile(r"\d+")
_ISSUERS: dict[int, re.Pattern[str]] = {
    13: re.compile(r"4"),
    14: re.compile(r"3[0689]"),
    15: re.compile(r"3[47]"),
    16: re.compile(r"4|5|6|35|2[2-7]"),
    17: re.compile(r"6"),
    18: re.compile(r"6"),
    19: re.compile(r"4|6"),
}
"""Which digits a card number of a length begins with: the ISO/IEC 7812 issuers that people pay flights with."""
_CARD_CUE = re.compile(
    r"\b(?:card|visa|master ?card|amex|american express|discover|credit|debit|charge)\b", re.IGNORECASE
)
_CARD_LENGTHS = range(19, 12, -1)
_SECURITY_CODE = re.compile(
    r"\b(?:cvv2?|cvc2?|cid|security code)\b(?:\s+(?:is|no\.?|number))?\s*[:#=]?\s*(\d{3,4})\b", re.IGNORECASE
)
_AMERICAN_PHONE = (3, 3, 4)


def find_cards(text: str) -> Iterator[Found]:
    """Find card numbers and the security codes beside them."""
    for run in _DIGIT_RUN.finditer(text):
        yield from _cards_in_run(text, run.start(), run[0])
    for match in _SECURITY_CODE.finditer(text):
        # The code on the back is part of the card's data and as secret as its number.
        yield Found(match.start(1), match.end(1), "CARD_NUMBER", "")


def _cards_in_run(text: str, offset: int, run: str) -> Iterator[Found]:
    groups = [(match.start(), match.end()) for match in _DIGIT_GROUP.finditer(run)]
    cued = _CARD_CUE.search(text[max(0, offset - CUE_CHARACTERS) : offset]) is not None
    first = 0
    while first < len(groups):
        last = _card_end(run, groups, first, cued=cued)
        if last is None:
            first += 1
            continue
        yield Found(offset + groups[first][0], offset + groups[last][1], "CARD_NUMBER", "")
        first = last + 1


def _card_end(run: str, groups: list[tuple[int, int]], first: int, *, cued: bool) -> int | None:
    """Give the last digit group of the card number that begins at group `first`; None if none does."""
    sizes = tuple(end - start for start, end in groups[first : first + len(_AMERICAN_PHONE)])
    if sizes == _AMERICAN_PHONE and not cued:
        return None  # two telephone numbers in a row have the length of a card, and one pair in ten its check digit
    digits, ends = "", {}
    for index in range(first, len(groups)):
        digits += run[groups[index][0] : groups[index][1]]
        ends[len(digits)] = index
        if len(digits) > _CARD_LENGTHS[0]:
            break
    for length in _CARD_LENGTHS:
        if length in ends and _is_card(digits[:length], cued=cued):
            return ends[length]
    return None


def _is_card(digits: str, *, cued: bool) -> bool:
    if len(set(digits)) == 1 or not (cued or _ISSUERS[len(digits)].match(digits)):
        return False
    # A card number with one digit mistyped is still most of a card number: after a cue the checksum is not asked for.
    return luhn.is_valid(digits) or (cued and len(digits) in {15, 16})


# Social security numbers, as https://www.ssa.gov/employer/randomization.html allows them.
_SSN = re.compile(r"(?<![\w-])(\d{3})(\s?[-./_]\s?|\s)(\d{2})\2(\d{4})(?![\w-])")
_COUNTRY_BEFORE = re.compile(r"\+\d{1,3}\W{0,2}$")
_SSN_CUED = re.compile(
    r"(?<!\[)\b(?:ssns?|ss ?(?:#|n[or]?\.?|number)|soc(?:ial)?\.? sec(?:urity)?|social)(?![a-z])[^\d\n\[]{0,30}?"
    rf"(?<!\d)(\d{{3}}{_GAP}{{0,3}}\d{{2}}{_GAP}{{0,3}}\d{{4}})(?!\d)",
    re.IGNORECASE,
)


def find_ssns(text: str) -> Iterator[Found]:
    """Find social security numbers: any after a cue, else what has their form and may be one."""
    for match in _SSN_CUED.finditer(text):
        yield Found(match.start(1), match.end(1), "SSN", "")
    for match in _SSN.finditer(text):
        if _COUNTRY_BEFORE.search(text[max(0, match.start() - CUE_CHARACTERS) : match.start()]):
            continue  # +992 372 12 3456 is a telephone number
        # Nothing else is written 3-2-4 with hyphens; with blanks or dots only a number that was ever given out.
        if match[2] == "-" or ssn.is_valid(f"{match[1]}-{match[3]}-{match[4]}"):
            yield Found(match.start(), match.end(), "SSN", "")
