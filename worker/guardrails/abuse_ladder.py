"""Decide how to answer abuse: a boundary first, then a pause, then a person; a threat goes to a person at once.

Pure: what the conversation remembers and the time come in as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

AbuseStep = Literal["boundary", "cool_down", "human", "reminder"]
"""reminder: a person has been called for it already, and a second ticket would help nobody."""

_BOUNDARIES = 1
_PAUSES = 1


@dataclass(frozen=True)
class AbuseMemory:
    """What a conversation remembers of abuse: how often, when last, and until when it pauses."""

    count: int = 0
    last_at: datetime | None = None
    cooling_until: datetime | None = None


@dataclass(frozen=True)
class AbuseRules:
    """How long a pause lasts, and after how long without abuse the ladder begins anew."""

    cooling: timedelta
    memory: timedelta


def climb(memory: AbuseMemory, rules: AbuseRules, *, is_threat: bool, now: datetime) -> tuple[AbuseStep, AbuseMemory]:
    """Return the step that answers one more abusive message, and what to remember of it.

    A civil message never comes here: it is served at any time, within a pause as well.
    """
    is_forgotten = memory.last_at is None or now - memory.last_at > rules.memory
    before = 0 if is_forgotten else memory.count
    is_cooling = not is_forgotten and memory.cooling_until is not None and now < memory.cooling_until
    paused = AbuseMemory(before + 1, now, now + rules.cooling)
    if is_threat:
        # Every threat is read by a person, whatever was opened before. What follows it is no first lapse either.
        return "human", AbuseMemory(max(before, _BOUNDARIES + _PAUSES) + 1, now, now + rules.cooling)
    if before < _BOUNDARIES:
        return "boundary", AbuseMemory(before + 1, now, None)
    if before < _BOUNDARIES + _PAUSES:
        return "cool_down", paused
    has_a_person = before > _BOUNDARIES + _PAUSES
    return ("reminder" if has_a_person and is_cooling else "human"), paused
