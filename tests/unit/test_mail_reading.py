from __future__ import annotations

import base64
import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.channels.email.clean_text import ascii_domain, clean_file_name, clean_text
from producer.channels.email.mail_reading import read_mail
from tests.unit.mail_cases import html_mail, mail, multipart, part, text_mail

SAID = {
    "utf-8": "Grüße, 你好 und Привет 👋",
    "utf-16": "Grüße 你好",
    "iso-8859-1": "Grüße, ça va?",
    "iso-8859-2": "Zażółć gęślą jaźń",
    "iso-8859-5": "Привет из Москвы",
    "iso-8859-7": "Καλημέρα σας",
    "iso-8859-8": "שלום לכם",
    "iso-8859-9": "İyi günler, teşekkürler",
    "iso-8859-15": "Preis: 5 €, cœur",
    "windows-1250": "Příliš žluťoučký kůň",
    "windows-1251": "Добрый день",
    "windows-1252": "It’s “fine” – 5 €",
    "windows-1253": "Καλησπέρα",
    "windows-1254": "Şu uçuş",
    "windows-1255": "שלום רב",
    "windows-1256": "مرحبا بكم",
    "windows-1257": "Labdien, ļoti",
    "windows-1258": "Xin chào",
    "koi8-r": "Здравствуйте",
    "koi8-u": "Доброго дня, їжак",
    "gb2312": "请问行李多少钱",
    "gbk": "請問行李",
    "gb18030": "请问 👋",
    "big5": "請問行李多少錢",
    "shift_jis": "荷物はいくらですか",
    "euc-jp": "荷物はいくらですか",
    "iso-2022-jp": "荷物はいくらですか",
    "euc-kr": "수하물 요금",
    "ks_c_5601-1987": "수하물 요금",
    "tis-620": "สวัสดีครับ",
}


# A charset with line ends of two bytes is never sent without an encoding.
@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        (name, how)
        for name in SAID
        for how in ("8bit", "base64", "quoted-printable")
        if (name, how) != ("utf-16", "8bit")
    ],
)
def test_a_text_in_any_charset_of_mails_is_read(charset: str, encoding: str) -> None:
    assert read_mail(text_mail(SAID[charset], charset, encoding)).text == SAID[charset]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param(text_mail("Grüße", "utf-8", declared="x-nope"), "Grüße", id="unknown-utf-8"),
        pytest.param(text_mail("Grüße", "cp1252", declared="x-nope"), "Grüße", id="unknown-windows"),
        pytest.param(text_mail("Grüße", "utf-8", declared=""), "Grüße", id="none-utf-8"),
        pytest.param(text_mail("Grüße", "cp1252", declared=""), "Grüße", id="none-windows"),
        pytest.param(text_mail("Grüße €", "cp1252", declared="us-ascii"), "Grüße €", id="ascii-that-is-windows"),
        pytest.param(text_mail("Grüße €", "utf-8", declared="us-ascii"), "Grüße €", id="ascii-that-is-utf-8"),
        pytest.param(text_mail("It’s", "cp1252", declared="iso-8859-1"), "It’s", id="latin-1-that-is-windows"),
        pytest.param(text_mail("Grüße 你", "utf-8", declared="iso-8859-1"), "Grüße 你", id="latin-1-that-is-utf-8"),
        pytest.param(text_mail("Grüße", "cp1252", declared="utf-8"), "Grüße", id="utf-8-that-is-windows"),
        pytest.param(
            text_mail(b"ok \xc3\xa4 \xff fine \xc3\xb6", "utf-8"), "ok ä \ufffd fine ö", id="utf-8-with-a-fault"
        ),
        pytest.param(text_mail(b"\xef\xbb\xbfHi", "utf-8", declared="iso-8859-1"), "Hi", id="byte-order-mark"),
        pytest.param(text_mail("Grüße", "utf-8", declared="'utf-8'"), "Grüße", id="quoted-charset"),
        pytest.param(text_mail("Grüße", "utf-8", declared="UTF8"), "Grüße", id="another-spelling"),
        pytest.param(text_mail("a+AOQ-b", "ascii", declared="utf-7"), "a+AOQ-b", id="utf-7-is-not-decoded"),
        pytest.param(text_mail("\\u0041", "ascii", declared="unicode_escape"), "\\u0041", id="no-escapes"),
        pytest.param(text_mail("789c", "ascii", declared="zlib"), "789c", id="no-zlib"),
        pytest.param(text_mail("xn--a", "ascii", declared="idna"), "xn--a", id="no-idna"),
        pytest.param(text_mail("abc", "ascii", declared="undefined"), "abc", id="no-undefined"),
        pytest.param(text_mail("abc", "ascii", declared="rot13"), "abc", id="no-rot13"),
        pytest.param(text_mail("abc", "ascii", declared="base64"), "abc", id="no-base64-as-a-charset"),
        pytest.param(text_mail("abc", "ascii", declared="x" * 500), "abc", id="a-long-name"),
        pytest.param(text_mail("abc", "ascii", declared="utf-8\x00"), "abc", id="a-name-with-nul"),
    ],
)
def test_a_wrong_charset_is_seen_through(raw: bytes, text: str) -> None:
    assert read_mail(raw).text == text


@pytest.mark.parametrize(
    ("encoding", "body", "text"),
    [
        ("base64", b"SGVsbG8=", "Hello"),
        ("base64", b"SGVsbG8", "Hello"),
        ("base64", b"SGVs\n  bG8=\n", "Hello"),
        ("base64", b"SGVsbG8=IGFnYWlu", "Hello again"),
        ("base64", b"SGVsbG8!!=", "Hello"),
        ("base64", b"S", ""),
        ("BASE64", b"SGVsbG8=", "Hello"),
        ("quoted-printable", b"Gr=C3=BC=C3=9Fe", "Grüße"),
        ("quoted-printable", b"broken =XY and = end", "broken =XY and = end"),
        ("quoted-printable", b"one=\ntwo", "onetwo"),
        ("quoted-printable; x=1", b"a=3Db", "a=b"),
        ("x-uuencode", b"begin 644 a", "begin 644 a"),
        ("nonsense", b"as it is", "as it is"),
        ("7bit", b"Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        ("", b"plain", "plain"),
    ],
)
def test_what_is_encoded_badly_is_read_as_far_as_it_goes(encoding: str, body: bytes, text: str) -> None:
    raw = mail("Content-Type: text/plain; charset=utf-8", f"Content-Transfer-Encoding: {encoding}", body=body)

    assert read_mail(raw).text == text


PLAIN, RICH = part("plain words"), part("<p>rich words</p>", kind="text/html; charset=utf-8")
PDF = part(
    "JVBERi0=",
    "Content-Transfer-Encoding: base64",
    'Content-Disposition: attachment; filename="t.pdf"',
    kind="application/pdf",
)
LINE = "[Attached: t.pdf (application/pdf, 6 bytes)]"


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        pytest.param(multipart("alternative", PLAIN, RICH), "plain words", id="plain-before-html"),
        pytest.param(multipart("alternative", RICH, PLAIN), "plain words", id="plain-after-html"),
        pytest.param(multipart("alternative", part(" \n"), RICH), "rich words", id="blank-plain"),
        pytest.param(multipart("alternative", part("Please view this mail in HTML"), RICH), "rich words", id="stub"),
        pytest.param(multipart("alternative", part("View in browser"), RICH), "rich words", id="stub-browser"),
        pytest.param(multipart("alternative", RICH), "rich words", id="html-alone"),
        pytest.param(multipart("mixed", PLAIN, PDF), f"plain words\n\n{LINE}", id="attachment"),
        pytest.param(multipart("mixed", PLAIN, part("more words")), "plain words\n\nmore words", id="two-texts"),
        pytest.param(multipart("mixed", part(b""), PDF), LINE, id="attachment-alone"),
        pytest.param(
            multipart("signed", PLAIN, part("x", kind="application/pgp-signature")), "plain words", id="signed"
        ),
        pytest.param(
            multipart("encrypted", part("x", kind="application/pgp-encrypted")),
            "[The mail is encrypted and cannot be read here.]",
            id="encrypted",
        ),
        pytest.param(
            mail("Content-Type: application/pkcs7-mime", body="MIA"),
            "[The mail is encrypted and cannot be read here.]",
            id="s-mime",
        ),
        pytest.param(
            multipart("related", RICH, part("x", kind="image/png; name=logo.png")),
            "rich words\n\n[Attached: logo.png (image/png, 1 bytes)]",
            id="related",
        ),
        pytest.param(multipart("mixed", PLAIN, end=False), "plain words", id="no-end"),
        pytest.param(multipart("mixed", PLAIN).replace(b"\n", b"\r\n"), "plain words", id="crlf"),
        pytest.param(multipart("mixed", PLAIN, boundary="a b'()+_,-./:=?"), "plain words", id="odd-boundary"),
        pytest.param(
            mail("Content-Type: multipart/mixed; boundary=gone", body="just text"), "just text", id="boundary-lost"
        ),
        pytest.param(mail("Content-Type: multipart/mixed", body="just text"), "just text", id="no-boundary"),
        pytest.param(mail("Content-Type: garbage", body="just text"), "just text", id="no-type"),
        pytest.param(mail("Content-Type:", body="just text"), "just text", id="empty-type"),
        pytest.param(mail("Content-Type: text/plain; name*", body="just text"), "just text", id="broken-parameter"),
        pytest.param(
            mail("Content-Type: text/plain; charset*0=ut; charset*1=f-8", body="Grüße"),
            "Grüße",
            id="continued-parameter",
        ),
        pytest.param(
            multipart("mixed", part("it", 'Content-Disposition: attachment; filename="m.txt"')),
            "it\n\n[Attached: m.txt (text/plain, 2 bytes)]",
            id="text-as-attachment",
        ),
        pytest.param(
            multipart("mixed", PLAIN, part(mail(body="inner"), kind="message/rfc822")),
            "plain words\n\n[Attached: a mail (message/rfc822, 148 bytes)]",
            id="mail-within",
        ),
        pytest.param(
            multipart("mixed", PLAIN, part("BEGIN:VCALENDAR", kind="text/calendar")),
            "plain words\n\n[Attached: without a name (text/calendar, 15 bytes)]",
            id="calendar",
        ),
        pytest.param(
            multipart("mixed", part("x", kind="application/ms-tnef; name=winmail.dat"), PLAIN), "plain words", id="tnef"
        ),
        pytest.param(mail(body="<html><body><p>untold HTML</p></body></html>"), "untold HTML", id="html-as-plain"),
        pytest.param(mail(body=""), "", id="no-body"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b"\n\nno header", "no header", id="no-header"),
        pytest.param(b"no header and no body", "", id="one-line"),
        pytest.param(
            mail("Content-Type: text/plain; format=flowed", body="one \ntwo \nthree\n> quoted \nfour"),
            "one two three\n\n> quoted\nfour",
            id="flowed",
        ),
    ],
)
def test_what_a_mail_says_is_found_in_any_structure(raw: bytes, said: str) -> None:
    assert read_mail(raw).own_text(20_000) == said


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("one<br>two", "one\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a  b\nc"),
        ('<a href="https://air.example/x">here</a>', "here (https://air.example/x)"),
        ('<a href="https://air.example/">https://air.example</a>', "https://air.example"),
        ('<a href="mailto:a@b.example">write</a>', "write (a@b.example)"),
        ('<a href="javascript:alert(1)">run</a>', "run"),
        ('<a href="data:text/html,x">data</a>', "data"),
        ("<script>alert(1)</script>seen", "seen"),
        ("<style>p{}</style>seen", "seen"),
        ("<head><title>t</title></head><body>seen</body>", "seen"),
        ('<p style="display:none">hidden</p>seen', "seen"),
        ('<p style="DISPLAY : NONE !important">hidden</p>seen', "seen"),
        ('<p style="visibility:hidden">hidden</p>seen', "seen"),
        ('<p style="font-size:0">hidden</p>seen', "seen"),
        ('<p style="font-size:1px">hidden</p>seen', "seen"),
        ('<p style="font-size:12px">shown</p>seen', "shown\n\nseen"),
        ('<p style="opacity:0">hidden</p>seen', "seen"),
        ('<p style="opacity:0.9">shown</p>', "shown"),
        ('<p style="mso-hide:all">hidden</p>seen', "seen"),
        ('<p style="color:white">hidden</p>seen', "seen"),
        ('<p style="color:#fff;background:#fff">hidden</p>seen', "seen"),
        ('<p style="color:white;background-color:navy">shown</p>', "shown"),
        ('<font color="#ffffff">hidden</font>seen', "seen"),
        ("<p hidden>hidden</p>seen", "seen"),
        ('<p aria-hidden="true">hidden</p>seen', "seen"),
        ('<p style="text-indent:-9999px">hidden</p>seen', "seen"),
        ('<p style="position:absolute;left:-5000px">hidden</p>seen', "seen"),
        ("<template>hidden</template>seen", "seen"),
        ("<!-- hidden -->seen", "seen"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("a&nbsp;&amp;&#128512;", "a &😀"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ('<img alt="Boarding pass" src="x">', "Boarding pass"),
        ("<p>a\x00b</p>", "ab"),
        ("", ""),
        ("<" * 50, "<" * 50),
        ("<blockquote type=cite>quoted</blockquote>new", "> quoted\nnew"),
        ("<blockquote>indented</blockquote>", "indented"),
        ('<div class="gmail_signature">Ada</div>new', "new"),
    ],
)
def test_html_is_read_as_its_reader_sees_it(html: str, text: str) -> None:
    assert read_mail(html_mail(html)).own_text(20_000) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\u2028d\u2029e\x0bf\x85g", "a\nb\nc\nd\ne\nf\ng"),
        ("a\x00b\x07c\x1bd\x7fe\x9bf", "abcdef"),
        ("pay \u202e0001$", "pay 0001$"),
        ("\u2066a\u2069\u200eb\u200fc\u061cd", "abcd"),
        ("in\u200bvis\u2060ible\ufeff", "invisible"),
        ("soft\u00adhyphen", "softhyphen"),
        ("tags\U000e0041\U000e0042", "tags"),
        ("variation\U000e0100", "variation"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
        ("run\u200d\u200d\u200d of joiners\u200d ", "run of joiners "),
        ("nfd: e\u0301", "nfd: é"),
        ("zalgo h" + "\u0335" * 50, "zalgo h" + "\u0335" * 8),
        ("\ud800 lone", "\ufffd lone"),
        ("tab\tstays", "tab\tstays"),
        ("a\ufff9b\ufffbc\ufffe\uffff", "abc"),
    ],
)
def test_what_is_invisible_or_misleads_is_taken_out(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\a.txt", "C-a.txt"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\r\nContent-Type: text/html", "a Content-Type- text-html"),
        ("x" * 300 + ".pdf", "x" * 95 + "….pdf"),
        ("...", ""),
        (" spaced  out .pdf", "spaced out .pdf"),
        ('quo"te<>|?*.txt', "quo-te-.txt"),
    ],
)
def test_a_file_name_is_shown_and_never_a_path(name: str, cleaned: str) -> None:
    assert clean_file_name(name) == cleaned
    assert len(cleaned) <= 100


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("Air.Example", "air.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("аir.example", "xn--ir-6kc.example"),  # its first letter is Cyrillic
        ("air.example.", "air.example"),
        ("ａｉｒ.example", "air.example"),
        ("localhost", None),
        ("[127.0.0.1]", None),
        ("", None),
        ("a" * 64 + ".example", None),
        ("-air.example", None),
        ("air..example", None),
        ("air .example", None),
        ("x" * 300, None),
    ],
)
def test_a_domain_has_one_spelling(domain: str, known: str | None) -> None:
    assert ascii_domain(domain) == known


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=200),
    st.text(max_size=60),
    st.binary(max_size=300),
)
def test_what_the_standard_library_writes_is_read_with_the_same_words(text: str, subject: str, attached: bytes) -> None:
    """The oracle is another implementation: it writes the mail, and parses it once more for its parts."""
    written: Any = EmailMessage(policy=email.policy.SMTP)
    written["Subject"] = clean_text(subject).replace("\n", " ")
    written["From"] = "Ada <ada@customer.example>"
    written.set_content(text)
    written.add_alternative(f"<p>{'x' * 20}</p>", subtype="html")
    written.add_attachment(attached, maintype="application", subtype="pdf", filename="t.pdf")
    raw = written.as_bytes()
    parsed: Any = email.message_from_bytes(raw, policy=email.policy.default)

    read = read_mail(raw)

    expected = parsed.get_body(("plain",)).get_content()
    assert read.text.split() == clean_text(expected).split() or not clean_text(expected).strip()
    assert read.subject.split() == str(parsed["Subject"]).split()
    (found,) = read.attachments
    assert (found.name, found.type) == ("t.pdf", "application/pdf")
    assert abs(found.bytes - len(attached)) <= 3 + len(base64.b64encode(attached)) // 70


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2_000))
def test_no_bytes_at_all_make_reading_fail(raw: bytes) -> None:
    read = read_mail(raw)

    assert "\x00" not in read.own_text(20_000)
    assert len(read.own_text(500)) <= 500
