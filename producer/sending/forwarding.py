"""Append accepted messages to their mailboxes and ring: this makes answers quick, and rescue makes them sure."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from runtime.failpoints import Failpoint, no_failpoint
from runtime.outage import Outage
from schema.errors import ServerUnreachable
from schema.keys import mailbox_keys
from schema.messages.envelope import encode_envelope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from producer.sending.doorbell import Doorbell
    from runtime.redis import Scripts
    from schema.ids import ConversationKey
    from schema.messages.envelope import Envelope
    from schema.settings.mailbox import MailboxSettings


class Forwarding:
    """Appends and rings for many conversations at once, on one event loop.

    No failure here loses a message: it is accepted. The workers' rescue appends what is in the inbox and in no mailbox,
    and drains the conversations that no bell was heard for.
    """

    def __init__(
        self, scripts: Scripts, doorbell: Doorbell, settings: MailboxSettings, *, failpoint: Failpoint = no_failpoint
    ) -> None:
        self._scripts = scripts
        self._doorbell = doorbell
        self._failpoint = failpoint
        self._partitions = settings.partitions
        self._bell_ms = round(settings.bell_seconds * 1_000)
        self._redis = Outage("redis", doorbell.address)
        self._broker = Outage("broker", doorbell.address)
        self._ringing = asyncio.Lock()
        self._unrung: list[ConversationKey] = []

    async def forward(self, envelopes: Sequence[tuple[ConversationKey, Envelope]]) -> None:
        """Append every envelope in one round trip, and ring once for each conversation that no worker has in hand."""
        if not envelopes:
            return
        to_ring = await self._append_all(envelopes)
        if to_ring:
            self._failpoint("send.appended")
            await self._ring(to_ring)

    async def _append_all(self, envelopes: Sequence[tuple[ConversationKey, Envelope]]) -> list[ConversationKey]:
        calls = [
            (
                self._scripts.append,
                mailbox_keys(key, self._partitions),
                [str(key), encode_envelope(envelope), envelope.position, self._bell_ms],
            )
            for key, envelope in envelopes
        ]
        try:
            answers = await self._scripts.run_each(calls)
        except (RedisError, OSError) as error:
            self._redis.begins(error, messages=len(envelopes))
            return []
        failures = [answer for answer in answers if isinstance(answer, Exception)]
        if failures:  # refused one by one, for instance because the server's memory is full
            self._redis.begins(failures[0], messages=len(failures))
        else:
            self._redis.ends()
        appended = zip(envelopes, answers, strict=True)
        return [key for (key, _), answer in appended if isinstance(answer, list) and answer[1] == 1]

    async def _ring(self, keys: Sequence[ConversationKey]) -> None:
        """Ring for conversations, batched with those that came while the last bells were rung."""
        self._unrung.extend(keys)
        async with self._ringing:
            if not self._unrung:
                return
            batch, self._unrung = self._unrung, []
            try:
                await asyncio.to_thread(self._doorbell.ring, batch)
            except ServerUnreachable as error:
                self._broker.begins(error, conversations=len(batch))
            else:
                self._broker.ends()
