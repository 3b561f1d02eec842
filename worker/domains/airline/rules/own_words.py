"""Read what a customer writes now out of a message: without quotations, signatures, footers and placeholders."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from runtime.patterns import load_patterns
from worker.domains.airline.rules.terms import terms_of

_HEADER_LINES_MIN = 3
_ATTRIBUTION_LINES_MAX = 3
_SIGNATURE_WORDS_MAX = 8
_SIGNATURE_LINES_MAX = 20
"""Lines from a sign-off on; one further above signs nothing off."""
_FOOTER_WORDS_MIN = 2
_FOOTER_LINES_MAX = 40
_TAG = re.compile(r"</?(?:p|br|div|b|i|u|span|strong|em|html|body)\s*/?>", re.IGNORECASE)
_EMPHASIS = re.compile(r"[\u200b-\u200f\u2060\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_CONTACT = re.compile(
    r"(?:tel|phone|mobile|mob|cell|fax|e-?mail|mail|web|www|[tmpefw])[.:]?|(?:https?://|www\.)\S+|\S+@\S+|[\d+()./-]+|"
    r"\[(?:PHONE|EMAIL)_\d+\]",
    re.IGNORECASE,
)
_LINKING = frozenset({"of", "and", "the", "for", "at", "in", "de", "van", "von", "der", "la", "le", "&", "|", "-", "–"})


class OwnWords(NamedTuple):
    """What a customer wrote now, as it was typed, and apart from it the signature below."""

    text: str
    signature: str


def own_words(text: str, placeholders: Collection[str] = (), names: Collection[str] = ()) -> str:
    """Return what the customer wrote now, in lower case and with straight apostrophes.

    Taken away are: messages quoted above, below or around the answer; the subject line that answers another; a
    greeting, a signature, what a device adds, a legal footer; and `placeholders`, those that the conversation's vault
    holds, since they stand for no words. `names` are the customer's, in lower case; they may stand alone below.
    What is not surely one of these stays: a line that is no signature may be a condition.
    """
    for placeholder in placeholders:
        text = text.replace(placeholder, " ")
    lines, _ = _split(text, names)
    return "\n".join(_without_greeting(lines)).strip().lower()


def split_own_words(text: str) -> OwnWords:
    """Cut away quotations, footers and what a device adds as `own_words` does, and set the signature apart.

    Case, greeting and placeholders stay; apostrophes are straight. A message that is nothing else is given whole.
    """
    lines, signature = _split(text, ())
    own = "\n".join(lines).strip()
    return OwnWords(own or text.strip(), "\n".join(line for line in signature if line))


def _split(text: str, names: Collection[str]) -> tuple[list[str], list[str]]:
    """Return the lines of the customer's own words, and those of the signature."""
    text = _EMPHASIS.sub("", _TAG.sub("\n", text)).replace("\u2019", "'").replace("\u2018", "'")
    lines = _without_quotations([line.strip() for line in text.splitlines()])
    lines = _without_footers([line for line in lines if not _is(line, "device")])
    return _without_signature(lines, set(names))


def is_everyday_word(word: str) -> bool:
    """Check whether a word is one of those that a sentence needs and no name is taken for: no, will, if, wait …."""
    return _is(word, "no_name")


@cache
def _pattern(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.domains.airline.rules", "mail.patterns")[section], re.IGNORECASE)


def _is(line: str, section: str) -> bool:
    return _pattern(section).fullmatch(line) is not None


def _without_quotations(lines: list[str]) -> list[str]:
    """Drop what is quoted: marked lines alone, or, where a quotation is not marked, all from its opening on.

    Below an opening with nothing above it everything stays: what of that is new cannot be told.
    """
    kept: list[str] = []
    place = 0
    if lines and _is(lines[0], "answered_subject"):
        place = 1
    while place < len(lines):
        opening = _opening_at(lines, place)
        if opening:
            after = next((line for line in lines[place + opening :] if line), "")
            if not after.startswith(">") and any(kept):
                break
            if not after.startswith(">"):
                kept += lines[place:]
                break
            place += opening
            continue
        if not lines[place].startswith(">"):
            kept.append(lines[place])
        place += 1
    return kept


def _opening_at(lines: list[str], place: int) -> int:
    """Count the lines that open a quotation here; 0 where none does."""
    if _is(lines[place], "divider"):
        return 1
    headers = 0
    while place + headers < len(lines) and _is(lines[place + headers], "header"):
        headers += 1
    if headers >= _HEADER_LINES_MIN:
        return headers
    if _is(lines[place], "attribution") and _is_dated(lines, place, 1):
        return 1
    if _pattern("attribution_opening").match(lines[place]) and any(letter.isdigit() for letter in lines[place]):
        for count in range(2, _ATTRIBUTION_LINES_MAX + 1):  # a mail program may have wrapped it
            if _is(" ".join(lines[place : place + count]), "attribution"):
                return count
    return 0


def _is_dated(lines: list[str], place: int, count: int) -> bool:
    """Check whether such a line is a mail program's: it tells a date or an address, or a marked quotation follows."""
    after = next((line for line in lines[place + count :] if line), "")
    return after.startswith(">") or any(letter.isdigit() or letter == "@" for letter in lines[place])


def _without_footers(lines: list[str]) -> list[str]:
    kept: list[str] = []
    for paragraph in _paragraphs(lines):
        start = next((at for at, line in enumerate(paragraph) if _is_footer(paragraph[at:], line)), len(paragraph))
        kept += paragraph[:start]
    return kept


def _is_footer(rest: list[str], line: str) -> bool:
    if _pattern("footer_opening").match(line) is None:
        return False
    text = " ".join(rest[:_FOOTER_LINES_MAX])
    return len({found.group().lower() for found in _pattern("footer_word").finditer(text)}) >= _FOOTER_WORDS_MIN


def _paragraphs(lines: list[str]) -> list[list[str]]:
    """Split at blank lines, each of which stays with the paragraph above it."""
    found: list[list[str]] = [[]]
    for line in lines:
        found[-1].append(line)
        if not line:
            found.append([])
    return found


def _without_signature(lines: list[str], names: set[str]) -> tuple[list[str], list[str]]:
    """Set apart a sign-off with the lines below it, as far as all of them look like a signature; and a name alone."""
    filled = [at for at, line in enumerate(lines) if line]
    for place, at in list(enumerate(filled))[-_SIGNATURE_LINES_MAX:]:
        head, _, tail = lines[at].partition(",")
        if not (_is(head.rstrip(" .!"), "sign_off") or lines[at] in {"--", "---"}):
            continue
        below = [*filter(None, [tail.strip()]), *(lines[under] for under in filled[place + 1 :])]
        if (at != filled[0] or tail.strip()) and all(_is_of_signature(line) for line in below):
            return (lines[:at] if at != filled[0] else [*lines[:at], head]), below
    while filled and len(filled) > 1 and set(_words(lines[filled[-1]])) <= names:
        lines = lines[: filled.pop()]
    return lines, []


def _is_of_signature(line: str) -> bool:
    words = [word.strip(",.;:()*_\"'") for word in line.split()]
    words = [word for word in words if word]
    return (
        len(words) <= _SIGNATURE_WORDS_MAX
        and not terms_of(line)
        and "?" not in line
        and all(_is_of_name(word) or word.lower() in _LINKING or _CONTACT.fullmatch(word) for word in words)
    )


def _is_of_name(word: str) -> bool:
    parts = re.split(r"[-/]", word)
    return all(part[:1].isupper() and re.fullmatch(r"[^\W\d_]+(?:['.][^\W\d_]*)*", part) for part in parts) and not any(
        _is(part.rstrip("."), "no_name") for part in [word, *parts]
    )


def _without_greeting(lines: list[str]) -> list[str]:
    """Drop the names of a greeting in the first line: "Dear Larkfield Air," says no more than "Hello"."""
    first = next((at for at, line in enumerate(lines) if line), None)
    if first is None:
        return lines
    found = re.fullmatch(
        r"(hi|hello|hey|dear|good (?:morning|afternoon|evening))\b(.*?)[,!:.]*", lines[first], re.IGNORECASE
    )
    if found is None or not _is_of_signature(found[2]):
        return lines
    return [*lines[:first], *lines[first + 1 :]]


def _words(line: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", line.lower())
