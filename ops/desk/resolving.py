"""Call a conversation resolved: its episode ends, and the customer's next message begins another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.desk.outbox_events import check_name
from ops.desk.takeover import UnknownConversation

if TYPE_CHECKING:
    from datetime import datetime

    from runtime.database import Database
    from schema.ids import ConversationKey


async def resolve(database: Database, key: ConversationKey, *, by: str, now: datetime) -> bool:
    """Call what is answered of a conversation resolved; return False when there is nothing new to resolve.

    Who owns the conversation stays as it is, and a message that waits is answered all the same: it begins the next
    episode. Raises UnknownConversation, and ValueError without a name.
    """
    who = check_name(by, "resolves a conversation")
    names = {"tenant": key.tenant, "conversation": key.conversation}
    async with database.transaction(key.tenant) as transaction:
        if await transaction.run("add_resolution", resolved_at=now, resolved_by=who, **names):
            return True
        if not await transaction.run("find_owner", **names):
            raise UnknownConversation(key)
    return False
