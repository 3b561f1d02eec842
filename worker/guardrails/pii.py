"""Find what must not leave this process's memory, and put placeholders in its place.

Deterministic, and it fails closed: an exception in here ends the turn, and no text goes on unmasked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import phonenumbers
from stdnum import luhn
from stdnum.us import ssn

from worker.guardrails.confirmation import find_confirmation_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from worker.guardrails.vault import Vault

PHONE_REGION = "US"
"""Where a phone number without a country code is taken to be from."""


@dataclass(frozen=True)
class MaskedText:
    """Hold a text that anybody may see, and the kinds of what was taken out, sorted."""

    text: str
    types: tuple[str, ...]


class Found(NamedTuple):
    """Locate one secret: `[start, end)`, its kind, and its value in the one spelling the vault keeps."""

    start: int
    end: int
    kind: str
    value: str


_KEPT_CONTROLS = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def normalise(text: str) -> str:
    r"""Bring a text into the one form that every rule reads: NFKC, no invisible and no control characters.

    Full-width digits become digits; zero-width characters, bidi controls and NUL disappear, so none of them can hide a
    number from a rule. Line ends become `\n`; other blanks (no-break, thin) become plain spaces by NFKC.
    """
    if text.isascii() and text.isprintable():
        return text
    folded = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (
        character
        for character in folded
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in _HIDDEN
    )
    return "".join(" " if unicodedata.category(character) in {"Zl", "Zp"} else character for character in kept)


def find_secrets(text: str) -> list[Found]:
    """Find every secret in a normalised text, in the order they stand.

    Where two readings overlap, the graver one wins (a card number is not a phone number).
    """
    chosen: list[Found] = []
    for detect in _DETECTORS:
        for found in detect(text):
            if all(found.end <= other.start or found.start >= other.end for other in chosen):
                chosen.append(found)
    return sorted(chosen)


def mask_text(text: str, vault: Vault) -> MaskedText:
    """Replace every secret in a normalised text: by its placeholder in the vault, or for ever where it is not kept."""
    chosen = find_secrets(text)
    parts: list[str] = []
    position = 0
    for found in chosen:
        parts.append(text[position : found.start])
        parts.append(_FOR_EVER.get(found.kind) or vault.keep(found.kind, found.value))
        position = found.end
    parts.append(text[position:])
    return MaskedText("".join(parts), tuple(sorted({found.kind for found in chosen})))


_FOR_EVER = {"CARD_NUMBER": "[CARD_NUMBER]", "SSN": "[SSN]"}

# Cards. Lengths and leading digits are those of the ISO/IEC 7812 issuers that people pay flights with.
_DIGIT_RUN = re.compile(r"(?<![\w])(?:\d[ \-./_,:|\n]{0,3}){11,}\d")
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
"""Which digits a card number of a length begins with."""
_CARD_CUE = re.compile(
    r"\b(?:card|visa|master ?card|amex|american express|discover|credit|debit|charge)\b", re.IGNORECASE
)
_CARD_LENGTHS = range(19, 12, -1)
_SECURITY_CODE = re.compile(
    r"\b(?:cvv2?|cvc2?|cid|security code)\b(?:\s+(?:is|no\.?|number))?\s*[:#=]?\s*(\d{3,4})\b", re.IGNORECASE
)
_CUE_CHARACTERS = 40


def _find_cards(text: str) -> Iterator[Found]:
    for run in _DIGIT_RUN.finditer(text):
        yield from _cards_in_run(text, run.start(), run[0])
    for match in _SECURITY_CODE.finditer(text):
        # The code on the back is part of the card's data and as secret as its number.
        yield Found(match.start(1), match.end(1), "CARD_NUMBER", "")


def _cards_in_run(text: str, offset: int, run: str) -> Iterator[Found]:
    groups = [(match.start(), match.end()) for match in _DIGIT_GROUP.finditer(run)]
    cued = _CARD_CUE.search(text[max(0, offset - _CUE_CHARACTERS) : offset]) is not None
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
_SSN = re.compile(r"(?<![\w-])(\d{3})([- .])(\d{2})\2(\d{4})(?![\w-])")
_SSN_CUED = re.compile(
    r"\b(?:ssn|social security(?: number| no\.?)?|social)\b(?:\s+(?:number|no\.?|is|was))*\s*[:#=]?\s*"
    r"(\d{3}[- .]?\d{2}[- .]?\d{4})\b",
    re.IGNORECASE,
)


def _find_ssns(text: str) -> Iterator[Found]:
    for match in _SSN_CUED.finditer(text):
        yield Found(match.start(1), match.end(1), "SSN", "")
    for match in _SSN.finditer(text):
        if ssn.is_valid(f"{match[1]}-{match[3]}-{match[4]}"):
            yield Found(match.start(), match.end(), "SSN", "")


_EMAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+'-]*\s?@\s?(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b")
_EMAIL_SPELLED = re.compile(
    r"\b[A-Za-z0-9][A-Za-z0-9._+-]*\s*(?:\(at\)|\[at\]|\bat\b)\s*[A-Za-z0-9-]+"
    r"(?:\s*(?:\(dot\)|\[dot\]|\bdot\b)\s*[A-Za-z0-9-]+)*\s*(?:\(dot\)|\[dot\]|\bdot\b|\.)\s*"
    r"(?:com|net|org|edu|gov|io|co|uk|de|fr|us|ca|in)\b",
    re.IGNORECASE,
)
_MAY_BE_SPELLED = re.compile(r"\bat\b.*(?:\bdot\b|\(dot\)|\.)", re.IGNORECASE)
_EMAIL_CUE = re.compile(r"\be-?mail\b", re.IGNORECASE)
_SPELLED_AT = re.compile(r"\s*(?:\(at\)|\[at\]|\bat\b)\s*", re.IGNORECASE)
_SPELLED_DOT = re.compile(r"\s*(?:\(dot\)|\[dot\]|\bdot\b)\s*", re.IGNORECASE)


def _find_emails(text: str) -> Iterator[Found]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Found(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", match[0]).lower())
    for match in _EMAIL_SPELLED.finditer(text) if _MAY_BE_SPELLED.search(text) else ():
        is_plain = re.search(r"dot\b|\(at\)|\[at\]", match[0], re.IGNORECASE) is None
        if is_plain and not _EMAIL_CUE.search(text[max(0, match.start() - _CUE_CHARACTERS) : match.start()]):
            continue  # "I arrive at airport.com" is an address only where one is announced
        address = _SPELLED_DOT.sub(".", _SPELLED_AT.sub("@", match[0], count=1))
        yield Found(match.start(), match.end(), "EMAIL", re.sub(r"\s", "", address).lower())


_PASSPORT_CUE = re.compile(r"\bpassports?\b", re.IGNORECASE)
_PASSPORT_NUMBER = re.compile(
    r"(?<!\w)(?:[A-Z]{0,3} ?\d{5,9}[A-Z]?|(?=(?:[A-Z]*\d){3})[A-Z0-9]{8,9})(?!\w)", re.IGNORECASE
)
_PASSPORT_REACH_CHARACTERS = 60


def _find_passports(text: str) -> Iterator[Found]:
    for cue in _PASSPORT_CUE.finditer(text):
        after = _PASSPORT_NUMBER.search(text, cue.end(), min(len(text), cue.end() + _PASSPORT_REACH_CHARACTERS))
        if after is not None:
            yield Found(after.start(), after.end(), "PASSPORT", after[0].replace(" ", "").upper())
            continue
        start = max(0, cue.start() - _PASSPORT_REACH_CHARACTERS // 2)
        for match in _PASSPORT_NUMBER.finditer(text, start, cue.start()):
            yield Found(match.start(), match.end(), "PASSPORT", match[0].replace(" ", "").upper())


_SEVEN_DIGITS = re.compile(r"(?:\d\D{0,3}){6}\d")
_PHONE_CUE = re.compile(
    r"\b(?:call|phone|ph|mobile|cell|cellphone|tel|telephone|text|sms|whatsapp|reach|contact|ring|dial|"
    r"fax)\b[^\n]{0,30}$",
    re.IGNORECASE,
)
_PHONE_FORM = re.compile(r"\+|\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}")
_OTHER_NUMBER = re.compile(
    r"\b(?:ticket|e-?ticket|tag|tracking|waybill|awb|parcel|shipment|order|reference|ref|case|claim|complaint|"
    r"invoice|receipt|serial|miles?|member|membership|"
    r"frequent flyer|loyalty|skymiles|account|file|number|no|id)\b\W*(?:(?:number|no|id|is|was|#)\W*){0,3}$",
    re.IGNORECASE,
)


_TRUNK = re.compile(r"(?<![\w+])00(?=[1-9]\d)")
_AFTER_CUE = re.compile(
    r"\b(?:phone|mobile|cell|tel|telephone|whatsapp)\b(?:\s*(?:number|no|is|at))*[\s.:#]*"
    r"(\+?\d(?:[ ()./-]{0,2}\d){6,14})(?!\w)",
    re.IGNORECASE,
)


def _find_phones(text: str) -> Iterator[Found]:
    if _SEVEN_DIGITS.search(text) is None:
        return
    # The international prefix of most countries; the same length, so that places in the text stay where they are.
    dialled = _TRUNK.sub(" +", text)
    for match in phonenumbers.PhoneNumberMatcher(dialled, PHONE_REGION, leniency=phonenumbers.Leniency.POSSIBLE):
        before = text[max(0, match.start - _CUE_CHARACTERS) : match.start]
        # The form is looked at as it was typed: 0016 123456 begins like a call abroad and is a bag tag.
        is_formed = _PHONE_FORM.match(text, match.start) is not None
        is_wanted = is_formed or _PHONE_CUE.search(before) is not None
        if is_wanted or (phonenumbers.is_valid_number(match.number) and not _OTHER_NUMBER.search(before)):
            number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
            start = match.start - 1 if text[match.start - 1 : match.start + 1] == "00" else match.start
            yield Found(start, match.end, "PHONE", number)
    for cued in _AFTER_CUE.finditer(text):
        # A number of another country, written as it is dialled there: nobody can tell which, but it is announced.
        yield Found(cued.start(1), cued.end(1), "PHONE", re.sub(r"[^\d+]", "", cued[1]))


def _find_confirmations(text: str) -> Iterator[Found]:
    for start, end, code in find_confirmation_numbers(text):
        yield Found(start, end, "CONFIRMATION_NUMBER", code)


_DETECTORS: tuple[Callable[[str], Iterator[Found]], ...] = (
    _find_cards,
    _find_ssns,
    _find_emails,
    _find_passports,
    _find_phones,
    _find_confirmations,
)
