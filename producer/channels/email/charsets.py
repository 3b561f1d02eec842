"""Decode bytes as what they say they are, where that is a charset of mails; else as what they look like."""

from __future__ import annotations

import binascii
import codecs
import re
import string
from typing import Final

# Python names more "encodings" than charsets: zlib, unicode_escape, punycode, idna. None of them is decoded.
_CHARSETS: Final = frozenset(
    {"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "ascii"}
    | {f"iso8859-{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)}
    | {f"cp{number}" for number in (437, 850, 852, 866, 874, 932, 949, 950)}
    | {f"cp125{number}" for number in range(9)}
    | {"koi8-r", "koi8-u", "gb2312", "gbk", "gb18030", "hz", "big5", "big5hkscs", "shift_jis", "shift_jisx0213"}
    | {"euc_jp", "euc_kr", "euc_jis_2004", "iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "johab"}
    | {"tis-620", "mac-roman", "mac-cyrillic"}
)
# One byte each, so that any bytes are "valid" in them: what is valid UTF-8 beside was sent by who named the wrong one.
_OF_ANY_BYTES: Final = re.compile(r"iso8859-\d+|cp125\d|koi8-[ru]|ascii|mac-\w+|cp\d+|tis-620")
_OWN_NAMES: Final = {"unicode-1-1-utf-8": "utf-8", "x-sjis": "shift_jis", "ks_c_5601-1987": "cp949", "utf8mb4": "utf-8"}
_NO_BASE64: Final = bytes(set(range(256)) - set(string.ascii_letters.encode() + string.digits.encode() + b"+/="))
_ASCII: Final = bytes(range(128))
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_bytes(data: bytes, charset: str | None) -> str:
    """Return the text of some bytes; what cannot be decoded becomes U+FFFD, and nothing raises.

    An unknown or missing charset, and US-ASCII with bytes beyond it, are taken for UTF-8 where the bytes are that, else
    for Windows-1252, which is what "ISO-8859-1" means in practice as well (WHATWG).
    """
    for mark, marked in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return data.removeprefix(codecs.BOM_UTF8).decode(marked, "replace")
    known = _canonical(charset)
    if known is None or known == "utf-8" or _OF_ANY_BYTES.fullmatch(known):
        try:
            return codecs.utf_8_decode(data, "strict", False)[0]  # noqa: FBT003 - the last character may be cut off
        except UnicodeDecodeError:
            pass
    if known is None or known in {"ascii", "iso8859-1"} or (known == "utf-8" and not _is_mostly_utf8(data)):
        known = "cp1252"
    return data.decode(known, "replace")


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding as far as the bytes allow; an unknown one leaves them as they are."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        chunks = re.split(rb"=+", data.translate(None, _NO_BASE64))  # padding in the middle: several were put together
        return b"".join(binascii.a2b_base64(chunk[: len(chunk) - (len(chunk) % 4 == 1)] + b"==") for chunk in chunks)
    return binascii.a2b_qp(data) if encoding == "quoted-printable" else data


def _canonical(charset: str | None) -> str | None:
    """Return Python's name of a charset of mails; None for any other, and for none."""
    name = (charset or "").strip().strip("\"'").lower()
    if not name or len(name) > 40 or not name.isascii():  # noqa: PLR2004 - no charset's name is as long
        return None
    try:
        found = codecs.lookup(_OWN_NAMES.get(name, name)).name
    except (LookupError, ValueError):
        return None
    return found if found in _CHARSETS else None


def _is_mostly_utf8(data: bytes) -> bool:
    beyond = len(data.translate(None, _ASCII))
    return data.decode("utf-8", "replace").count("\ufffd") * 2 <= beyond
