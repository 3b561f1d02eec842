"""Hold what a reply states to what the conversation knows: values, prices of nothing, policy, statuses, call-backs.

One engine for every kind of claim. A kind is a row of a table: what reads it in a text. A value is founded when the
same reader finds it in a tool's answer, the open offer, a ticket or the customer's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Final

from runtime.patterns import load_patterns
from worker.guardrails.grounds import Grounds
from worker.guardrails.names import strange_names
from worker.guardrails.sentences import SOURCE, sentences_of, to_plain
from worker.guardrails.values import (
    ReadValues,
    follows_from,
    numbers_in,
    read_addresses,
    read_all_numbers,
    read_bare_numbers,
    read_dates,
    read_days,
    read_figures,
    read_links,
    read_money,
    read_times,
)

_READERS: Final[Mapping[str, ReadValues]] = MappingProxyType(
    {
        "sum": read_money,
        "figure": read_figures,
        "date": read_dates,
        "day": read_days,
        "time": read_times,
        "link": read_links,
        "address": read_addresses,
    }
)
_EXAMPLE: Final = re.compile(r"\b(?:such as|for example,?|e\.g\.|for instance,?) (?:seat )?\w+")
"""What shows the form of a number ("such as 12A") and states none."""

_TOGETHER: Final = re.compile(r"\b(?:each|per|apiece|both|together|in all|in total|altogether|total|the two of you)\b")
_TIMES_MAX: Final = 9
_NOON: Final = 12


def find_unfounded_values(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the values that a reply states and nothing in the conversation holds, as the reply's reader spells them."""
    is_cited = SOURCE.search(text) is not None
    text = _EXAMPLE.sub(" ", text)
    for kind, read in (*_READERS.items(), *grounds.claims.values.items()):
        stated = read(text)
        if not stated:
            continue
        unknown = stated - _known(read, grounds)
        if unknown:
            yield from sorted(one for one in unknown if not _follows(kind, one, text, grounds, is_cited=is_cited))
    stated = read_bare_numbers(text)
    if stated:
        figures = _known(read_figures, grounds)
        unknown = stated - _known(read_all_numbers, grounds)
        yield from sorted(one for one in unknown if not _is_difference(f"{one} lb", figures))
    known_texts = (*grounds.texts, grounds.instructions, grounds.brand)
    yield from sorted(strange_names(text, known_texts, grounds.claims.names_nobody))


def _known(read: ReadValues, grounds: Grounds) -> frozenset[str]:
    return frozenset(chain.from_iterable(read_once(read, text) for text in grounds.texts))


@lru_cache(maxsize=4096)  # a conversation's texts come again with each of its turns
def read_once(read: ReadValues, text: str) -> frozenset[str]:
    """Read the values of a kind, and remember them."""
    return read(text)


def _follows(kind: str, value: str, text: str, grounds: Grounds, *, is_cited: bool) -> bool:
    """Check whether an unknown value follows from known ones: a sum of sums, the same hour on a clock of twelve."""
    if kind == "time":
        hour, _, minute = value.partition(":")
        return f"{(int(hour) + _NOON) % 24:02}:{minute}" in _known(read_times, grounds) and int(hour) <= _NOON
    if kind == "sum" and not is_cited:
        return _is_sum(value, _known(read_money, grounds), text)
    if kind == "figure":
        return _is_difference(value, _known(read_figures, grounds))
    return False


def _is_sum(value: str, known: frozenset[str], text: str) -> bool:
    """Check for a sum or difference of two known sums, or a multiple of one where a sentence says of how many."""
    if not value.startswith("$"):
        return False
    if follows_from(value, known):
        return True
    wanted = float(value[1:])
    sums = {float(one[1:]) for one in known if one.startswith("$")} - {0.0}
    sentence = next((one for one in sentences_of(text) if value in read_money(one)), "")
    counts = {int(one) for one in numbers_in(sentence) if 1 < one <= _TIMES_MAX}
    if _TOGETHER.search(sentence.lower()):
        counts |= {2}
    return any(wanted in {one * count, one / count} for one in sums for count in counts)


def _is_difference(value: str, known: frozenset[str]) -> bool:
    """Check for how far one known figure is from another: ten pounds over the limit."""
    number, _, unit = value.partition(" ")
    figures = {float(one.partition(" ")[0]) for one in known if one.endswith(f" {unit}")}
    return unit == "lb" and any(abs(one - other) == float(number) for one in figures for other in figures)


# What a sentence claims without a value

QUOTED: Final = re.compile("\u201c[^\u201d]*\u201d")
"""What is quoted claims nothing."""


def find_unfounded_sentences(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the sentences that claim what nothing in the conversation holds."""
    text = QUOTED.sub(" ", text)
    for sentence in sentences_of(text):
        plain = to_plain(sentence)
        if any(is_broken(plain, grounds) for is_broken in _CLAIMS):
            yield sentence.strip()


def _is_free_of_charge(plain: str, grounds: Grounds) -> bool:
    """Check for a price of nothing that nobody has named, or that the open offer contradicts."""
    if not find_wording("free").search(plain) or grounds.tells(plain):
        return False
    if grounds.offered is not None and grounds.offered.usd and find_wording("free_told").search(plain) is None:
        return True
    told = [find_wording(section) for section in ("free_told", "free")]
    return not any(wording.search(to_plain(text)) for text in grounds.evidence for wording in told)


def _has_cause(plain: str, grounds: Grounds) -> bool:
    found = find_wording("because").search(plain)
    return found is not None and not any(found[0].rsplit(" ", 1)[-1] in to_plain(text) for text in grounds.texts)


def _calls_back(plain: str, grounds: Grounds) -> bool:
    """Check for a promised call: a ticket is answered in writing, unless a tool has said otherwise."""
    return find_wording("calls_back").search(plain) is not None and not plain.endswith("?") and not grounds.tells(plain)


def _reports_status(plain: str, grounds: Grounds) -> bool:
    """Check for the state of something that no tool and no customer has reported."""
    claims = grounds.claims
    if plain.endswith("?") or compiled(claims.patterns["conditional"]).search(plain) or grounds.tells(plain):
        return False
    for kind, evidence in claims.statuses.items():
        if compiled(claims.patterns[kind]).search(plain) and not _is_reported(plain, evidence, grounds):
            return True
    return False


def _is_reported(plain: str, evidence: str, grounds: Grounds) -> bool:
    """Check for a status in what tools or the customer said; where the sentence names its subject, of that one."""
    told = [part for text in grounds.told for part in re.findall(r"\{[^{}]*\}", text) or [text]]
    named = [value for read in grounds.claims.values.values() for value in read(plain.upper())]
    about = [one for one in told if any(value.rpartition(" ")[2] in one.upper() for value in named)] or told
    return any(compiled(evidence).search(one.lower()) for one in (*about, *grounds.written))


_CLAIMS: Final[tuple[Callable[[str, Grounds], bool], ...]] = (
    _is_free_of_charge,
    _has_cause,
    _calls_back,
    _reports_status,
)


# Where a search's result is cited


def find_unfounded_sources(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the cited sections that no tool has given."""
    given = to_plain(" ".join(grounds.told))
    for found in SOURCE.finditer(text):
        if any(to_plain(found[part]) not in given for part in ("article", "section")):
            yield f"{found['article']} \u203a {found['section']}"


# What may not be asked for


def asks_for_a_secret(text: str, _grounds: Grounds) -> bool:
    """Check whether a reply speaks of what nobody here needs, but to decline it: a card's number, a PIN, an account."""
    return any(
        find_wording("secret").search(plain) and not find_wording("refuses").search(plain)
        for plain in map(to_plain, sentences_of(text))
    )


def tells_of_a_card(text: str, placeholders: tuple[str, ...]) -> bool:
    """Check whether a reply says of a removed number anything but that it is gone."""
    return any(
        any(one in sentence for one in placeholders) and not find_wording("card_gone").search(to_plain(sentence))
        for sentence in sentences_of(text)
    )


@cache
def find_wording(section: str) -> re.Pattern[str]:
    """Return the wordings of a section of `claims.patterns`, which begin at a word."""
    return re.compile(rf"(?:(?<!\w)|(?=')){load_patterns('worker.guardrails', 'claims.patterns')[section]}")


@lru_cache(maxsize=128)  # a domain has some thirty kinds of claims
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a domain's wordings of one kind of claim."""
    return re.compile(pattern)
