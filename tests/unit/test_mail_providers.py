from __future__ import annotations

import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from producer.channels.email.form_data import UnreadableForm, read_form
from producer.channels.email.providers import Forged, ProvidedMail, ProviderRequest, UnreadableRequest, read_provided
from schema.channel_accounts import EmailSecrets
from tests.unit.mail_cases import OURS, mail
from tests.unit.mail_providers import (
    MAILGUN_KEY,
    POSTMARK_PASSWORD,
    Request,
    form,
    mailgun,
    postmark,
    sendgrid,
    sendgrid_public_key,
)

NOW = 1_780_000_000.0
SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
RAW = mail(body="Grüße\n").replace(b"\n", b"\r\n")
LARGE = mail(body=b"x" * 70 + b"\n").replace(b"\n", b"\r\n") + b"y" * 70 * 30_000
SECRETS = EmailSecrets(
    sendgrid_public_key=sendgrid_public_key(), mailgun_signing_key=MAILGUN_KEY, postmark_password=POSTMARK_PASSWORD
)


class Headers(dict[str, str]):
    """Find a header whatever the case of its name, as a request's are found."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        return {key.lower(): value for key, value in self.items()}.get(name.lower(), default)


def read(provider: str, request: Request, *, secrets: EmailSecrets = SECRETS, now: float = NOW) -> ProvidedMail:
    headers, body = request
    return read_provided(provider, ProviderRequest(Headers(headers), body, now), [secrets])


GOOD = {
    "sendgrid": sendgrid(RAW, OURS, now=NOW),
    "mailgun": mailgun(RAW, OURS, now=NOW),
    "mailgun-encoded": mailgun(RAW, OURS, now=NOW, is_encoded=True),
    "postmark": postmark(RAW, OURS),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_providers_request_gives_the_mail_byte_for_byte_and_whom_it_came_to(name: str) -> None:
    provided = read(name.partition("-")[0], GOOD[name])

    assert provided.raw == RAW
    assert provided.recipients == (OURS,)
    assert provided.sender in {"ada@customer.example", None}


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun"])
def test_a_mail_of_megabytes_with_any_bytes_is_taken(provider: str) -> None:
    raw = LARGE + bytes(range(256)) * 4

    made = sendgrid(raw, OURS, now=NOW) if provider == "sendgrid" else mailgun(raw, OURS, now=NOW)

    assert read(provider, made).raw == raw


def test_the_signature_of_sendgrids_own_sample_holds() -> None:
    """The sample of the provider's libraries: its key, signature, timestamp and body; of an event, signed alike."""
    event = {
        "email": "hello@world.com",
        "event": "dropped",
        "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
        "timestamp": 1600112492,
    }
    body = json.dumps([event], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe6"
        "2gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    )
    headers = {
        SIGNATURE: "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM=",
        TIMESTAMP: "1600112502",
    }
    secrets = EmailSecrets(sendgrid_public_key=key)

    with pytest.raises(UnreadableRequest, match="form"):  # past the signature: an event is no form with a mail
        read("sendgrid", (headers, body), secrets=secrets, now=1600112502)
    with pytest.raises(Forged, match="signature"):
        read("sendgrid", (headers, body.replace(b"hello", b"hallo")), secrets=secrets, now=1600112502)


def test_mailguns_signature_is_what_its_manual_says() -> None:
    known = "6304f620363a965da6baf5670ef73530c5b2b90b97dd98ae4ffe9fca314af10c"

    assert hmac.new(b"key-test", b"1614265330" + b"a" * 50, hashlib.sha256).hexdigest() == known
    headers, body = mailgun(RAW, OURS, now=1614265330, token="a" * 50)
    assert known.encode() in body
    assert read("mailgun", (headers, body), now=1614265330).token == "a" * 50


OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
HEADERS, BODY = GOOD["sendgrid"]

FORGED: dict[str, Request] = {
    "sendgrid another key": sendgrid(RAW, OURS, now=NOW, key=OTHER_KEY),
    "sendgrid a changed byte": (HEADERS, BODY.replace(b"bag", b"bug")),
    "sendgrid a byte more": (HEADERS, BODY + b"x"),
    "sendgrid another time": (HEADERS | {TIMESTAMP: str(int(NOW) + 1)}, BODY),
    "sendgrid no signature": ({key: value for key, value in HEADERS.items() if key != SIGNATURE}, BODY),
    "sendgrid no time": ({key: value for key, value in HEADERS.items() if key != TIMESTAMP}, BODY),
    "sendgrid a signature of nothing": (HEADERS | {SIGNATURE: ""}, BODY),
    "sendgrid no base64": (HEADERS | {SIGNATURE: "é!"}, BODY),
    "sendgrid too old": sendgrid(RAW, OURS, now=NOW - 601),
    "sendgrid too new": sendgrid(RAW, OURS, now=NOW + 601),
    "mailgun another key": mailgun(RAW, OURS, now=NOW, key="other"),
    "mailgun too old": mailgun(RAW, OURS, now=NOW - 901),
    "mailgun too new": mailgun(RAW, OURS, now=NOW + 901),
    "mailgun no token": mailgun(RAW, OURS, now=NOW, token=""),
    "mailgun a long token": mailgun(RAW, OURS, now=NOW, token="t" * 201),
    "mailgun no fields": form({"body-mime": RAW}),
    "postmark another password": postmark(RAW, OURS, password="inbound:other"),
    "postmark another user": postmark(RAW, OURS, password="other:made-up"),
    "postmark no password": ({"Content-Type": "application/json"}, GOOD["postmark"][1]),
    "postmark a bearer": (GOOD["postmark"][0] | {"Authorization": "Bearer aW5ib3VuZDptYWRlLXVw"}, GOOD["postmark"][1]),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_request_that_somebody_else_made_is_refused(name: str) -> None:
    with pytest.raises(Forged):
        read(name.partition(" ")[0], FORGED[name])


@pytest.mark.parametrize("provider", ["sendgrid", "mailgun", "postmark"])
def test_without_a_secret_nobody_is_the_provider(provider: str) -> None:
    with pytest.raises(Forged):
        read(provider, GOOD[provider], secrets=EmailSecrets())


USELESS: dict[str, Request] = {
    "sendgrid parsed, not raw": sendgrid(b"", OURS, now=NOW, text=b"How much is a bag?"),
    "mailgun parsed, not raw": mailgun(b"", OURS, now=NOW),
    "postmark parsed, not raw": postmark(RAW, OURS, RawEmail=None),
    "postmark no text": postmark(RAW, OURS, RawEmail=7),
    "postmark no JSON": (GOOD["postmark"][0], b"{"),
    "postmark a list": (GOOD["postmark"][0], b"[]"),
    "postmark deep": (GOOD["postmark"][0], b"[" * 100_000),
    "mailgun no form": (GOOD["mailgun"][0] | {"Content-Type": "text/plain"}, GOOD["mailgun"][1]),
}


@pytest.mark.parametrize("name", USELESS)
def test_a_request_without_a_raw_mail_says_what_to_switch_on(name: str) -> None:
    with pytest.raises(UnreadableRequest):
        read(name.partition(" ")[0], USELESS[name])


@pytest.mark.parametrize(
    ("dkim", "domains"),
    [
        ("{@customer.example : pass}", {"customer.example"}),
        ("{@customer.example : fail}", set()),
        ("{@a.example : pass, @b.example : fail}", {"a.example"}),
        ("none", set()),
        ("pass", set()),
    ],
)
def test_domains_whose_signature_the_provider_found_to_hold_are_told(dkim: str, domains: set[str]) -> None:
    assert read("sendgrid", sendgrid(RAW, OURS, now=NOW, dkim=dkim)).dkim_domains == domains


KIND = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", KIND),
        (b"--b\r\n", KIND),
        (b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx', KIND),
        (b'--c\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--c--', KIND),
        (b"--b\r\n\r\nx\r\n" * 200 + b"--b--", KIND),
        (b'--b\r\nContent-Disposition: form-data; name="' + b"a" * 5_000 + b'"\r\n\r\nx\r\n--b--', KIND),
        (b"a=b&" * 200, "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"--b--", "multipart/form-data"),
        (b"--b--", ""),
    ],
)
def test_what_is_no_form_or_has_too_many_parts_is_not_read(body: bytes, content_type: str) -> None:
    with pytest.raises(UnreadableForm):
        read_form(body, content_type)


def test_a_fields_name_is_taken_from_no_file() -> None:
    part = b'Content-Disposition: form-data; filename="name=\\"email\\""; name="file"\r\n\r\nforged\r\n'
    body = b"--b\r\n" + part + b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\nreal\r\n--b--\r\n'

    assert read_form(body, KIND) == {"email": b"real"}
