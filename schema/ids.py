"""Ids that processes refer to: patterns for those that come in, functions that make those that go out."""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import NamedTuple

TENANT_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
"""A tenant's name; no colon and no brace, because it stands inside Redis keys and their hash tags."""

CONVERSATION_PATTERN = r"^[A-Za-z0-9+][A-Za-z0-9._~=+@-]{0,127}$"
"""A conversation's id; no colon and no brace, for the same reason."""

BRAND_PATTERN = r"^[^\x00-\x1f\x7f-\x9f{}]{1,80}$"
"""A tenant's name as customers read it: it stands in agents' instructions and in replies."""

MESSAGE_ID_PATTERN = r"^[!-~]{1,256}$"
"""A gateway's own message id: visible ASCII, so that an RFC 5322 Message-ID fits (RFC 5322, 3.6.4)."""

_TICKET_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_TICKET_LENGTH = 10


class ConversationKey(NamedTuple):
    """Key of one conversation of one tenant."""

    tenant: str
    conversation: str

    def __str__(self) -> str:
        """Return the key as it stands in Redis: `tenant:conversation`."""
        return f"{self.tenant}:{self.conversation}"

    @classmethod
    def parse(cls, text: str) -> ConversationKey:
        """Parse `tenant:conversation`; neither part can hold a colon.

        Raises ValueError when the text is not of that form.
        """
        tenant, separator, conversation = text.partition(":")
        if not (
            separator and re.fullmatch(TENANT_PATTERN, tenant) and re.fullmatch(CONVERSATION_PATTERN, conversation)
        ):
            raise ValueError(f"not a conversation key of the form tenant:conversation: {text[:80]!r}")
        return cls(tenant, conversation)


def trace_id_of(key: ConversationKey) -> str:
    """Return a conversation's trace id: the same for each of its turns, `trace_` and 32 hex digits.

    Derived from the key, so that no process has to store or ask for it. The form is what the agents SDK demands.
    """
    return "trace_" + hashlib.sha256(f"fte trace {key}".encode()).hexdigest()[:32]


def reply_id_of(key: ConversationKey, sequence: int) -> str:
    """Return the id of a conversation's reply with this sequence.

    Derived, not random: a turn that is run twice gives its reply the same id, so a consumer that dedupes by id is safe
    even when an operator restores a database from a backup.
    """
    return "reply_" + hashlib.sha256(f"fte reply {key} {sequence}".encode()).hexdigest()[:24]


def ticket_id_of(key: ConversationKey, position: int) -> str:
    """Return the ticket number of an escalation raised by the message at this position; short enough to read aloud."""
    return _ticket_number(f"fte ticket {key} {position}")


def undelivered_ticket_id_of(key: ConversationKey, reply_id: str) -> str:
    """Return the number of the ticket that is opened when a reply did not reach its customer."""
    return _ticket_number(f"fte ticket {key} undelivered {reply_id}")


def _ticket_number(what: str) -> str:
    number = int.from_bytes(hashlib.sha256(what.encode()).digest()[:8])
    letters = []
    for _ in range(_TICKET_LENGTH):
        number, index = divmod(number, len(_TICKET_ALPHABET))
        letters.append(_TICKET_ALPHABET[index])
    return "T-" + "".join(letters)


def event_id_of(key: ConversationKey, ordinal: int) -> str:
    """Return the id of the event at this ordinal of a conversation's outbox."""
    return "event_" + hashlib.sha256(f"fte event {key} {ordinal}".encode()).hexdigest()[:24]


def redriven_id_of(key: ConversationKey, message_id: str) -> str:
    """Return the id under which a dead message is sent again: a repeated redrive finds it accepted."""
    return "redriven-" + hashlib.sha256(f"fte redriven {key} {message_id}".encode()).hexdigest()[:32]


def new_token() -> str:
    """Return a new token that no other lease or attempt has: 32 hex digits."""
    return uuid.uuid4().hex
