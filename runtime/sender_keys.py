"""Pseudonymous keys of senders: a keyed hash of tenant, channel and address, the same for every spelling.

A verification belongs to the sender key that proved it, guesses at bookings are counted by it, and all data of one
person is found by it, to be exported or erased.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING

from runtime.addresses import normalise_sender
from runtime.encoding import dump_canonical
from schema.errors import InvalidSettings, Unsealable

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.messages.inbound import Inbound

SECRET_BYTES = 32
_PURPOSE = b"fte sender keys 1"


class SenderKeys:
    """Computes the sender keys of one deployment; `repr` shows nothing of the secret."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret, of SECRET_BYTES; whoever has it can test which address a key belongs to."""
        self._secret = secret

    def key_of(self, tenant: str, channel: str, sender: str) -> str:
        """Return the key of a sender on a channel: 64 hex digits. Another channel is another sender."""
        return self._hash("sender", tenant, channel, normalise_sender(sender))

    def key_of_message(self, inbound: Inbound) -> str:
        """Return the key of a message's sender."""
        return self.key_of(inbound.tenant, inbound.channel, inbound.sender)

    def conversation_of(self, tenant: str, channel: str, own_address: str, sender: str) -> str:
        """Return the id of the conversation of a customer with an address of ours: 32 hex digits, no address in it."""
        return self._hash("conversation", tenant, channel, own_address.lower(), normalise_sender(sender))[:32]

    def key_of_booking(self, tenant: str, confirmation_number: str) -> str:
        """Return the key of a confirmation number, so that guesses at it are counted without storing it in clear."""
        return self._hash("booking", tenant, confirmation_number)

    def derive(self, *purpose: str) -> bytes:
        """Derive a secret of SECRET_BYTES for another purpose, the same in every process of the deployment.

        Like the sender keys, it stays the same when the vault's keys are rotated.
        """
        return self._digest("derive", *purpose)

    def _hash(self, *parts: str) -> str:
        return self._digest(*parts).hex()

    def _digest(self, *parts: str) -> bytes:
        return hmac.new(self._secret, dump_canonical(list(parts)), hashlib.sha256).digest()

    def __repr__(self) -> str:
        """Show the class's name, and nothing of the secret."""
        return "SenderKeys()"


def make_sender_secret(sealer: Sealer) -> str:
    """Derive the secret from the newest vault key, sealed for storage in the database.

    It is stored and not derived anew each time: rotating the vault's keys then changes nobody's sender key, and a
    rotation seals the secret with the newest key like everything else.
    """
    return sealer.seal(base64.b64encode(sealer.derive(_PURPOSE, SECRET_BYTES)).decode())


def open_sender_keys(sealed_secret: str | None, sealer: Sealer) -> SenderKeys:
    """Open the secret that the database stores.

    Raises InvalidSettings when no key of this process opens it, or when it has not been made yet.
    """
    if sealed_secret is None:
        raise InvalidSettings(["the database has no secret for sender keys yet; run `fte migrate`"])
    try:
        secret = base64.b64decode(sealer.open(sealed_secret), validate=True)
    except (Unsealable, binascii.Error) as error:
        raise InvalidSettings(
            [f"FTE_VAULT_KEYS: the secret for sender keys: {error}; give this process the key that sealed it as well"]
        ) from None
    return SenderKeys(secret)
