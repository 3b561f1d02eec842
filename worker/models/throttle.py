"""Limit the requests of all processes together to a provider's limits a minute, of each model by itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from schema.keys import rate_key
from worker.models.failures import ModelBusy

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

    from schema.settings.models import ProviderSettings


class Throttle:
    """Takes room in Redis before each request; without a limit in the settings there is nothing to take.

    Written here, because the libraries at hand count one limit at a time, by each caller's clock, and cannot say how
    long to wait; here requests and tokens are taken together, or neither, by the clock of Redis.
    """

    def __init__(self, script: AsyncScript, settings: ProviderSettings) -> None:
        self._script = script
        self._key = rate_key(settings.model_name)
        self._per_minute = (settings.model_requests_per_minute or 0, settings.model_tokens_per_minute or 0)
        self._owed_tokens = 0

    async def take(self, tokens: int, *, seconds_max: float) -> None:
        """Wait until a request of about so many tokens may go out.

        Raises ModelBusy at once when that is longer than `seconds_max`, and what Redis raises.
        """
        if not any(self._per_minute):
            return
        owed, self._owed_tokens = self._owed_tokens, 0
        arguments = [*self._per_minute, tokens, owed, round(seconds_max * 1_000)]
        answer: Any = await self._script(keys=[self._key], args=arguments)
        taken, wait_ms = map(int, answer)
        if not taken:
            raise ModelBusy("the limits a minute", wait_ms / 1_000)
        if wait_ms:
            await asyncio.sleep(wait_ms / 1_000)

    def correct(self, tokens: int) -> None:
        """Record by how many tokens a request took more than it said (less: below zero); told with the next one."""
        self._owed_tokens += tokens
