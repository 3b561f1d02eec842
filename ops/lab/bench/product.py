"""Run the product end to end: producer, inbox, mailbox, doorbell, one worker process, outbox, stream, consumer."""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ops.lab.bench.cpu import CpuRound, cpu_seconds, spent_since
from schema.keys import replies_stream
from schema.messages.inbound import Inbound

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from producer.sending.client import AsyncProducer

_CHANNEL: Final = "chat"
_SENDERS = 16
_READ_MS = 2_000
_SILENCE_SECONDS_MAX = 30


@dataclass(frozen=True)
class Product:
    """The running product as a benchmark drives it: this process sends and reads, and started all the others."""

    producer: AsyncProducer
    redis: Redis

    async def run(self, questions: list[str], *, conversations: list[str] | None = None) -> CpuRound:
        """Send each question in a conversation of its own, or in the one named for it, and wait for all replies.

        Raises TimeoutError when no reply comes for 30 s.
        """
        before = cpu_seconds()
        started = time.perf_counter()
        run = uuid.uuid4().hex[:8]
        stream = replies_stream("default", _CHANNEL)
        newest: Any = await self.redis.xrevrange(stream, count=1)
        after: bytes = newest[0][0] if newest else b"0"
        reader = asyncio.create_task(self._read(stream, after, len(questions)))
        pending = iter(enumerate(questions))

        async def send() -> None:
            for number, question in pending:
                name = f"bench-{run}-{number}"
                conversation = conversations[number] if conversations else name
                await self.producer.send(_inbound(name, conversation, question))

        await asyncio.gather(*(send() for _ in range(_SENDERS)))
        await reader
        return CpuRound(len(questions), time.perf_counter() - started, spent_since(before))

    async def _read(self, stream: str, after: bytes, expected: int) -> None:
        seen = 0
        heard_at = time.monotonic()
        while seen < expected:
            answer: Any = await self.redis.xread({stream: after}, count=500, block=_READ_MS)
            if answer:
                entries = answer[0][1]
                seen += len(entries)
                after = entries[-1][0]
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > _SILENCE_SECONDS_MAX:
                raise TimeoutError(f"{seen} of {expected} replies, then none for {_SILENCE_SECONDS_MAX} s")


def _inbound(message_id: str, conversation: str, question: str) -> Inbound:
    return Inbound(
        message_id=message_id,
        tenant="default",
        conversation=conversation,
        channel=_CHANNEL,
        sender="bench@example.com",
        text=question,
    )
