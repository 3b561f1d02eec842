"""Circuit breakers of one provider, one for each purpose, and what operators are told of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from worker.models.breaker import Breaker, Permit
from worker.models.failures import describe_error

if TYPE_CHECKING:
    from schema.settings.models import ProviderSettings
    from worker.models.calls import CallNote

_log = structlog.get_logger("fte.models")

REMIND_SECONDS = 300.0
"""How often the log says that a provider is still away, with the reason and the way out."""


class Circuit:
    """A breaker with a clock, for one purpose; reports once that the provider is away, and once that it is back.

    One for each purpose: what a provider cannot do for one (an unknown response format, a model that is not there)
    must not take from the others what it can.
    """

    def __init__(self, model: str, asker: str, breaker: Breaker) -> None:
        self._model = model
        self._asker = asker
        self._breaker = breaker
        self._is_told = True
        self._is_back = False
        self._said_at = 0.0

    @property
    def is_open(self) -> bool:
        """Return whether the provider is left alone."""
        return self._breaker.is_open

    def admit(self) -> Permit | None:
        """Return how a request may pass, or None."""
        return self._breaker.admit(time.monotonic())

    def dropped(self, permit: Permit) -> None:
        """Record that a request came to nothing for a reason of ours."""
        self._breaker.dropped(permit)

    def succeeded(self, permit: Permit) -> None:
        """Record that the provider answered."""
        if self._breaker.succeeded(permit, time.monotonic()) == "closed":
            self._is_back = self._is_told
            self._is_told = True
            _log.info("model.recovered", model=self._model, asker=self._asker)

    def failed(self, permit: Permit, error: Exception, *, retry_after_seconds: float) -> None:
        """Record that the provider failed; logged when that opens the circuit, and again while it lasts."""
        now = time.monotonic()
        change = self._breaker.failed(permit, now, retry_after_seconds=retry_after_seconds)
        if change == "opened":
            self._is_told, self._said_at = False, now
            self._say("model.degraded", error)
        elif self.is_open and now - self._said_at >= REMIND_SECONDS:
            self._said_at = now
            self._say("model.still_degraded", error)

    def tell(self, note: CallNote, error: Exception) -> None:
        """Add to a turn's events, once, that the provider is away: only the agents' circuit concerns customers."""
        if not self._is_told:
            self._is_told = True
            if self._asker == "agents":
                told = {"model": self._model, "error": type(error).__name__}
                note.caller.events.append(("model.degraded", told))

    def tell_back(self, note: CallNote) -> None:
        """Add to a turn's events, once, that the provider is back, where they were told that it was away."""
        if self._is_back:
            self._is_back = False
            if self._asker == "agents":
                note.caller.events.append(("model.recovered", {"model": self._model}))

    def _say(self, event: str, error: Exception) -> None:
        advice = "fte model check says what is wrong and what to set"
        _log.error(event, model=self._model, asker=self._asker, error=describe_error(error), advice=advice)


class Circuits:
    """The circuits of one provider, each made when it is first asked for."""

    def __init__(self, model: str, settings: ProviderSettings) -> None:
        self._model = model
        self._settings = settings
        self._made: dict[str, Circuit] = {}

    @property
    def is_any_open(self) -> bool:
        """Return whether the provider is left alone for any purpose."""
        return any(circuit.is_open for circuit in list(self._made.values()))

    def of(self, asker: str) -> Circuit:
        """Return the circuit of a purpose."""
        if asker not in self._made:
            settings = self._settings
            breaker = Breaker(
                settings.breaker_failures_max, settings.breaker_window_seconds, settings.breaker_open_seconds
            )
            self._made[asker] = Circuit(self._model, asker, breaker)
        return self._made[asker]
