"""Hold what a reply states to what was told: policy to the passages of its turn, anything else to any answer of a tool.

A reply for which no tool has told anything may greet, thank, ask, say what the assistant does and offer a person; what
it states of the business beyond that is invented, whatever its words are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Final

from runtime.patterns import load_patterns
from worker.guardrails.claims import QUOTED, compiled, find_wording, read_once
from worker.guardrails.grounds import Grounds
from worker.guardrails.sentences import sentences_of, to_plain
from worker.guardrails.values import read_dates, read_days, read_figures, read_money, read_times

_SUPPORTED_SHARE: Final = 0.34
"""Share of a statement's own words that must stand in the passages: paraphrases keep a third, inventions less."""

_SUPPORTED_WITH_FIGURES: Final = 0.15
"""The same for a statement with figures, which are looked for by themselves."""

_STEM: Final = 5

_WORDS_MIN: Final = 3
"""Words of its own from which a statement is held to the passages; fewer are a turn of phrase."""

_NEWS_WORDS_MIN: Final = 3
"""Words of its own from which a statement is of something else than what tools told, if none of them is theirs."""

_FOUND_NOTHING: Final = '"found": false'
_HANDED_OVER: Final = '{"assistant": '
"""Begins the answer to a handoff, which tells nothing."""

_DECLINED: Final = re.compile(r"\b(?:not|cannot|unable|no)\b|n't\b|\b(?:none|nothing|neither|never)\b")
_SUPPOSED: Final = re.compile(r"\b(?:perhaps|maybe|possibly|might|probably)\b")
_CLAUSE: Final = re.compile(r"[,;]? (?:but|however|and(?= (?:i|we|you|it)\b)) |; ")
_ASKED_FIRST: Final = re.compile(r"(?:please |just )*(?:tell|let|send|give|share|say|reply|answer)\b")
"""Begins what asks the customer for something, and says what follows from the answer."""

_MARKS: Final = " ,.;:!-"
_ECHO_WORDS_MAX: Final = 4
_FRAGMENT_WORDS_MAX: Final = 2
_CLAIMS_MUCH: Final = re.compile(r"'|ed$|[ai]ble$|^(?:free|included|nothing|done|never|always|yours|go)$|\d")
"""Words that state something even alone: "allowed", "available", "free"."""

_ARTICLES: Final = frozenset({"a", "an", "the", "your", "gladly"})
_VERBS: Final = frozenset({"can", "may", "will", "is", "are", "was", "has", "have", "be"})

_WORDS_BEYOND_MAX: Final = 1
"""Words of its own that a statement may add to the known facts, where no tool has told anything."""

_PASSAGE_NAMED: Final = re.compile(r'"published": \{[^}]*\}')
"""Part of the known facts that names a passage which would answer, and tells nothing of what stands in it."""

_PASSAGES: Final = re.compile(r'"(?:results|found)": ')


def find_unfounded_statements(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the statements of a reply that nothing told stands behind; what is quoted states nothing."""
    told = _Told(grounds)
    if not told.is_anything and _only_agrees(text, grounds):
        yield text.strip()
    for sentence in sentences_of(QUOTED.sub(" ", text)):
        plain = to_plain(sentence)
        if plain.endswith("?") or grounds.tells(plain):
            continue
        if _tells_all(plain, grounds) or (
            _states_policy(plain, grounds)
            if told.is_policy and told.is_anything
            else _states_news(sentence, plain, grounds, told)
        ):
            yield sentence.strip()


class _Told:
    """What tools have told, apart from handoffs: whether it is policy alone, and whether it is anything."""

    def __init__(self, grounds: Grounds) -> None:
        now = [one for one in grounds.told_now if not one.startswith(_HANDED_OVER)]
        by_search = bool(now) and all(_PASSAGES.search(one) for one in now)
        self.is_policy = grounds.agent in grounds.claims.policy_agents or (by_search and grounds.offered is None)
        self.is_anything = bool(
            grounds.offered
            or grounds.tickets
            or grounds.changes
            or any(not one.startswith(_HANDED_OVER) for one in grounds.told)
        )


def _tells_all(plain: str, grounds: Grounds) -> bool:
    """Check for policy that is told of everybody or everything, where no tool has told it so."""
    if not compiled(grounds.claims.patterns["policy"]).search(plain):
        return False
    everything = find_wording("everything")
    return bool(everything.search(plain)) and not any(everything.search(to_plain(text)) for text in grounds.told)


def _states_policy(plain: str, grounds: Grounds) -> bool:
    """Check for a statement of policy without a passage behind it: none found in this turn, or of other things.

    What is told from passages is policy, unless it is a courtesy or says how the assistant helps.
    """
    is_none = compiled(grounds.claims.patterns["no_policy"]).search(plain) or not _without_courtesies(plain)
    return not is_none and not _is_supported(plain, grounds)


def _is_supported(plain: str, grounds: Grounds) -> bool:
    """Check whether enough of a statement's words stand in the passages; those of the customer's count for neither."""
    passages = [text for text in grounds.told_now if _FOUND_NOTHING not in text]
    given = _stems([*passages, *grounds.evidence[-1:]])
    words = {word[:_STEM] for word in _words_of(plain) - _section_words("filler")}
    if passages or grounds.offered is not None:
        words -= _stems(grounds.written) - given
    least = _SUPPORTED_WITH_FIGURES if any(read(plain) for read in (read_money, read_figures)) else _SUPPORTED_SHARE
    if len(words) < _WORDS_MIN:
        return bool(passages) or grounds.offered is not None or not words
    return len(words & given) / len(words) >= least


def _states_news(sentence: str, plain: str, grounds: Grounds, told: _Told) -> bool:
    """Check for a statement of what no tool has told: of anything where none has told anything, else of other things.

    That the customer can have something takes an open offer, or a tool that has named the very thing. What an offer, a
    change or a ticket stands behind is told in words of its own, and judged by them.
    """
    is_ability = _promises_ability(plain, grounds)
    if told.is_anything and not is_ability:
        is_judged_by_its_own = grounds.offered is not None or grounds.tickets or grounds.changes
        if is_judged_by_its_own or _is_left_open(plain) or not _is_of_other_things(plain, grounds):
            return False
    if (is_ability and grounds.offered is not None) or says_nothing(plain, grounds) or _tells_status(plain, grounds):
        return False
    values = _values_in([sentence], grounds)
    if values and (values <= _values_in(grounds.told, grounds) or _is_known(plain, values, grounds, told)):
        return False
    return is_ability or not (_shows_own_data(plain, grounds) or (values and told.is_anything))


def _is_known(plain: str, values: frozenset[str], grounds: Grounds, told: _Told) -> bool:
    """Check whether the known facts hold all values of a statement.

    Where no tool has told anything they hold what the customer wrote, and which day it is. That is repeated in words of
    theirs, and one more: a figure of theirs, put into an answer to something else, is invented.
    """
    if not values <= _values_in([*grounds.told, grounds.known], grounds):
        return False
    own = {word[:_STEM] for word in _words_of(plain) - _section_words("filler")}
    beyond = own - _stems([_PASSAGE_NAMED.sub(" ", grounds.known)])
    return told.is_anything or (bool(own) and len(beyond) <= _WORDS_BEYOND_MAX)


def _is_of_other_things(plain: str, grounds: Grounds) -> bool:
    """Check for a statement none of whose own words stands in what was told."""
    given = _stems([*grounds.told, grounds.known])
    own = _words_of(plain) - _section_words("filler") - _section_words("compares")
    words = {word[:_STEM] for word in own} - (_stems(grounds.written) - given)
    return len(words) >= _NEWS_WORDS_MIN and words.isdisjoint(given)


def _shows_own_data(plain: str, grounds: Grounds) -> bool:
    """Check for private data that the customer gave: whose else it may be is judged where private data is."""
    return any(one.lower() in plain for entry in grounds.vault.items() for one in entry)


def _tells_status(plain: str, grounds: Grounds) -> bool:
    """Check for a status, or a flight that is cancelled: they are held to their own evidence."""
    patterns = grounds.claims.patterns
    kinds = (*grounds.claims.statuses, "flight_cancelled")
    return any(kind in patterns and compiled(patterns[kind]).search(plain) for kind in kinds)


def _is_left_open(plain: str) -> bool:
    """Check for what is denied, or only supposed."""
    return any(pattern.search(plain) for pattern in (_DECLINED, _SUPPOSED))


def _promises_ability(plain: str, grounds: Grounds) -> bool:
    return compiled(grounds.claims.patterns["ability"]).search(plain) is not None and not _DECLINED.search(plain)


def _values_in(texts: Sequence[str], grounds: Grounds) -> frozenset[str]:
    readers = (read_money, read_figures, read_times, read_dates, read_days, *grounds.claims.values.values())
    return frozenset(one for text in texts for read in readers for one in read_once(read, text))


def says_nothing(plain: str, grounds: Grounds) -> bool:
    """Check whether a sentence states nothing of the business: a courtesy, a request, what the assistant does."""
    harmless = (find_wording("says_nothing"), compiled(grounds.claims.patterns["says_nothing"]))
    rest = _without_courtesies(plain)
    parts = [rest] if _ASKED_FIRST.match(rest) else _CLAUSE.split(rest)
    clauses = filter(None, map(_without_courtesies, parts))
    return all(_is_echo(one, grounds) or any(wording.search(one) for wording in harmless) for one in clauses)


def _without_courtesies(plain: str) -> str:
    rest = plain.lstrip(_MARKS)
    while (opening := find_wording("courtesy").match(rest)) and opening.end():
        rest = rest[opening.end() :].lstrip(_MARKS)
    return rest.rstrip(_MARKS)


def _is_echo(rest: str, grounds: Grounds) -> bool:
    """Check for a few words without a verb: one or two, or those of the customer, as their name, or what they want."""
    words = re.findall(r"[\w\[\]'-]+", rest)
    if len(words) <= _FRAGMENT_WORDS_MAX and not any(_CLAIMS_MUCH.search(word) for word in words):
        return _VERBS.isdisjoint(words)
    written = set(re.findall(r"[\w\[\]'-]+", to_plain(" ".join(grounds.written))))
    return len(words) <= _ECHO_WORDS_MAX and written.issuperset(set(words) - _ARTICLES) and _VERBS.isdisjoint(words)


def _only_agrees(text: str, grounds: Grounds) -> bool:
    """Check for a reply that answers a question with a yes or a no, and with nothing besides."""
    plain = to_plain(text)
    asked = bool(grounds.written) and "?" in grounds.written[-1]
    return asked and not _without_courtesies(plain) and find_wording("agrees").match(plain) is not None


def _stems(texts: Sequence[str]) -> frozenset[str]:
    return frozenset().union(*map(_stems_of, texts))


@lru_cache(maxsize=512)  # tools' answers are read for each sentence of a reply
def _stems_of(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _words_of(text))


@cache
def _section_words(section: str) -> frozenset[str]:
    return _words_of(load_patterns("worker.guardrails", "claims.patterns")[section])


@lru_cache(maxsize=512)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]{3,}", text.lower()))
