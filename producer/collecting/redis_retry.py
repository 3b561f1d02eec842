"""Retry operations on a Redis that is away for a while, for readers of streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_delay, stop_never
from tenacity import wait_exponential_jitter as wait_exponential_with_jitter

from runtime.outage import Outage, is_redis_away
from runtime.server_addresses import address_of, first_line
from schema.errors import ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from schema.settings.servers import ServerSettings

RETRY_SECONDS = 0.1
RETRY_SECONDS_MAX = 1.0

Answer = TypeVar("Answer")


class RedisRetry:
    """Repeats what Redis did not answer, or refused for its state; for operations that are safe to repeat."""

    def __init__(self, settings: ServerSettings) -> None:
        self._address = address_of(settings.redis_url or "")
        self._outage = Outage("redis", self._address)

    async def persist(self, operation: Callable[[], Awaitable[Answer]], *, seconds_max: float | None = None) -> Answer:
        """Run `operation` until Redis answers, and return the answer; other errors are raised as they are.

        Raises ServerUnreachable after `seconds_max`.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            wait=wait_exponential_with_jitter(multiplier=RETRY_SECONDS, max=RETRY_SECONDS_MAX, jitter=RETRY_SECONDS),
            stop=stop_never if seconds_max is None else stop_after_delay(seconds_max),
            before_sleep=self._note,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    answer = await operation()
                    self._outage.ends()
                    return answer
        except Exception as error:
            if not _may_pass(error):
                raise
            raise ServerUnreachable("Redis", self._address, "FTE_REDIS_URL", first_line(error)) from error
        raise AssertionError("retrying ends with an answer or an error")

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            self._outage.begins(error)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, OSError) or is_redis_away(error)
