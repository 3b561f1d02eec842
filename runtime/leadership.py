"""Elect the one process that does repairs for all, by an advisory lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from runtime.database import EVERY_TENANT
from runtime.loops import Loop
from schema.resources import load_query

if TYPE_CHECKING:
    import psycopg

    from runtime.database import Database, Row

CAMPAIGN_SECONDS = 2.0
"""How often a process checks whether the lock is free, and the holder checks that its connection lives."""

_log = structlog.get_logger("fte.leadership")


class Leadership:
    """Holds, or seeks, the advisory lock in PostgreSQL of the one process that repairs for all.

    The lock belongs to a transaction that stays open on a connection of its own, beside the pool: the holder alone
    has one. So it works behind a pooler of transactions; it is free at once when the holder dies, and within 15 s
    (`take_repairs`) when the holder hangs or its wire swallows everything. Between statements such a transaction holds
    no snapshot, so it does not hold vacuum back.

    It saves work and nothing depends on it: for a moment after a connection is cut two may believe that they lead.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holding: psycopg.AsyncConnection[Row] | None = None

    def is_held(self) -> bool:
        """Check whether this process led at its last look."""
        return self._holding is not None

    def loop(self) -> Loop:
        """Return the loop that seeks and keeps the lock."""
        return Loop("leadership", self.campaign, CAMPAIGN_SECONDS, at_once=True)

    async def campaign(self) -> None:
        """Take the lock when it is free, or keep it; raises what the database raises, and then no longer leads."""
        if self._holding is not None:
            await self._keep(self._holding)
            return
        # First through the pool, where the lock is free again at once; only a likely winner opens its own connection.
        rows = await self._database.read(EVERY_TENANT, "take_repairs")
        if not rows[0]["taken"]:
            return
        connection = await self._database.connect_apart()
        try:
            cursor = await connection.execute(load_query("take_repairs"))
            row = await cursor.fetchone()
            if row is not None and row["taken"]:
                self._holding = connection
                _log.info("leadership.taken")
        finally:
            if self._holding is not connection:
                await connection.close()

    async def resign(self) -> None:
        """Release the lock, if it is held."""
        holding, self._holding = self._holding, None
        if holding is not None:
            await holding.close()

    async def _keep(self, connection: psycopg.AsyncConnection[Row]) -> None:
        try:
            await connection.execute("SELECT 1")
        except BaseException:
            _log.warning("leadership.lost")
            await self.resign()
            raise
