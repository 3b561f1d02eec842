"""Turn what happened in a conversation into webhook events and a delivery to each target that wants them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from pydantic import ValidationError

from producer.delivery.events import Happening, read_episode, read_outbox_row, read_receipt, write_body
from runtime.encoding import dump_json
from schema.errors import Unsealable
from schema.messages.wire import newer_version_in

if TYPE_CHECKING:
    from runtime.database import Database, Row, Transaction
    from runtime.sealing import Sealer
    from schema.ids import ConversationKey

ROWS_MAX: Final = 200
"""Outbox rows of one conversation in one transaction."""

_log = structlog.get_logger("fte.webhooks")


@dataclass(frozen=True)
class FanOut:
    """Makes webhook events from the outbox, in its order and each once, however often it is called.

    A stream's entry only says which conversation to look at: the outbox says what happened and in which order, over
    replies, tickets and events, which stand in different streams.
    """

    database: Database
    sealer: Sealer

    async def of_conversation(self, key: ConversationKey) -> int:
        """Take up everything new in a conversation; return how many events were made."""
        made = 0
        while True:
            rows, events = await self._take_page(key)
            made += events
            if rows < ROWS_MAX:
                return made

    async def _take_page(self, key: ConversationKey) -> tuple[int, int]:
        names = {"tenant": key.tenant, "conversation": key.conversation}
        async with self.database.transaction(key.tenant) as transaction:
            [place] = await transaction.run("lock_webhook_conversation", **names)
            rows = await transaction.run(
                "find_webhook_rows", last_ordinal=place["last_ordinal"], rows_max=ROWS_MAX, **names
            )
            episodes = await transaction.run(
                "find_closed_episodes", last_episode=place["last_episode"], rows_max=ROWS_MAX, **names
            )
            receipts = await transaction.run("find_reply_receipts", rows_max=ROWS_MAX, **names)
            rows, read = self._read_rows(key, rows)
            if not rows and not episodes and not receipts:
                return 0, 0
            beside = [read_episode(key, row) for row in episodes] + [read_receipt(key, row) for row in receipts]
            happenings = _in_order(read, sorted(beside, key=lambda happening: happening.at))
            told = {
                "reply_ids": [row["reply_id"] for row in receipts],
                "receipts": [row["receipt"] for row in receipts],
            }
            await transaction.run("note_receipts_told", tenant=key.tenant, **told)
            await self._add(transaction, key, happenings, place["last_sequence"])
            await transaction.run(
                "note_webhook_events",
                last_ordinal=max([place["last_ordinal"], *(row["ordinal"] for row in rows)]),
                last_episode=max([place["last_episode"], *(row["number"] for row in episodes)]),
                last_sequence=place["last_sequence"] + len(happenings),
                **names,
            )
        return len(rows), len(happenings)

    def _read_rows(self, key: ConversationKey, rows: list[Row]) -> tuple[list[Row], list[Happening]]:
        """Read rows in order; return those that were taken up, and what they tell.

        A row of a version that only a later release reads ends them: it and what follows wait for its process. One
        that nobody can read is passed over, for it must not hold back what follows.
        """
        read = []
        for place, row in enumerate(rows):
            try:
                read.append(read_outbox_row(key, row, self.sealer.open(row["body"])))
            except (Unsealable, ValidationError) as error:
                is_newer = isinstance(error, ValidationError) and newer_version_in(error) is not None
                reason = "a later release's" if is_newer else type(error).__name__
                _log.error("webhook.unreadable", **key._asdict(), ordinal=row["ordinal"], reason=reason)
                if is_newer:
                    return rows[:place], read
        return rows, read

    async def _add(
        self, transaction: Transaction, key: ConversationKey, happenings: list[Happening], last_sequence: int
    ) -> None:
        names = {"tenant": key.tenant, "conversation": key.conversation}
        events: list[dict[str, Any]] = [
            {
                "event_id": happening.event_id,
                "sequence": sequence,
                "type": happening.type,
                "body": write_body(key, happening, sequence),
                "occurred_at": happening.at,
                "stored_at": happening.stored_at,
            }
            for sequence, happening in enumerate(happenings, last_sequence + 1)
        ]
        if events:
            await transaction.run("add_webhook_events", events=dump_json(events), **names)
            await transaction.run("free_webhooks", **names)


def _in_order(read: list[Happening], ended: list[Happening]) -> list[Happening]:
    """Put what stands elsewhere in its place among what the outbox tells, whose order stays."""
    found: list[Happening] = []
    waiting = list(ended)
    for happening in read:
        while waiting and waiting[0].at <= happening.at:
            found.append(waiting.pop(0))
        found.append(happening)
    return [*found, *waiting]
