"""Find payment card numbers and social security numbers, which are never kept: nothing here needs them again."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from stdnum import luhn
from stdnum.us import ssn

from worker.guardrails.found import BLOT, CUE_CHARACTERS, Found

_DIGIT, _MANY_DIGITS = re.compile(r"[0-9]"), re.compile(r"(?:[0-9][^0-9]*+){13}")
_DIGIT_GROUP = re.compile(r"[0-9]+")
# A number may be spread out by anything but letters and what makes a number a price, a share, a tag or an address.
_GAP = rf"[^\w$\u20ac\u00a3%#@&!?{BLOT}]"
_NEAR = re.compile(rf"(?:{_GAP}|_){{0,3}}")
_FAR = re.compile(rf"(?:\([^()0-9\n{BLOT}]{{0,20}}\)|{_GAP}|_){{0,8}}")
_NO_GAP = re.compile(rf"[$\u20ac\u00a3%{BLOT}]")
_GAP_CHARACTERS_MAX = 32
_NOISE_CHARACTERS_MAX = 20
_CARD_GROUPS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3))
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
    r"\b(?:cvv2?|cvc2?|cid|security code)\b(?:\s+(?:is|no\.?|number))?[\s:#=(.-]{0,6}(\d{3,4})\b", re.IGNORECASE
)
_AMERICAN_PHONE = (3, 3, 4)

Gap = Literal["near", "far", "noise", "none"]
"""What separates two groups of digits. near: a few marks, as people write numbers; far: more of them, or something in
brackets; noise: words; none: too much for one number."""


def _gap_of(text: str) -> Gap:
    if len(text) > _GAP_CHARACTERS_MAX:
        return "none"
    if _NEAR.fullmatch(text):
        return "near"
    if _FAR.fullmatch(text):
        return "far"
    return "none" if len(text) > _NOISE_CHARACTERS_MAX or _NO_GAP.search(text) else "noise"


class _Digits:
    """Groups of digits of a text, and what separates each from the next."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places = [match.span() for match in _DIGIT_GROUP.finditer(text)]
        self.gaps = [text[end:start] for (_, end), (start, _) in pairwise(self.places)]
        self.kinds = [_gap_of(gap) for gap in self.gaps]

    def sizes(self, first: int, last: int) -> tuple[int, ...]:
        """Return how many digits each group has, from `first` to `last` inclusive."""
        return tuple(end - start for start, end in self.places[first : last + 1])

    def ends(self, first: int, digits_max: int) -> Iterator[tuple[str, int]]:
        """Yield the digits from group `first` on and the index of their last group, for every group up to a break."""
        digits = ""
        for last in range(first, len(self.places)):
            if last > first and self.kinds[last - 1] == "none":
                return
            start, end = self.places[last]
            digits += self.text[start:end]
            if len(digits) > digits_max:
                return
            yield digits, last

    def nearness(self, first: int, last: int, forms: Sequence[tuple[int, ...]]) -> Gap:
        """Return how groups hang together: as the widest of their gaps.

        Words between groups separate them, unless they are always the same words, the groups have one of the `forms`,
        or each group is one digit.
        """
        kinds = set(self.kinds[first:last])
        if "noise" in kinds:
            sizes = self.sizes(first, last)
            hang_together = len(set(self.gaps[first:last])) == 1 or sizes in forms or set(sizes) == {1}
            return "noise" if hang_together else "none"
        return "far" if "far" in kinds else "near"


_WORD_IN_BRACKETS = re.compile(r"\([^()\n]{0,20}?[^\W\d][^()\n]{0,20}\)")


def _readings(text: str) -> Iterator[_Digits]:
    """Yield a text's digits; and again without those in brackets beside a word, which may be put between."""
    yield _Digits(text)
    if "(" in text:
        veiled = _WORD_IN_BRACKETS.sub(lambda match: _DIGIT.sub("x", match[0]), text)
        if veiled != text:
            yield _Digits(veiled)


def find_cards(text: str) -> Iterator[Found]:
    """Find card numbers and the security codes beside them."""
    for digits in _readings(text) if _MANY_DIGITS.search(text) else ():
        yield from _find_cards(digits)
    for match in _SECURITY_CODE.finditer(text):
        # The code on the back is part of the card's data and as secret as its number.
        yield Found(match.start(1), match.end(1), "CARD_NUMBER", "")


def _find_cards(digits: _Digits) -> Iterator[Found]:
    first, begin = 0, 0
    while first < len(digits.places):
        if first and digits.kinds[first - 1] not in {"near", "far"}:
            begin = first
        start = digits.places[begin][0]
        cued = _CARD_CUE.search(digits.text[max(0, start - CUE_CHARACTERS) : start]) is not None
        last = _card_end(digits, first, cued=cued)
        if last is None:
            first += 1
            continue
        yield Found(digits.places[first][0], digits.places[last][1], "CARD_NUMBER", "")
        first = last + 1


def _card_end(digits: _Digits, first: int, *, cued: bool) -> int | None:
    """Return the last digit group of the card number that begins at group `first`; None if none does."""
    if digits.sizes(first, first + 2) == _AMERICAN_PHONE and not cued:
        return None  # two telephone numbers in a row have the length of a card, and one pair in ten its check digit
    ends = [end for end in digits.ends(first, _CARD_LENGTHS[0]) if len(end[0]) in _CARD_LENGTHS]
    among_words: int | None = None
    for number, last in reversed(ends):
        nearness = digits.nearness(first, last, _CARD_GROUPS)
        if nearness != "none" and _is_card(number, cued=cued and nearness == "near"):
            if nearness != "noise":
                return last
            among_words = among_words or last
    return among_words


def _is_card(digits: str, *, cued: bool) -> bool:
    if len(set(digits)) == 1 or not (cued or _ISSUERS[len(digits)].match(digits)):
        return False
    # A card number with one digit mistyped is still most of a card number: after a cue the checksum is not asked for.
    return luhn.is_valid(digits) or (cued and len(digits) in {15, 16})


# Social security numbers, as https://www.ssa.gov/employer/randomization.html allows them.
_SSN_DIGITS = 9
_SSN_GROUPS = ((3, 2, 4),)
_SSN = re.compile(r"(?<![\w-])(\d{3})(\s?[-./]\s?|\s{1,3})(\d{2})\2(\d{4})(?![\w-])")
_COUNTRY_BEFORE = re.compile(r"\+\d{1,3}\W{0,2}$")
_SSN_CUE = re.compile(
    r"(?:ssns?|\b(?:ss ?(?:#|n[or]?\.?|number)|soc(?:ial)?\.? sec(?:urity)?|social))(?![a-z])", re.IGNORECASE
)
_SSN_REACH_CHARACTERS = 30
_BRACKETED = re.compile(rf"\s?\([^()0-9\n{BLOT}]{{0,20}}\)\s?|[()]")


def find_ssns(text: str) -> Iterator[Found]:
    """Find social security numbers: any after a cue, else what has their form and may be one."""
    cues = [match.end() for match in _SSN_CUE.finditer(text)]
    if cues:
        for digits in _readings(text):
            yield from (found for cue in cues if (found := _ssn_after(digits, cue)) is not None)
    yield from _formed_ssns(*_without_brackets(text))


def _ssn_after(digits: _Digits, cue: int) -> Found | None:
    first = bisect_left(digits.places, (cue, cue))
    if first == len(digits.places):
        return None
    start = digits.places[first][0]
    if start - cue > _SSN_REACH_CHARACTERS or BLOT in digits.text[cue:start]:
        return None
    for number, last in digits.ends(first, _SSN_DIGITS):
        if len(number) == _SSN_DIGITS and digits.nearness(first, last, _SSN_GROUPS) != "none":
            return Found(start, digits.places[last][1], "SSN", "")
    return None


def _formed_ssns(text: str, places: Sequence[int]) -> Iterator[Found]:
    for match in _SSN.finditer(text):
        if _COUNTRY_BEFORE.search(text[max(0, match.start() - CUE_CHARACTERS) : match.start()]):
            continue  # +992 372 12 3456 is a telephone number
        # Nothing else is written 3-2-4 with hyphens; with blanks or dots only a number that was ever given out.
        if match[2] == "-" or ssn.is_valid(f"{match[1]}-{match[3]}-{match[4]}"):
            yield Found(places[match.start()], places[match.end() - 1] + 1, "SSN", "")


def _without_brackets(text: str) -> tuple[str, Sequence[int]]:
    """Return a text without brackets, those without digits inside as one blank; and each character's place."""
    if "(" not in text and ")" not in text:
        return text, range(len(text))
    kept: list[tuple[str, int]] = []
    position = 0
    for match in _BRACKETED.finditer(text):
        kept += [(text[place], place) for place in range(position, match.start())]
        kept += [(" ", match.start())] if len(match[0]) > 1 else []
        position = match.end()
    kept += [(text[place], place) for place in range(position, len(text))]
    return "".join(character for character, _ in kept), [place for _, place in kept]
