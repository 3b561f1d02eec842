"""Notice where people are late: claims that ran out, and customers whom nobody answered in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from runtime.database import EVERY_TENANT
from runtime.encoding import dump_json
from runtime.tenants import Tenants
from schema.ids import ConversationKey
from worker.conversation.opening_hours import add_open_time
from worker.outbound.announcing import announce
from worker.outbound.desk_replies import DESK, Words, add_reply, find_address, read_ground
from worker.store.approvals import decide

if TYPE_CHECKING:
    from runtime.database import Database, Row, Transaction
    from runtime.sealing import Sealer
    from schema.messages.event import EventName
    from schema.tenants import TenantSettings

CONVERSATIONS_MAX: Final = 200
"""Most conversations looked at in one round."""

CLOCK: Final = "clock"
"""Who does it, in the history."""

_log = structlog.get_logger("fte.desk")


class Silence:
    """Does what tenants' settings say about people's silence; every round is idempotent, in any number of processes.

    Each step is decided by `move_conversation` under the conversation's lock: of two processes, or a process and a
    person who answers, one is first, and for the other there is nothing left to do.
    """

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer
        self._tenants = Tenants(database)

    async def look(self) -> int:
        """Take up what is late now; return how many conversations changed."""
        rows = await self._database.read(EVERY_TENANT, "find_silent", rows_max=CONVERSATIONS_MAX)
        changed = 0
        for row in rows:
            changed += await self._take_up(ConversationKey(row["tenant_id"], row["conversation_id"]), row)
        return changed + await self._expire_approvals()

    async def _expire_approvals(self) -> int:
        """Let what nobody decided about in time end, as a decision of the clock."""
        rows = await self._database.read(EVERY_TENANT, "find_expired_approvals", rows_max=CONVERSATIONS_MAX)
        expired = 0
        for row in rows:
            async with self._database.transaction(row["tenant_id"]) as transaction:
                decided = await decide(
                    transaction,
                    self._sealer,
                    row["tenant_id"],
                    row["approval_id"],
                    person=CLOCK,
                    decision="expired",
                )
            expired += decided["outcome"] == "done"
        return expired

    async def _take_up(self, key: ConversationKey, row: Row) -> bool:
        settings = (await self._tenants.view(key.tenant)).settings
        async with self._database.transaction(key.tenant) as transaction:
            lapsed = row["is_lapsed"] and await _move(transaction, key, "lapse")
            overdue = row["is_overdue"] and await self._answer_silence(transaction, key, row, settings)
            told: dict[EventName, bool] = {
                "conversation.claim_lapsed": bool(lapsed),
                "conversation.overdue": bool(overdue),
            }
            for name in (name for name, is_so in told.items() if is_so and settings.desk.tells_every_act):
                now, attributes = datetime.now(UTC), {"by": CLOCK}
                await announce(transaction, self._sealer, key, name, now=now, attributes=attributes)
        if lapsed or overdue:
            _log.warning("desk.late", **key._asdict(), claim_lapsed=bool(lapsed), overdue=bool(overdue))
        return bool(lapsed or overdue)

    async def _answer_silence(
        self, transaction: Transaction, key: ConversationKey, row: Row, settings: TenantSettings
    ) -> bool:
        steps = settings.desk.on_silence
        now = datetime.now(UTC)
        apology = None
        if "apologise" in steps and not row["is_apologised"]:
            within = timedelta(minutes=settings.desk.apology_minutes)
            apology = add_open_time(now, within, settings.escalation_hours)
        moved = await _move(transaction, key, "apologise" if apology else "remind", until=apology)
        if moved is None:
            return False  # somebody answered, or another process was here
        if apology is not None:
            await self._apologise(transaction, key, moved["last_position"], apology, now)
        if "reassign" in steps and moved["state"] == "human":
            await _move(transaction, key, "reassign", reason="nobody answered in time")
        return True

    async def _apologise(
        self, transaction: Transaction, key: ConversationKey, position: int, until: datetime, now: datetime
    ) -> None:
        """Tell the customer that it takes longer; where no address is known there is nobody to tell."""
        ground = await read_ground(transaction, key, position)
        address = find_address(ground, self._sealer)
        if address is None:
            _log.warning("desk.no_address", **key._asdict())
            return
        text = apology_text(until)
        words = Words(text, agent="Desk", by=DESK)
        await add_reply(transaction, self._sealer, key, words, ground=ground, address=address, now=now)
        item = self._sealer.with_kept_key(ground["sealed_key"]).seal_item({"role": "assistant", "content": text})
        await transaction.run("add_desk_item", item=dump_json(item), **key._asdict())


def apology_text(until: datetime) -> str:
    """Return what a customer reads whom nobody answered in time."""
    return (
        "I am sorry that you are still waiting: my colleagues need longer than promised. You can expect an answer by "
        f"{until.astimezone(UTC):%H:%M UTC on %d %B %Y}. You need not write again; nothing of it is lost."
    )


async def _move(
    transaction: Transaction,
    key: ConversationKey,
    act: str,
    *,
    until: datetime | None = None,
    reason: str | None = None,
) -> dict[str, Any] | None:
    """Do an act as the clock; return the conversation after it, or None where there is nothing to do any more."""
    [row] = await transaction.run(
        "move_conversation",
        act=act,
        person=CLOCK,
        to_person=None,
        may_force=True,
        desk_version=None,
        position=None,
        until=until,
        lease_seconds=0,
        reason=reason,
        note=None,
        request_id=None,
        **key._asdict(),
    )
    moved: dict[str, Any] = row["moved"]
    return moved if moved["outcome"] == "done" else None
