"""Make deliveries of the replies of one channel in the outbox, in its order and each once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic import ValidationError

from runtime.encoding import dump_json
from schema.errors import Unsealable
from schema.messages.reply import Reply
from schema.messages.wire import newer_version_in

if TYPE_CHECKING:
    from runtime.database import Database, Row
    from runtime.sealing import Sealer
    from runtime.sender_keys import SenderKeys
    from schema.channels import Channel
    from schema.ids import ConversationKey

ROWS_MAX: Final = 200
"""Replies of one conversation in one transaction."""

_log = structlog.get_logger("fte.replies")


@dataclass(frozen=True)
class ReplyIntake:
    """Makes deliveries from the outbox, however often it is called; a stream's entry only says where to look."""

    database: Database
    sealer: Sealer
    senders: SenderKeys
    channel: Channel

    async def of_conversation(self, key: ConversationKey) -> int:
        """Take up the new replies of a conversation; return how many deliveries were made."""
        made = 0
        while True:
            rows, deliveries = await self._take_page(key)
            made += deliveries
            if rows < ROWS_MAX:
                return made

    async def _take_page(self, key: ConversationKey) -> tuple[int, int]:
        names = {"tenant": key.tenant, "conversation": key.conversation, "channel": self.channel}
        async with self.database.transaction(key.tenant) as transaction:
            [place] = await transaction.run("lock_reply_conversation", **names)
            rows = await transaction.run(
                "find_reply_rows", last_ordinal=place["last_ordinal"], rows_max=ROWS_MAX, **names
            )
            rows, read = self._read_rows(key, rows)
            if not rows:
                return 0, 0
            added = await transaction.run("add_reply_deliveries", replies=dump_json(read), **names)
            await transaction.run("free_replies", **names)
            await transaction.run("note_reply_rows", last_ordinal=rows[-1]["ordinal"], **names)
        return len(rows), len(added)

    def _read_rows(self, key: ConversationKey, rows: list[Row]) -> tuple[list[Row], list[dict[str, Any]]]:
        """Read rows in order; return those that were taken up, and the deliveries that they make.

        A row of a version that only a later release reads ends them: it and what follows wait for its process. One
        that nobody can read is passed over, for it must not hold back what follows.
        """
        read: list[dict[str, Any]] = []
        for place, row in enumerate(rows):
            try:
                reply = Reply.model_validate_json(self.sealer.open(row["body"]))
            except (Unsealable, ValidationError) as error:
                is_newer = isinstance(error, ValidationError) and newer_version_in(error) is not None
                reason = "a later release's" if is_newer else type(error).__name__
                _log.error("reply.unreadable", **key._asdict(), ordinal=row["ordinal"], reason=reason)
                if is_newer:
                    return rows[:place], read
                continue
            sender_key = self.senders.key_of(key.tenant, reply.channel, reply.recipient)
            delivery = {"reply_id": row["entry_id"], "ordinal": row["ordinal"], "sender_key": sender_key}
            read.append({**delivery, "author": "human" if reply.by_person else "bot"})
        return rows, read
