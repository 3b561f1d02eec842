"""Decide whether a customer's message agrees to exactly what was offered."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\.?"
)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PASSING_DAYS = frozenset({*_WEEKDAYS, "today", "tomorrow"})
_COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}

_AMOUNT = re.compile(r"\$\s?([0-9]+)|\b([0-9]+) (?:dollars|usd|bucks)\b")
_SEAT = re.compile(r"\b0?([1-9]|[12][0-9]|30)\s?-?([a-f])\b")
_FLIGHT = re.compile(
    r"\b(?!(?:am|an|as|at|be|by|do|go|if|in|is|it|me|my|no|of|ok|on|or|pm|so|to|up|us|we)[ -])"
    r"([a-z]{2})[ -]?([0-9]{2,4})\b"
)
_BAGS = re.compile(r"\b(a|one|two|three|four|five|six|[0-9]+) (?:(?:more|extra|additional|checked|free) )*bags?\b")
_ISO_DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_MONTH_DAY = re.compile(rf"\b{_MONTH} ([0-9]{{1,2}})(?:st|nd|rd|th)?\b")
_DAY_MONTH = re.compile(rf"\b([0-9]{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH}(?=\W|$)")
_DAY_OF_MONTH = re.compile(r"\bthe ([0-9]{1,2})(?:st|nd|rd|th)\b")
_WORDS_OF_AN_OFFER = re.compile(
    rf"\b(basic economy|economy|business|gift card|certificate|voucher|{'|'.join(sorted(_PASSING_DAYS))}|"
    r"option [0-9a-d]|window|aisle|middle|card|mastercard|visa|amex)\b"
)
_SAME_WORD = {"voucher": "certificate", "mastercard": "card", "visa": "card", "amex": "card"}

_PLACEHOLDER = re.compile(r"\[[A-Z_0-9]+\]")
_QUOTED_FROM_HERE = re.compile(r"^\s*(On .{5,200} wrote:|-{2,} ?Original Message ?-{2,})\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Offered:
    """Hold what a yes must agree to: the offer's words, those of them that are new, and verbs that say yes to it."""

    summary: str
    new_terms: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()


def terms_of(text: str) -> frozenset[str]:
    """Find what a text says of an offer: seats, flights, days, amounts, bags, cabins and ways to pay, written alike."""
    said = text.lower()
    terms = {f"${first or second}" for first, second in _AMOUNT.findall(said)}
    said = _AMOUNT.sub(" ", said)
    for written in _ISO_DATE.findall(said):
        with suppress(ValueError):
            day = date.fromisoformat(written)
            terms |= {f"day {day.month}-{day.day}", _WEEKDAYS[day.weekday()]}
    terms |= {f"day {_MONTHS.index(month) + 1}-{int(day)}" for month, day in _MONTH_DAY.findall(said)}
    terms |= {f"day {_MONTHS.index(month) + 1}-{int(day)}" for day, month in _DAY_MONTH.findall(said)}
    terms |= {f"the {day}th" for day in _DAY_OF_MONTH.findall(said)}
    terms |= {_SAME_WORD.get(word, word) for word in _WORDS_OF_AN_OFFER.findall(said)}
    terms |= {f"{_COUNTS.get(count, count)} bags" for count in _BAGS.findall(said)}
    terms |= {f"seat {row}{letter}" for row, letter in _SEAT.findall(said)}
    terms |= {f"flight {carrier}{int(number)}" for carrier, number in _FLIGHT.findall(said)}
    return frozenset(terms)


def is_a_yes(text: str, offered: Offered) -> bool:
    """Say whether a customer's message agrees to what was offered.

    Errs on the side of asking again: a message that also declines, doubts, asks for something else or names another
    seat, flight, day, amount … than the offer does is no yes, and neither is a question, unless it opens with one
    ("yes, could you?"). Repeating nothing but what is newly offered ("12A please") is a yes.
    """
    said = own_words(text)
    named = terms_of(said)
    if not _agrees_with_offer(named, offered):
        return False
    if set(_words(said)) & (_DECLINES - offered.verbs) or _DECLINING.search(said):
        return False
    agreeing_verbs = _verbs_pattern(offered.verbs)
    for sentence in re.findall(r"[^.!?\n]+[.!?\n]?", said):
        words = _words(sentence)
        if sentence.endswith("?") and not (words and words[0] in _OPENS_WITH_YES):
            continue
        if set(words) & _AGREES or _AGREEING.search(sentence) or agreeing_verbs.search(sentence.strip()):
            return True
    return bool(named & offered.new_terms) and len(_words(said)) <= _BARE_TERM_WORDS_MAX


def _agrees_with_offer(named: frozenset[str], offered: Offered) -> bool:
    allowed = terms_of(offered.summary) | offered.new_terms
    days = {term.rpartition("-")[2] for term in allowed if term.startswith("day ")}
    if not any(term.startswith("day ") for term in offered.new_terms):
        named -= _PASSING_DAYS  # no other day could be meant: "yes, and thank you for your help today"
    if any(term not in allowed and not (term.startswith("the ") and term[4:-2] in days) for term in named):
        return False
    for kind in ("seat", "flight", "day"):  # naming only what it is now, such as the present seat, is no agreement
        named_of_kind = {term for term in named if term.startswith(f"{kind} ")}
        new_of_kind = {term for term in offered.new_terms if term.startswith(f"{kind} ")}
        if named_of_kind and new_of_kind and not named_of_kind & new_of_kind:
            return False
    return True


def own_words(text: str) -> str:
    """Give what the customer wrote now, in lower case: without placeholders and the quoted messages of an e-mail.

    What is left of several messages can be put together: no quotation in one of them hides the next.
    """
    quoted = _QUOTED_FROM_HERE.search(text)
    own = text[: quoted.start()] if quoted and quoted.start() else text
    own = re.sub(r"^\s*>.*$", "", own, flags=re.MULTILINE)
    plain = _PLACEHOLDER.sub(" ", own).lower().replace("\u2019", "'")
    return re.sub(r"\bno (problem|worries|rush)\b", " ", plain)


def _verbs_pattern(verbs: frozenset[str]) -> re.Pattern[str]:
    if not verbs:
        return _NOTHING
    return re.compile(
        rf"^(\W|please|ok|and|then|just|do)*({'|'.join(sorted(verbs))}) (it|them|both|everything|all|me|us|"
        r"(the|my|our|this) [a-z]+)(\W+(all|now|please|thanks|thank you))*\W*$"
    )


_NOTHING = re.compile(r"(?!)")
_BARE_TERM_WORDS_MAX = 2  # "12A", "12A please"
_OPENS_WITH_YES = frozenset({"yes", "y", "yep", "yeah", "yup", "sure", "absolutely", "definitely"})
_AGREES = _OPENS_WITH_YES | frozenset({
    "yea", "yess", "ya", "ok", "okay", "okey", "k", "alright", "fine", "perfect", "great", "confirm", "confirmed",
    "correct", "agreed", "agree", "certainly", "proceed", "accept", "accepted", "👍", "👌", "✅",
})  # fmt: skip
_AGREEING = re.compile(
    r"\b(go for it|(do|book|take|confirm) (it|that|so)|please do|(sounds|looks) good|works for me|of course|why not|"
    r"(make|please) (the |that )?change( it)?|that's (right|good))\s*([.!,]|$)|\bgo ahead\b|^\W*please\W*$"
)
_DECLINES = frozenset({
    "no", "nope", "nah", "not", "don't", "dont", "doesn't", "didn't", "can't", "cannot", "won't", "wait", "hold",
    "stop", "cancel", "instead", "rather", "different", "other", "another", "nevermind", "never", "actually", "unless",
    "unsure", "maybe", "but",
})  # fmt: skip
_DECLINING = re.compile(r"\b(too (much|expensive)|think about|let me|hang on|(stop|forget|leave) (it|that|this))\b")


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+|👍|👌|✅", text)
