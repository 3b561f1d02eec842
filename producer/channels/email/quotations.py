"""Trim a mail's text to what its sender wrote now: without quotations, signatures, footers and what devices add.

Line by line and in linear time; no pattern reaches over more than 300 characters. When in doubt more is kept: a lost
sentence is worse than a long text.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from producer.channels.email.html_reading import QUOTED_BELOW
from runtime.patterns import load_patterns

TEXT_CHARACTERS_MAX: Final = 100_000
LINES_MAX: Final = 2_000
QUOTED_LINE_CHARACTERS_MAX: Final = 200
"""Of the quoted line that is kept above an answer to it."""
CUT_OFF: Final = "[…]"
"""Ends a text of which the rest is left out."""

_ATTRIBUTION_LINES_MAX: Final = 3
_ATTRIBUTION_CHARACTERS_MAX: Final = 300
_HEADER_LINES_MIN: Final = 3
_FOOTER_LINES_MAX: Final = 12
_FOOTER_CHARACTERS_MAX: Final = 800
_KEY: Final = re.compile(r"[*_ \t]{0,3}([^:*\d]{1,20}?)[*_ \t]{0,3}[:\uff1a][*_]{0,2}(?=\s|\S)(.*)")
_RULE: Final = re.compile(r"[-_*=\u2014\u2500]{2,}|[_]{10,}")
_LONG_RULE: Final = re.compile(r"_{10,}|-{20,}")
_DATED: Final = re.compile(r"\d.*[@\d]|@")


def trim(text: str, characters_max: int) -> str:
    """Return what was written now, in at most so many characters; it is never empty where the text is not.

    `text` is clean, with line feeds. Above each answer that stands between or below quoted lines the quoted line is
    kept, since "yes" means nothing without it. A text that is nothing but a quotation is given whole.
    """
    whole = text[:TEXT_CHARACTERS_MAX].split("\n")
    lines = _collapse([line.rstrip() for line in whole[:LINES_MAX]])
    is_cut = len(text) > TEXT_CHARACTERS_MAX or len(whole) > LINES_MAX
    kept = _without_footers(_answers(lines))
    if not _has_words(kept):
        kept = _without_footers([_unquoted(line) for line in lines if line != QUOTED_BELOW])
    if not _has_words(kept):
        kept = [line for line in lines if line != QUOTED_BELOW]
    return _cap("\n".join(_collapse(kept)).strip("\n"), characters_max, is_cut=is_cut)


def _answers(lines: list[str]) -> list[str]:
    """Return the lines that are no quotation, and above each answer within one the line that it answers."""
    kept: list[str] = []
    quoted = ""
    place = 0
    while place < len(lines):
        line = lines[place]
        if line.startswith(">"):
            quoted = line if line.strip("> \t") else quoted
            place += 1
            continue
        opening = _opening_at(lines, place)
        if opening:
            place += opening
            if not _is_marked_below(lines, place) and _has_words(kept):
                break
            continue
        if line == "--" or _is(line, "device"):
            place = _end_of_signature(lines, place) if line == "--" else place + 1
            continue
        if quoted and line.strip():
            kept += ["", _shorten(quoted)] if kept else [_shorten(quoted)]
            quoted = ""
        kept.append(line)
        place += 1
    return kept


def _opening_at(lines: list[str], place: int) -> int:
    """Count the lines that open a quotation here; 0 where none does."""
    line = lines[place].strip()
    if not line:
        return 0
    if line == QUOTED_BELOW or _is(line, "reply_above"):
        return 1
    if _is_original(line):
        return 1 + _headers_at(lines, _next_filled(lines, place + 1)) * (_next_filled(lines, place + 1) == place + 1)
    if _LONG_RULE.fullmatch(line):
        below = _next_filled(lines, place + 1)
        headers = _headers_at(lines, below)
        return below + headers - place if headers else 0
    return _headers_at(lines, place) or _attribution_at(lines, place)


def _is_original(line: str) -> bool:
    bare = line.strip("-_*=\u2014\u2500> \t:")
    marked = _RULE.match(line) is not None or line.endswith(":")
    return marked and _is(bare, "original")


def _headers_at(lines: list[str], place: int) -> int:
    """Count the lines of a header block that is quoted with a mail: `From: … Sent: … To: … Subject: …`."""
    first = _key_of(lines, place)
    if first is None or not _is(first, "from_key"):
        return 0
    keys = 1
    last = place
    for at in range(place + 1, min(place + 12, len(lines))):
        key = _key_of(lines, at)
        if key is not None and (_is(key, "other_key") or _is(key, "from_key")):
            keys += 1
            last = at
        elif not lines[at].strip() or lines[at].startswith((" ", "\t")) or (at == last + 1 and keys > 1):
            continue  # a blank line of a program that spaces them, or the rest of a long list of addressees
        else:
            break
    return last - place + 1 if keys >= _HEADER_LINES_MIN else 0


def _key_of(lines: list[str], place: int) -> str | None:
    found = _KEY.match(lines[place][:_ATTRIBUTION_CHARACTERS_MAX]) if place < len(lines) else None
    return found[1].strip().lower() if found else None


def _attribution_at(lines: list[str], place: int) -> int:
    """Count the lines of `On 3 May 2026, at 10:12, Larkfield Air <…> wrote:`, which a program may have wrapped."""
    joined = ""
    for count in range(1, _ATTRIBUTION_LINES_MAX + 1):
        at = place + count - 1
        if at >= len(lines) or not lines[at].strip() or lines[at].startswith(">"):
            return 0
        joined = f"{joined} {lines[at].strip()}".strip()
        if len(joined) > _ATTRIBUTION_CHARACTERS_MAX:
            return 0
        if not joined.endswith((":", "\uff1a")):
            continue
        if _is_attribution(joined, marked=count == 1 and _is_marked_below(lines, at + 1)):
            # Of several lines the last may be one by itself, below somebody's own words.
            return 0 if count > 1 and _is_attribution(lines[at].strip(), marked=False) else count
    return 0


def _is_attribution(line: str, *, marked: bool) -> bool:
    """Check whether a line names who wrote what is quoted; without marks below it must tell a date or an address."""
    lowered = line.lower().replace("\u2019", "'").rstrip(":\uff1a \u00a0*_")
    if _pattern("wrote_ends").search(lowered) is None:
        return False
    if marked:
        return True
    return _DATED.search(lowered) is not None and _pattern("wrote_begins").match(lowered.lstrip("*_ ")) is not None


def _is_marked_below(lines: list[str], place: int) -> bool:
    below = _next_filled(lines, place)
    return below < len(lines) and lines[below].startswith(">")


def _next_filled(lines: list[str], place: int) -> int:
    while place < len(lines) and not lines[place].strip():
        place += 1
    return place


def _end_of_signature(lines: list[str], place: int) -> int:
    """Find where what follows `-- ` ends: at the next quotation, else with the mail."""
    for at in range(place + 1, len(lines)):
        if lines[at].startswith(">") or _opening_at(lines, at):
            return at
    return len(lines)


def _without_footers(lines: list[str]) -> list[str]:
    """Drop paragraphs at the end that a company or a list adds below every mail."""
    end = len(lines)
    while end:
        while end and not lines[end - 1].strip():
            end -= 1
        begins = end
        while begins and lines[begins - 1].strip():
            begins -= 1
        footer = next(
            (at for at in range(begins, end) if _is_footer(lines[at : min(end, at + _FOOTER_LINES_MAX)])), None
        )
        if footer is None or not _has_words(lines[:footer]):
            break
        end = footer
    return lines[:end]


def _is_footer(lines: list[str]) -> bool:
    if _LONG_RULE.fullmatch(lines[0].strip()):
        return True
    joined = " ".join(lines)[:_FOOTER_CHARACTERS_MAX].lower().replace("\u2019", "'").strip(" *_-")
    return _pattern("footer").match(joined) is not None


def _unquoted(line: str) -> str:
    return line.lstrip("> \t") if line.startswith(">") else line


def _shorten(line: str) -> str:
    said = " ".join(line.lstrip("> \t").split())
    return f"> {said[: QUOTED_LINE_CHARACTERS_MAX - 1]}…" if len(said) > QUOTED_LINE_CHARACTERS_MAX else f"> {said}"


def _collapse(lines: list[str]) -> list[str]:
    """Let at most one blank line stand between two others."""
    kept: list[str] = []
    for line in lines:
        if line.strip() or (kept and kept[-1].strip()):
            kept.append(line)
    return kept


def _has_words(lines: list[str]) -> bool:
    return any(not line.startswith(">") and re.search(r"[^\W_]|[^\w\s\x00-\x7f]", line) for line in lines)


def _cap(text: str, characters_max: int, *, is_cut: bool) -> str:
    if len(text) > characters_max or is_cut:
        room = characters_max - len(CUT_OFF) - 1
        return f"{text[:room].rstrip()}\n{CUT_OFF}"
    return text


@cache
def _pattern(section: str) -> re.Pattern[str]:
    loaded = load_patterns("producer.channels.email", "quotations.patterns")
    if section == "wrote_ends":
        return re.compile(rf"(?:^|[\s,>\]\"']|\d){loaded['wrote']}$")
    return re.compile(loaded[section])


def _is(line: str, section: str) -> bool:
    return _pattern(section).fullmatch(line.strip().lower().replace("\u2019", "'").rstrip(". ")) is not None
