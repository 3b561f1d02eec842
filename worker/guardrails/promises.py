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
from worker.guardrails.sentences import SOURCE, sentences_of, to_plain
from worker.guardrails.values import follows_from, read_money, with_digits

_TICKET = re.compile(r"\bT-[2-9A-Z]{10}\b")
_QUOTED = '"quote_id"'
"""Stands in a tool's answer that makes an offer: no policy, and true of nothing before it is taken up."""
_CONFIRMED = '"ok": true, "kind":'
_REFUSED = '"ok": false'
_WHATEVER = frozenset({"done", "acted"})
"""Kinds that any change or ticket of the conversation stands behind."""

_OF_MYSELF = re.compile(r"\b(?:i|i'll|i've|i'm|my)\b")
_CANCELLED_BY_AIRLINE = re.compile(r"\bcancell?ed\b", re.IGNORECASE)


def find_empty_promises(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the sentences and tickets of a reply that claim what nothing in this conversation stands behind."""
    told = to_plain(" ".join(grounds.told))
    yield from (ticket for ticket in _TICKET.findall(text) if not _is_ticket(ticket, grounds, told))
    is_asking = "?" in text or _find("asks").search(to_plain(text)) is not None
    for sentence in sentences_of(text):
        plain = to_plain(with_digits(sentence))
        if to_plain(sentence).rstrip(".! ") in told:
            continue
        if _reports_the_offer(plain, grounds) or any(
            not (
                _is_done(kind, grounds, told)
                or _is_policy(kind, plain, grounds)
                or (is_asking and _is_offered(kind, plain, grounds))
            )
            for kind in _claims_in(plain, grounds.claims)
        ):
            yield sentence.strip()


def _reports_the_offer(plain: str, grounds: Grounds) -> bool:
    """Check whether a sentence tells as a fact what an open offer would only bring."""
    if grounds.offered is None or grounds.staged or plain.endswith("?"):
        return False
    patterns = grounds.claims.patterns
    if "because" in plain or any(_compile(patterns[one]).search(plain) for one in ("conditional", "not_done")):
        return False
    new = _values_in(grounds.offered.summary, grounds) & _values_in(plain.upper(), grounds)
    return bool(new) and any(not _is_to_come(plain, report) for report in _find("reports").finditer(plain))


def _is_ticket(ticket: str, grounds: Grounds, told: str) -> bool:
    return ticket in grounds.tickets or ticket.lower() in told


def find_empty_offers(text: str, grounds: Grounds) -> Iterator[str]:
    """Find the sentences that put a change to the customer which no open offer makes."""
    claims = grounds.claims
    offers = _compile(claims.patterns["offers"])
    told = to_plain(" ".join(grounds.told))
    for sentence in sentences_of(text):
        plain = to_plain(sentence)
        is_declined = not plain.endswith("?") and _DECLINED.search(plain) is not None
        if is_declined or not offers.search(plain) or plain.rstrip(".?! ") in told:
            continue
        if grounds.offered is None:
            if _is_concrete(plain, text, grounds):
                yield sentence.strip()
        elif any(
            grounds.offered.query not in queries and _compile(claims.patterns[kind]).search(plain)
            for kind, queries in claims.offers.items()
        ):
            yield sentence.strip()


_DECLINED = re.compile(r"\b(?:not|none|cannot|unable|no way)\b|n't\b")
_GOES_AHEAD = re.compile(
    r"\b(?:go ahead|proceed|make (?:this|that|the) change|do (?:it|that|this)|take it|want it|refund|reimburse|waive)\b"
)


def _is_concrete(plain: str, text: str, grounds: Grounds) -> bool:
    """Check whether an offer names what it would bring, or asks for the word to begin, and is no mere question."""
    if _GOES_AHEAD.search(plain) or (read_money(text) and not SOURCE.search(text)):
        return True
    values = grounds.claims.values.values()
    return any(read(sentence) for sentence in sentences_of(text) if to_plain(sentence) == plain for read in values)


def is_silent_about_a_change(text: str, grounds: Grounds) -> bool:
    """Check whether a change is made that the reply does not report: it may even say that it was not possible."""
    if not grounds.staged:
        return False
    patterns = grounds.claims.patterns
    plain = [to_plain(with_digits(sentence)) for sentence in sentences_of(text)]
    made = {kind for sentence in plain for kind in _claims_in(sentence, grounds.claims)} & _changes(grounds.claims)
    told_of = {query for kind in made for query in grounds.claims.backed_by.get(kind, ())}
    if "done" in made or grounds.staged <= told_of:
        return False
    # None of the claims is it: naming what is new will do, or other words for it, unless it says the opposite.
    if any(_compile(patterns["not_done"]).search(one) for one in plain):
        return True
    new = _values_in(" ".join(one for one in grounds.told_now if _CONFIRMED in one and _QUOTED not in one), grounds)
    said = [one for one in sentences_of(text) if not one.rstrip().endswith("?")]
    if any(_values_in(one, grounds) & new for one in said):
        return False
    return made != set() or not any(_compile(patterns["tells_change"]).search(to_plain(one)) for one in said)


def _values_in(text: str, grounds: Grounds) -> frozenset[str]:
    readers = (read_money, *grounds.claims.values.values())
    return frozenset(value for read in readers for value in read(text))


def _changes(claims: Claims) -> frozenset[str]:
    """Return the kinds that report one certain change, or that something is done."""
    return frozenset({"done", *(kind for kind, queries in claims.backed_by.items() if queries)}) - {"charged"}


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
    if kind in _WHATEVER and (grounds.changes or grounds.tickets):
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
    policy = to_plain(" ".join(one for one in grounds.told if not _is_no_policy(one, grounds)))
    nouns = grounds.claims.policy_nouns.get(kind, ())
    return any(noun in policy for noun in nouns) and read_money(sentence) <= read_money(policy)


def _is_no_policy(told: str, grounds: Grounds) -> bool:
    """Check for a tool's answer that holds for one booking alone: an offer, or a refusal."""
    is_summary = grounds.offered is not None and told == grounds.offered.summary
    return is_summary or _QUOTED in told or _REFUSED in told


def _is_offered(kind: str, sentence: str, grounds: Grounds) -> bool:
    """Check whether a sentence tells what the open offer brings, in whatever words, and does not report it as done."""
    offered = grounds.offered
    if offered is None or offered.query not in grounds.claims.backed_by.get(kind, frozenset()):
        return False
    if_taken = _compile(grounds.claims.patterns["conditional"]).search(sentence) and not _find("over").search(sentence)
    if not if_taken and any(not _is_to_come(sentence, report) for report in _find("reports").finditer(sentence)):
        return False
    offers = read_money(offered.summary) | {f"${offered.usd}"}
    return all(one in offers or follows_from(one, offers) for one in read_money(sentence))


def _is_to_come(sentence: str, report: re.Match[str]) -> bool:
    before_last_word = sentence[: report.end()].rpartition(" ")[0]
    to_come = re.compile(rf"(?:\b|(?=')){_patterns()['to_come']}$")
    return any(to_come.search(before) for before in (before_last_word, sentence[: report.start()].rstrip()))


@cache
def _find(section: str) -> re.Pattern[str]:
    return re.compile(rf"(?:\b|(?=')){_patterns()[section]}\b")


@cache
def _patterns() -> Mapping[str, str]:
    return load_patterns("worker.guardrails", "promises.patterns")


@lru_cache(maxsize=64)  # a domain has some twenty kinds of claims
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
