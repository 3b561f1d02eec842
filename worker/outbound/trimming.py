"""Keep the outbound streams bounded, without taking from a consumer what it has not acknowledged; traces, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.database import EVERY_TENANT
from worker.outbound.streams import streams_of

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from runtime.database import Database


_ROWS_MAX = 5_000


class Trimmer:
    """Trim streams that are longer than `entries_max`, and what is older than its days."""

    def __init__(
        self, client: Redis, database: Database, *, entries_max: int, spans_days: int, usage_days: int
    ) -> None:
        self._client = client
        self._database = database
        self._entries_max = entries_max
        self._spans_days = spans_days
        self._usage_days = usage_days

    async def trim(self) -> int:
        """Trim every stream of every tenant; gives how many entries went.

        Down to the oldest entry that some consumer group still needs; a stream that no group reads is cut to
        `entries_max`. What is trimmed stands in the outbox all the same.
        """
        rows = await self._database.read(EVERY_TENANT, "find_tenants")
        streams = [stream.name for row in rows for stream in streams_of(row["tenant_id"])]
        async with self._client.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.xlen(stream)
            lengths = await pipe.execute()
        trimmed = 0
        for stream, length in zip(streams, lengths, strict=True):
            if length > self._entries_max:
                trimmed += await self._trim_one(stream)
        return trimmed

    async def trim_spans(self) -> int:
        """Remove the spans of traces that are kept long enough; gives how many."""
        return await self._remove("remove_spans", self._spans_days)

    async def trim_guesses(self) -> int:
        """Remove the counts of guesses of days gone by; gives how many."""
        return await self._remove("remove_guesses", 1)

    async def trim_usage(self) -> int:
        """Remove the records of model calls that are kept long enough; gives how many."""
        return await self._remove("remove_usage", self._usage_days)

    async def _remove(self, query: str, days: int) -> int:
        """Remove in portions, each a transaction of its own: none runs into the time limit of a statement."""
        removed = 0
        while True:
            rows = await self._database.read(EVERY_TENANT, query, older_than_days=days, rows_max=_ROWS_MAX)
            portion = int(rows[0]["removed"])
            removed += portion
            if portion < _ROWS_MAX:
                return removed

    async def _trim_one(self, stream: str) -> int:
        groups: Any = await self._client.xinfo_groups(stream)
        needed = [await self._oldest_needed(stream, group) for group in groups]
        if not needed:
            return int(await self._client.xtrim(stream, maxlen=self._entries_max, approximate=False))
        oldest = min(needed, key=_order)
        return int(await self._client.xtrim(stream, minid=oldest, approximate=False))

    async def _oldest_needed(self, stream: str, group: dict[str, Any]) -> str:
        """Give the id from which on a group needs the stream: its oldest unacknowledged entry, or what comes next."""
        pending: Any = await self._client.xpending(stream, group["name"])
        oldest = pending["min"] or group["last-delivered-id"]
        return oldest.decode() if isinstance(oldest, bytes) else str(oldest)


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number)
