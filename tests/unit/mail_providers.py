"""Write the requests of providers of inbound mail, in the shapes that were recorded, signed as their manuals say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import quote_plus

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
MAILGUN_KEY = "key-test"
POSTMARK_PASSWORD = "inbound:made-up"

Request = tuple[dict[str, str], bytes]


def sendgrid_public_key(key: ec.EllipticCurvePrivateKey = SENDGRID_KEY) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def form(fields: dict[str, bytes], boundary: str = "xYzZY") -> Request:
    """Write a form of several parts, as SendGrid's and Mailgun's are."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{{}}"\r\n\r\n'
    body = b"".join(head.format(name).encode() + value + b"\r\n" for name, value in fields.items())
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body + f"--{boundary}--\r\n".encode()


def sendgrid(
    raw: bytes,
    to: str,
    *,
    now: float,
    key: ec.EllipticCurvePrivateKey = SENDGRID_KEY,
    dkim: str = "none",
    **more: bytes,
) -> Request:
    """Write a request of Inbound Parse with the raw mail, whose fields stand in the provider's order."""
    headers, body = form(
        {
            "email": raw,
            "to": f"Support <{to}>".encode(),
            "from": b"Ada <ada@customer.example>",
            "sender_ip": b"203.0.113.7",
            "spam_report": b"Spam detection software",
            "envelope": json.dumps({"to": [to], "from": "ada@customer.example"}).encode(),
            "subject": b"A bag",
            "spam_score": b"0.1",
            "charsets": b'{"to":"UTF-8","subject":"UTF-8","from":"UTF-8"}',
            "dkim": dkim.encode(),
            "SPF": b"pass",
            **more,
        }
    )
    timestamp = str(int(now))
    signed = key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    headers["X-Twilio-Email-Event-Webhook-Signature"] = base64.b64encode(signed).decode()
    headers["X-Twilio-Email-Event-Webhook-Timestamp"] = timestamp
    return headers, body


def mailgun(
    raw: bytes, to: str, *, now: float, key: str = MAILGUN_KEY, token: str = "t" * 50, is_encoded: bool = False
) -> Request:
    """Write a request of a route that forwards to `…/mime`; `is_encoded` as a form of one part."""
    timestamp = str(int(now))
    signature = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    fields = {
        "recipient": to.encode(),
        "sender": b"ada@customer.example",
        "from": b"Ada <ada@customer.example>",
        "subject": b"A bag",
        "body-mime": raw,
        "timestamp": timestamp.encode(),
        "token": token.encode(),
        "signature": signature.encode(),
    }
    if not is_encoded:
        return form(fields)
    pairs = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())
    return {"Content-Type": "application/x-www-form-urlencoded"}, pairs.encode()


def postmark(raw: bytes, to: str, *, password: str = POSTMARK_PASSWORD, **changes: object) -> Request:
    """Write a request of an inbound stream with the raw mail."""
    body = {
        "FromName": "Ada",
        "MessageStream": "inbound",
        "From": "ada@customer.example",
        "FromFull": {"Email": "ada@customer.example", "Name": "Ada", "MailboxHash": ""},
        "To": to,
        "ToFull": [{"Email": to, "Name": "", "MailboxHash": ""}],
        "OriginalRecipient": to,
        "Subject": "A bag",
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "Date": "Sun, 3 May 2026 10:12:00 +0200",
        "TextBody": "How much is a bag?",
        "HtmlBody": "",
        "Headers": [{"Name": "Return-Path", "Value": "<ada@customer.example>"}],
        "Attachments": [],
        "RawEmail": raw.decode(),
    } | changes
    given = {name: value for name, value in body.items() if value is not None}
    login = base64.b64encode(password.encode()).decode()
    return {"Content-Type": "application/json", "Authorization": f"Basic {login}"}, json.dumps(given).encode()
