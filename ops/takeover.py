"""Move a conversation between the bot and a human, and tell the world."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ops.runtime.database import Database
from ops.runtime.sealing import Sealer
from ops.runtime.tracing_table import event_rows
from schema.errors import FteError
from schema.ids import ConversationKey, event_id_of, trace_id_of
from schema.messages import Event, EventName

Owner = Literal["bot", "human"]

_EVENTS: dict[Owner, EventName] = {"human": "conversation.taken_over", "bot": "conversation.handed_back"}


class UnknownConversation(FteError):
    """Say that a tenant has no such conversation: nobody ever sent a message in it."""

    def __init__(self, key: ConversationKey) -> None:
        super().__init__(f"no conversation {key.conversation} of tenant {key.tenant}; see --tenant")
        self.key = key


async def set_owner(database: Database, sealer: Sealer, key: ConversationKey, owner: Owner, *, now: datetime) -> bool:
    """Give a conversation to the bot or to a human; False when it is theirs already.

    The version advances, so a turn under way cannot commit: the bot is silent from the moment this returns. The event
    stands in the outbox and in the trace by the same transaction, and rescue publishes it. Raises UnknownConversation.
    """
    names = {"tenant": key.tenant, "conversation": key.conversation}
    async with database.transaction(key.tenant) as transaction:
        if not await transaction.run("set_owner", owner=owner, **names):
            if not await transaction.run("find_owner", **names):
                raise UnknownConversation(key)
            return False
        place = (await transaction.run("take_ordinal", **names))[0]
        event = Event(
            event_id=event_id_of(key, place["last_ordinal"]),
            tenant=key.tenant,
            conversation=key.conversation,
            name=_EVENTS[owner],
            trace_id=trace_id_of(key),
            created_at=now,
        )
        await transaction.run(
            "add_event",
            ordinal=place["last_ordinal"],
            entry_id=event.event_id,
            sequence=place["last_sequence"],
            body=sealer.seal(event.model_dump_json()),
            **names,
        )
        await transaction.run("record_spans", spans=event_rows(key, _EVENTS[owner], at=now))
    return True
