from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.channels.email.raw_mail import OverLimit, split_mail
from producer.channels.email.reports import MailReport, read_report
from producer.channels.email.tokens import MailTokens
from schema.ids import ConversationKey, reply_id_of

CORPUS = Path(__file__).parents[1] / "corpus" / "bounces"
"""Reports in the forms that mail systems give them, with a placeholder where a token of ours stands."""

TOKENS = MailTokens(b"s" * 32)
REPLY = reply_id_of(ConversationKey("default", "mail-1"), 1)
BOUNCE = TOKENS.bounce_address_for(REPLY, "air.example")
MESSAGE_ID = TOKENS.message_id_for(REPLY, "air.example")

EXPECTED = {
    "postfix_unknown_user": ("failed", "5.1.1", True),
    "postfix_delayed": ("delayed", "4.4.1", False),
    "postfix_domain_not_found": ("failed", "5.4.4", False),
    "postfix_delivered": ("delivered", "2.0.0", False),
    "postfix_generic_status": ("failed", "5.1.1", True),
    "exim_with_status": ("failed", "5.1.1", True),
    "exim_text_only": ("failed", None, False),
    "exchange_online": ("failed", "5.1.10", True),
    "exchange_quota": ("failed", "5.2.2", False),
    "gmail": ("failed", "5.1.1", True),
    "gmail_delayed": ("delayed", "4.4.1", False),
    "ses": ("failed", "5.1.1", True),
    "qmail": ("failed", "5.1.1", True),
    "qmail_without_envelope_token": ("failed", None, False),
    "sendmail": ("failed", "5.1.1", True),
    "opensmtpd": ("failed", "5.1.1", True),
    "courier": ("failed", "5.0.0", False),
    "policy_refusal": ("failed", "5.7.26", False),
    "two_recipients": ("failed", "5.2.1", True),
    "status_without_action": ("failed", "5.1.6", True),
    "status_in_base64": ("failed", "5.1.1", True),
    "status_in_utf8": ("failed", "5.6.7", False),
    "token_only_in_the_returned_mail": ("failed", "5.1.1", True),
    "yahoo_text_only": ("failed", None, False),
    "groupwise": ("failed", None, False),
    "complaint": ("complaint", None, False),
    "complaint_opt_out": ("complaint", None, False),
    "complaint_to_the_abuse_box": ("complaint", None, False),
    "only_relayed": None,
    "feedback_not_spam": None,
    "read_receipt": None,
    "out_of_office": None,
    "customers_answer": None,
    "customers_answer_with_a_bounce": None,
    "forged_without_a_token": None,
}
"""What each says: kind, status, and whether the address is dead; None: nothing about a mail of ours."""


def _raw(name: str, line_end: str = "\r\n") -> bytes:
    text = (CORPUS / f"{name}.eml").read_text("utf-8")
    return text.replace("@BOUNCE@", BOUNCE).replace("@MESSAGE-ID@", MESSAGE_ID).replace("\n", line_end).encode()


def report_in(raw: bytes, *recipients: str, tokens: MailTokens = TOKENS) -> MailReport | None:
    """Read a report as the doors do; one over a limit is none."""
    try:
        return read_report(split_mail(raw), raw, recipients, tokens)
    except OverLimit:
        return None


def test_every_report_of_the_corpus_has_an_expectation() -> None:
    assert {path.stem for path in CORPUS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("line_end", ["\r\n", "\n"])
@pytest.mark.parametrize("name", EXPECTED)
def test_a_report_is_read_in_the_form_that_its_mail_system_gives_it(name: str, line_end: str) -> None:
    report = report_in(_raw(name, line_end))

    found = (report.kind, report.status, report.is_dead_address) if report else None
    assert found == EXPECTED[name]
    assert report is None or report.reply_id == REPLY


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected])
def test_a_report_is_known_by_the_envelope_whatever_its_header_says(name: str) -> None:
    raw = _raw(name).replace(BOUNCE.encode(), b"x@air.example").replace(MESSAGE_ID.encode(), b"<x@y>")

    assert report_in(raw) is None
    assert report_in(raw, BOUNCE.upper()) == MailReport(REPLY, *EXPECTED[name][:2])  # type: ignore[index]


@pytest.mark.parametrize("name", EXPECTED)
def test_a_report_with_the_token_of_another_account_is_not_believed(name: str) -> None:
    others = MailTokens(b"t" * 32)

    assert report_in(_raw(name), BOUNCE, tokens=others) is None


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_no_damage_to_a_report_raises_and_none_makes_it_about_another_mail(data: st.DataObject) -> None:
    raw = bytearray(_raw(data.draw(st.sampled_from(sorted(EXPECTED)))))
    for _ in range(data.draw(st.integers(1, 10))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["cut", "insert", "change", "repeat"])):
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 200))]
            case "insert":
                raw[at:at] = data.draw(st.binary(max_size=30) | st.sampled_from([b"\n\n", b"--", b"(", b'"', b"\0"]))
            case "change":
                raw[at] = data.draw(st.integers(0, 255))
            case _:
                raw[at:at] = raw[at : at + 200]
        raw = raw or bytearray(b"x")

    report = report_in(bytes(raw), BOUNCE)

    assert report is None or report.reply_id == REPLY


@pytest.mark.parametrize(
    "body",
    [
        b"\n" * 60_000,
        b"(" * 60_000,
        b"<a@b.example>:\n" * 4_000,
        b"Message-ID: <a@b>\n" * 3_000,
        b"Content-Type: message/rfc822\n\n" * 2_000,
        b"550 5.1.1 " * 6_000,
        b"x" * 3_000_000,
    ],
)
def test_what_is_long_and_says_nothing_is_no_report(body: bytes) -> None:
    head = f"From: MAILER-DAEMON@x.example\r\nTo: {BOUNCE}\r\n\r\n".encode()

    report = report_in(head + body, BOUNCE)

    assert report is None
