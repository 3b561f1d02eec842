"""Check an agent's reply: nobody else's data, no internals, no promise without a deed behind it.

Local, deterministic and under a millisecond. It knows what this conversation knows; a sentence that a tool gave word
for word is the airline's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from worker.conversation.vault import Vault, find_placeholders
from worker.conversation.vocabulary import Claims
from worker.guardrails.pii import mask_text, normalise
from worker.guardrails.sources import is_unfounded

Breach = Literal[
    "private_data",
    "unknown_placeholder",
    "internals",
    "unbacked_promise",
    "silent_change",
    "repetition",
    "unfounded_answer",
]

REMEDIES: Mapping[Breach, str] = {
    "private_data": "it holds private data that this customer did not give and no tool returned",
    "unknown_placeholder": "it holds a value in square brackets that stands for nothing in this conversation",
    "internals": "it shows names of tools, fields or instructions, which are not for customers",
    "unbacked_promise": "it promises or reports something (a refund, compensation, a waiver, an upgrade, a change, a "
    "ticket) that no tool did in this conversation",
    "repetition": "it is word for word one of the last replies, which did not help; use other words, ask for what is "
    "not clear, or bring in a person",
    "silent_change": "it keeps from the customer that a change of the booking, to which they said yes, is made now",
    "unfounded_answer": "it cites a section, or states a figure, that no passage of the articles given to you has; say "
    "only what stands there, and where nothing was found say so and offer a person",
}
"""What is wrong with a reply, in the words for the model that rewrites it."""


@dataclass(frozen=True)
class Grounds:
    """What a reply may rest on, masked: what the customer wrote, what tools answered, what was done.

    `changes` are the queries of effects, of this turn and of earlier ones; `staged` those of this turn alone.
    `said` are the last replies before the newest message.
    """

    written: Sequence[str]
    told: Sequence[str]
    vault: Mapping[str, str]
    changes: frozenset[str]
    tickets: frozenset[str]
    claims: Claims
    instructions: str = ""
    staged: frozenset[str] = frozenset()
    said: Sequence[str] = ()


def find_breach(reply: str, grounds: Grounds) -> Breach | None:
    """Return the gravest breach of a reply; None when there is none."""
    text = normalise(reply)
    checks: tuple[tuple[Breach, Callable[[str, Grounds], bool]], ...] = (
        ("private_data", _shows_private_data),
        ("unknown_placeholder", _has_unknown_placeholder),
        ("internals", _shows_internals),
        ("unbacked_promise", _promises_too_much),
        ("silent_change", _is_silent_about_a_change),
        ("repetition", _was_just_said),
        ("unfounded_answer", _is_unfounded),
    )
    return next((breach for breach, is_broken in checks if is_broken(text, grounds)), None)


def gather_items(items: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Return what the customer wrote and what tools answered, from a session's items."""
    written, told = [], []
    for item in items:
        if item.get("role") == "user":
            written.append(_text_of(item.get("content")))
        elif "output" in item:
            told.append(_text_of(item["output"]))
    return written, told


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


REPLIES_COMPARED = 3
"""Replies back that a new one must differ from: more is no harm, when a question comes up again much later."""


def last_replies(items: Sequence[Any]) -> list[str]:
    """Give the last replies before the newest message, out of a session's items."""
    newest = max((at for at, item in enumerate(items) if item.get("role") == "user"), default=0)
    replies = [_text_of(item.get("content")) for item in items[:newest] if item.get("role") == "assistant"]
    return replies[-REPLIES_COMPARED:]


def _was_just_said(text: str, grounds: Grounds) -> bool:
    return _plain(text) in {_plain(normalise(reply)) for reply in grounds.said}


# Private data

_NOT_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9@]")
_NATIONAL_DIGITS = 9
"""Digits by which two spellings of a telephone number are held to be the same: with country code, and without."""


def _shows_private_data(text: str, grounds: Grounds) -> bool:
    found = Vault()
    masked = mask_text(text, found)
    if {"CARD_NUMBER", "SSN"} & set(masked.types):
        return True  # no reply ever needs one
    own = set(grounds.vault.values())
    foreign = [value for value in found.entries.values() if value not in own]
    if not foreign:
        return False
    known = _squeeze(" ".join([*grounds.written, *grounds.told, *own, *grounds.tickets]))
    return any(_core(value) not in known for value in foreign)


def _squeeze(text: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", text).upper()


def _core(value: str) -> str:
    squeezed = _squeeze(value)
    return squeezed[-_NATIONAL_DIGITS:] if squeezed.isdigit() else squeezed


def _has_unknown_placeholder(text: str, grounds: Grounds) -> bool:
    return any(found.number is not None and found.written not in grounds.vault for found in find_placeholders(text))


# Internals

_IDENTIFIER = re.compile(r"(?<![\w@./#-])[a-z]+(?:_[a-z0-9]+)+(?![\w@/]|\.\w)")
_FIELD = re.compile(r"[\"'](?:ok|refusal|verified|quote)[\"']\s*:")
_RUN_WORDS = 8
"""Words in a row that a reply shares with the instructions only when it quotes them, not by chance."""


def _shows_internals(text: str, grounds: Grounds) -> bool:
    written = " ".join(grounds.written)
    if _FIELD.search(text) or any(found not in written for found in _IDENTIFIER.findall(text)):
        return True
    return not _runs(text).isdisjoint(_instruction_runs(grounds.instructions))


@lru_cache(maxsize=256)  # one for each agent and brand; what is known of a conversation is not among them
def _instruction_runs(instructions: str) -> frozenset[str]:
    return _runs(instructions)


def _runs(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z0-9']+", text.lower())
    return frozenset(" ".join(words[at : at + _RUN_WORDS]) for at in range(len(words) - _RUN_WORDS + 1))


# Promises

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SUM = re.compile(r"\$\s?[\d,]+(?:\.\d\d)?")
_TICKET = re.compile(r"\bT-[2-9A-Z]{10}\b")
_OF_MYSELF = re.compile(r"\b(?:i|i'll|i've|i'm|my)\b")
_CANCELLED_BY_AIRLINE = re.compile(r"\bcancell?ed\b", re.IGNORECASE)


def _promises_too_much(text: str, grounds: Grounds) -> bool:
    told = _plain(" ".join(grounds.told))
    if any(ticket not in grounds.tickets and ticket.lower() not in told for ticket in _TICKET.findall(text)):
        return True
    return any(
        not _is_backed(kind, sentence, grounds, told)
        for sentence in _SENTENCE_END.split(text)
        for kind in _claims_in(_plain(sentence), grounds.claims)
        if _plain(sentence).rstrip(".! ") not in told
    )


def _is_silent_about_a_change(text: str, grounds: Grounds) -> bool:
    """Check whether a change is made that the reply does not report: it may even say that it was not possible."""
    if not grounds.staged:
        return False
    made = {kind for sentence in _SENTENCE_END.split(text) for kind in _claims_in(_plain(sentence), grounds.claims)}
    told_of = {query for kind in made for query in grounds.claims.backed_by.get(kind, ())}
    return "done" not in made and not grounds.staged <= told_of


def _is_unfounded(text: str, grounds: Grounds) -> bool:
    return is_unfounded(text, grounds.told, grounds.written)


def _claims_in(sentence: str, claims: Claims) -> Iterator[str]:
    """Yield the kinds of claims a sentence makes; a question makes none."""
    if not sentence.rstrip().endswith("?"):
        for kind in (*claims.backed_by, "handed_over"):
            if _compile(claims.patterns[kind]).search(sentence):
                yield kind


def _is_backed(kind: str, sentence: str, grounds: Grounds, told: str) -> bool:
    plain = _plain(sentence)
    if grounds.claims.backed_by.get(kind, frozenset()) & grounds.changes or (kind == "handed_over" and grounds.tickets):
        return True
    if kind == "done" and (grounds.changes or grounds.tickets):
        return True
    if kind == "flight_cancelled" and _CANCELLED_BY_AIRLINE.search(" ".join([told, *grounds.written])):
        return True  # the flight's status, or the customer's own news
    if _OF_MYSELF.search(plain):
        return False
    if _compile(grounds.claims.patterns["conditional"]).search(plain):
        return True
    nouns = grounds.claims.policy_nouns.get(kind, ())
    return any(noun in told for noun in nouns) and all(_plain(found) in told for found in _SUM.findall(sentence))


def _plain(text: str) -> str:
    return " ".join(text.replace("\\n", " ").replace("\u2019", "'").lower().split())


@lru_cache(maxsize=64)  # a domain has some twenty kinds of claims
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
