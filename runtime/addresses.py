"""Read the addresses that gateways hand in: e-mail and telephone."""

from __future__ import annotations

import re

_E_MAIL = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_PHONE = re.compile(r"\+[0-9]{7,15}")


def read_address(sender: str) -> str | None:
    """Read a sender as it is filed: an e-mail address in lower case, or a phone number as E.164.

    Gives None for what is neither, so that a made-up sender of a chat finds nobody.
    """
    # Of `Name <address>` only what stands in the brackets at the end is verified: a name may look like an address.
    bracketed = re.fullmatch(r"[^\n]*<([^<>]*)>\s*", sender)
    address = (bracketed[1] if bracketed else sender).strip()
    if _E_MAIL.fullmatch(address):
        return address.lower()
    compact = re.sub(r"[\s().-]", "", address)
    return compact if _PHONE.fullmatch(compact) else None
