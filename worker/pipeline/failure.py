"""Map every exception of a turn to one class of failure, at the boundary where it enters the drain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from redis.exceptions import RedisError

from runtime.jitter import jitter_above, jitter_below
from runtime.outage import POSTGRESQL_AWAY, is_redis_away
from worker.models.failures import ASKED_JITTER_SHARE, classify_model_error, retry_after_seconds
from worker.pipeline.commit import EffectConflict, Fenced

FailureClass = Literal["outage", "again", "busy", "transient", "bug"]


def classify_failure(error: BaseException) -> FailureClass:
    """Return an exception's class of failure.

    outage: PostgreSQL or Redis is away, or Redis refuses to write, the message is not to blame · again: a fence held,
    start over from what is true now · busy: the limits on model calls leave no room, and the message is not to blame ·
    transient: the model or a time limit, counts as an attempt · bug: unknown, counts, logged with its trace.
    """
    for cause in _causes(error):
        if isinstance(cause, Fenced | EffectConflict):
            return "again"
        if isinstance(cause, POSTGRESQL_AWAY) or is_redis_away(cause):
            return "outage"
        of_model = classify_model_error(cause)
        if of_model == "busy":
            return "busy"
        if isinstance(cause, RedisError | TimeoutError) or of_model == "transient":
            return "transient"
    return "bug"


def backoff_seconds(attempts: int, *, first: float, most: float) -> float:
    """Return the wait before the next attempt: doubling, capped, with jitter over its upper half."""
    return jitter_below(float(min(most, first * 2 ** min(attempts - 1, 30))), 0.5)


def asked_wait_seconds(error: BaseException, now: float, *, most: float) -> float:
    """Return how long a failure asks to wait (`now`: seconds since the epoch), capped; 0 when it does not say.

    With jitter on top.
    """
    asked = max((retry_after_seconds(cause, now) or 0.0 for cause in _causes(error)), default=0.0)
    return jitter_above(min(most, asked), ASKED_JITTER_SHARE)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what caused it, in turn: the SDK wraps what a tool raises."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__
