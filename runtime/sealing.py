"""Encrypt stored text with Fernet (AES-128-CBC with HMAC-SHA-256), with several keys for rotation."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from runtime.encoding import dump_json, parse_json
from schema.errors import Unsealable

if TYPE_CHECKING:
    from collections.abc import Mapping


OWN_MARK: Final = "c1."
"""What stands before a value that its conversation's own key has sealed, as it is stored."""

KEYED_MARK: Final = "k1."
"""What stands before such a value and its key, as they are read together: `k1.<sealed key>.<sealed value>`."""

VAULT_MARK: Final = "gAAAA"
"""What a value begins with that a key of the vault has sealed: a Fernet token's version, and its time's first bytes."""

_SEALED_TEXTS: Final = (f"{OWN_MARK}{VAULT_MARK}", f"{KEYED_MARK}{VAULT_MARK}")
"""What a text begins with that is sealed, among texts that also stand in clear: `ConversationSealer.seal_text`."""

_OPENED_KEYS_MAX: Final = 1_000


class Sealer:
    """Encrypts with the first key, decrypts with any of them; and with conversations' own keys, which those seal."""

    def __init__(self, keys: list[str], *, by_conversation: bool = False) -> None:
        """Take Fernet keys (32 bytes in URL-safe base64), newest first; raises ValueError on a malformed one.

        `by_conversation`: what is kept of a conversation is sealed with a key of its own.
        """
        self.by_conversation = by_conversation
        self._open_key = lru_cache(_OPENED_KEYS_MAX)(self._find_key)
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._newest = Fernet(keys[0])
        self._newest_bytes = base64.urlsafe_b64decode(keys[0])
        self.fingerprints = [hashlib.sha256(f"fte vault key {key}".encode()).hexdigest()[:12] for key in keys]

    def derive(self, purpose: bytes, length: int) -> bytes:
        """Derive a key for another purpose from the newest key: HKDF with SHA-256 (RFC 5869), `length` bytes."""
        return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(self._newest_bytes)

    def seal(self, text: str) -> str:
        """Encrypt text; the result is URL-safe ASCII, 4/3 of its size and 100 bytes longer."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt what `seal` made, or a conversation's own key, which comes along with the value.

        Raises Unsealable for another key's or damaged bytes, and where the conversation's key was destroyed.
        """
        if sealed.startswith(OWN_MARK):
            raise Unsealable(f"{len(sealed)} sealed characters cannot be opened: their conversation's key is gone")
        try:
            if sealed.startswith(KEYED_MARK):
                _, key, token = sealed.split(".")
                return self._open_key(key).decrypt(token.encode()).decode()
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, ValueError) as error:
            raise Unsealable(
                f"{len(sealed)} sealed characters cannot be opened with the keys {', '.join(self.fingerprints)}"
            ) from error

    def is_newest(self, sealed: str) -> bool:
        """Check whether the newest key opens this text, so that it needs no older one; a conversation's needs none."""
        if sealed.startswith(OWN_MARK):
            return True
        try:
            self._newest.decrypt(sealed.encode())
        except (InvalidToken, UnicodeError):
            return False
        return True

    def reseal(self, sealed: str) -> str:
        """Encrypt with the newest key what any of the keys sealed; raises Unsealable."""
        return self.seal(self.open(sealed))

    def open_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return a session item opened, or as it is where it is not sealed; raises Unsealable."""
        sealed = item.get("sealed")
        if not isinstance(sealed, str):
            return item
        opened: dict[str, Any] = parse_json(self.open(sealed))
        return opened

    def open_text(self, stored: str) -> str:
        """Return a text that somebody gave, opened, or as it is where it stands in clear; raises Unsealable."""
        return self.open(stored) if stored.startswith(_SEALED_TEXTS) else stored

    def open_fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return a context opened, or as it is where it is not sealed; raises Unsealable."""
        if not fields.get("sealed"):
            return fields
        return {
            name: parse_json(self.open(value)) if isinstance(value, str) else value
            for name, value in fields.items()
            if name != "sealed"
        }

    def for_conversation(self, sealed_key: str | None) -> ConversationSealer:
        """Return what seals for a conversation: with its key, with a new one where it has none, or with the vault's.

        The vault's unless this deployment seals `by_conversation`.
        """
        if not self.by_conversation:
            return ConversationSealer(self, None, None)
        key = sealed_key or self.seal(Fernet.generate_key().decode())
        return ConversationSealer(self, key, self._open_key(key))

    def with_kept_key(self, sealed_key: str | None) -> ConversationSealer:
        """Return what seals for a conversation where no key can be made: with the one it has, else with the vault's."""
        return self.for_conversation(sealed_key) if sealed_key else ConversationSealer(self, None, None)

    def _find_key(self, sealed_key: str) -> Fernet:
        return Fernet(self._fernet.decrypt(sealed_key.encode()))


class ConversationSealer:
    """Seals what is kept of one conversation."""

    def __init__(self, base: Sealer, sealed_key: str | None, own: Fernet | None) -> None:
        self.sealed_key = sealed_key
        """The conversation's key, sealed; None: the vault's key seals."""
        self._base = base
        self._own = own

    @property
    def by_conversation(self) -> bool:
        """Return whether this deployment seals with conversations' own keys."""
        return self._base.by_conversation

    def seal(self, text: str) -> str:
        """Encrypt text, as `Sealer.open` reads it once the database has put the key to it."""
        return self._base.seal(text) if self._own is None else f"{OWN_MARK}{self._own.encrypt(text.encode()).decode()}"

    def seal_text(self, text: str) -> str:
        """Encrypt a text that somebody gave; in clear it stays where the vault's key would seal.

        A text in clear never begins like a sealed one: a space comes before one that would.
        """
        if self._own is not None:
            return self.seal(text)
        return f" {text}" if text.startswith((OWN_MARK, KEYED_MARK)) else text

    def reseal(self, sealed: str) -> str:
        """Encrypt for the conversation what the vault's key sealed; what cannot be opened stays as it is."""
        try:
            return sealed if self._own is None else self.seal(self._base.open(sealed))
        except Unsealable:
            return sealed

    def seal_fields(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Seal a context field by field, so that a statement can take one out; flags and numbers stay in clear."""
        if self._own is None:
            return dict(fields)
        sealed = {
            name: self.seal(dump_json(value)) if value and isinstance(value, str | list | dict) else value
            for name, value in fields.items()
        }
        return {**sealed, "sealed": True}

    def seal_item(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Seal a session item; its type and role stay in clear, by which items are told apart."""
        if self._own is None:
            return dict(item)
        clear = {name: item[name] for name in ("type", "role") if name in item}
        return {**clear, "sealed": self.seal(dump_json(item))}
