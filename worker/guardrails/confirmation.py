"""Find airline confirmation numbers, six of A-Z and 0-9, in what people type, and reject what only looks like one.

A code stands out in three ways, the surest first: after a cue ("confirmation", "record locator"), alone or beside a
name as the whole message (the answer to "may I have your confirmation number?"), or by its own shape, where letters and
digits mix as no flight number, seat, date, price, time or measure does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from worker.guardrails.code_shapes import (
    CODE_LENGTH,
    CUE_REACH_CHARACTERS,
    OTHER_CUE,
    TOKEN,
    Code,
    find_by_shape,
    find_whole_message,
    is_long_word,
    is_no_name,
)
from worker.guardrails.letters import is_strange, looks_like_a_word

_NUMBER = r"(?:numbers?|num|nos?|nr|nbr|codes?|ids?|#)"
_STRONG_CUE = (
    rf"(?:confirm(?:ation|ed)?\.?[ -]?{_NUMBER}|conf\.?\s?{_NUMBER}|pnr|rloc|(?:record\s?)?locat[oe]r|"
    rf"(?:booking|reservation|record|itinerary|trip|tkt|resv?|bkg)\s?(?:confirmation\s?)?"
    rf"(?:ref(?:erence)?|{_NUMBER}|loc(?:at[oe]r)?)(?:\s{_NUMBER})?|ref(?:erence)?\s?{_NUMBER})"
)
_WEAK_CUE = r"(?:(?:confirmation|booking|reservation|code)s?|confirm|conf|itinerary|trip|tkt|resv|bkg|reference|ref)"
_CUE = re.compile(rf"\b(?:(?P<strong>{_STRONG_CUE})|{_WEAK_CUE})(?!\w)", re.IGNORECASE)
_GLUE = re.compile(
    r"(?:\s|[:#=\"'()*~\-.,]|\b(?:number|no|nr|num|code|is|it's|its|it|was|are|as|ref|reference|locator|pnr|"
    r"my|the|for|under|of|with|follows|should|be|says|shows|reads|called|letters|id|record|confirmation|booking|"
    r"reservation|on|in|this|that|your|our|receipt|e-?mail|ticket|app|i|we|you|they|got|have|had|gave|given|sent|me|us|"
    r"here|here's|flights?(?:\s[a-z]{0,2}\d{1,4})?|trip)\b)*",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(r"[:#=]|\b(?:is|it's|its|was|says|shows|reads)\b", re.IGNORECASE)
_UNDER = re.compile(r"\bunder\W*$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[ \t.\-/()]{1,3}")

_GLUE_CHARACTERS_MAX = 60  # keeps the search linear on a text made of nothing but cues


def find_confirmation_numbers(text: str) -> Iterator[Code]:
    """Find every confirmation number in a normalised text; of overlapping finds only the surest is yielded."""
    taken: list[Code] = []
    for found in (*_after_cues(text), *_before_cues(text), *find_whole_message(text), *find_by_shape(text)):
        if all(found.end <= other.start or found.start >= other.end for other in taken):
            taken.append(found)
            yield found


def _after_cues(text: str) -> Iterator[Code]:
    is_shouted = text.isupper()
    for cue in _CUE.finditer(text):
        if OTHER_CUE.search(text[max(0, cue.start() - CUE_REACH_CHARACTERS) : cue.end()]):
            continue
        glue = _GLUE.match(text, cue.end(), min(len(text), cue.end() + _GLUE_CHARACTERS_MAX))
        start = glue.end() if glue is not None else cue.end()
        named = _Named(
            is_strong=cue["strong"] is not None,
            is_introduced=_INTRODUCED.search(text, cue.end() - 1, start) is not None,
            is_shouted=is_shouted,
        )
        found = _code_at(text, start, named)
        while found is not None:
            yield found
            after = _AND.match(text, found.end)
            found = _code_at(text, after.end(), named) if after is not None else None


_AND = re.compile(r"\s*(?:[,;/&+]|\band\b|\bor\b)\s*(?:and\s|or\s)?")
_BEFORE_CUE = re.compile(
    rf"(?<![\w@#])([a-z0-9]{{{CODE_LENGTH}}})\s?(?:,|-|=|is|was)\s(?:(?:my|the|our|her|his|their)\s)?{_STRONG_CUE}(?!\w)",
    re.IGNORECASE,
)


def _before_cues(text: str) -> Iterator[Code]:
    named = _Named(is_strong=True, is_introduced=False, is_shouted=text.isupper())
    for match in _BEFORE_CUE.finditer(text):
        if not match[1].isalpha() or _is_drawn(match[1], named):
            yield Code(match.start(1), match.end(1), match[1].upper())


class _Named(NamedTuple):
    """How a cue leads to what follows it."""

    is_strong: bool
    """The cue means nothing but a confirmation number."""
    is_introduced: bool
    """A colon, `is` or the like stands between."""
    is_shouted: bool
    """The message is all in capitals, where capitals say nothing."""


def _code_at(text: str, start: int, named: _Named) -> Code | None:
    """Read a code that begins at `start`, in one piece or spelled in several."""
    token = TOKEN.match(text, start)
    if token is None:
        return None
    if len(token[0]) != CODE_LENGTH:
        return _spelled_at(text, start, named)
    if token[0].isalpha() and not _is_drawn(token[0], named):
        return None
    return Code(token.start(), token.end(), token[0].upper())


def _is_drawn(letters: str, named: _Named) -> bool:
    """Check whether six letters after a cue are a code and not a word that happens to follow ("my booking system")."""
    stands_out = letters.isupper() and not named.is_shouted
    if looks_like_a_word(letters):
        return stands_out and named.is_strong and named.is_introduced
    return stands_out or named.is_strong or named.is_introduced or is_strange(letters)


def _spelled_at(text: str, start: int, named: _Named) -> Code | None:
    """Read `3 r 8 w 4 m` or `tpw 583`: short parts that make six characters."""
    parts: list[str] = []
    position = end = start
    while token := TOKEN.match(text, position):
        parts.append(token[0])
        end = token.end()
        if sum(map(len, parts)) >= CODE_LENGTH:
            break
        gap = _SEPARATORS.match(text, end)
        if gap is None:
            break
        position = gap.end()
    code = "".join(parts)
    if len(code) != CODE_LENGTH or len(parts) == 1:
        return None
    words = [part for part in parts if len(part) > 1]
    if (
        code.isalpha()
        and not words
        and looks_like_a_word(code)
        and _UNDER.search(text[max(0, start - CUE_REACH_CHARACTERS) : start])
    ):
        return None  # "booking under O-K-A-F-O-R"
    has_words = any(map(is_no_name, words))
    if code.isalpha() and words and (has_words or not (named.is_strong and named.is_introduced and is_strange(code))):
        return None  # "confirmation number and the surname"
    if any(map(is_long_word, words)) or (not named.is_strong and (code.isdigit() or has_words)):
        return None
    return Code(start, end, code.upper())
