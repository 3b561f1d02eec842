"""Make text of strangers harmless: controls, direction overrides, invisible characters, look-alike domains."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import idna

NAME_CHARACTERS_MAX: Final = 100
"""Length of a file's or a person's name; the rest is cut."""
MARKS_MAX: Final = 8
"""Combining marks in a row that are kept: normalising sorts them in quadratic time, 16,000 in half a second."""

_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# C0 but tab and line feed, DEL, C1; soft hyphen; Arabic letter mark; Mongolian vowel separator; zero-width space; marks
# of direction, overrides, isolates; invisible operators; byte order mark; annotations; and, beyond, tags and variation
# selectors, in which a text can be hidden that nobody sees and a model reads.
_DROPPED: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e01ef]"
)
_TO_CLEAN: Final = re.compile(_DROPPED.pattern[:-1] + "\r\x0b\x0c\x85\u2028\u2029]")
"""What _LINE_ENDS or _DROPPED would change; one look for it costs a third of trying both."""
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_JOINERS: Final = re.compile(r"[\u200c\u200d]{2,}|[\u200c\u200d](?=\s|$)")
_LONG_RUN: Final = re.compile(r"[^\w\s\x00-\x7f]{9,}")
_BLANKS: Final = re.compile(r"\s+")
_DOMAIN_CHARACTERS_MAX: Final = 253
_UNSAFE_IN_NAMES: Final = re.compile(r'[\\/:*?"<>|]+')


def clean_text(text: str) -> str:
    """Return a text with line feeds as its only line ends, composed (NFC), without what is invisible or misleads.

    Controls, direction overrides, zero-width characters, tags and lone surrogates go; a joiner within an emoji stays.
    """
    if _TO_CLEAN.search(text):
        text = _DROPPED.sub("", _LINE_ENDS.sub("\n", text))
    if text.isascii():
        return text
    text = _SURROGATES.sub("\ufffd", text)
    text = _JOINERS.sub("", text)
    return unicodedata.normalize("NFC", _LONG_RUN.sub(_bound_marks, text))


def clean_line(text: str, characters_max: int) -> str:
    """Return a text as one line of at most so many characters, cleaned; blanks become one space each."""
    return _BLANKS.sub(" ", clean_text(text)).strip()[:characters_max].rstrip()


def clean_file_name(name: str) -> str:
    """Return an attachment's name as it may be shown; it is never a path: what separates folders becomes a dash."""
    cleaned = _UNSAFE_IN_NAMES.sub("-", clean_line(name, NAME_CHARACTERS_MAX * 4)).strip(" .-")
    if len(cleaned) <= NAME_CHARACTERS_MAX:
        return cleaned
    stem, dot, ending = cleaned.rpartition(".")
    if not dot or len(ending) > 10:  # noqa: PLR2004 - longer is no ending of a file's name
        return cleaned[:NAME_CHARACTERS_MAX]
    return f"{stem[: NAME_CHARACTERS_MAX - len(ending) - 2]}….{ending}"


def ascii_domain(domain: str) -> str | None:
    """Return a domain in lower case and ASCII (IDNA 2008 with the mapping of UTS 46); None for what is no domain.

    Two spellings that differ only to a computer, or only to the eye, thereby are one or two domains for good.
    """
    if not domain or len(domain) > _DOMAIN_CHARACTERS_MAX:
        return None
    try:
        encoded = idna.encode(domain.rstrip("."), uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None
    return encoded.lower() if "." in encoded and not encoded.startswith("[") else None


def _bound_marks(run: re.Match[str]) -> str:
    kept: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept)
