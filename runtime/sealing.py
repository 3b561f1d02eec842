"""Encrypt stored text with Fernet (AES-128-CBC with HMAC-SHA-256), with several keys for rotation."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schema.errors import Unsealable


class Sealer:
    """Encrypts with the first key, decrypts with any of them."""

    def __init__(self, keys: list[str]) -> None:
        """Take Fernet keys (32 bytes in URL-safe base64), newest first; raises ValueError on a malformed one."""
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
        """Decrypt what `seal` made; raises Unsealable for another key's or damaged bytes."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError) as error:
            raise Unsealable(
                f"{len(sealed)} sealed characters cannot be opened with the keys {', '.join(self.fingerprints)}"
            ) from error

    def is_newest(self, sealed: str) -> bool:
        """Check whether the newest key opens this text, so that it needs no older one."""
        try:
            self._newest.decrypt(sealed.encode())
        except (InvalidToken, UnicodeError):
            return False
        return True

    def reseal(self, sealed: str) -> str:
        """Encrypt with the newest key what any of the keys sealed; raises Unsealable."""
        return self.seal(self.open(sealed))
