"""Normalise senders' addresses: e-mail and telephone."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

_E_MAIL = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_PHONE = re.compile(r"\+[0-9]{7,15}")
_BRACKETED = re.compile(r"[^\n]*<([^<>]*)>\s*")


@lru_cache(maxsize=4_096)
def normalise_sender(sender: str) -> str:
    """Return a sender in the one form that all spellings of the same address have.

    A phone number with its country code becomes E.164, an e-mail address lower case and without its display name; what
    is neither is compatibility-normalised (NFKC) and case-folded. In doubt two spellings stay two senders: the customer
    verifies once more, where joining them would open one's booking to the other.
    """
    address = read_address(sender)
    if address is not None:
        return address
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", sender).casefold()).strip()


@lru_cache(maxsize=4_096)
def read_address(sender: str) -> str | None:
    """Parse a sender as it is stored: an e-mail address in lower case, or a phone number as E.164.

    Returns None for anything else, so that a made-up sender of a chat matches nobody.
    """
    # Of `Name <address>` only the brackets at the end are verified: a name may look like an address.
    bracketed = _BRACKETED.fullmatch(sender)
    address = (bracketed[1] if bracketed else sender).strip()
    if _E_MAIL.fullmatch(address):
        # Beyond ASCII, lower case joins letters that mail servers tell apart (U+212A and k).
        return address.lower() if address.isascii() else address
    compact = re.sub(r"[\s().-]", "", address)
    return _read_phone(compact) if _PHONE.fullmatch(compact) else None


def _read_phone(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        # The library drops a national prefix; a number that is impossible everywhere keeps all its digits.
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
