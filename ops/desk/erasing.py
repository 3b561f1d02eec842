"""Erase a conversation's replies, escalations and events from the outbound streams and from the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.audit.acts import Act, By, actor_of, record_act
from ops.desk.takeover import UnknownConversation
from worker.outbound.announcing import announce
from worker.outbound.places import names_with_aside

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    by: By,
    now: datetime,
) -> Erased:
    """Erase what is published of a conversation, collected or not, and record who did: the event `entries.erased`.

    PostgreSQL comes first, so that nothing can refill a stream afterwards; when interrupted, run it again. What a
    consumer has collected is the consumer's to erase. Raises UnknownConversation, and ValueError without a name.
    """
    actor = actor_of(by)
    names = {"tenant": key.tenant, "conversation": key.conversation}
    async with database.transaction(key.tenant) as transaction:
        if not await transaction.run("find_owner", **names):
            raise UnknownConversation(key)
        counts = (await transaction.run("erase_outbox", **names))[0]
        await transaction.run("advance_version", **names)
        attributes = {"rows": str(counts["erased"]), "by": actor.name}
        await announce(transaction, sealer, key, "entries.erased", now=now, attributes=attributes)
        await record_act(transaction, key.tenant, actor, Act("entries.erased", key.conversation, key.conversation))
    return Erased(
        counts["erased"],
        await erase_from_streams(database, scripts, key.tenant, [key.conversation]),
        counts["unpublished"],
    )


async def erase_from_streams(database: Database, scripts: Scripts, tenant: str, conversations: Sequence[str]) -> int:
    """Remove conversations' entries from a tenant's streams, also from those that groups collect what was cut from.

    Returns how many went.
    """
    if not conversations:
        return 0
    groups = await database.read(tenant, "find_groups")
    streams = names_with_aside(tenant, groups)
    return sum([await _erase_from(scripts, stream, conversations) for stream in streams])


async def _erase_from(scripts: Scripts, stream: str, conversations: Sequence[str]) -> int:
    erased, start = 0, "-"
    first, *others = conversations
    while start:
        gone, following = await scripts.erase_entries(keys=[stream], args=[first, start, _PAGE_ENTRIES, *others])
        erased += int(gone)
        start = following.decode()
    return erased
