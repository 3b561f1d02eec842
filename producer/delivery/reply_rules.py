"""Decide what becomes of a reply after an attempt: sent, tried again and when, given up, kept back. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from producer.delivery.reply_channel import SendOutcome
    from producer.delivery.schedule import RetrySchedule

ReplyState = Literal["waiting", "sent", "dead", "suppressed", "withheld"]

STOPPED_SECONDS: Final = 60.0
"""How long a reply waits at least whose account or tenant is out of service; then it is claimed once it is back."""


@dataclass(frozen=True)
class ReplyVerdict:
    """What becomes of a reply, of its account and of its customer."""

    state: ReplyState
    reason: str = ""
    after_seconds: float = 0.0
    """Until it is due again, where it waits."""
    has_failed: bool = False
    """Whether the attempt counts as a failure: pauses grow with each."""
    disabled_reason: str | None = None
    suppresses: bool = False
    """Whether nothing may be sent to this customer any more."""
    needs_person: bool = False


def judge_outcome(schedule: RetrySchedule, row: Mapping[str, Any], outcome: SendOutcome) -> ReplyVerdict:
    """Return what follows an outcome; `row` is the claimed delivery with its `tries`, `queued_at` and `now`."""
    reason, kind = outcome.reason, outcome.kind
    if kind == "accepted":
        return ReplyVerdict("sent")
    if kind == "suppressed":
        # By the provider's word (a code) it is new to us; by our own list it is not.
        return ReplyVerdict("suppressed", reason, suppresses=outcome.code is not None, needs_person=True)
    if kind == "failed":
        is_withheld = outcome.code == "withheld"
        return ReplyVerdict("withheld" if is_withheld else "dead", reason, needs_person=not is_withheld)
    if kind == "stopped" or outcome.code in {"suspended", "stopped"}:
        disabled = reason if kind == "stopped" else None
        return ReplyVerdict("waiting", reason, after_seconds=STOPPED_SECONDS, disabled_reason=disabled)
    after = schedule.seconds_until_next(row["tries"] + 1, row["queued_at"], row["now"])
    if after is None:
        return ReplyVerdict("dead", reason or "given up", has_failed=True, needs_person=True)
    at_least = max(outcome.after_seconds, outcome.pause_seconds)
    return ReplyVerdict("waiting", reason, after_seconds=max(after, at_least), has_failed=True)
