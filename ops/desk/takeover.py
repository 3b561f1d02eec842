"""Hand a conversation over between the bot and a human, and publish an event."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ops.desk.outbox_events import announce
from runtime.database import Database
from runtime.sealing import Sealer
from schema.errors import FteError
from schema.ids import ConversationKey
from schema.messages.event import EventName

Owner = Literal["bot", "human"]

_EVENTS: dict[Owner, EventName] = {"human": "conversation.taken_over", "bot": "conversation.handed_back"}


class UnknownConversation(FteError):
    """A conversation that its tenant does not have: nobody ever sent a message in it."""

    def __init__(self, key: ConversationKey) -> None:
        super().__init__(f"no conversation {key.conversation} of tenant {key.tenant}; see --tenant")
        self.key = key


async def set_owner(database: Database, sealer: Sealer, key: ConversationKey, owner: Owner, *, now: datetime) -> bool:
    """Set whether the bot or a human answers a conversation; return False when it is theirs already.

    The version advances, so a turn under way cannot commit: the bot is silent from the moment this returns. The event
    is written to the outbox and the trace by the same transaction; rescue publishes it. Raises UnknownConversation.
    """
    names = {"tenant": key.tenant, "conversation": key.conversation}
    async with database.transaction(key.tenant) as transaction:
        if not await transaction.run("set_owner", owner=owner, **names):
            if not await transaction.run("find_owner", **names):
                raise UnknownConversation(key)
            return False
        await announce(transaction, sealer, key, _EVENTS[owner], now=now)
    return True
