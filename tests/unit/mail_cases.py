"""Write mails as strangers write them; the tables of the tests are made with these."""

from __future__ import annotations

import base64
import quopri

from producer.channels.email.automatic_mail import Arrival
from producer.channels.email.tokens import MailTokens

ADA = "ada@customer.example"
OURS = "support@air.example"
TOKENS = MailTokens(b"t" * 32)
ARRIVAL = Arrival(ADA, frozenset({OURS}), TOKENS)


def mail(*fields: str, body: bytes | str = "How much is a bag?", **given: str) -> bytes:
    """Write a mail whose usual fields may be given anew, empty to leave one out; `fields` are lines as they stand."""
    usual = {
        "From": f"Ada <{ADA}>",
        "To": OURS,
        "Subject": "A bag",
        "Message-ID": "<1@customer.example>",
        "Date": "Sun, 3 May 2026 10:12:00 +0200",
    }
    named = usual | {name.replace("_", "-"): value for name, value in given.items()}
    lines = [*fields, *(f"{name}: {value}" for name, value in named.items() if value)]
    encoded = body if isinstance(body, bytes) else body.encode()
    return "\n".join(lines).encode("utf-8", "surrogateescape") + b"\n\n" + encoded


def text_mail(text: str | bytes, charset: str, encoding: str = "8bit", *, declared: str | None = None) -> bytes:
    """Write a plain mail in a charset; `declared` is what it says instead, and empty text says nothing."""
    encoded = text if isinstance(text, bytes) else text.encode(charset)
    said = charset if declared is None else declared
    kind = f"Content-Type: text/plain; charset={said}" if said else "Content-Type: text/plain"
    body = encoded
    if encoding == "base64":
        body = base64.encodebytes(encoded)
    elif encoding == "quoted-printable":
        body = quopri.encodestring(encoded)
    return mail(kind, f"Content-Transfer-Encoding: {encoding}", body=body)


def multipart(kind: str, *parts: bytes, boundary: str = "edge", end: bool = True) -> bytes:
    """Write a mail of several parts, each with its own header."""
    return mail(
        f'Content-Type: multipart/{kind}; boundary="{boundary}"', body=body_of(*parts, boundary=boundary, end=end)
    )


def body_of(*parts: bytes, boundary: str = "edge", end: bool = True) -> bytes:
    """Write the body of a multipart."""
    edge = b"--" + boundary.encode()
    joined = b"".join(edge + b"\n" + part + b"\n" for part in parts)
    return b"What old programs show.\n" + joined + (edge + b"--\n" if end else b"")


def part(content: str | bytes, *fields: str, kind: str = "text/plain; charset=utf-8") -> bytes:
    """Write one part."""
    encoded = content if isinstance(content, bytes) else content.encode()
    return "\n".join([f"Content-Type: {kind}", *fields]).encode() + b"\n\n" + encoded


def html_mail(html: str) -> bytes:
    """Write a mail of HTML alone."""
    return mail("Content-Type: text/html; charset=utf-8", body=html)
