"""Circuit breaker that stops asking a failing provider and probes when it is back: a state machine without a clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

OUTCOMES_MAX = 200
"""Newest outcomes that are judged, however many fall into the window."""

Permit = Literal["call", "probe"]
"""What a request was let through as; its outcome is reported with it."""

Change = Literal["opened", "closed"]
"""What an outcome changed; a probe that fails changes nothing: it is still the same outage."""


@dataclass
class Breaker:
    """Circuit breaker of one provider; all times are seconds of one monotonic clock.

    Closed: requests pass. It opens when `failures_max` of the outcomes within `window_seconds` are failures, and they
    are at least half of all, those under way included: a refusal comes at once and an answer takes seconds, so a
    burst's first outcomes are its failures. Open: none passes for `open_seconds`. Then one passes as a probe, and the
    others still do not: when it succeeds the breaker closes, when it fails the wait begins anew.
    """

    failures_max: int
    window_seconds: float
    open_seconds: float
    _outcomes: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=OUTCOMES_MAX))
    _open_until: float | None = None
    _probing: bool = False
    _under_way: int = 0

    @property
    def is_open(self) -> bool:
        """Return whether the provider is taken to be away; also while a probe is under way."""
        return self._open_until is not None

    def admit(self, now: float) -> Permit | None:
        """Return how a request may pass, or None; one that passes reports `succeeded`, `failed` or `dropped`."""
        if self._open_until is None:
            self._under_way += 1
            return "call"
        if self._probing or now < self._open_until:
            return None
        self._probing = True
        return "probe"

    def succeeded(self, permit: Permit, now: float) -> Change | None:
        """Record that the provider answered, be it with a refusal."""
        if permit == "probe":
            self._probing = False
            self._open_until = None
            self._outcomes.clear()
            return "closed"
        self._under_way -= 1
        if self._open_until is None:
            self._outcomes.append((now, True))
        return None

    def failed(self, permit: Permit, now: float, *, retry_after_seconds: float = 0.0) -> Change | None:
        """Record that the provider failed; a wait that it asks for itself is kept when it is longer than ours."""
        wait = max(self.open_seconds, retry_after_seconds)
        if permit == "probe":
            self._probing = False
            self._open_until = now + wait
            return None
        self._under_way -= 1
        if self._open_until is not None:
            return None  # asked before it opened
        self._outcomes.append((now, False))
        recent = [ok for at, ok in self._outcomes if now - at <= self.window_seconds]
        failures = recent.count(False)
        if failures < self.failures_max or failures * 2 < len(recent) + self._under_way:
            return None
        self._open_until = now + wait
        return "opened"

    def dropped(self, permit: Permit) -> None:
        """Record that a request came to nothing for a reason of ours; the next one may probe at once."""
        if permit == "probe":
            self._probing = False
        else:
            self._under_way -= 1
