"""Read a mail: who it says it is from, what it says as text, and what is attached; bounded, and nothing raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from producer.channels.email.charsets import decode_bytes, decode_transfer
from producer.channels.email.clean_text import clean_text
from producer.channels.email.header_fields import read_disposition
from producer.channels.email.html_reading import QUOTED_BELOW, html_to_text
from producer.channels.email.mailboxes import read_addresses
from producer.channels.email.quotations import trim
from producer.channels.email.raw_mail import split_head, split_mail

if TYPE_CHECKING:
    from producer.channels.email.header_fields import Fields
    from producer.channels.email.mailboxes import Address
    from producer.channels.email.raw_mail import Part

TEXT_BYTES_MAX: Final = 150_000
"""Decoded bytes of one text part that are read."""
HTML_BYTES_MAX: Final = 400_000
"""The same of HTML, most of which is mark-up."""
TEXTS_MAX: Final = 10
"""Text parts that are read; the rest is listed with the attachments."""
ATTACHMENTS_MAX: Final = 20
"""Attachments that are named; the rest is counted."""
SUBJECT_CHARACTERS_MAX: Final = 500

_STUB_CHARACTERS_MAX: Final = 300
_STUB: Final = re.compile(
    r"(?:view|read|see|open|display)\b.{0,40}\b(?:html|browser|online|web version)|"
    r"html (?:version|format|e-?mail|mail)|"
    r"(?:does|do) not (?:support|display) html|html-(?:version|ansicht|format)|im browser|en html|"
    r"\[cid:|no text (?:part|version)",
    re.IGNORECASE,
)
_MARK_UP: Final = re.compile(r"\s*<(?:!doctype html|html|head|body|div|p|table)\b", re.IGNORECASE)
_ENCRYPTED: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"})
_UNLISTED: Final = frozenset(
    {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature", "application/ms-tnef"}
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is attached, by what it says that it is; its contents are not looked at."""

    name: str
    type: str
    bytes: int
    """About; computed from the size of the encoded part."""


@dataclass(frozen=True)
class Mail:
    """A mail that was read."""

    root: Part
    text: str
    """Everything that a reader would see, cleaned: with quotations, which `own_text` leaves out."""
    attachments: tuple[Attachment, ...]
    is_encrypted: bool

    @property
    def fields(self) -> Fields:
        """Return the mail's own header."""
        return self.root.fields

    @cached_property
    def subject(self) -> str:
        """Return the subject as a person reads it, at most SUBJECT_CHARACTERS_MAX; it may be empty."""
        return self.fields.text("subject", SUBJECT_CHARACTERS_MAX)

    @cached_property
    def sender(self) -> Address | None:
        """Return who the mail is from: the one address of its one From field; None where that is not so.

        Neither Reply-To nor Sender nor a display name says who wrote a mail.
        """
        fields = self.fields.every("from")
        addresses = read_addresses(fields[0]) if len(fields) == 1 else []
        return addresses[0] if len(addresses) == 1 else None

    @property
    def message_id(self) -> str:
        """Return its Message-ID without brackets; empty where it has none that can be used."""
        return next(iter(self.fields.message_ids("message-id")), "")

    def own_text(self, characters_max: int) -> str:
        """Return what its sender wrote now, and what is attached, in at most so many characters; it may be empty."""
        listed = list_attachments(self.attachments, is_encrypted=self.is_encrypted)
        room = characters_max - len(listed) - 2
        said = trim(self.text, room).replace(QUOTED_BELOW, "").strip()
        return f"{said}\n\n{listed}".strip() if listed else said


def read_mail(raw: bytes) -> Mail:
    """Read a mail; raises OverLimit, and nothing else, for one of which there is too much to be read at all."""
    root = split_mail(raw)
    reader = _Reader()
    said = reader.texts(root)
    if not any(text.strip() for text in said):
        said = reader.fall_back(root)
    text = "\n\n".join(text.strip("\n") for text in said if text.strip())
    return Mail(root, text, tuple(reader.attachments), reader.is_encrypted)


def read_head(raw: bytes, notice: str) -> Mail:
    """Return a mail that is over a limit as far as its header goes, with a notice for its text; raises OverLimit."""
    return Mail(split_head(raw), notice, (), is_encrypted=False)


def list_attachments(attachments: tuple[Attachment, ...], *, is_encrypted: bool) -> str:
    """Return the lines that name what is attached, for a mail's reader; empty where nothing is."""
    lines = ["[The mail is encrypted and cannot be read here.]"] if is_encrypted else []
    if attachments:
        named = [f"{each.name or 'without a name'} ({each.type}, {_size(each.bytes)})" for each in attachments]
        others = f" and {len(named) - ATTACHMENTS_MAX} more" if len(named) > ATTACHMENTS_MAX else ""
        lines.append(f"[Attached: {', '.join(named[:ATTACHMENTS_MAX])}{others}]")
    return "\n".join(lines)


class _Reader:
    """Reads the text parts of one mail in order, and lists everything else."""

    def __init__(self) -> None:
        self.attachments: list[Attachment] = []
        self.is_encrypted = False
        self._read = 0

    def texts(self, part: Part) -> list[str]:
        """Return the texts of a part and of those below it; levels are bounded by `split_mail`."""
        content = part.fields.content
        if str(content) in _ENCRYPTED:
            self.is_encrypted = True
            return []
        if content.main == "multipart" and part.parts:
            if content.sub == "alternative":
                return self._choose(part)
            if content.sub == "signed":
                return self.texts(part.parts[0])
            return [text for each in part.parts for text in self.texts(each)]
        if self._is_text(part):
            self._read += 1
            return [read_text(part)]
        if str(content) not in _UNLISTED:
            self.attachments.append(_describe(part))
        return []

    def fall_back(self, root: Part) -> list[str]:
        """Return the first text that was sent as an attachment: some programs send the message itself so."""
        for part in root.walk():
            if part.fields.content.main == "text" and not part.parts and part.body.strip():
                return [read_text(part)]
        return []

    def _is_text(self, part: Part) -> bool:
        content = part.fields.content
        if content.main not in {"text", "multipart"} or (content.main == "text" and content.sub not in _TEXTS):
            return False
        kind, name = read_disposition(part.fields.first("content-disposition"))
        return self._read < TEXTS_MAX and kind != "attachment" and not (name or content.name)

    def _choose(self, part: Part) -> list[str]:
        """Choose of alternatives the plain text, unless it says nothing, or less than the HTML beside it."""
        plain: list[str] = []
        rich: list[str] = []
        for each in part.parts:
            is_html = any(one.fields.content.sub == "html" for one in each.walk())
            (rich if is_html else plain).extend(self.texts(each))
        said = "\n".join(plain).strip()
        if not said or (any(map(str.strip, rich)) and _is_stub(said)):
            return rich or plain
        return plain


_TEXTS: Final = frozenset({"plain", "html", "enriched", "markdown", "x-markdown", "x-amp-html"})


def read_text(part: Part) -> str:
    """Return the text of a text part: decoded, cleaned, and out of its HTML where it is HTML."""
    content = part.fields.content
    encoding = part.fields.first("content-transfer-encoding").partition(";")[0]
    # Encoded, bytes take up to three times as many.
    bytes_max = HTML_BYTES_MAX if content.sub == "html" else TEXT_BYTES_MAX
    body = decode_transfer(part.body[: 3 * bytes_max], encoding)[:bytes_max]
    charset = content.charset
    if content.sub == "html" and charset is None:
        found = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", body[:4_096], re.IGNORECASE)
        charset = found[1].decode() if found else None
    text = decode_bytes(body, charset)
    if content.sub in {"html", "x-amp-html"} or _MARK_UP.match(text[:200]):
        return html_to_text(text)
    cleaned = clean_text(text)
    return _unflow(cleaned) if "flowed" in part.fields.first("content-type").lower() else cleaned


def _unflow(text: str) -> str:
    """Join the lines that a program wrapped for the way (RFC 3676); quoted lines and the signature's mark stay."""
    lines: list[str] = []
    is_open = False
    for line in text.split("\n"):
        stuffed = line.removeprefix(" ")
        if is_open and lines and not stuffed.startswith(">"):
            lines[-1] += stuffed
        else:
            lines.append(stuffed)
        is_open = line.endswith(" ") and line != "-- " and not stuffed.startswith(">")
    return "\n".join(lines)


def _is_stub(text: str) -> bool:
    return len(text) <= _STUB_CHARACTERS_MAX and _STUB.search(text) is not None


def _describe(part: Part) -> Attachment:
    content = part.fields.content
    _, name = read_disposition(part.fields.first("content-disposition"))
    size = len(part.body)
    if part.fields.first("content-transfer-encoding").strip().lower() == "base64":
        size = size * 3 // 4
    named = name or content.name
    if str(content) == "message/rfc822":
        named = named or "a mail"
    return Attachment(named, str(content), size)


def _size(number: int) -> str:
    if number < 1_000:  # noqa: PLR2004 - the step of units
        return f"{number} bytes"
    return f"{number / 1_000:.0f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"  # noqa: PLR2004
