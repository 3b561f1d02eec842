"""Erase a conversation's replies, escalations and events from the outbound streams and from the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.desk.outbox_events import announce, check_name
from ops.desk.takeover import UnknownConversation
from schema.keys import again_stream
from worker.outbound.places import stream_of, streams_of

if TYPE_CHECKING:
    from datetime import datetime

    from runtime.database import Database
    from runtime.redis import Scripts
    from runtime.sealing import Sealer
    from schema.ids import ConversationKey

_PAGE_ENTRIES = 500


@dataclass(frozen=True)
class Erased:
    """How much of a conversation was erased."""

    rows: int
    """Outbox rows whose words are gone; what was erased before is not counted again."""
    entries: int
    """Entries erased from Redis, where they stood in clear."""
    unpublished: int
    """Outbox rows that are in no stream yet: they stay, so that nothing accepted goes unanswered."""


async def erase_entries(
    database: Database,
    scripts: Scripts,
    sealer: Sealer,
    key: ConversationKey,
    *,
    by: str,
    now: datetime,
) -> Erased:
    """Erase what is published of a conversation, collected or not, and record who did: the event `entries.erased`.

    PostgreSQL comes first, so that nothing can refill a stream afterwards; when interrupted, run it again. What a
    consumer has collected is the consumer's to erase. Raises UnknownConversation, and ValueError without a name.
    """
    who = check_name(by, "erases entries")
    names = {"tenant": key.tenant, "conversation": key.conversation}
    async with database.transaction(key.tenant) as transaction:
        if not await transaction.run("find_owner", **names):
            raise UnknownConversation(key)
        counts = (await transaction.run("erase_outbox", **names))[0]
        await transaction.run("advance_version", **names)
        attributes = {"rows": str(counts["erased"]), "by": who}
        await announce(transaction, sealer, key, "entries.erased", now=now, attributes=attributes)
    entries = 0
    for stream in await _streams(database, key.tenant):
        entries += await _erase_from(scripts, stream, key.conversation)
    return Erased(counts["erased"], entries, counts["unpublished"])


async def _streams(database: Database, tenant: str) -> list[str]:
    """Return the names of a tenant's streams, including those from which groups collect what was cut."""
    groups = await database.read(tenant, "find_groups")
    again = [again_stream(stream_of(row).name, row["name"]) for row in groups if row["is_aside"]]
    return [*(stream.name for stream in streams_of(tenant)), *again]


async def _erase_from(scripts: Scripts, stream: str, conversation: str) -> int:
    erased, start = 0, "-"
    while start:
        gone, following = await scripts.erase_entries(keys=[stream], args=[conversation, start, _PAGE_ENTRIES])
        erased += int(gone)
        start = following.decode()
    return erased
