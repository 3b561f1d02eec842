"""Issue and verify the signed tokens by which a mail that comes back names its conversation or the reply it is about.

Three things carry one: the address that an answer goes to (`support+<token>@domain`), the Message-ID of a reply
(`<reply.mac@domain>`), and the sender of its envelope, to which bounces go (`bounces+<token>@domain`). A token proves
that we issued it and nothing about who sends it back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from schema.channel_accounts import MESSAGE_ID_DOMAIN_CHARACTERS_MAX

if TYPE_CHECKING:
    from runtime.sender_keys import SenderKeys
    from schema.ids import ConversationKey

LOCAL_PART_OCTETS_MAX: Final = 64
"""Longest local part of an address (RFC 5321, 4.5.3.1.1)."""

BOUNCE_LOCAL_PART: Final = "bounces"

_MAC_BYTES: Final = 10
_REFERENCE_BYTES: Final = 10
_REPLY_BYTES: Final = 12
_PREFIX: Final = "reply_"
_REPLY_ID: Final = re.compile(r"reply_[0-9a-f]{24}")
_MESSAGE_ID: Final = re.compile(r"\s*<?([0-9a-f]{24})\.([a-z2-7]{16})@[^\s<>@]+>?\s*", re.IGNORECASE)


def reference_of(key: ConversationKey) -> str:
    """Return the 16 characters by which tokens name a conversation, the same for ever: 80 bits of a hash of its key."""
    return _encode(hashlib.sha256(f"fte mail conversation {key}".encode()).digest()[:_REFERENCE_BYTES])


def domain_for_message_ids(domain: str) -> str:
    """Return the domain with which a Message-ID is short enough: leading labels are left out until it fits.

    Raises ValueError when even the last two labels are too long.
    """
    labels = domain.split(".")
    while len(".".join(labels)) > MESSAGE_ID_DOMAIN_CHARACTERS_MAX and len(labels) > 2:  # noqa: PLR2004 - a domain
        labels = labels[1:]
    fitting = ".".join(labels)
    if len(fitting) > MESSAGE_ID_DOMAIN_CHARACTERS_MAX:
        raise ValueError(
            f"the domain has {len(fitting)} characters; a Message-ID has room for {MESSAGE_ID_DOMAIN_CHARACTERS_MAX}"
        )
    return fitting


class MailTokens:
    """Issues and verifies the tokens of one mail account; `repr` shows nothing of the secret."""

    def __init__(self, secret: bytes) -> None:
        """Take the account's secret; whoever has it can make tokens."""
        self._secret = secret

    @classmethod
    def of_account(cls, senders: SenderKeys, tenant: str, account: str) -> MailTokens:
        """Make the tokens of an account: their secret is derived, so that every process of a deployment has the same.

        It outlives a rotation of the vault's keys, as the secret of sender keys does.
        """
        return cls(senders.derive("mail tokens", tenant, account))

    def address_for(self, mailbox: str, key: ConversationKey) -> str:
        """Return the address that leads back to a conversation, `support+<32 characters>@domain`.

        Raises ValueError for a mailbox whose local part leaves no room for the token.
        """
        local_part, _, domain = mailbox.rpartition("@")
        reference = _decode(reference_of(key))
        return _plus(local_part, self._token("conversation", reference), domain)

    def read_address(self, address: str) -> str | None:
        """Return the reference of the conversation (`reference_of`) that an address leads to, None for any other."""
        reference = self._read_plus("conversation", address, _REFERENCE_BYTES)
        return None if reference is None else _encode(reference)

    def bounce_address_for(self, reply_id: str, domain: str) -> str:
        """Return the sender of a reply's envelope, `bounces+<36 characters>@domain`, which brings bounces back to it.

        Raises ValueError for what is no reply's id.
        """
        return _plus(BOUNCE_LOCAL_PART, self._token("bounce", _bytes_of(reply_id)), domain)

    def read_bounce_address(self, address: str) -> str | None:
        """Return the id of the reply whose envelope had this sender, None for any other address."""
        reply = self._read_plus("bounce", address, _REPLY_BYTES)
        return None if reply is None else _PREFIX + reply.hex()

    def message_id_for(self, reply_id: str, domain: str) -> str:
        """Return a reply's Message-ID, `<24 hex digits.16 characters@domain>`, of at most 76 characters.

        Raises ValueError for what is no reply's id, and for a domain that is too long.
        """
        reply = _bytes_of(reply_id)
        mac = _encode(self._mac("message id", reply))
        return f"<{reply.hex()}.{mac}@{domain_for_message_ids(domain)}>"

    def read_message_id(self, message_id: str) -> str | None:
        """Return the id of the reply that had this Message-ID, None for one that we did not issue.

        Brackets may be missing, and case does not matter: mail systems change both.
        """
        found = _MESSAGE_ID.fullmatch(message_id) if message_id.isascii() else None
        if found is None:
            return None
        reply = bytes.fromhex(found[1])
        is_ours = hmac.compare_digest(found[2].lower(), _encode(self._mac("message id", reply)))
        return _PREFIX + reply.hex() if is_ours else None

    def _token(self, purpose: str, payload: bytes) -> str:
        return _encode(payload + self._mac(purpose, payload))

    def _mac(self, purpose: str, payload: bytes) -> bytes:
        signed = purpose.encode() + b"\0" + payload
        return hmac.new(self._secret, signed, hashlib.sha256).digest()[:_MAC_BYTES]

    def _read_plus(self, purpose: str, address: str, payload_bytes: int) -> bytes | None:
        """Return the payload of an address's token, None where it has none that we issued for this purpose."""
        if not address.isascii():  # lower case makes ASCII of some other letters
            return None
        token = address.strip().strip("<>").rpartition("@")[0].rpartition("+")[2].lower()
        payload = _decode(token)[:payload_bytes]
        if len(payload) != payload_bytes:
            return None
        return payload if hmac.compare_digest(token, self._token(purpose, payload)) else None

    def __repr__(self) -> str:
        """Show the class's name, and nothing of the secret."""
        return "MailTokens()"


def _plus(local_part: str, token: str, domain: str) -> str:
    extended = f"{local_part}+{token}"
    if not local_part or not domain or len(extended.encode()) > LOCAL_PART_OCTETS_MAX:
        room = LOCAL_PART_OCTETS_MAX - len(token) - 1
        raise ValueError(f"an address of the form local@domain is needed whose local part has 1 to {room} octets")
    return f"{extended}@{domain}"


def _bytes_of(reply_id: str) -> bytes:
    if not _REPLY_ID.fullmatch(reply_id):
        raise ValueError(f"not a reply's id: {reply_id[:64]!r}; it has the form reply_<24 hex digits>")
    return bytes.fromhex(reply_id.removeprefix(_PREFIX))


def _encode(content: bytes) -> str:
    return base64.b32encode(content).decode().rstrip("=").lower()


def _decode(text: str) -> bytes:
    """Decode lower-case base32 without padding; nothing for anything else."""
    try:
        return base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except binascii.Error:
        return b""
