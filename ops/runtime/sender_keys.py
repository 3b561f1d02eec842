"""Name a sender without telling who it is: a keyed hash of tenant, channel and address, the same for every spelling.

By its sender key a verification belongs to whoever proved it, guesses at bookings are counted, and everything of one
person can be found again, to be handed out or erased.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import phonenumbers

from ops.runtime.encoding import dump_canonical
from schema.errors import InvalidSettings, Unsealable

if TYPE_CHECKING:
    from ops.runtime.sealing import Sealer
    from schema.messages import Inbound

SECRET_BYTES = 32
_PURPOSE = b"fte sender keys 1"

_E_MAIL = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_PHONE = re.compile(r"\+[0-9][0-9\s().-]*")
_BRACKETED = re.compile(r"[^\n]*<([^<>]*)>\s*")


class SenderKeys:
    """Make the keys of one deployment; `repr` shows nothing of the secret."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret, of SECRET_BYTES; whoever has it can try which address a key belongs to."""
        self._secret = secret

    def key_of(self, tenant: str, channel: str, sender: str) -> str:
        """Give the key of a sender on a channel: 64 hex digits. Another channel is another sender."""
        return self._hash("sender", tenant, channel, normalise_sender(sender))

    def key_of_message(self, inbound: Inbound) -> str:
        """Give the key of who wrote a message."""
        return self.key_of(inbound.tenant, inbound.channel, inbound.sender)

    def key_of_booking(self, tenant: str, confirmation_number: str) -> str:
        """Give the key of a confirmation number, which is stored nowhere in clear when somebody guesses at it."""
        return self._hash("booking", tenant, confirmation_number)

    def _hash(self, *parts: str) -> str:
        return hmac.new(self._secret, dump_canonical(list(parts)), hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        """Show that these are keys, and nothing else."""
        return "SenderKeys()"


def make_sender_secret(sealer: Sealer) -> str:
    """Derive the secret from the newest vault key, sealed as the database keeps it.

    It is kept and not derived anew each time: rotating the vault's keys then changes nobody's sender key, and a
    rotation seals the secret with the newest key like everything else.
    """
    return sealer.seal(base64.b64encode(sealer.derive(_PURPOSE, SECRET_BYTES)).decode())


def open_sender_keys(sealed_secret: str | None, sealer: Sealer) -> SenderKeys:
    """Open the secret that the database keeps.

    Raises InvalidSettings when no key of this process opens it, or none was made yet.
    """
    if sealed_secret is None:
        raise InvalidSettings(["the database has no secret for sender keys yet; run `fte migrate`"])
    try:
        secret = base64.b64decode(sealer.open(sealed_secret), validate=True)
    except (Unsealable, binascii.Error) as error:
        raise InvalidSettings(
            [
                f"FTE_VAULT_KEYS: the database's secret for sender keys: {error}; give this process the key it was sealed with"
            ]
        ) from None
    return SenderKeys(secret)


@lru_cache(maxsize=4_096)
def normalise_sender(sender: str) -> str:
    """Bring a sender into the one form that all spellings of the same address have.

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
    """Read a sender as the airline files it: an e-mail address in lower case, or a phone number as E.164.

    Gives None for what is neither, so that a made-up sender of a chat finds nobody.
    """
    # Of `Name <address>` only what stands in the brackets at the end is verified: a name may look like an address.
    bracketed = _BRACKETED.fullmatch(sender)
    address = (bracketed[1] if bracketed else sender).strip()
    if _E_MAIL.fullmatch(address):
        # Beyond ASCII, lower case joins letters that mail servers tell apart (U+212A and k).
        return address.lower() if address.isascii() else address
    return _read_phone(address) if _PHONE.fullmatch(address) else None


def _read_phone(number: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        # The library drops a national prefix; of what is no number anywhere, no digit is taken away.
        return "+" + re.sub(r"[^0-9]", "", number)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
