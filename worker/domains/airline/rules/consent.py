"""Decide whether a customer's message agrees to exactly what was offered, and whether a reply offered it.

A yes is a closed grammar, `consent.patterns`: nothing that is not listed there agrees to anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from runtime.patterns import load_patterns
from worker.domains.airline.rules.own_words import is_everyday_word, own_words
from worker.domains.airline.rules.terms import kind_of, mark_terms, terms_of

_MARKS_MAX = 80
"""Words and marks of a message that may be a yes; whoever writes more says more than that."""
_PHRASE_WORDS_MAX = 16
_RUN_WORDS_MIN = 2
_CACHED_KINDS_MAX = 16

_MARK = re.compile(r"<\w+>|:-?\(|\.{2,}|…|\+1\b|[^\W_]+(?:['.-][^\W_]+)*|\n|\S")
_BETWEEN = frozenset(',.!;:-–—()"*_~=\n')
_STRENGTHS = {"plain": 2, "clause": 2, "mild": 1, "neutral": 0, "beside": 0, "clause_beside": 0}
"""How strongly the phrases of a section agree; those of a clause count where marks or the ends stand around them."""
_PLAIN = _STRENGTHS["plain"]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a yes must agree to: the kind of offer, its words, its terms that are new, the customer's names.

    `kind` names sections of the grammar; one that has none there is agreed to in general words alone.
    """

    kind: str
    summary: str
    new_terms: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


A_PERSON = Offered("handover", "Pass this on to a colleague")
"""What a customer agrees to who says yes to "Shall I pass this on to a colleague?"."""


def is_a_yes(messages: Sequence[str], offered: Offered, placeholders: Collection[str] = ()) -> bool:
    """Check whether messages, which are answered together, agree to what was offered.

    They do when all that `own_words` leaves of them is of the grammar, and some of it agrees. What is not of the
    grammar, be it a condition, a doubt, a question, another wish or a seat, flight, day or sum that the offer does not
    have, makes them no yes: that costs the customer one more question, and taking it for a yes might cost a booking.
    Naming nothing but what the offer brings ("12A please") is a yes.
    """
    said = "\n".join(own_words(message, placeholders, _names_in(offered)) for message in messages)
    marks = _MARK.findall(_mark(said, offered, _words_of(offered.names)))
    if len(marks) > _MARKS_MAX or _names_a_part(said, offered):
        return False
    grammar = _grammar_of(offered.kind)
    words = " ".join(mark for mark in marks if mark not in _BETWEEN)
    return grammar["whole"].fullmatch(words) is not None or _agree(marks, grammar, _offers_own(offered))


def tells_offer(reply: str, offered: Offered, price_usd: int) -> bool:
    """Check whether a reply makes an offer: in its own words, or with all that it brings and costs, and nothing beside.

    The reply must ask for an answer, other than whether there is anything else, and name no seat and no flight that the
    offer does not have.
    """
    if "?" not in _ASKS_FOR_MORE.sub("", reply):
        return False
    said = " ".join(reply.lower().split())
    if " ".join(offered.summary.lower().split()) in said:
        return True
    told, own = terms_of(reply), terms_of(offered.summary) | offered.new_terms
    if any(term not in own for term in told if kind_of(term) in {"seat", "flight"}):
        return False
    needed = {
        term for term in offered.new_terms if (kind_of(term) != "time" and " " in term) or kind_of(term) in _NAMED
    }
    if price_usd:
        needed.add(f"${abs(price_usd)}")
    elif not offered.new_terms:
        needed |= {term for term in own if kind_of(term) == "flight"}
    names = {term for term in needed if kind_of(term) == "name"}
    says_what = bool(offered.new_terms) or _grammar_of(offered.kind)["verb"].search(said) is not None
    return says_what and needed - names <= told and all(name.partition(" ")[2] in said for name in names)


_ASKS_FOR_MORE = re.compile(r"[^.!?\n]*\b(?:anything|something|what|how) else\b[^.!?\n]*\?", re.IGNORECASE)
_NAMED = frozenset({"cabin", "pay"})


def _mark(said: str, offered: Offered, names: Collection[str]) -> str:
    """Put marks in the place of what a message repeats of the offer, of names, and of good wishes."""
    marked = _grammar_of(offered.kind)["wish"].sub(" <wish> ", said)
    marked = mark_terms(marked, terms_of(offered.summary) | offered.new_terms, offered.new_terms)
    for name in sorted(names, key=len, reverse=True):
        marked = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " <name> ", marked)
    return marked


def _names_a_part(said: str, offered: Offered) -> bool:
    """Check whether only some of the flights or days are named that an offer is about as a whole: "cancel LF119"."""
    own, named = terms_of(offered.summary), terms_of(said)
    for kind in ("flight ", "day "):
        whole = {term for term in own if term.startswith(kind)}
        brings_one = any(term.startswith(kind) for term in offered.new_terms)
        if not brings_one and named & whole and not whole <= named:
            return True
    return False


@lru_cache(maxsize=16)  # asked at each step of a turn
def _offers_own(offered: Offered) -> frozenset[str]:
    """Return every run of two words or more of the offer's summary: who repeats it word for word says nothing new.

    A run has all the names or none, and an old term only beside a new one: a part of an offer is another offer.
    """
    customers, names = _words_of(offered.names), _names_in(offered)
    marks = _MARK.findall(_mark(offered.summary.lower(), offered, ()))
    words = [mark for mark in marks if mark not in _BETWEEN]
    named = sum(word in names for word in words)
    runs = set()
    for start in range(len(words)):
        for end in range(start + _RUN_WORDS_MIN, min(start + _PHRASE_WORDS_MAX, len(words)) + 1):
            run = words[start:end]
            if sum(word in names for word in run) in {0, named} and ("<old>" not in run or "<new>" in run):
                runs.add(" ".join("<name>" if word in customers else word for word in run))
    return frozenset(runs)


def _names_in(offered: Offered) -> frozenset[str]:
    """Give the words of the customer's names and of those in the summary: with a capital, and not at its beginning."""
    return _words_of([*offered.names, *re.findall(r"(?<=[\w,] )[A-Z][a-z][\w'-]*", offered.summary)])


def _words_of(names: Collection[str]) -> frozenset[str]:
    """Return the words of names, in lower case, but those that a sentence needs: somebody may be called Will, or No."""
    words = {word for name in names for word in name.lower().split()}
    return frozenset(word for word in words if not is_everyday_word(word))


def _agree(marks: Sequence[str], grammar: dict[str, re.Pattern[str]], own: Collection[str]) -> bool:
    """Check whether marks can be read as phrases of the grammar from the first to the last, one of which agrees.

    Walks over the places that a reading can come to, each with the strongest agreement found on the way and whether
    something was said that needs a plain one. Every phrase has a limit, so the work grows with the message alone.
    """
    reached: list[set[tuple[int, int]]] = [set() for _ in range(len(marks) + 1)]
    reached[0].add((0, 0))
    for place, mark in enumerate(marks):
        if not reached[place]:
            continue
        if mark in _BETWEEN:
            reached[place + 1] |= reached[place]
            continue
        for end in range(place + 1, min(place + _PHRASE_WORDS_MAX, len(marks)) + 1):
            if marks[end - 1] in _BETWEEN:
                break
            is_clause = (place == 0 or marks[place - 1] in _BETWEEN) and (end == len(marks) or marks[end] in _BETWEEN)
            for strength, needed in _read(" ".join(marks[place:end]), grammar, own, is_clause=is_clause):
                reached[end] |= {(max(strong, strength), max(need, needed)) for strong, need in reached[place]}
    return any(strong >= max(need, _STRENGTHS["mild"]) for strong, need in reached[-1])


def _read(
    phrase: str, grammar: dict[str, re.Pattern[str]], own: Collection[str], *, is_clause: bool
) -> set[tuple[int, int]]:
    """Return what a phrase is of the grammar: its strength as an agreement, and the strength it needs beside it."""
    bare = phrase.removeprefix("and ").removeprefix("& ").removeprefix("so ").removeprefix("then ")
    found = {
        (strength, _PLAIN if section.endswith("beside") else 0)
        for section, strength in _STRENGTHS.items()
        if (is_clause or not section.startswith("clause")) and grammar[section].fullmatch(bare)
    }
    return found | ({(0, 0)} if phrase in own else set())


@lru_cache(maxsize=_CACHED_KINDS_MAX)
def _grammar_of(kind: str) -> dict[str, re.Pattern[str]]:
    """Return the grammar for a kind of offer, its own verbs, things and deeds put in."""
    written = load_patterns("worker.domains.airline.rules", "consent.patterns")
    own = {part: written.get(f"{kind}_{part}", "(?!)") for part in ("verb", "thing", "deed", "do")}

    def complete(pattern: str) -> re.Pattern[str]:
        for part in ("do", "verb", "thing", "deed"):
            pattern = pattern.replace(f"<{part}>", own[part])
        return re.compile(pattern)

    grammar = {section: complete(written[section]) for section in ("whole", "wish", *_STRENGTHS)}
    return {**grammar, "verb": re.compile(rf"\b{own['verb']}\w*")}
