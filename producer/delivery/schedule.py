"""Decide what follows an attempt: done, tried again and when, given up, or the target disabled. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from runtime.jitter import jitter_below

if TYPE_CHECKING:
    from producer.delivery.sending import DeliveryOutcome

JITTER_SHARE: Final = 0.2


@dataclass(frozen=True)
class RetrySchedule:
    """When something that failed is tried again: the pauses after the first failure, the second …, and for how long."""

    pauses: tuple[float, ...]
    """In seconds; each is up to JITTER_SHARE shorter."""
    retry_for: timedelta
    """How long after it was queued; what is older when its turn comes is tried once."""

    def seconds_until_next(self, tries: int, queued_at: datetime, now: datetime) -> float | None:
        """Return how long to wait after so many failures; None: it is given up."""
        left = (queued_at + self.retry_for - now).total_seconds()
        if left <= 0 or tries > len(self.pauses):
            return None
        return min(left, jitter_below(self.pauses[tries - 1], JITTER_SHARE))


RETRY_SECONDS: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)
"""Pauses after the first failure, the second …: the schedule that the Standard Webhooks specification recommends."""

RETRY_FOR: Final = timedelta(days=3)
"""How long after it was queued a delivery is tried; what is older when its turn comes is tried once."""

WEBHOOK_SCHEDULE: Final = RetrySchedule(RETRY_SECONDS, RETRY_FOR)

DISABLE_AFTER: Final = timedelta(days=5)
"""How long a target may fail without one success before it is disabled."""

PAUSE_SECONDS: Final = 30.0
"""How long an overloaded target is left alone when it does not say how long."""

_GONE: Final = 410
_OVERLOADED: Final = frozenset({429, 502, 503, 504})

State = Literal["delivered", "waiting", "dead"]


@dataclass(frozen=True)
class Tried:
    """A delivery whose newest attempt has just ended; times are PostgreSQL's."""

    tries: int
    """Attempts since it was queued, this one included."""
    queued_at: datetime
    failing_since: datetime | None
    """The target's first failure since its last success."""
    now: datetime


@dataclass(frozen=True)
class DeliveryVerdict:
    """What becomes of a delivery and of its target."""

    state: State
    after_seconds: float = 0.0
    """Until the next attempt, of a delivery that waits."""
    pause_seconds: float = 0.0
    """How long nothing is sent to the target."""
    disabled_reason: str | None = None


def judge(tried: Tried, outcome: DeliveryOutcome) -> DeliveryVerdict:
    """Return what follows an attempt."""
    if outcome.is_delivered:
        return DeliveryVerdict("delivered")
    if outcome.status == _GONE:
        return DeliveryVerdict("waiting", disabled_reason="its receiver answered 410 Gone")
    failing_for = tried.now - (tried.failing_since or tried.now)
    if failing_for >= DISABLE_AFTER:
        return DeliveryVerdict(
            "waiting", disabled_reason=f"it has failed for {failing_for.days} days without one success"
        )
    pause = _pause_of(outcome)
    after = WEBHOOK_SCHEDULE.seconds_until_next(tried.tries, tried.queued_at, tried.now)
    if after is None:
        return DeliveryVerdict("dead", pause_seconds=pause)
    return DeliveryVerdict("waiting", after_seconds=max(after, pause), pause_seconds=pause)


def _pause_of(outcome: DeliveryOutcome) -> float:
    if outcome.status not in _OVERLOADED:
        return 0.0
    if outcome.retry_after_seconds is not None:
        return outcome.retry_after_seconds
    return jitter_below(PAUSE_SECONDS, JITTER_SHARE)
