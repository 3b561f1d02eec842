"""Read header fields as strangers write them: folded, 8-bit, encoded, doubled, broken; nothing raises."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from email.message import Message
from typing import Final

from producer.channels.email.charsets import decode_bytes, decode_transfer
from producer.channels.email.clean_text import clean_file_name, clean_line
from producer.channels.email.mailboxes import Address, read_addresses

FIELD_CHARACTERS_MAX: Final = 16_384
MESSAGE_IDS_MAX: Final = 20
"""Ids of References that are read, the newest ones."""
_PARAMETERS_CHARACTERS_MAX: Final = 2_048
_BOUNDARY_BYTES_MAX: Final = 200

_NAME: Final = re.compile(rb"[!-9;-~]{1,100}")
_WORD: Final = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\n]{0,4000})\?=")
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,500})>")
_TOKEN: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")


@dataclass(frozen=True, slots=True)
class ContentType:
    """What a part says that it is; text/plain where it says nothing that can be read."""

    main: str = "text"
    sub: str = "plain"
    boundary: bytes | None = None
    charset: str | None = None
    name: str = ""
    report_type: str = ""

    def __str__(self) -> str:
        """Show main and sub type."""
        return f"{self.main}/{self.sub}"


@dataclass(frozen=True, slots=True)
class Fields:
    """The header fields of one part, in their order: names in lower case, values unfolded and not yet decoded."""

    lines: tuple[tuple[str, str], ...]
    content: ContentType = field(default_factory=ContentType)

    def every(self, name: str) -> list[str]:
        """Return the values of every field of a name."""
        return [value for found, value in self.lines if found == name]

    def first(self, name: str) -> str:
        """Return the first value of a name; empty where there is none."""
        return next((value for found, value in self.lines if found == name), "")

    def has(self, name: str) -> bool:
        """Check whether there is a field of a name."""
        return any(found == name for found, _ in self.lines)

    def text(self, name: str, characters_max: int) -> str:
        """Return the first value of a name as a person reads it: decoded, cleaned, one line."""
        return clean_line(decode_words(self.first(name)), characters_max)

    def addresses(self, name: str) -> list[Address]:
        """Return the addresses of every field of a name, at most ADDRESSES_MAX of each; what is none is left out."""
        return [found for value in self.every(name) for found in read_addresses(decode_words(value)) if found]

    def message_ids(self, name: str) -> list[str]:
        """Return the message ids of a field without their angle brackets, at most the last MESSAGE_IDS_MAX."""
        return _MESSAGE_ID.findall(" ".join(self.every(name)))[-MESSAGE_IDS_MAX:]


def read_fields(block: bytes) -> Fields:
    """Read a header block whose lines end in LF; what is no field is passed over."""
    lines: list[tuple[str, str]] = []
    for line in block.split(b"\n"):
        if line[:1] in {b" ", b"\t"}:
            if lines:
                name, value = lines[-1]
                lines[-1] = (name, f"{value} {_decode_value(line.strip())}"[:FIELD_CHARACTERS_MAX])
            continue
        label, colon, rest = line.partition(b":")
        label = label.rstrip(b" \t")
        if colon and _NAME.fullmatch(label):
            lines.append((label.decode().lower(), _decode_value(rest.strip())[:FIELD_CHARACTERS_MAX]))
    fields = Fields(tuple(lines))
    return Fields(fields.lines, read_content_type(fields.first("content-type")))


def decode_words(value: str) -> str:
    """Decode the encoded words of a value (RFC 2047), also where they do not belong; what is broken stays as it is."""
    if "=?" not in value:
        return value
    parts: list[str] = []
    pending, charset = b"", ""
    end = 0
    for word in _WORD.finditer(value):
        between = value[end : word.start()]
        if pending and (between.strip() or word[1].lower() != charset):
            parts.append(decode_bytes(pending, charset))
            pending = b""
        if between.strip() or end == 0:
            parts.append(between)
        # A character may be cut in two by the words' ends, so the bytes of neighbours are joined before decoding.
        charset = word[1].lower()
        pending += _decode_word(word[2].lower(), word[3])
        end = word.end()
    parts.append(decode_bytes(pending, charset.partition("*")[0]))
    return "".join(parts) + value[end:]


def read_content_type(value: str) -> ContentType:
    """Read a Content-Type; a value that cannot be read is text/plain, as RFC 2045 wants it."""
    value = value[:_PARAMETERS_CHARACTERS_MAX]
    main, slash, sub = value.partition(";")[0].strip().lower().partition("/")
    if not value.strip() or not slash or not _TOKEN.fullmatch(main.strip()) or not _TOKEN.fullmatch(sub.strip()):
        return ContentType()
    boundary = _parameter(value, "content-type", "boundary")
    return ContentType(
        main=main.strip(),
        sub=sub.strip(),
        boundary=boundary.rstrip().encode("utf-8", "surrogateescape")[:_BOUNDARY_BYTES_MAX]
        if boundary.strip()
        else None,
        charset=_parameter(value, "content-type", "charset").strip().lower() or None,
        name=clean_file_name(decode_words(_parameter(value, "content-type", "name"))),
        report_type=_parameter(value, "content-type", "report-type").strip().lower(),
    )


def read_disposition(value: str) -> tuple[str, str]:
    """Read a Content-Disposition: its kind in lower case, and the file's name, cleaned; both may be empty."""
    value = value[:_PARAMETERS_CHARACTERS_MAX]
    kind = value.partition(";")[0].strip().lower()
    return kind, clean_file_name(decode_words(_parameter(value, "content-disposition", "filename")))


def _parameter(value: str, header: str, name: str) -> str:
    """Return a parameter, continued and encoded ones too (RFC 2231); empty where there is none that can be read."""
    message = Message()
    try:
        message[header] = value
        found = message.get_param(name, "", header)
    except (IndexError, ValueError, LookupError, AttributeError, TypeError):  # the standard library's, on broken ones
        return ""
    if isinstance(found, tuple):
        charset, _, text = found
        return decode_bytes(text.encode("latin-1", "replace"), charset)
    return str(found)


def _decode_value(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _decode_word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if encoding == "q":
        return binascii.a2b_qp(data, header=True)
    return decode_transfer(data, "base64")
