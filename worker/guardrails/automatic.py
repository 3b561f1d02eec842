"""Tell an automatic reply from a message: absence notices, delivery failures and what mailboxes send by themselves.

Local and deterministic. Such a message opens no ticket and gets no answer: one would be answered automatically again.
"""

from __future__ import annotations

import re
from functools import cache

from runtime.patterns import load_patterns

_HEAD_CHARACTERS = 90
"""A subject line that says so stands at the very beginning."""
_READ_CHARACTERS_MAX = 4_000
"""Below that stands what was quoted, and lists of servers."""


def is_automatic(text: str) -> bool:
    """Check whether nobody wrote a normalised, masked message: it is headed so, says so, or only tells of an absence.

    A person who is away and wants something, or who tells of an automatic reply, wrote it themselves.
    """
    read = text[:_READ_CHARACTERS_MAX].lower().replace("\u2019", "'").strip()
    if _compile("headed").match(_without_prefix(read)[:_HEAD_CHARACTERS]):
        return True
    if _compile("asks").search(read):
        return False
    if _compile("states").search(read):
        return True
    return _compile("away").search(read) is not None and _compile("served").search(read) is not None


def _without_prefix(read: str) -> str:
    """Drop what mail programs and mailing lists put before a subject."""
    return re.sub(r"^(?:(?:re|aw|fwd?|wg|tr|\[[^\]]{1,30}\]|subject)\s*:?\s+)*", "", read)


@cache
def _compile(section: str) -> re.Pattern[str]:
    return re.compile(load_patterns("worker.guardrails", "automatic.patterns")[section], re.MULTILINE | re.DOTALL)
