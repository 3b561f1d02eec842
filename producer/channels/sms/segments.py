"""Cut a reply into text messages: by segments as carriers count them, between words, and numbered.

GSM 03.38 counts septets: 160 in a message alone, 153 in each segment of a longer one, and two for a character of its
extension table. One character outside of both tables turns the whole message to UCS-2: 70 UTF-16 units alone, 67 a
segment. Neither an extension's pair nor a surrogate pair stands in two segments, so a segment may end one unit early.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE_CHARACTERS_MAX: Final = 1_600
"""The provider's limit of one message, in characters."""

MORE_HINT: Final = "Reply MORE for the rest."

PARTS_MAX: Final = 99
"""Messages of one reply: the numbers in front of them have two digits."""

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION: Final = frozenset("\f^{}\\[~]|€")

_GSM_ALONE: Final = 160
_GSM_SEGMENT: Final = 153
_UCS2_ALONE: Final = 70
_UCS2_SEGMENT: Final = 67

# What says the same in the basic table: one such character would more than double the number of segments.
_PLAIN: Final = {
    ord(original): plain
    for originals, plain in (
        ("\u2018\u2019\u201b\u02bc\u2032\u00b4`", "'"),
        ("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        ("\u2022\u2023\u25aa\u00b7", "-"),
        ("\u2026", "..."),
        ("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\t", " "),
        ("\u00ad\u200b\u200c\u2060\ufeff", ""),
        ("\u2028\u2029\r\v", "\n"),
        ("\u2039", "<"),
        ("\u203a", ">"),
        ("\u2190", "<-"),
        ("\u2192", "->"),
        ("\u00d7", "x"),
        ("\u00e7", "c"),
        ("\u00a9", "(c)"),
        ("\u00ae", "(R)"),
        ("\u2122", "(TM)"),
        ("\u00aa", "a"),
        ("\u00ba", "o"),
        ("\u00bc", "1/4"),
        ("\u00bd", "1/2"),
        ("\u00be", "3/4"),
    )
    for original in originals
}
_JOINER: Final = "\u200d"
_BREAKS: Final = (re.compile(r"\n+"), re.compile(r"(?<=[.!?:;])\s+"), re.compile(r"\s+"))
"""Where a message may end, the best first: at a line's end, a sentence's, a word's."""
_GRAPHEME_MAX: Final = 64
"""Characters of one grapheme that are looked at; a longer one is divided."""
_NUMBER_ROOM: Final = len("99/99 ")


def plain_text(text: str) -> str:
    """Replace what would turn a message to UCS-2 and has a plain twin; other characters stay, whatever they cost."""
    kept = text.replace("\r\n", "\n").encode("utf-8", "replace").decode().translate(_PLAIN)
    return "".join(
        character for character in kept if character == "\n" or unicodedata.category(character) != "Cc"
    ).strip()


def is_gsm(text: str) -> bool:
    """Check whether a text fits GSM 03.38 with its extension table."""
    return all(character in _BASIC or character in _EXTENSION for character in text)


def count_segments(text: str) -> int:
    """Return how many segments a text is sent as; 0 for an empty one."""
    gsm = is_gsm(text)
    alone, each = (_GSM_ALONE, _GSM_SEGMENT) if gsm else (_UCS2_ALONE, _UCS2_SEGMENT)
    units = [_units_of(character, gsm=gsm) for character in text]
    if sum(units) <= alone:
        return 1 if text else 0
    segments, room = 1, each
    for unit in units:
        if unit > room:
            segments, room = segments + 1, each
        room -= unit
    return segments


def cut_messages(text: str, *, segments_each_max: int) -> list[str]:
    """Cut a text into messages of at most so many segments each, numbered "1/3 " where there are several.

    Nothing but the white space at a cut is lost, and no grapheme is divided, unless it alone is too large. A text of
    more than PARTS_MAX messages ends with three dots.
    """
    text = plain_text(text)
    if not text:
        return []
    if _fits(text, segments_each_max):
        return [text]
    bodies = list(islice(_cut(text, segments_each_max), PARTS_MAX + 1))
    if len(bodies) > PARTS_MAX:
        bodies = bodies[:PARTS_MAX]
        bodies[-1] = bodies[-1][:-3].rstrip() + "..."
    return [f"{number}/{len(bodies)} {body}" for number, body in enumerate(bodies, 1)]


def ask_for_more(messages: list[str], *, segments_max: int) -> list[list[str]]:
    """Return the messages in batches of at most so many segments, each of at least one message.

    The last message of each batch but the last says how to get the next one.
    """
    batches: list[list[str]] = [[]]
    used = 0
    for place, message in enumerate(messages):
        is_last = place == len(messages) - 1
        used += count_segments(message)
        if is_last or used + _count_at_worst(messages, place + 1) <= segments_max:
            batches[-1].append(message)
        else:
            batches[-1].append(f"{message}\n{MORE_HINT}")
            batches.append([])
            used = 0
    return batches


def _count_at_worst(messages: list[str], place: int) -> int:
    """Return the segments of a message, with the hint unless it is the last one."""
    message = messages[place]
    return count_segments(message if place == len(messages) - 1 else f"{message}\n{MORE_HINT}")


def _cut(text: str, segments_each_max: int) -> Iterator[str]:
    room_taken = "0" * _NUMBER_ROOM  # what stands in front of each message; digits count as the number will
    hint = "\n" + MORE_HINT
    rest = text
    while rest:
        length = _longest(rest, room_taken, hint, segments_each_max)
        if length < len(rest):
            length = _best_break(rest, length)
        body, rest = rest[:length].rstrip(), rest[length:].lstrip()
        if body:
            yield body


def _longest(text: str, before: str, after: str, segments_max: int) -> int:
    """Return how many characters of a text fit; at least one grapheme, so that it ends."""
    bounds = _grapheme_bounds(text[: min(MESSAGE_CHARACTERS_MAX, _GSM_ALONE * segments_max) + _GRAPHEME_MAX])
    low, high = 0, len(bounds) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _fits(before + text[: bounds[middle]] + after, segments_max):
            low = middle
        else:
            high = middle - 1
    return bounds[low]


def _best_break(text: str, length: int) -> int:
    """Return where to end a message of at most so many characters: at the best kind of place in its second half."""
    for pattern in _BREAKS:
        ends = [match.end() for match in pattern.finditer(text, 0, length + 1) if match.start() <= length]
        if ends and min(ends[-1], length) > length // 2:
            return min(ends[-1], length)
    return length


def _fits(text: str, segments_max: int) -> bool:
    return len(text) <= MESSAGE_CHARACTERS_MAX and count_segments(text) <= segments_max


def _units_of(character: str, *, gsm: bool) -> int:
    """Return the units of a character: septets, or UTF-16 units."""
    if gsm:
        return 2 if character in _EXTENSION else 1
    return 2 if ord(character) > 0xFFFF else 1  # noqa: PLR2004 - beyond the basic plane


def _grapheme_bounds(text: str) -> list[int]:
    """Return where graphemes end: combining marks, joiners, modifiers and pairs of regional indicators stay together.

    A simple form of UAX #29: enough for what people write in text messages.
    """
    bounds = []
    flags = 0
    for place in range(1, len(text)):
        before, here = text[place - 1], text[place]
        flags = flags + 1 if _is_flag(before) else 0
        if _extends(here) or before == _JOINER or (_is_flag(here) and flags % 2 == 1):
            continue
        bounds.append(place)
    return [*bounds, len(text)]


def _extends(character: str) -> bool:
    return (
        unicodedata.combining(character) != 0
        or unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or character == _JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of subdivision flags
    )


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"
