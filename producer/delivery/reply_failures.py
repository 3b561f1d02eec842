"""Act on messages that a provider took and reported later as not delivered: again, suppressed, or a person is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from producer.delivery.reply_deliveries import suppression_of
from runtime.database import EVERY_TENANT

if TYPE_CHECKING:
    from producer.delivery.reply_channel import SendOutcome
    from producer.delivery.reply_deliveries import ReplyParts
    from runtime.database import Row

FAILURES_MAX: Final = 100
"""Failures that are taken up in one round."""

_log = structlog.get_logger("fte.replies")


class LateFailures:
    """Takes up what status callbacks and bounces have told; of several processes, the first acts on each."""

    def __init__(self, parts: ReplyParts) -> None:
        self._parts = parts

    async def take_up(self) -> int:
        """Act on what was reported; return how many failures were found."""
        channel = self._parts.channel
        rows = await self._parts.database.read(
            EVERY_TENANT, "find_failed_parts", channel=channel.name, rows_max=FAILURES_MAX
        )
        for row in rows:
            outcome = channel.read_failure(row["status_code"], row["attempts"])
            # Not behind a reply that came later, which the customer would read first; and not one that never left.
            is_repeated = outcome.kind == "retry" and row["is_newest"] and row["state"] == "sent" and row["has_content"]
            await self._act(row, outcome, is_repeated=is_repeated)
        return len(rows)

    async def _act(self, row: Row, outcome: SendOutcome, *, is_repeated: bool) -> None:
        tickets = self._parts.tickets
        hours = await tickets.hours_of(row["tenant_id"])
        names = {"tenant": row["tenant_id"], "conversation": row["conversation_id"], "channel": row["channel"]}
        reply = {"tenant": row["tenant_id"], "reply_id": row["reply_id"]}
        async with self._parts.database.transaction(row["tenant_id"]) as transaction:
            await transaction.run("lock_reply_conversation", **names)
            noted = await transaction.run(
                "note_part_failure", part=row["number"], attempt=row["attempts"], is_repeated=is_repeated, **reply
            )
            if not noted:
                return
            if is_repeated:
                await transaction.run("repeat_reply", after_seconds=outcome.after_seconds, **reply)
            elif outcome.kind == "suppressed":
                await transaction.run("suppress_sender", **suppression_of(row, outcome))
            if not is_repeated:
                await tickets.open(transaction, row, outcome.reason, hours)
        about = {**names, "reply_id": row["reply_id"], "code": outcome.code, "reason": outcome.reason}
        _log.warning("reply.repeated" if is_repeated else "reply.not_delivered", **about)
