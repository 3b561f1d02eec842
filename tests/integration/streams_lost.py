"""Run servers to empty, a worker on them, and consumers of its streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.messages.reply import Reply

if TYPE_CHECKING:
    from producer.collecting.entries import StreamEntry
    from producer.collecting.subscription import AsyncSubscription
    from tests.integration.worker_harness import Harness


async def answer(harness: Harness, conversation: str, *texts: str) -> None:
    for text in texts:
        await harness.accept(conversation, text)
    await harness.drain(conversation)
    await harness.service.publisher.note()


async def flush(harness: Harness) -> None:
    await harness.service.servers.redis.flushall()


async def take(subscription: AsyncSubscription, count: int) -> list[StreamEntry]:
    """Take that many entries; fails when they do not come."""
    entries: list[StreamEntry] = []
    for _ in range(count):
        entry = await subscription.next(5)
        assert entry is not None, f"only {len(entries)} of {count} entries came"
        entries.append(entry)
    return entries


def said(entries: list[StreamEntry]) -> list[str]:
    return [entry.body.text.removeprefix("you said: ") for entry in entries if isinstance(entry.body, Reply)]
