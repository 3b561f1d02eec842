from __future__ import annotations

import email
import re
import unicodedata
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.channels.email.composing import (
    AnsweredMail,
    ComposedMail,
    OwnMailbox,
    Unmailable,
    compose_mail,
    recipient_of,
    reply_subject,
)
from producer.channels.email.tokens import MailTokens, reference_of
from schema.ids import ConversationKey, reply_id_of
from schema.messages.reply import Reply

KEY = ConversationKey("default", "mail-1")
TOKENS = MailTokens(b"s" * 32)
OUTLOOK_ID = "<" + "VI1PR0802MB2222" * 7 + "@VI1PR0802MB2222.eurprd08.prod.outlook.com>"

texts = st.text(min_size=1, max_size=3_000).filter(lambda text: bool(text.strip()))
any_text = st.text(max_size=600) | st.text(alphabet="=?utf8QqBb_-ae\r\n\t ,:;<>()\"'\\@é\u00a0\u2028", max_size=300)


def _compose(
    text: str = "Hello",
    answered: AnsweredMail | None = None,
    *,
    brand: str = "Larkfield Air",
    recipient: str = "maya@example.org",
    is_from_human: bool = False,
) -> ComposedMail:
    reply = Reply(
        reply_id=reply_id_of(KEY, 1),
        tenant=KEY.tenant,
        conversation=KEY.conversation,
        sequence=1,
        in_reply_to=["mail-1"],
        channel="email",
        recipient=recipient,
        text=text,
        agent="FAQ Agent",
        issue_type=None,
        trace_id="trace_1",
        created_at=datetime(2026, 11, 29, 12, 5, tzinfo=UTC),
    )
    mailbox = OwnMailbox(brand, "support@air.example", TOKENS)
    return compose_mail(reply, KEY, mailbox, answered or AnsweredMail(), is_from_human=is_from_human)


def _read(mail: ComposedMail) -> EmailMessage:
    return email.message_from_bytes(mail.content, policy=policy.default)


def _raw_headers(mail: ComposedMail) -> list[tuple[str, str]]:
    """Read the headers by hand, unfolded: name and value, as a mail server sees them."""
    head = mail.content.partition(b"\r\n\r\n")[0].decode("ascii")
    unfolded = re.sub(r"\r\n(?=[ \t])", "", head)
    return [(line.partition(":")[0], line.partition(":")[2].strip()) for line in unfolded.split("\r\n")]


def _seen(text: str) -> str:
    """Return a text as one line of what can be seen."""
    shown = "".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else c for c in text)
    return " ".join(shown.replace("=?", "= ?").split())


EXPECTED_HEADERS = [
    "Date",
    "From",
    "To",
    "Reply-To",
    "Subject",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "Content-Type",
    "MIME-Version",
]


def test_a_bots_answer_continues_the_customers_thread() -> None:
    mail = _compose("Bags of up to 50 lbs.", AnsweredMail("<q2@example.org>", "<q0@x> <q1@x>", "Bags?"))

    read = _read(mail)
    assert sorted(read.keys()) == sorted(EXPECTED_HEADERS)
    assert read["In-Reply-To"] == "<q2@example.org>"
    assert read["References"] == "<q0@x> <q1@x> <q2@example.org>"
    assert read["Subject"] == "Re: Bags?"
    assert read["From"] == "Larkfield Air <support@air.example>"
    assert read["To"] == "maya@example.org"
    assert read["Date"].datetime == datetime(2026, 11, 29, 12, 5, tzinfo=UTC)
    assert read["Auto-Submitted"] == "auto-replied"
    assert read["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert TOKENS.read_message_id(read["Message-ID"]) == reply_id_of(KEY, 1)
    assert TOKENS.read_bounce_address(mail.sender) == reply_id_of(KEY, 1)
    [back] = read["Reply-To"].addresses
    assert back.display_name == "Larkfield Air"
    assert TOKENS.read_address(back.addr_spec) == reference_of(KEY)
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]


def test_a_persons_answer_is_not_marked_as_automatic() -> None:
    headers = dict(_raw_headers(_compose(is_from_human=True)))

    assert not headers.keys() & {"Auto-Submitted", "X-Auto-Response-Suppress", "Precedence"}
    assert headers["Message-ID"]


def test_ids_of_any_length_are_repeated_as_they_are() -> None:
    long = ["<" + str(number) * 300 + "@mail.example>" for number in range(1, 6)]
    headers = dict(_raw_headers(_compose("x", AnsweredMail(OUTLOOK_ID, " ".join(long)))))

    assert len(OUTLOOK_ID) > 140
    assert headers["In-Reply-To"] == OUTLOOK_ID
    assert headers["References"].split() == [*long, OUTLOOK_ID]


def test_no_header_leaves_its_first_line_empty() -> None:
    answered = AnsweredMail(OUTLOOK_ID, OUTLOOK_ID.replace("V", "W"), "Bags")
    head = _compose("x", answered, brand="Some Airline of a Long Name").content.partition(b"\r\n\r\n")[0]

    assert not [line for line in head.split(b"\r\n") if line.endswith(b":")]


@pytest.mark.parametrize("word", ["=?utf-8?q?a=0D=0ABcc:_x?=", "=?utf-8?b?4pyT?="])
def test_what_looks_like_an_encoded_word_is_shown_as_it_was_written(word: str) -> None:
    mail = _compose("x", AnsweredMail(f"<{word}@x.example>", f"<{word}@y.example>", word), brand=word)

    headers = dict(_raw_headers(mail))
    shown = word.replace("=?", "= ?")
    assert _read(mail)["Subject"] == headers["Subject"] == f"Re: {shown}"
    assert "=?" not in headers["From"] + headers["Reply-To"]
    assert not headers.keys() & {"In-Reply-To", "References", "Bcc"}


def test_of_a_long_thread_the_middle_is_left_out() -> None:
    references = [f"<{number}@x>" for number in range(60)]

    headers = dict(_raw_headers(_compose("x", AnsweredMail("<60@x>", "\r\n\t".join(references)))))

    assert headers["References"].split() == [*references[:10], *references[51:], "<60@x>"]


def test_a_mail_of_which_nothing_is_known_starts_a_thread() -> None:
    headers = dict(_raw_headers(_compose()))

    assert headers["Subject"] == "Your message to Larkfield Air"
    assert not headers.keys() & {"In-Reply-To", "References"}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Bags", "Re: Bags"),
        ("Re: Bags", "Re: Bags"),
        ("RE: re: AW: Re[2]: Sv : Bags", "Re: Bags"),
        ("回复：行李", "Re: 行李"),
        ("Fwd: Bags", "Re: Fwd: Bags"),
        ("Regarding: bags", "Re: Regarding: bags"),
        ("  Bags \r\n\t and more\0", "Re: Bags and more"),
        ("Re:", "Your message to B"),
        ("My card 4111 1111 1111 1111 was charged", "Re: My card [card] was charged"),
        ("\u202egnirts\u202c", "Re: gnirts"),
        ("x" * 5_000, "Re: " + "x" * 200),
    ],
)
def test_a_subject_is_answered_with_one_re(subject: str, expected: str) -> None:
    assert reply_subject(subject, "B") == expected


@settings(deadline=None)
@given(text=texts)
def test_any_text_comes_out_as_it_went_in_twice(text: str) -> None:
    read = _read(_compose(text))

    expected = re.sub(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]", "\n", text)
    expected = "".join(c for c in expected if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
    plain, html = read.iter_parts()
    assert plain.get_content().replace("\r\n", "\n") == expected.strip("\n") + "\n"
    assert _shown(html.get_content()).split() == expected.split()


def _shown(document: str) -> str:
    shown: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            shown.append(data)

    reader = Reader()
    reader.feed(document)
    reader.close()
    return "".join(shown)


@settings(deadline=None)
@given(subject=any_text, brand=any_text, ids=any_text, references=any_text)
def test_no_subject_name_or_id_adds_a_header_or_a_long_line(
    subject: str, brand: str, ids: str, references: str
) -> None:
    mail = _compose("x", AnsweredMail(ids, references, subject), brand=brand)

    names = [name for name, _ in _raw_headers(mail)]
    assert len(names) == len(set(names))
    assert set(names) <= set(EXPECTED_HEADERS)
    lines = mail.content.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines)
    assert mail.content.isascii()
    assert next(_read(mail).iter_parts()).get_content().split() == ["x"]


@settings(deadline=None)
@given(subject=any_text)
def test_any_subject_comes_out_as_it_is_seen(subject: str) -> None:
    expected = reply_subject(subject, "B")
    without_marks = expected.removeprefix("Re: ")

    assert _read(_compose("x", AnsweredMail(subject=subject), brand="B"))["Subject"] == expected
    assert without_marks in _seen(subject) or "[" in expected or expected == "Your message to B"


@settings(deadline=None)
@given(brand=any_text)
def test_any_brand_comes_out_as_the_senders_name(brand: str) -> None:
    sender = dict(_raw_headers(_compose(brand=brand)))["From"]

    # The newer parser adds a blank between the encoded words of a long name; mail programs do as the older one does.
    name, address = parseaddr(sender)
    assert address == "support@air.example"
    assert str(make_header(decode_header(name))) == _seen(re.sub('["<>]', "", brand))[:100].rstrip()


@settings(deadline=None)
@given(made_up=st.text(max_size=100) | st.emails() | st.builds("{} <{}>".format, st.text(max_size=30), st.emails()))
def test_a_recipient_is_one_address_or_refused(made_up: str) -> None:
    try:
        recipient = recipient_of(made_up)
    except Unmailable:
        return
    [read] = _read(_compose(recipient=made_up))["To"].addresses
    assert read.addr_spec == recipient


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("maya@example.org", "maya@example.org"),
        ("Maya.Chen@Example.ORG", "Maya.Chen@example.org"),
        ("Chen, Maya <maya@example.org> ", "maya@example.org"),
        ("a@b.example <maya@example.org>", "maya@example.org"),
        ("maya@exämple.org", "maya@xn--exmple-cua.org"),
    ],
)
def test_a_recipient_is_the_address_without_its_name(sender: str, expected: str) -> None:
    assert recipient_of(sender) == expected


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "maya",
        "@example.org",
        "maya@",
        "zoë@example.org",
        "maya@example.org, other@example.org",
        "maya@example.org\r\nBcc: x@y.example",
        "maya@a\u202eb.org",
        "a b@example.org",
        "<maya@example.org> x",
        "x" * 65 + "@example.org",
        "maya@" + "x." * 130 + "org",
        '"a@b"@example.org',
    ],
)
def test_what_is_not_one_plain_address_is_refused(sender: str) -> None:
    with pytest.raises(Unmailable):
        recipient_of(sender)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("See https://air.example/a?b=1&c=2.", ["https://air.example/a?b=1&c=2"]),
        ("(http://air.example/x)", ["http://air.example/x"]),
        ("air.example javascript:alert(1) ftp://x.example", []),
        ('<a href="https://evil.example">x</a>', ["https://evil.example"]),
        ("<script>alert(1)</script> & <b>", []),
    ],
)
def test_html_links_only_to_what_stands_in_the_text(text: str, links: list[str]) -> None:
    found: list[str] = []
    tags: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            found.extend(value or "" for name, value in attrs if name in {"href", "src"})

    _, html = _read(_compose(text)).iter_parts()
    Reader().feed(html.get_content())

    assert found == links
    assert tags <= {"html", "head", "meta", "body", "p", "br", "a"}


def test_the_same_reply_is_the_same_bytes() -> None:
    answered = AnsweredMail(OUTLOOK_ID, "<a@b>", "Gepäck")

    assert _compose("Grüße", answered).content == _compose("Grüße", answered).content


def test_what_a_mail_holds_stands_in_no_representation() -> None:
    assert "maya" not in repr(OwnMailbox("B", "s@x.example", TOKENS))
    assert b"secret" not in repr(_compose("secret")).encode()
