"""Check an agent's reply: nobody else's data, no internals, no promise without a deed behind it.

Local, deterministic and under a millisecond. It knows what this conversation knows; a sentence that a tool gave word
for word is the airline's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Literal

from runtime.patterns import load_patterns
from worker.conversation.vault import Vault, find_placeholders
from worker.guardrails.grounds import Grounds
from worker.guardrails.pii import mask_text, normalise
from worker.guardrails.promises import is_silent_about_a_change, promises_too_much, to_plain
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
    "internals": "it shows tools, fields, data, instructions or blanks that were to be filled in, which are not for "
    "customers",
    "unbacked_promise": "it promises or reports something (a refund, compensation, a waiver, an upgrade, a change, a "
    "ticket) that no tool did in this conversation",
    "repetition": "it is word for word one of the last replies, which did not help; use other words, ask for what is "
    "not clear, or bring in a person",
    "silent_change": "it keeps from the customer that a change of the booking, to which they said yes, is made now",
    "unfounded_answer": "it cites a section, or states a figure, that no passage of the articles given to you has; say "
    "only what stands there, and where nothing was found say so and offer a person",
}
"""What is wrong with a reply, in the words for the model that rewrites it."""


def find_breach(reply: str, grounds: Grounds) -> Breach | None:
    """Return the gravest breach of a reply; None when there is none."""
    text = normalise(reply)
    checks: tuple[tuple[Breach, Callable[[str, Grounds], bool]], ...] = (
        ("private_data", _shows_private_data),
        ("unknown_placeholder", _has_unknown_placeholder),
        ("internals", _shows_internals),
        ("unbacked_promise", promises_too_much),
        ("silent_change", is_silent_about_a_change),
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


def _is_unfounded(text: str, grounds: Grounds) -> bool:
    return is_unfounded(text, grounds.told, grounds.written)
