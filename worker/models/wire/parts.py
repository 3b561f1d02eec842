"""Bring the parts of an answer into one form: texts, arguments of tools, ids of calls, counts of tokens."""

from __future__ import annotations

import json
import re
import unicodedata
import uuid
from collections.abc import Callable, Collection
from typing import Any

TEXT_CHARACTERS_MAX = 8_000
"""Longest text of an answer; a longer one is a model that does not stop, and is not kept."""

ARGUMENTS_CHARACTERS_MAX = 20_000
"""Longest arguments of one call."""

CALLS_MAX = 32
"""Most calls of one answer; the rest is dropped."""

UNREADABLE_CALL = "call_unreadable_"
"""Begins the id of a call whose arguments could not be read and are `{}` now: it is answered with an error, not made.

It stands in the id, because that alone goes unchanged through both APIs, the SDK, and the journal of a turn.
"""

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Matches what PostgreSQL or UTF-8 refuses, and control characters that no text needs."""
_CALL_ID = re.compile(r"[\w.:|/+=-]{1,64}", re.ASCII)
_FENCE = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that are letters or symbols by Unicode and show nothing."""


def clean(text: str) -> str:
    """Drop control characters from a text, and replace halves of surrogate pairs."""
    return _FORBIDDEN.sub(lambda found: "\ufffd" if found[0] >= "\ud800" else "", text)


def clean_all(value: Any) -> Any:
    """Clean every text within parsed JSON, keys included."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_all(each) for each in value]
    if isinstance(value, dict):
        return {clean_all(key): clean_all(each) for key, each in value.items()}
    return value


def is_blank(text: str) -> bool:
    """Check whether a reader would see nothing: blanks, zero-width characters, marks without a letter."""
    return all(unicodedata.category(one)[0] in "CZM" or one in _BLANK_LETTERS for one in text)


def read_arguments(raw: Any) -> str | None:
    """Return a call's arguments as the text of a JSON object, or None when they are none.

    Mended is what can mean one thing only: an object in place of its text, a text within a text, a Markdown fence
    around it, nothing at all for no arguments, line breaks within strings.
    """
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return "{}"
    parsed: Any = raw
    for _ in range(2):
        if isinstance(parsed, str):
            parsed = _parse(parsed)
    if not isinstance(parsed, dict):
        return None
    cleaned = clean_all(parsed)
    text = raw if isinstance(raw, str) and cleaned == _strictly(raw) else json.dumps(cleaned, ensure_ascii=False)
    return text if len(text) <= ARGUMENTS_CHARACTERS_MAX else None


def _parse(text: str) -> Any:
    fenced = _FENCE.fullmatch(text.strip())
    try:
        return json.loads(fenced[1] if fenced else text, strict=False, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _strictly(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


class CallIds:
    """Gives each call of an answer an id that is unique within the answer and the conversation that was sent."""

    def __init__(self, taken: Collection[str], make: Callable[[], str] = lambda: uuid.uuid4().hex) -> None:
        self._taken = set(taken)
        self._make = make

    def give(self, raw: Any, *, is_readable: bool) -> str:
        """Return the provider's own id where it can be used, else a new one."""
        if is_readable and isinstance(raw, str) and _CALL_ID.fullmatch(raw) and raw not in self._taken:
            chosen = raw if not raw.startswith(UNREADABLE_CALL) else f"call_{self._make()}"
        else:
            chosen = f"{'call_' if is_readable else UNREADABLE_CALL}{self._make()}"
        self._taken.add(chosen)
        return chosen


def count(raw: Any) -> int:
    """Return a count of tokens; 0 for what is none."""
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw > 0 else 0


def text_of(content: Any) -> str:
    """Return the text of a message's content: a text, or parts of which those of text count."""
    if isinstance(content, str):
        return clean(content)
    parts = content if isinstance(content, list) else []
    return "".join(_part_text(part) for part in parts)


def _part_text(part: Any) -> str:
    if isinstance(part, str):
        return clean(part)
    if not isinstance(part, dict) or part.get("type", "text") not in ("text", "output_text"):
        return ""
    text = part.get("text")
    if isinstance(text, dict):
        text = text.get("value")
    return clean(text) if isinstance(text, str) else ""
