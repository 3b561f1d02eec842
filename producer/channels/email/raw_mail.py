"""Split a mail's bytes into its parts within hard limits, in linear time.

The standard library's parser takes 24 s for 100,000 empty parts and overflows the stack at 1,000 levels, so nothing is
parsed before it is counted, and parts are cut apart here, by their delimiters alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from producer.channels.email.header_fields import Fields, read_fields

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIL_BYTES_MAX: Final = 10 * 1024 * 1024
HEADER_BYTES_MAX: Final = 64 * 1024
"""Size of one header block, the mail's or a part's."""
FIELD_BYTES_MAX: Final = 16 * 1024
FIELDS_MAX: Final = 300
LINE_BYTES_MAX: Final = 100_000
DELIMITERS_MAX: Final = 1_000
"""Lines that begin with two dashes, of which each may be the delimiter of a part."""
PARTS_MAX: Final = 200
DEPTH_MAX: Final = 12

_DELIMITER_BYTES_MAX: Final = 256
_EMPTY_LINE: Final = re.compile(rb"\r?\n")
_FIELD_BEGINS: Final = re.compile(rb"^[^\s:]", re.MULTILINE)


class OverLimit(ValueError):
    """Raised for a mail that is not read, because something of it is more than a limit allows."""

    def __init__(self, what: str, number: int, maximum: int) -> None:
        super().__init__(f"{number} {what}, at most {maximum} are read")
        self.what = what
        self.number = number
        self.maximum = maximum


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail, or the mail itself; a multipart has `parts`, and any other a `body` as it was encoded."""

    fields: Fields
    body: bytes
    parts: tuple[Part, ...] = ()

    def walk(self) -> Iterator[Part]:
        """Give this part and all below it, in the order of the mail."""
        waiting = [self]
        while waiting:
            part = waiting.pop()
            yield part
            waiting.extend(reversed(part.parts))


def split_mail(raw: bytes) -> Part:
    """Count, and then cut a mail into its parts; raises OverLimit naming what there is too much of.

    Lines may end in CRLF, LF or both kinds. A mail within another (`message/rfc822`) is not looked into.
    """
    _check("bytes", len(raw), MAIL_BYTES_MAX)
    delimiters = _find_delimiters(raw)
    _check_lines(raw)
    return _Splitter(raw, delimiters).split(0, len(raw), 0)


def split_head(raw: bytes) -> Part:
    """Return the header of a mail alone; raises OverLimit when that is too much as well."""
    head = _Splitter(raw[: HEADER_BYTES_MAX + 4], []).split(0, min(len(raw), HEADER_BYTES_MAX + 4), DEPTH_MAX - 1)
    return Part(head.fields, b"")


def _find_delimiters(raw: bytes) -> list[tuple[int, bytes]]:
    """Return where lines begin with two dashes, and what follows the dashes, in order; raises OverLimit."""
    found: list[tuple[int, bytes]] = []
    place = 0 if raw.startswith(b"--") else raw.find(b"\n--") + 1
    while raw.startswith(b"--", place):
        if len(found) == DELIMITERS_MAX:
            raise OverLimit("lines that may begin a part", raw.count(b"\n--"), DELIMITERS_MAX)
        end = raw.find(b"\n", place, place + _DELIMITER_BYTES_MAX)
        line = raw[place : end if end >= 0 else place + _DELIMITER_BYTES_MAX]
        found.append((place, line[2:].rstrip()))
        place = raw.find(b"\n--", place) + 1 or len(raw)
    return found


def _check_lines(raw: bytes) -> None:
    """Raise OverLimit for a line that is too long; looks at bytes and parses nothing."""
    begins = 0
    while len(raw) - begins > LINE_BYTES_MAX:
        # Looked for from the far end of what a line may have, so that lines of usual length cost nothing.
        end = raw.rfind(b"\n", begins, begins + LINE_BYTES_MAX + 1)
        if end < 0:
            following = raw.find(b"\n", begins)
            raise OverLimit("bytes in a line", (following if following >= 0 else len(raw)) - begins, LINE_BYTES_MAX)
        begins = end + 1


class _Splitter:
    """Cuts one mail by places in its bytes; what may begin a part was looked for once, for all levels together."""

    def __init__(self, raw: bytes, delimiters: list[tuple[int, bytes]]) -> None:
        self._raw = raw
        self._parts = 0
        self._delimiters = delimiters

    def split(self, begins: int, ends: int, depth: int) -> Part:
        """Return the part that stands at a place, with all below it."""
        self._parts += 1
        _check("parts", self._parts, PARTS_MAX)
        block_ends, body_begins = self._find_body(begins, ends)
        block = _read_block(self._raw[begins:block_ends])
        fields = read_fields(block)
        boundary = fields.content.boundary
        if fields.content.main == "multipart" and boundary is not None:
            _check("levels of parts", depth + 1, DEPTH_MAX)
            places = self._find_parts(body_begins, ends, boundary)
            if places:
                return Part(fields, b"", tuple(self.split(first, last, depth + 1) for first, last in places))
        # A multipart whose delimiter was lost on the way is read as the text that it is.
        return Part(fields, self._raw[body_begins:ends])

    def _find_body(self, begins: int, ends: int) -> tuple[int, int]:
        """Find where a part's header ends and its body begins; raises OverLimit for a header that is too much."""
        empty = _EMPTY_LINE.match(self._raw, begins, ends)
        if empty:
            return begins, empty.end()
        within = min(ends, begins + HEADER_BYTES_MAX + 4)
        found = [at for mark in (b"\n\n", b"\n\r\n") if (at := self._raw.find(mark, begins, within)) >= 0]
        if not found:
            _check("bytes of header", ends - begins, HEADER_BYTES_MAX)
            return ends, ends
        block_ends = min(found)
        return block_ends, self._raw.index(b"\n", block_ends + 1) + 1

    def _find_parts(self, begins: int, ends: int, boundary: bytes) -> list[tuple[int, int]]:
        """Find the parts of a multipart; what stands before the first delimiter and behind the last is none."""
        places: list[tuple[int, int]] = []
        opened = -1
        for place, line in self._delimiters[bisect_left(self._delimiters, (begins, b"")) :]:
            if place >= ends:
                break
            if line not in {boundary, boundary + b"--"}:
                continue
            if opened >= 0:
                # The line's end before a delimiter belongs to the delimiter.
                places.append((opened, max(opened, place - 1 - (self._raw[place - 2 : place - 1] == b"\r"))))
            if line != boundary:
                return places
            following = self._raw.find(b"\n", place, ends)
            opened = following + 1 if following >= 0 else ends
        return [*places, (opened, ends)] if opened >= 0 else places


def _read_block(block: bytes) -> bytes:
    """Return a header block with LF alone, checked for its size and the number of its fields."""
    _check("bytes of header", len(block), HEADER_BYTES_MAX)
    lines = block.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    _check("header fields", len(_FIELD_BEGINS.findall(lines)), FIELDS_MAX)
    return lines


def _check(what: str, number: int, maximum: int) -> None:
    if number > maximum:
        raise OverLimit(what, number, maximum)
