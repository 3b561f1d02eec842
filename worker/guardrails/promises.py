"""Judge what a reply promises or reports: a deed, a ticket, policy or an open offer must stand behind it.

A sentence that a tool gave word for word is the airline's own. What the open offer brings may be told in any words, as
long as it is left to the customer's answer, names no other sums, and is not told as done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from runtime.patterns import load_patterns
from worker.conversation.vocabulary import Claims
from worker.guardrails.grounds import Grounds

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SUM = re.compile(
    r"\$\s?(\d[\d,]*)(?:\.(\d\d))?|\busd\s?(\d[\d,]*)(?:\.(\d\d))?|"
    r"\b(\d[\d,]*)(?:\.(\d\d))? (?:us )?(?:dollars|usd|bucks)\b"
)
_TICKET = re.compile(r"\bT-[2-9A-Z]{10}\b")
_QUOTED = '"quote_id"'
"""Stands in a tool's answer that makes an offer: no policy, and true of nothing before it is taken up."""
_OF_MYSELF = re.compile(r"\b(?:i|i'll|i've|i'm|my)\b")
_CANCELLED_BY_AIRLINE = re.compile(r"\bcancell?ed\b", re.IGNORECASE)


def promises_too_much(text: str, grounds: Grounds) -> bool:
    """Check whether a reply holds a claim that nothing in this conversation stands behind."""
    told = to_plain(" ".join(grounds.told))
    if any(ticket not in grounds.tickets and ticket.lower() not in told for ticket in _TICKET.findall(text)):
        return True
    is_asking = "?" in text or _find("asks").search(to_plain(text)) is not None
    return any(
        not (
            _is_done(kind, grounds, told)
            or _is_policy(kind, to_plain(sentence), grounds)
            or (is_asking and _is_offered(kind, to_plain(sentence), grounds))
        )
        for sentence in _SENTENCE_END.split(text)
        for kind in _claims_in(to_plain(sentence), grounds.claims)
        if to_plain(sentence).rstrip(".! ") not in told
    )


def is_silent_about_a_change(text: str, grounds: Grounds) -> bool:
    """Check whether a change is made that the reply does not report: it may even say that it was not possible."""
    if not grounds.staged:
        return False
    made = {kind for sentence in _SENTENCE_END.split(text) for kind in _claims_in(to_plain(sentence), grounds.claims)}
    told_of = {query for kind in made for query in grounds.claims.backed_by.get(kind, ())}
    return "done" not in made and not grounds.staged <= told_of


def _claims_in(sentence: str, claims: Claims) -> Iterator[str]:
    """Return the kinds of claims a sentence makes; a question makes none."""
    if not sentence.rstrip().endswith("?"):
        for kind in (*claims.backed_by, "handed_over"):
            if _compile(claims.patterns[kind]).search(sentence):
                yield kind


def _is_done(kind: str, grounds: Grounds, told: str) -> bool:
    """Check whether a deed or a ticket of this conversation stands behind a claim."""
    if grounds.claims.backed_by.get(kind, frozenset()) & grounds.changes or (kind == "handed_over" and grounds.tickets):
        return True
    if kind == "done" and (grounds.changes or grounds.tickets):
        return True
    # The flight's status, or the customer's own news.
    return kind == "flight_cancelled" and bool(_CANCELLED_BY_AIRLINE.search(" ".join([told, *grounds.written])))


def _is_policy(kind: str, sentence: str, grounds: Grounds) -> bool:
    """Check whether a sentence tells what holds for everybody, and a passage names the same thing and the same sums."""
    plain = re.sub(rf"^(?:{_patterns()['lead_in']} )+", "", sentence)
    if _OF_MYSELF.search(plain):
        return False
    if _compile(grounds.claims.patterns["conditional"]).search(plain):
        return True
    if _find("over").search(plain):
        return False
    policy = to_plain(" ".join(one for one in grounds.told if _QUOTED not in one and not _is_summary(one, grounds)))
    nouns = grounds.claims.policy_nouns.get(kind, ())
    return any(noun in policy for noun in nouns) and _sums_in(sentence) <= _sums_in(policy)


def _is_summary(told: str, grounds: Grounds) -> bool:
    return grounds.offered is not None and told == grounds.offered.summary


def _is_offered(kind: str, sentence: str, grounds: Grounds) -> bool:
    """Check whether a sentence tells what the open offer brings, in whatever words, and does not report it as done."""
    offered = grounds.offered
    if offered is None or offered.query not in grounds.claims.backed_by.get(kind, frozenset()):
        return False
    if any(not _is_to_come(sentence, report) for report in _find("reports").finditer(sentence)):
        return False
    return _sums_in(sentence) <= _sums_in(offered.summary) | {f"{offered.usd}.00"}


def _is_to_come(sentence: str, report: re.Match[str]) -> bool:
    before_last_word = sentence[: report.end()].rpartition(" ")[0]
    return re.search(rf"(?:\b|(?=')){_patterns()['to_come']}$", before_last_word) is not None


def _sums_in(text: str) -> frozenset[str]:
    """Return the sums in US dollars that a text names, each as dollars and cents."""
    found = ([part for part in match.groups() if part] for match in _SUM.finditer(to_plain(text)))
    return frozenset(f"{parts[0].replace(',', '')}.{parts[1] if len(parts) > 1 else '00'}" for parts in found)


def to_plain(text: str) -> str:
    """Bring a text into the form that texts are compared in: lower case, single blanks, plain apostrophes."""
    return " ".join(text.replace("\\n", " ").replace("\u2019", "'").lower().split())


@cache
def _find(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\b|(?=')){_patterns()[section]}\b")


@cache
def _patterns() -> Mapping[str, str]:
    return load_patterns("worker.guardrails", "promises.patterns")


@lru_cache(maxsize=64)  # a domain has some twenty kinds of claims
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
