"""Verify and read what providers of inbound mail hand in: SendGrid, Mailgun and Postmark, each with the raw mail."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from producer.channels.email.form_data import UnreadableForm, read_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from schema.channel_accounts import EmailSecrets

SENDGRID_SIGNATURE: Final = "X-Twilio-Email-Event-Webhook-Signature"
SENDGRID_TIMESTAMP: Final = "X-Twilio-Email-Event-Webhook-Timestamp"

SENDGRID_SECONDS_MAX: Final = 600
MAILGUN_SECONDS_MAX: Final = 900
"""How far a request's time may be from ours: the provider signs anew when it tries again."""
_TOKEN_CHARACTERS_MAX: Final = 200
_TIMESTAMP_CHARACTERS_MAX: Final = 12
_DKIM_PASSED: Final = re.compile(r"@([a-z0-9.-]+)\s*:\s*pass\b")


class Forged(ValueError):
    """Raised for a request whose sender has not proven to be the provider; the text is for our log alone."""


class UnreadableRequest(ValueError):
    """Raised for a request of the provider in which there is no mail that can be read."""


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """A request as it came; `now` is seconds since 1970."""

    headers: Mapping[str, str]
    body: bytes
    now: float


@dataclass(frozen=True, slots=True)
class ProvidedMail:
    """A mail out of a provider's request, and what the provider tells of its way."""

    raw: bytes
    sender: str | None
    """Of the envelope; None: not told."""
    recipients: tuple[str, ...]
    token: str | None = None
    """What is good for one mail only; None: the provider signs the mail itself."""
    dkim_domains: frozenset[str] = frozenset()
    """Domains whose signature the provider found to hold."""


def read_provided(provider: str, request: ProviderRequest, keys: Sequence[EmailSecrets]) -> ProvidedMail:
    """Verify a request of sendgrid, mailgun or postmark, and return its mail; raises Forged, UnreadableRequest."""
    return _READERS[provider](request, keys)


def read_sendgrid(request: ProviderRequest, keys: Sequence[EmailSecrets]) -> ProvidedMail:
    """Read a request of Inbound Parse with "POST the raw, full MIME message" and a signed security policy.

    Signed are the timestamp's bytes and the body's (ECDSA, P-256, SHA-256). Raises Forged, UnreadableRequest.
    """
    timestamp = request.headers.get(SENDGRID_TIMESTAMP, "")
    signature = _base64(request.headers.get(SENDGRID_SIGNATURE, ""))
    _check_time(timestamp, request.now, SENDGRID_SECONDS_MAX)
    given = [key.sendgrid_public_key for key in keys if key.sendgrid_public_key is not None]
    if not any(_is_signed(key, signature, timestamp.encode() + request.body) for key in given):
        raise Forged("the signature does not hold")
    fields = _form_of(request)
    envelope = _json_object(fields.get("envelope", b"{}"))
    recipients = envelope.get("to")
    sender = envelope.get("from")
    return ProvidedMail(
        raw=_mail_in(fields, "email"),
        sender=sender if isinstance(sender, str) else None,
        recipients=tuple(each for each in recipients if isinstance(each, str)) if isinstance(recipients, list) else (),
        dkim_domains=frozenset(_DKIM_PASSED.findall(fields.get("dkim", b"").decode("ascii", "replace").lower())),
    )


def read_mailgun(request: ProviderRequest, keys: Sequence[EmailSecrets]) -> ProvidedMail:
    """Read a request of a route that forwards to a URL ending in `mime`, which has the mail in `body-mime`.

    Signed are timestamp and token (HMAC-SHA256 with the webhook signing key), and not the mail: so the caller must take
    a token for one mail alone. Raises Forged, UnreadableRequest.
    """
    fields = _form_of(request)
    timestamp, token, signature = (
        fields.get(name, b"").decode("ascii", "replace") for name in ("timestamp", "token", "signature")
    )
    _check_time(timestamp, request.now, MAILGUN_SECONDS_MAX)
    given = [key.mailgun_signing_key for key in keys if key.mailgun_signing_key is not None]
    expected = [hmac.new(key.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest() for key in given]
    if not 0 < len(token) <= _TOKEN_CHARACTERS_MAX or not any(_equal(signature, each) for each in expected):
        raise Forged("the signature does not hold")
    recipients = fields.get("recipient", b"").decode("utf-8", "replace")
    return ProvidedMail(
        raw=_mail_in(fields, "body-mime"),
        sender=fields["sender"].decode("utf-8", "replace") if "sender" in fields else None,
        recipients=tuple(each.strip() for each in recipients.split(",") if each.strip()),
        token=token,
    )


def read_postmark(request: ProviderRequest, keys: Sequence[EmailSecrets]) -> ProvidedMail:
    """Read a request of an inbound stream with "Include raw email content in JSON payload".

    The provider signs nothing: user and password of the URL come as Basic authentication.

    Raises Forged, UnreadableRequest.
    """
    kind, _, encoded = request.headers.get("Authorization", "").partition(" ")
    given = [key.postmark_password for key in keys if key.postmark_password is not None]
    presented = _base64(encoded)
    if kind.lower() != "basic" or not any(hmac.compare_digest(presented, each.encode()) for each in given):
        raise Forged("user and password are missing or wrong")
    told = _json_object(request.body)
    raw = told.get("RawEmail")
    if not isinstance(raw, str) or not raw:
        raise UnreadableRequest("there is no RawEmail; switch on that it is included")
    recipient = told.get("OriginalRecipient")
    return ProvidedMail(
        raw=raw.encode("utf-8", "replace"),
        sender=None,  # the mail's own Return-Path tells
        recipients=(recipient,) if isinstance(recipient, str) else (),
    )


_READERS: Final[dict[str, Callable[[ProviderRequest, Sequence[EmailSecrets]], ProvidedMail]]] = {
    "sendgrid": read_sendgrid,
    "mailgun": read_mailgun,
    "postmark": read_postmark,
}


def _form_of(request: ProviderRequest) -> dict[str, bytes]:
    try:
        return read_form(request.body, request.headers.get("Content-Type", ""))
    except UnreadableForm as error:
        raise UnreadableRequest(str(error)) from None


def _mail_in(fields: Mapping[str, bytes], name: str) -> bytes:
    if not fields.get(name):
        raise UnreadableRequest(f"there is no field {name} with the raw mail; switch that on at the provider")
    return fields[name]


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableRequest("not JSON") from None
    if not isinstance(read, dict):
        raise UnreadableRequest("no JSON object")
    return read


def _check_time(timestamp: str, now: float, seconds_max: int) -> None:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > _TIMESTAMP_CHARACTERS_MAX:
        raise Forged("there is no timestamp")
    if abs(now - int(timestamp)) > seconds_max:
        raise Forged(f"the timestamp is {now - int(timestamp):.0f} s old, at most {seconds_max} s are taken")


def is_public_key(text: str) -> bool:
    """Check whether a text is a key that SendGrid signs with: ECDSA, base64 of its DER form."""
    return _read_public_key(text) is not None


def _read_public_key(text: str) -> EllipticCurvePublicKey | None:
    try:
        key = load_der_public_key(base64.b64decode(text))
    except (ValueError, binascii.Error):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) else None


def _is_signed(public_key: str, signature: bytes, signed: bytes) -> bool:
    key = _read_public_key(public_key)
    if key is None:
        return False
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        return b""


def _equal(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
