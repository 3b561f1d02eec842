from __future__ import annotations

import pytest

from producer.channels.email.header_fields import decode_words, read_fields
from producer.channels.email.mail_reading import read_mail
from producer.channels.email.threads import message_key_of, read_claims
from producer.channels.email.tokens import MailTokens, reference_of
from schema.ids import ConversationKey, reply_id_of
from tests.unit.mail_cases import OURS, TOKENS, mail

KEY = ConversationKey("default", "mail-1")
PLUS = TOKENS.address_for(OURS, KEY)
REPLY = reply_id_of(KEY, 1)
OUR_ID = TOKENS.message_id_for(REPLY, "air.example")


@pytest.mark.parametrize(
    "raw",
    [
        mail(To=PLUS),
        mail(To=f"Larkfield <{PLUS.upper()}>"),
        mail(Cc=f"bob@x.example, {PLUS}"),
        mail(f"Delivered-To: {PLUS}"),
        mail(f"X-Original-To: {PLUS}"),
        mail(f"X-Forwarded-To: {PLUS}"),
        mail(f"Envelope-To: {PLUS}"),
    ],
)
def test_the_token_of_an_address_is_found_wherever_the_address_stands(raw: bytes) -> None:
    assert read_claims(read_mail(raw), [OURS], TOKENS).references == (reference_of(KEY),)


def test_the_envelopes_recipient_comes_before_those_of_the_header() -> None:
    other = ConversationKey("default", "mail-2")

    claims = read_claims(read_mail(mail(To=PLUS)), [TOKENS.address_for(OURS, other)], TOKENS)

    assert claims.references == (reference_of(other), reference_of(KEY))


@pytest.mark.parametrize(
    "address",
    [PLUS.replace("support+", "support+a"), MailTokens(b"x" * 32).address_for(OURS, KEY), "support+@air.example", OURS],
)
def test_a_token_that_we_did_not_issue_claims_nothing(address: str) -> None:
    assert read_claims(read_mail(mail(To=address)), [], TOKENS).references == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (["In-Reply-To: <a@x>"], ["a@x"]),
        (["References: <a@x> <b@x>"], ["b@x", "a@x"]),
        (["In-Reply-To: <b@x>", "References: <a@x> <b@x>"], ["b@x", "a@x"]),
        (["In-Reply-To:\n <b@x>"], ["b@x"]),
        (["References: <a@x>\n\t<b@x>"], ["b@x", "a@x"]),
        (["References: <a@x>", "References: <b@x>"], ["b@x", "a@x"]),
        (["In-Reply-To: Your message of Monday <a@x>"], ["a@x"]),
        (["In-Reply-To: <[hex@microsoft.com]>"], ["[hex@microsoft.com]"]),
        (["In-Reply-To: nothing of use"], []),
        (["In-Reply-To: <" + "x" * 600 + "@x>"], []),
        (["References: " + " ".join(f"<{at}@x>" for at in range(100))], [f"{at}@x" for at in range(99, 79, -1)]),
    ],
)
def test_the_mails_that_one_answers_are_named_from_the_newest_back(fields: list[str], expected: list[str]) -> None:
    assert list(read_claims(read_mail(mail(*fields)), [], TOKENS).message_ids) == expected


def test_an_id_that_we_gave_claims_its_reply_also_without_brackets_or_in_capitals() -> None:
    for shown in (OUR_ID, OUR_ID.upper()):
        assert read_claims(read_mail(mail(f"In-Reply-To: {shown}")), [], TOKENS).replies == (REPLY,)


def key(raw: bytes) -> str:
    return message_key_of(read_mail(raw), raw)


def test_the_same_mail_on_two_ways_to_us_is_one() -> None:
    assert key(mail("Received: one", "Delivered-To: a@air.example")) == key(mail("Received: two", "X-Original-To: b"))


@pytest.mark.parametrize(
    "other",
    [mail(From="eve@customer.example"), mail(body="something else"), mail(Message_ID="<2@customer.example>")],
)
def test_nobody_keeps_a_mail_out_by_sending_another_with_its_id(other: bytes) -> None:
    assert key(other) != key(mail())


def test_a_mail_without_an_id_or_a_sender_is_known_by_all_its_bytes() -> None:
    assert key(mail("X: 1", Message_ID="")) != key(mail("X: 2", Message_ID=""))
    assert key(mail("X: 1", From="")) != key(mail("X: 2", From=""))
    assert key(mail("X: 1", Message_ID="")) == key(mail("X: 1", Message_ID=""))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ==?=", "Grüße"),
        ("=?iso-8859-1?q?Gr=FC=DFe?=", "Grüße"),
        ("=?utf-8?q?one?= =?utf-8?q?two?=", "onetwo"),
        ("=?utf-8?q?one?= and =?utf-8?q?two?=", "one and two"),
        ("=?utf-8?b?w7w=?= =?utf-8?b?w58=?=", "üß"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"),
        ("=?utf-8*de?q?a?=", "a"),
        ("=?x-nope?q?a?=", "a"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?q?unclosed", "=?utf-8?q?unclosed"),
        ("=?utf-8?q??=", ""),
        ("a_b =?utf-8?q?c_d?= e_f", "a_b c d e_f"),
        ("plain", "plain"),
        ("=?zlib?b?eJw=?=", "x\u0153"),
    ],
)
def test_encoded_words_are_read(value: str, text: str) -> None:
    assert decode_words(value) == text


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        (b"A: b", [("a", "b")]),
        (b"A: b\n c\n\td", [("a", "b c d")]),
        (b"A : b", [("a", "b")]),
        (b"A:b\nnot a field\nC:d", [("a", "b"), ("c", "d")]),
        (b"From someone at noon\nA: b", [("a", "b")]),
        (b"A: \xfc", [("a", "ü")]),
        (b"A: \xc3\xbc", [("a", "ü")]),
        (b" leading fold\nA: b", [("a", "b")]),
        (b": no name", []),
        (b"A:", [("a", "")]),
        (b"A: b\nA: c", [("a", "b"), ("a", "c")]),
        (b"X\x00Y: b\nA: c", [("a", "c")]),
        (b"A: b: c", [("a", "b: c")]),
    ],
)
def test_header_fields_are_read_as_they_come(block: bytes, lines: list[tuple[str, str]]) -> None:
    assert list(read_fields(block).lines) == lines


@pytest.mark.parametrize(
    "subject",
    ["=?utf-8?q?x=0D=0ABcc:_evil@evil.example?=", "x\r\n Bcc: y", "=?utf-8?b?AA==?=nul", "=?utf-8?q?=E2=80=AEevil?="],
)
def test_a_subject_is_one_line_without_controls(subject: str) -> None:
    shown = read_mail(mail(f"Subject: {subject}", Subject="")).subject

    assert all(character.isprintable() for character in shown)
    assert "\u202e" not in shown
