"""Name what a mail can be told to belong to: the token of an address, the ids that it answers, and its own identity."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from producer.channels.email.header_fields import MESSAGE_IDS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.channels.email.mail_reading import Mail
    from producer.channels.email.tokens import MailTokens

_RECIPIENT_FIELDS: Final = ("to", "cc", "delivered-to", "x-original-to", "x-forwarded-to", "envelope-to")


class MailClaims(NamedTuple):
    """What a mail says that it belongs to; a claim is no authority, and its sender must take part there."""

    references: tuple[str, ...]
    """Conversations that addresses with our token lead to (`reference_of`), the envelope's first."""
    replies: tuple[str, ...]
    """Ids of replies of ours that it answers, the newest first."""
    message_ids: tuple[str, ...]
    """Ids of mails that it answers, the newest first, at most MESSAGE_IDS_MAX."""


def read_claims(mail: Mail, recipients: Sequence[str], tokens: MailTokens) -> MailClaims:
    """Return what a mail claims to belong to: by the addresses that it was sent to, and by the mails that it answers.

    `recipients` are those of the envelope. In-Reply-To comes before References, and those from the newest back.
    """
    addresses = [*recipients, *(found.address for name in _RECIPIENT_FIELDS for found in mail.fields.addresses(name))]
    references = [reference for address in addresses if (reference := tokens.read_address(address))]
    answered = [*mail.fields.message_ids("in-reply-to"), *reversed(mail.fields.message_ids("references"))]
    message_ids = list(dict.fromkeys(answered))[:MESSAGE_IDS_MAX]
    replies = [reply for each in message_ids if (reply := tokens.read_message_id(each))]
    return MailClaims(tuple(dict.fromkeys(references)), tuple(replies), tuple(message_ids))


def hash_of_message_id(message_id: str) -> bytes:
    """Return by what a mail is found that another one names: a hash of its Message-ID without the brackets."""
    return hashlib.sha256(message_id.strip().removeprefix("<").removesuffix(">").encode("utf-8", "replace")).digest()


def message_key_of(mail: Mail | None, raw: bytes) -> str:
    """Return the id under which a mail is accepted once: 64 hex digits of a hash.

    It is of the Message-ID, the sender and the body, for the id alone is chosen by the sender: with that, a stranger
    could keep somebody's mail out. So the same mail to two addresses of ours is one. Without an id it is of all bytes.
    """
    if mail is None or not mail.message_id or mail.sender is None:
        return hashlib.sha256(b"mail\0" + raw).hexdigest()
    hashed = hashlib.sha256()
    for name in ("mail", mail.message_id, mail.sender.address.lower()):
        hashed.update(name.encode("utf-8", "replace") + b"\0")
    for part in mail.root.walk():
        hashed.update(part.body)
    return hashed.hexdigest()
