"""Verify and make the signatures of Twilio's webhooks: HMAC over the public URL and the sorted parameters.

Source of the rules: Twilio's "Webhooks security" page and the request validators of its libraries; for shared keys, the
header of the Webhooks configuration API. No time and no nonce is signed: a captured request stays valid for ever, so
what is protected from replays is protected by the id of its message.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNATURE_HEADER: Final = "x-twilio-signature"
SETTINGS_HEADER: Final = "x-twilio-webhooks-signature-settings"
BODY_HASH: Final = "bodySHA256"

PAIRS_MAX: Final = 200
"""Parameters of one request; the provider sends some thirty."""

Algorithm = Literal["HMAC_SHA1", "HMAC_SHA256"]

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True)
class SigningKeys:
    """What requests to one account may be signed with; `repr` shows none of it."""

    auth_tokens: tuple[str, ...]
    """The auth token, and the one before while both hold."""
    shared_keys: Mapping[str, str]
    """Keys of webhook rules by their id."""

    def __repr__(self) -> str:
        """Show no key."""
        return f"SigningKeys({len(self.auth_tokens)} tokens, {len(self.shared_keys)} shared keys)"


def read_pairs(body: bytes) -> list[tuple[str, str]]:
    """Parse a form's body into its pairs, in order and with blank values.

    Raises ValueError for one that is not UTF-8 or names a parameter twice: the provider never does, and a signature
    does not say which of two values it was made over.
    """
    pairs = parse_qsl(
        body.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=bool(body),
        errors="strict",
        max_num_fields=PAIRS_MAX,
    )
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a parameter is given twice")
    return pairs


def read_signed(headers: Mapping[str, str], url: str, body: bytes, keys: SigningKeys) -> list[tuple[str, str]] | None:
    """Return the pairs of a form whose signature holds, none of a GET or of JSON; None where it does not hold.

    `url` is the public one as the provider calls it, byte for byte, with its query, in which a GET has all it says. A
    form's parameters are signed; of a JSON body the URL carries the hash, which is compared as well. `headers` have
    names in lower case. None for whatever cannot be checked.
    """
    given = headers.get(SIGNATURE_HEADER, "")
    try:
        pairs = [] if _is_json(headers) else read_pairs(body)
        if _is_json(headers) and not _has_hash_of(url, body):
            return None
        signing = _keys_for(headers.get(SETTINGS_HEADER), keys)
    except ValueError:  # UnicodeDecodeError among them
        return None
    found = [
        hmac.compare_digest(sign(key, spelling, pairs, algorithm).encode(), given.encode("utf-8", "replace"))
        for key, algorithm in signing
        for spelling in spellings_of(url)
    ]
    return pairs if any(found) else None


def sign(key: str, url: str, pairs: Sequence[tuple[str, str]], algorithm: Algorithm = "HMAC_SHA1") -> str:
    """Return the signature of a request: base64 of the HMAC over the URL and the parameters, sorted by name."""
    signed = url + "".join(name + value for name, value in sorted(pairs))
    digest = hashlib.sha1 if algorithm == "HMAC_SHA1" else hashlib.sha256
    return base64.b64encode(hmac.new(key.encode(), signed.encode("utf-8", "surrogatepass"), digest).digest()).decode()


def spellings_of(url: str) -> list[str]:
    """Return the URL without its scheme's own port, and with it: which of the two is signed is not consistent."""
    parts = urlsplit(url)
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or (parts.port is not None and parts.port != default):
        return [url]
    rest = url[len(parts.scheme) + 3 + len(parts.netloc) :]
    host = parts.netloc.removesuffix(f":{default}")
    return [f"{parts.scheme}://{host}{rest}", f"{parts.scheme}://{host}:{default}{rest}"]


def _keys_for(settings: str | None, keys: SigningKeys) -> list[tuple[str, Algorithm]]:
    """Return the keys that a request may be signed with, as its header says; raises ValueError for another algorithm.

    The header chooses among keys that are ours, never that nothing is checked; and the auth token signs with SHA-1
    alone.
    """
    if settings is None:
        return [(token, "HMAC_SHA1") for token in keys.auth_tokens]
    named = dict(part.strip().partition("=")[::2] for part in settings.split(","))
    if set(named) != {"key", "algorithm"} or named["algorithm"] != "HMAC_SHA256":
        raise ValueError("signed in a way that is not known here")
    return [(keys.shared_keys[named["key"]], "HMAC_SHA256")] if named["key"] in keys.shared_keys else []


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def _has_hash_of(url: str, body: bytes) -> bool:
    found = [value for name, value in parse_qsl(urlsplit(url).query) if name == BODY_HASH]
    return len(found) == 1 and hmac.compare_digest(found[0].lower().encode(), hashlib.sha256(body).hexdigest().encode())
