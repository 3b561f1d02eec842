"""Decide whether a mail surely comes from the address in its From field: by DMARC, as our own mail server judged it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from producer.channels.email.mailboxes import drop_comments

if TYPE_CHECKING:
    from producer.channels.email.header_fields import Fields
    from producer.channels.email.mail_reading import Mail

_VALUE_CHARACTERS_MAX: Final = 8_192
_RESULT: Final = re.compile(r"([a-z0-9-]+)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY: Final = re.compile(r"([a-z]+\.[a-z0-9_-]+)\s*=\s*(\"[^\"]*\"|[^\s;\"]+)", re.IGNORECASE)


def is_verified(mail: Mail, authserv_id: str | None, *, own_hops: int = 0) -> bool:
    """Check whether our own mail server saw DMARC pass for the domain of the mail's one From address.

    `authserv_id` is the name by which that server signs its Authentication-Results (RFC 8601); None: no mail is
    verified. Only its fields in the topmost block count, above every Received but the `own_hops` that our own servers
    write over their results: anybody can send others. What came over a list is not verified: a list passes on what
    strangers wrote.
    """
    sender = mail.sender
    if sender is None or not authserv_id or any(mail.fields.has(name) for name in ("list-id", "list-post")):
        return False
    # Two results of one server contradict each other at best: then none counts.
    found = [domain for value in results_of(mail.fields, authserv_id, own_hops) for domain in _dmarc_domains(value)]
    return len(found) == 1 and found[0] == sender.domain


def results_of(fields: Fields, authserv_id: str, own_hops: int) -> list[str]:
    """Return the Authentication-Results that our own server put on top of the mail, without its name and comments."""
    found = []
    hops = 0
    for name, value in fields.lines:
        hops += name == "received"
        if hops > own_hops:
            break
        if name != "authentication-results":
            continue
        server, _, results = drop_comments(value[:_VALUE_CHARACTERS_MAX]).partition(";")
        if server.lower().split()[:1] == [authserv_id.lower()]:  # a version of the format may follow
            found.append(results)
    return found


def _dmarc_domains(results: str) -> list[str]:
    """Return for each result of DMARC the domain for which it passed; empty text where it did not pass."""
    found = []
    for result in _split(results):
        method = _RESULT.match(result.strip())
        if method is None or method[1].lower() != "dmarc":
            continue
        properties = [(name.lower(), value.strip('"').lower()) for name, value in _PROPERTY.findall(result)]
        domains = [value for name, value in properties if name == "header.from"]
        passed = method[2].lower() == "pass" and len(domains) == 1
        found.append(domains[0].rstrip(".").rpartition("@")[2] if passed else "")
    return found


def _split(results: str) -> list[str]:
    """Split at semicolons that do not stand in quotes."""
    return re.findall(r"(?:\"[^\"]*\"|[^;\"])+", results)
