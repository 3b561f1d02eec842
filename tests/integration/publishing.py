"""Publish replies as the workers do, for tests of those who collect them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from schema.ids import ConversationKey, reply_id_of
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from producer.collecting.entries import StreamEntry

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = ConversationKey("t", "c-1")


def reply(sequence: int) -> Reply:
    return Reply(
        reply_id=reply_id_of(KEY, sequence),
        tenant=KEY.tenant,
        conversation=KEY.conversation,
        sequence=sequence,
        in_reply_to=[f"m-{sequence}"],
        channel="chat",
        recipient="ada",
        text="One carry-on and one checked bag.",
        agent="FAQ Agent",
        issue_type="faq",
        trace_id="trace_1",
        created_at=NOW,
    )


async def publish(redis: Redis, stream: str, *sequences: int, **changed: Any) -> None:
    """Add replies as the workers do."""
    for sequence in sequences:
        body = reply(sequence)
        fields: Any = {
            "id": body.reply_id,
            "conversation": KEY.conversation,
            "sequence": sequence,
            "body": body.model_dump_json(),
        }
        await redis.xadd(stream, fields | changed)


def sequences(entries: list[StreamEntry]) -> list[int]:
    """Give the replies' numbers."""
    return [entry.sequence for entry in entries]
