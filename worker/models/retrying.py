"""The rules by which a request is repeated within one model call: soon, or not at all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.stop import stop_base

from runtime.jitter import jitter_above, jitter_below
from worker.models.failures import ASKED_JITTER_SHARE, may_pass_in_seconds, retry_after_seconds

if TYPE_CHECKING:
    from schema.settings.models import ProviderSettings

_FIRST_WAIT_SECONDS = 0.25


def retrying(
    settings: ProviderSettings, deadline: float, *, is_given_up: Callable[[], bool], count: Callable[[int], None]
) -> AsyncRetrying:
    """Build one call's retries; they end at `deadline` (of the event loop's clock) and raise the last error as it is.

    Nothing is repeated once `is_given_up`; `count` hears the number of each repetition.
    """
    return AsyncRetrying(
        retry=retry_if_exception(lambda error: not is_given_up() and may_pass_in_seconds(error)),
        wait=_wait_seconds,
        stop=_StopWithin(settings, deadline),
        before_sleep=lambda state: count(state.attempt_number),
        sleep=asyncio.sleep,
        reraise=True,
    )


def _wait_seconds(state: RetryCallState) -> float:
    """Return the provider's wait, or a moment that doubles; jitter keeps callers from coming back together."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = retry_after_seconds(error, time.time()) if error is not None else None
    own = jitter_below(_FIRST_WAIT_SECONDS * 2.0 ** (state.attempt_number - 1), 0.5)
    return max(own, jitter_above(asked or 0.0, ASKED_JITTER_SHARE))


class _StopWithin(stop_base):
    """Stops retrying in place before a long wait, which parks the message instead and frees its place."""

    def __init__(self, settings: ProviderSettings, deadline: float) -> None:
        self._settings = settings
        self._deadline = deadline

    def __call__(self, state: RetryCallState) -> bool:
        wait = state.upcoming_sleep
        return (
            state.attempt_number > self._settings.model_retries_max
            or wait > self._settings.model_retry_seconds_max
            or asyncio.get_running_loop().time() + wait >= self._deadline
        )
