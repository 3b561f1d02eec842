"""Remove what of conversations is past its days: the oldest turns, or the whole of one that has fallen silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from runtime.database import EVERY_TENANT
from schema.keys import EntryId
from worker.outbound.places import names_with_aside
from worker.store.erasure import erase_conversations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from redis.asyncio import Redis

    from runtime.database import Database, Row
    from schema.settings.retention import RetentionSettings

TURNS_MAX = 500
"""Turns looked at in one round of a tenant: their conversations are brought up to date one transaction each."""

BATCH_CONVERSATIONS = 50
"""Silent conversations removed in one transaction."""

ROUNDS_MAX = 20
"""Rounds of a tenant; what is left waits for the next time."""

_log = structlog.get_logger("fte.expiry")


class Expiry:
    """Removes in small transactions, oldest first; of two processes at it the later finds nothing left."""

    def __init__(self, client: Redis, database: Database, settings: RetentionSettings) -> None:
        self._client: Any = client  # its stubs mix the answers of both protocols
        self._database = database
        self._days = settings.conversations_days

    async def expire(self) -> int:
        """Remove what is older than `conversations_days`, or than its tenant keeps it; return how many turns went.

        A conversation that is silent for so long goes as if it were erased; of another only the oldest turns go. What
        is on legal hold stays. Message ids stay as keyed hashes. What was sent leaves the streams as well, collected
        or not.
        """
        removed = 0
        groups = await self._database.read(EVERY_TENANT, "find_groups")
        for row in await self._database.read(EVERY_TENANT, "find_retentions", older_than_days=self._days):
            turns = await self._expire_of(row["tenant_id"], row["before"])
            await self._trim_streams(row["tenant_id"], groups, row["before"])
            removed += turns
            if turns:
                _log.info("conversations.expired", tenant=row["tenant_id"], turns=turns)
        return removed

    async def _expire_of(self, tenant: str, before: datetime) -> int:
        removed = 0
        for _ in range(ROUNDS_MAX):
            found = await self._database.read(tenant, "find_expired", tenant=tenant, before=before, turns_max=TURNS_MAX)
            turns = await self._remove(tenant, before, found)
            removed += turns
            if not turns:
                break
        return removed

    async def _remove(self, tenant: str, before: datetime, found: Sequence[Row]) -> int:
        silent = [row["conversation_id"] for row in found if row["is_silent"]]
        removed = 0
        for first in range(0, len(silent), BATCH_CONVERSATIONS):
            async with self._database.transaction(tenant) as transaction:
                rows = await erase_conversations(transaction, tenant, silent[first : first + BATCH_CONVERSATIONS])
                removed += rows.get("turn", 0)
        for row in found:
            if not row["is_silent"]:
                names = {"tenant": tenant, "conversation": row["conversation_id"], "before": before}
                removed += int((await self._database.read(tenant, "expire_turns", **names))[0]["removed"])
        return removed

    async def _trim_streams(self, tenant: str, groups: Sequence[Row], before: datetime) -> None:
        oldest = EntryId(round(before.timestamp() * 1_000), 0)
        async with self._client.pipeline(transaction=False) as pipe:
            for stream in names_with_aside(tenant, groups):  # entries stand in either kind under the ids they first had
                pipe.xtrim(stream, minid=f"{oldest.milliseconds}-{oldest.number}", approximate=False)
            await pipe.execute()
