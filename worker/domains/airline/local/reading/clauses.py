"""Split a message into clauses, and take out of it what tells who the customer is and what is not to be done."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from runtime.patterns import load_patterns
from worker.domains.airline.local.reading.names import find_names
from worker.domains.airline.rules.own_words import split_own_words

_CACHED_TEXTS_MAX = 2_048
_IDENTIFICATION = ("under_name", "name_told", "code_told", "user_id")


@cache
def _pattern(section: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.domains.airline.local.reading", "clauses.patterns")[section], flags)


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def own_text(text: str) -> str:
    """Return what the customer wrote now, without quotations, footers and signature."""
    return _SHORT_WORD.sub(_write_out, split_own_words(text).text)


_SHORTHAND = {
    "wat": "what", "wot": "what", "wht": "what", "whats": "what's", "wen": "when", "whn": "when", "wher": "where",
    "cxl": "cancel", "cxld": "cancelled", "cncl": "cancel", "cancle": "cancel", "chg": "change", "chgd": "changed",
    "flt": "flight", "flts": "flights", "resv": "reservation", "bkg": "booking", "checkd": "checked",
    "hav": "have", "abt": "about", "w/o": "without", "tmrw": "tomorrow", "tmw": "tomorrow",
}  # fmt: skip
"""What people type on a phone, or mistype, for words that decide; a yes is read from the words as they were typed."""
_SHORT_WORD = re.compile(rf"(?<![\w@])(?:{'|'.join(map(re.escape, _SHORTHAND))})(?!\w)", re.IGNORECASE)


def _write_out(match: re.Match[str]) -> str:
    return _SHORTHAND[match[0].lower()]


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def wish_text(text: str) -> str:
    """Return a message without what tells who writes, and without what it says is not to be done."""
    return _pattern("not_to_be_done").sub(" . ", _without_identification(text))


def _without_identification(text: str) -> str:
    said = own_text(text)
    for section in _IDENTIFICATION:
        said = _pattern(section, re.RegexFlag(0)).sub(" . ", said)
    if _pattern("code").search(text):
        for name in find_names(text):
            said = re.sub(rf"(?<!\w){re.escape(name.text)}(?!\w)", " ", said) if name.is_told else said
    return said


def is_refusal_of_a_deed(text: str) -> bool:
    """Check whether a message tells of something that must not be done: "don't cancel"."""
    return _pattern("not_to_be_done").search(own_text(text)) is not None


def asks_to_travel(clause: str) -> bool:
    """Check whether a clause in lower case asks to travel, as words beside a day do: "could I come on the 5th"."""
    return _pattern("asks_to_travel").search(clause) is not None


@lru_cache(maxsize=_CACHED_TEXTS_MAX)
def clauses_in(text: str) -> tuple[str, ...]:
    """Return the clauses of a message in their order, each with a word in it; enumeration marks are dropped."""
    said = _pattern("enumeration", re.MULTILINE).sub("", wish_text(text))
    parts = (
        _pattern("enumeration", re.MULTILINE).sub("", part).strip(" ,.:-\t") for part in _pattern("end").split(said)
    )
    return tuple(part for part in parts if re.search(r"\w", part))
