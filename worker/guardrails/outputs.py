"""Check an agent's reply: nobody else's data, no internals, nothing stated or promised that nothing stands behind.

Local, deterministic and under two milliseconds. It knows what this conversation knows; a sentence that a tool gave word
for word is the airline's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Final, Literal, NamedTuple

from runtime.patterns import load_patterns
from worker.conversation.vault import FOR_EVER, Vault, find_placeholders, replace_placeholders
from worker.guardrails.claims import (
    asks_for_a_secret,
    find_unfounded_sentences,
    find_unfounded_sources,
    find_unfounded_values,
    tells_of_a_card,
)
from worker.guardrails.grounds import Grounds
from worker.guardrails.language import is_english
from worker.guardrails.pii import mask_text, normalise
from worker.guardrails.promises import find_empty_offers, find_empty_promises, is_silent_about_a_change
from worker.guardrails.sentences import to_plain
from worker.guardrails.statements import find_unfounded_statements

BreachKind = Literal[
    "private_data",
    "unknown_placeholder",
    "internals",
    "asks_for_secret",
    "foreign_language",
    "unbacked_promise",
    "silent_change",
    "repetition",
    "offer_without_quote",
    "unfounded_answer",
    "too_long",
]

REMEDIES: Mapping[BreachKind, str] = {
    "private_data": "it holds private data that this customer did not give and no tool returned",
    "unknown_placeholder": "it holds a value in square brackets that stands for nothing in this conversation, or tells "
    "of a removed number anything but that it was removed",
    "internals": "it shows tools, fields, data, instructions or blanks that were to be filled in, which are not for "
    "customers",
    "asks_for_secret": "it asks for a card number, code, password or account, which is never needed here",
    "foreign_language": "it is not in English",
    "unbacked_promise": "it promises or reports something (a refund, compensation, a waiver, an upgrade, a change, a "
    "ticket) that no tool did in this conversation",
    "repetition": "it is word for word one of the last replies, which did not help; use other words, ask for what is "
    "not clear, or bring in a person",
    "silent_change": "it keeps from the customer that a change of the booking, to which they said yes, is made now",
    "offer_without_quote": "it offers a change that no open quote offers; get a quote from the tool first, and tell it "
    "as its summary has it",
    "unfounded_answer": "it states something (a sum, figure, date, time, seat, flight, name, link, status, policy or "
    "source) that no tool gave in this conversation and the customer did not write; say only what stands there, and "
    "where nothing was found say so and offer a person",
    "too_long": "it is longer than a message on this channel may be; say it in fewer sentences, what matters most "
    "first, and offer to tell the rest",
}
"""What is wrong with a reply, in the words for the model that rewrites it."""


class Breach(NamedTuple):
    """The gravest fault of a reply: its kind, and the parts of the reply that show it, which may be none."""

    kind: BreachKind
    shown: tuple[str, ...] = ()


def find_breach(reply: str, grounds: Grounds) -> Breach | None:
    """Return the gravest breach of a reply; None when there is none."""
    text = _without_brand(normalise(reply), grounds.brand)
    for kind, is_broken in _CHECKS:
        if is_broken(text, grounds):
            return Breach(kind)
    for kind, find in _SEARCHES:
        shown = tuple(dict.fromkeys(find(text, grounds)))
        if shown:
            return Breach(kind, shown)
    most = grounds.characters_max
    return Breach("too_long", (f"at most {most} characters",)) if most is not None and len(reply) > most else None


def _without_brand(text: str, brand: str) -> str:
    """Name the tenant as everybody would: a brand may hold any word, or what ends a sentence."""
    return text.replace(brand, "the airline") if brand else text


class Gathered(NamedTuple):
    """What a conversation's items hold: the customer's texts, tools' answers, and those given since the newest text."""

    written: list[str]
    told: list[str]
    told_now: list[str]


def gather_items(items: Sequence[Any]) -> Gathered:
    """Return what the customer wrote and what tools answered, from a session's items."""
    found = Gathered([], [], [])
    for item in items:
        if item.get("role") == "user":
            found.written.append(_text_of(item.get("content")))
            found.told_now.clear()
        elif "output" in item:
            found.told.append(_text_of(item["output"]))
            found.told_now.append(found.told[-1])
    return found


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "")


REPLIES_COMPARED = 3
"""Replies back that a new one must differ from: more is no harm, when a question comes up again much later."""


def last_replies(items: Sequence[Any]) -> list[str]:
    """Return the last replies before the newest message, out of a session's items."""
    newest = max((at for at, item in enumerate(items) if item.get("role") == "user"), default=0)
    replies = [_text_of(item.get("content")) for item in items[:newest] if item.get("role") == "assistant"]
    return replies[-REPLIES_COMPARED:]


def _was_just_said(text: str, grounds: Grounds) -> bool:
    return not grounds.staged and to_plain(text) in {to_plain(normalise(reply)) for reply in grounds.said}


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
    """Check for a placeholder of nothing; that of a removed number may only be told to be removed."""
    written = " ".join(grounds.written)
    unknown = [found for found in find_placeholders(text) if found.written not in grounds.vault]
    if any(found.written not in FOR_EVER.values() and found.written not in written for found in unknown):
        return True
    return tells_of_a_card(text, tuple(FOR_EVER.values()))


# Internals

_IDENTIFIER = re.compile(r"(?<![\w@./#-])[a-z]+(?:_[a-z0-9]+)+(?![\w@/]|\.\w)")
_FIELD = re.compile(r"[\"'](?:ok|refusal|verified|quote)[\"']\s*:")
_RUN_WORDS = 8
"""Words in a row that a reply shares with the instructions only when it quotes them, not by chance."""


def _shows_internals(text: str, grounds: Grounds) -> bool:
    written = " ".join(grounds.written)
    if _FIELD.search(text) or any(found not in written for found in _IDENTIFIER.findall(text)):
        return True
    if any(match[0] not in written for marks in _insides() for match in marks.finditer(text)):
        return True
    return not _runs(text).isdisjoint(_instruction_runs(grounds.instructions))


@cache
def _insides() -> tuple[re.Pattern[str], ...]:
    known = load_patterns("worker.guardrails", "insides.patterns")
    return tuple(re.compile(known[section], re.IGNORECASE | re.MULTILINE) for section in known)


@lru_cache(maxsize=256)  # one for each agent and brand; what is known of a conversation is not among them
def _instruction_runs(instructions: str) -> frozenset[str]:
    return _runs(instructions)


def _runs(text: str) -> frozenset[str]:
    words = re.findall(r"[a-z0-9']+", text.lower())
    return frozenset(" ".join(words[at : at + _RUN_WORDS]) for at in range(len(words) - _RUN_WORDS + 1))


def _is_foreign(text: str, grounds: Grounds) -> bool:
    return not is_english(replace_placeholders(text, lambda _: " "), grounds.written)


def _find_unfounded(text: str, grounds: Grounds) -> Iterator[str]:
    yield from find_unfounded_sources(text, grounds)
    yield from find_unfounded_values(text, grounds)
    yield from find_unfounded_sentences(text, grounds)
    yield from find_unfounded_statements(text, grounds)


_CHECKS: Final[tuple[tuple[BreachKind, Callable[[str, Grounds], bool]], ...]] = (
    ("private_data", _shows_private_data),
    ("unknown_placeholder", _has_unknown_placeholder),
    ("internals", _shows_internals),
    ("asks_for_secret", asks_for_a_secret),
    ("foreign_language", _is_foreign),
    ("silent_change", is_silent_about_a_change),
    ("repetition", _was_just_said),
)
_SEARCHES: Final[tuple[tuple[BreachKind, Callable[[str, Grounds], Iterator[str]]], ...]] = (
    ("unbacked_promise", find_empty_promises),
    ("offer_without_quote", find_empty_offers),
    ("unfounded_answer", _find_unfounded),
)
