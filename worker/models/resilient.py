"""Ask a provider through everything that may go wrong with it; where it cannot answer, the embedded model does.

The one layer that retries, waits and gives up. The client below never retries, and a turn above only parks its message.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import structlog
from agents.models.interface import Model
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_base

from worker.models.breaker import Breaker, Change
from worker.models.calls import Caller, CallNote, current_call
from worker.models.failures import (
    ModelBusy,
    ModelUnavailable,
    is_providers_fault,
    may_pass_in_seconds,
    retry_after_seconds,
)

if TYPE_CHECKING:
    from agents.items import ModelResponse, TResponseStreamEvent

    from schema.settings import Settings

_log = structlog.get_logger("fte.models")

_RESERVE_SECONDS = 1.0
"""Kept of a turn's time, so that the embedded model can still answer when the provider used up the rest."""

_FIRST_WAIT_SECONDS = 0.25
_JITTER_SHARE = 0.25


class ResilientModel(Model):
    """Protect one provider's model, and its callers from it; one per process, so that it knows all calls."""

    def __init__(self, model: Model, name: str, fallback: Model, settings: Settings) -> None:
        self._model = model
        self._fallback = fallback
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.model_concurrency_max)
        self._breaker = Breaker(
            settings.breaker_failures_max, settings.breaker_window_seconds, settings.breaker_open_seconds
        )
        self._is_told = True
        self.name = name

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Give the provider's answer, or the embedded model's in its place (the call's note then says `degraded`).

        Raises ModelBusy when our own limits leave no room for `model_wait_seconds_max`, and what the provider's failure
        was as long as a later attempt at the message may fare better.
        """
        if args:
            raise TypeError("the runner passes everything by keyword")
        note = current_call.get() or CallNote(Caller(), self.name)
        try:
            return await self._ask(note, kwargs)
        except Exception as error:
            if not is_providers_fault(error) or not self._is_given_up(note):
                raise
            return await self._stand_in(note, kwargs, error)

    def stream_response(self, *_args: Any, **_kwargs: Any) -> AsyncIterator[TResponseStreamEvent]:
        """Refuse: a turn's outcome is committed whole, so nothing is streamed."""
        raise NotImplementedError("turns do not stream")

    async def close(self) -> None:
        """Close both models."""
        await self._model.close()
        await self._fallback.close()

    def _is_given_up(self, note: CallNote) -> bool:
        """Say whether the embedded model answers now: waiting longer serves nobody."""
        attempts_max = min(self._settings.model_attempts_max, self._settings.attempts_max)
        return self._breaker.is_open or note.caller.attempt >= attempts_max

    async def _stand_in(self, note: CallNote, kwargs: dict[str, Any], error: Exception) -> ModelResponse:
        schema = kwargs["output_schema"]
        if schema is not None and not schema.is_plain_text():
            raise ModelUnavailable(f"{self.name} is away, and the local model answers in plain text only") from error
        if not self._is_told:
            self._is_told = True
            note.caller.events.append(("model.degraded", {"model": self.name, "error": type(error).__name__}))
        note.model, note.degraded = "local", True
        return await self._fallback.get_response(**kwargs)

    async def _ask(self, note: CallNote, kwargs: dict[str, Any]) -> ModelResponse:
        """Ask, and ask again after a short wait where that may help, all within the time of one call."""
        seconds = self._settings.model_call_seconds_max
        left = seconds if note.caller.deadline is None else note.caller.deadline - _loop_time() - _RESERVE_SECONDS
        deadline = _loop_time() + min(seconds, left)
        retrying = AsyncRetrying(
            retry=retry_if_exception(self._is_worth_retrying),
            wait=_wait_seconds,
            stop=_StopWithin(self._settings, deadline),
            before_sleep=_count_retries(note),
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await retrying(self._request, note, kwargs, deadline)

    def _is_worth_retrying(self, error: BaseException) -> bool:
        return not self._breaker.is_open and may_pass_in_seconds(error)

    async def _request(self, note: CallNote, kwargs: dict[str, Any], deadline: float) -> ModelResponse:
        """Make one request; its outcome teaches the breaker."""
        permit = self._breaker.admit(time.monotonic())
        if permit is None:
            raise ModelUnavailable(f"{self.name} failed lately and is left alone")
        ends_early = deadline - _loop_time() < self._settings.model_call_seconds_max / 2
        try:
            async with self._slot(deadline):
                async with asyncio.timeout_at(deadline):
                    response = await self._model.get_response(**kwargs)
        except Exception as error:
            if isinstance(error, ModelBusy) or (isinstance(error, TimeoutError) and ends_early):
                self._breaker.dropped(permit)  # the time was ours to give
            elif is_providers_fault(error):
                asked = min(retry_after_seconds(error, time.time()) or 0.0, self._settings.model_park_seconds_max)
                self._note(self._breaker.failed(permit, time.monotonic(), retry_after_seconds=asked), note, error)
            else:
                self._note(self._breaker.succeeded(permit, time.monotonic()), note)
            raise
        except BaseException:
            self._breaker.dropped(permit)
            raise
        self._note(self._breaker.succeeded(permit, time.monotonic()), note)
        return response

    @asynccontextmanager
    async def _slot(self, deadline: float) -> AsyncIterator[None]:
        """Hold one of the process's places at the provider; raises ModelBusy when none comes free in time."""
        patience = min(self._settings.model_wait_seconds_max, deadline - _loop_time())
        try:
            async with asyncio.timeout(patience):
                await self._slots.acquire()
        except TimeoutError:
            raise ModelBusy("FTE_MODEL_CONCURRENCY_MAX", self._settings.model_wait_seconds_max) from None
        try:
            yield
        finally:
            self._slots.release()

    def _note(self, change: Change | None, note: CallNote, error: Exception | None = None) -> None:
        """Say once that the provider is away, and once that it is back."""
        if change == "opened":
            self._is_told = False
            _log.error("model.degraded", model=self.name, error=str(error), error_type=type(error).__name__)
        elif change == "closed":
            if self._is_told:
                note.caller.events.append(("model.recovered", {"model": self.name}))
            self._is_told = True
            _log.info("model.recovered", model=self.name)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _wait_seconds(state: RetryCallState) -> float:
    """Wait as long as the provider asks, or a moment that doubles; jitter keeps callers from coming back together."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = retry_after_seconds(error, time.time()) if error is not None else None
    own = _FIRST_WAIT_SECONDS * 2.0 ** (state.attempt_number - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
    return max(own, (asked or 0.0) * random.uniform(1.0, 1.0 + _JITTER_SHARE))  # noqa: S311 - spreads load


class _StopWithin(stop_base):
    """Retry in place only what is retried soon; a longer wait parks the message and frees its place."""

    def __init__(self, settings: Settings, deadline: float) -> None:
        self._settings = settings
        self._deadline = deadline

    def __call__(self, state: RetryCallState) -> bool:
        wait = state.upcoming_sleep
        return (
            state.attempt_number > self._settings.model_retries_max
            or wait > self._settings.model_retry_seconds_max
            or _loop_time() + wait >= self._deadline
        )


def _count_retries(note: CallNote) -> Callable[[RetryCallState], None]:
    def count(state: RetryCallState) -> None:
        note.retries = state.attempt_number

    return count
