"""Hold what a reply states to what the conversation knows: values, prices of nothing, policy, statuses, call-backs.

One engine for every kind of claim. A kind is a row of a table: what reads it in a text. A value is founded when the
same reader finds it in a tool's answer, the open offer, a ticket or the customer's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    known_texts = (*grounds.texts, grounds.instructions, grounds.brand)
    yield from sorted(strange_names(text, known_texts, grounds.claims.names_nobody))


def _known(read: ReadValues, grounds: Grounds) -> frozenset[str]:
    return frozenset(chain.from_iterable(_read_once(read, text) for text in grounds.texts))


@lru_cache(maxsize=4096)  # a conversation's texts come again with each of its turns
def _read_once(read: ReadValues, text: str) -> frozenset[str]:
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

_QUOTED: Final = re.compile("\u201c[^\u201d]*\u201d")


def find_unfounded_sentences(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the sentences that claim what nothing in the conversation holds; what is quoted claims nothing."""
    text = _QUOTED.sub(" ", text)
    for sentence in sentences_of(text):
        plain = to_plain(sentence)
        if any(is_broken(plain, grounds) for is_broken in _CLAIMS):
            yield sentence.strip()


def _is_free_of_charge(plain: str, grounds: Grounds) -> bool:
    """Check for a price of nothing that nobody has named, or that the open offer contradicts."""
    if not _find("free").search(plain) or _is_told(plain, grounds):
        return False
    if grounds.offered is not None and grounds.offered.usd and _find("free_told").search(plain) is None:
        return True
    return not any(_has(text, "free_told") or _has(text, "free") for text in _evidence(grounds))


def _has_cause(plain: str, grounds: Grounds) -> bool:
    found = _find("because").search(plain)
    return found is not None and not any(found[0].rsplit(" ", 1)[-1] in to_plain(text) for text in grounds.texts)


def _calls_back(plain: str, grounds: Grounds) -> bool:
    """Check for a promised call: a ticket is answered in writing, unless a tool has said otherwise."""
    return _find("calls_back").search(plain) is not None and not plain.endswith("?") and not _is_told(plain, grounds)


def _reports_status(plain: str, grounds: Grounds) -> bool:
    """Check for the state of something that no tool and no customer has reported."""
    claims = grounds.claims
    if plain.endswith("?") or _compiled(claims.patterns["conditional"]).search(plain) or _is_told(plain, grounds):
        return False
    for kind, evidence in claims.statuses.items():
        if _compiled(claims.patterns[kind]).search(plain) and not _is_reported(plain, evidence, grounds):
            return True
    return False


def _is_reported(plain: str, evidence: str, grounds: Grounds) -> bool:
    """Check for a status in what tools or the customer said; where the sentence names its subject, of that one."""
    told = [part for text in grounds.told for part in re.findall(r"\{[^{}]*\}", text) or [text]]
    named = [value for read in grounds.claims.values.values() for value in read(plain.upper())]
    about = [one for one in told if any(value.rpartition(" ")[2] in one.upper() for value in named)] or told
    return any(_compiled(evidence).search(one.lower()) for one in (*about, *grounds.written))


def _states_policy(plain: str, grounds: Grounds) -> bool:
    """Check for a statement of policy without a passage behind it: none found in this turn, or of other things.

    What an agent for policy states is policy, unless it says how it helps.
    """
    claims = grounds.claims
    if plain.endswith("?") or _is_told(plain, grounds):
        return False
    is_policy = _compiled(claims.patterns["policy"]).search(plain) is not None
    if is_policy and _find("everything").search(plain) and not any(_has(text, "everything") for text in grounds.told):
        return True
    if grounds.agent not in claims.policy_agents or _compiled(claims.patterns["no_policy"]).search(plain):
        return False
    return not _is_supported(plain, grounds)


_SUPPORTED_SHARE: Final = 0.34
"""Share of a statement's own words that must stand in the passages: paraphrases keep a third, inventions less."""

_SUPPORTED_WITH_FIGURES: Final = 0.15
"""The same for a statement with figures, which are looked for by themselves."""

_STEM: Final = 5


def _is_supported(plain: str, grounds: Grounds) -> bool:
    """Check whether enough of a statement's words stand in the passages; those of the customer's count for neither."""
    passages = [text for text in grounds.told_now if _FOUND_NOTHING not in text]
    given = _stems([*passages, *_evidence(grounds)[-1:]])
    words = {word[:_STEM] for word in _words_of(plain) - _filler_words()}
    if passages or grounds.offered is not None:
        words -= _stems(grounds.written) - given
    least = _SUPPORTED_WITH_FIGURES if any(read(plain) for read in (read_money, read_figures)) else _SUPPORTED_SHARE
    if len(words) < _WORDS_MIN:
        return bool(passages) or grounds.offered is not None or not words
    return len(words & given) / len(words) >= least


_WORDS_MIN: Final = 3
"""Words of its own from which a statement is held to the passages; fewer are a turn of phrase."""


_FOUND_NOTHING: Final = '"found": false'


def _stems(texts: Sequence[str]) -> frozenset[str]:
    return frozenset(word[:_STEM] for text in texts for word in _words_of(text))


@cache
def _filler_words() -> frozenset[str]:
    return _words_of(load_patterns("worker.guardrails", "claims.patterns")["filler"])


@lru_cache(maxsize=512)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]{3,}", text.lower()))


def _is_told(plain: str, grounds: Grounds) -> bool:
    bare = plain.rstrip(".! ")
    return any(bare in to_plain(text) for text in (*grounds.told, grounds.known))


def _evidence(grounds: Grounds) -> tuple[str, ...]:
    return (*grounds.told, grounds.offered.summary if grounds.offered else "")


def _has(text: str, section: str) -> bool:
    return _find(section).search(to_plain(text)) is not None


_CLAIMS: Final[tuple[Callable[[str, Grounds], bool], ...]] = (
    _is_free_of_charge,
    _has_cause,
    _calls_back,
    _reports_status,
    _states_policy,
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
        _find("secret").search(plain) and not _find("refuses").search(plain)
        for plain in map(to_plain, sentences_of(text))
    )


def tells_of_a_card(text: str, placeholders: tuple[str, ...]) -> bool:
    """Check whether a reply says of a removed number anything but that it is gone."""
    return any(
        any(one in sentence for one in placeholders) and not _find("card_gone").search(to_plain(sentence))
        for sentence in sentences_of(text)
    )


@cache
def _find(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?:(?<!\w)|(?=')){load_patterns('worker.guardrails', 'claims.patterns')[section]}")


@lru_cache(maxsize=128)  # a domain has some thirty kinds of claims
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
