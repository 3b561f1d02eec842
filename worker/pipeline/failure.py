"""Map every exception of a turn to one class of failure, at the boundary where it enters the drain."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psycopg
from redis.exceptions import RedisError

from runtime.jitter import jitter_above, jitter_below
from runtime.outage import POSTGRESQL_AWAY, is_redis_away
from worker.models.failures import (
    ASKED_JITTER_SHARE,
    classify_model_error,
    describe_error,
    is_bad_request,
    retry_after_seconds,
)
from worker.pipeline.commit import EffectConflict, Fenced

CAUSE_CHARACTERS_MAX = 200
_SOURCES = Path(__file__).resolve().parents[2]
_PACKAGES = frozenset({"schema", "runtime", "worker"})

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


def describe_failure(error: BaseException) -> str:
    """Describe a failed attempt for a dead letter and its ticket: what failed and where, in no customer's words."""
    causes = list(_causes(error))
    told = next((cause for cause in causes if classify_model_error(cause) != "bug" or is_bad_request(cause)), None)
    if told is not None:
        return describe_error(told)
    state = next((cause.sqlstate for cause in causes if isinstance(cause, psycopg.Error)), None)
    what = " from ".join(dict.fromkeys(type(cause).__name__ for cause in causes)) + (f" {state}" if state else "")
    return f"{what}{_place_of(causes[-1])}"[:CAUSE_CHARACTERS_MAX]


def _place_of(error: BaseException) -> str:
    """Return the file and line of our own code nearest to where an error was raised."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    inside = [(path.relative_to(_SOURCES), line) for path, line in frames if path.is_relative_to(_SOURCES)]
    ours = [f" at {path}:{line}" for path, line in inside if path.parts[0] in _PACKAGES]
    return ours[-1] if ours else ""


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
