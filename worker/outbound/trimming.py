"""Trim the outbound streams, taking from no consumer what it has not acknowledged; remove old traces and usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runtime.database import EVERY_TENANT
from schema.keys import ASIDE_ID
from worker.outbound.places import OutboundStream, id_of, position_of, streams_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

    from runtime.database import Database
    from runtime.redis import Scripts
    from schema.settings.retention import RetentionSettings
    from worker.outbound.aside import Aside


_ROWS_MAX = 5_000
_PAGE_ENTRIES = 1_000


class Trimmer:
    """Trims streams to a tail and what groups have not collected, within a limit; and removes what is past its days.

    What a group had not collected when its stream grew over the limit is recorded, and comes to it from PostgreSQL.
    """

    def __init__(
        self, client: Redis, scripts: Scripts, database: Database, aside: Aside, settings: RetentionSettings
    ) -> None:
        self._client: Any = client  # its stubs mix the answers of both protocols
        self._scripts = scripts
        self._database = database
        self._aside = aside
        self._entries_max = settings.stream_entries_max
        self._tail_max = min(settings.stream_tail_entries_max, settings.stream_entries_max)
        self._spans_days = settings.spans_days
        self._usage_days = settings.usage_days
        self._mail_thread_days = settings.mail_thread_days

    async def trim(self) -> int:
        """Trim every stream of every tenant; returns how many entries were removed.

        Down to the oldest entry that some group still needs, and no further than the tail that is left to readers
        without a group; a stream without any group is only cut to its limit. What is trimmed stands in the outbox.
        """
        rows = await self._database.read(EVERY_TENANT, "find_tenants")
        streams = [(row["tenant_id"], stream) for row in rows for stream in streams_of(row["tenant_id"])]
        arguments = [self._tail_max, self._entries_max, ASIDE_ID]
        calls = [(self._scripts.trim_collected, [stream.name], arguments) for _, stream in streams]
        trimmed = 0
        for (tenant, stream), answer in zip(streams, await self._scripts.run_each(calls), strict=True):
            if isinstance(answer, Exception):
                raise answer
            gone, left, is_shared = answer
            trimmed += gone
            if left > self._entries_max:
                trimmed += await self._cut_to_limit(tenant, stream, left - self._entries_max)
            elif is_shared:
                trimmed += await self._cut_collected(tenant, stream, left - self._tail_max)
        return trimmed

    async def trim_spans(self) -> int:
        """Remove the spans that are older than `spans_days`, or than their tenant keeps them; returns how many."""
        removed = await self._remove("remove_spans", older_than_days=self._spans_days)
        return removed + await self._remove("remove_spans_of_tenants")

    async def trim_guesses(self) -> int:
        """Remove the counts of guesses of past days; returns how many."""
        return await self._remove("remove_guesses", older_than_days=1)

    async def trim_mail_counts(self) -> int:
        """Remove the counts of mails that are past the day which they count for; returns how many."""
        return await self._remove("remove_mail_counts", older_than_days=2)

    async def trim_mail_threads(self) -> int:
        """Remove what is known of mails that are older than `mail_thread_days`; returns how many."""
        return await self._remove("remove_mail_threads", older_than_days=self._mail_thread_days)

    async def trim_usage(self) -> int:
        """Remove the records of model calls that are older than `usage_days`, or than their tenant keeps them."""
        removed = await self._remove("remove_usage", older_than_days=self._usage_days)
        return removed + await self._remove("remove_usage_of_tenants")

    async def _remove(self, query: str, **parameters: int) -> int:
        """Remove in portions, each a transaction of its own: none runs into the time limit of a statement."""
        removed = 0
        while True:
            rows = await self._database.read(EVERY_TENANT, query, rows_max=_ROWS_MAX, **parameters)
            portion = int(rows[0]["removed"])
            removed += portion
            if portion < _ROWS_MAX:
                return removed

    async def _cut_to_limit(self, tenant: str, stream: OutboundStream, entries: int) -> int:
        """Cut the oldest entries, whoever needs them: such a group collects them from a stream of its own."""
        cut = 0
        while cut < entries:
            page = await self._oldest(stream, entries - cut)
            for group, collected in (await self._standing(stream)).items():
                if page and collected < position_of(page[-1][0].decode()):
                    await self._aside.put(tenant, stream, group, collected)
            gone = await self._cut(tenant, stream, page)
            cut += gone
            if not gone:
                break
        return cut

    async def _cut_collected(self, tenant: str, stream: OutboundStream, entries: int) -> int:
        """Cut what every group that reads the stream has collected, and record it for those that collect elsewhere."""
        needed = [
            row["position"]
            for row in await self._database.read(tenant, "find_groups")
            if (row["kind"], row["channel"]) == stream[:2]
            # A group that has collected what was cut is about to rejoin, and must find what follows.
            and row["is_aside"]
            and row["position"] >= row["cut_position"] > 0
        ]
        cut = 0
        while cut < entries:
            collected = min([*needed, *(await self._standing(stream)).values()], default=None)
            oldest = await self._oldest(stream, entries - cut)
            page = [entry for entry in oldest if collected is None or position_of(entry[0].decode()) <= collected]
            gone = await self._cut(tenant, stream, page)
            cut += gone
            if not gone:
                break
        return cut

    async def _oldest(self, stream: OutboundStream, entries: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found: list[tuple[bytes, dict[bytes, bytes]]] = await self._client.xrange(
            stream.name, count=min(entries, _PAGE_ENTRIES)
        )
        return found

    async def _cut(self, tenant: str, stream: OutboundStream, page: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> int:
        if not page:
            return 0
        positions = [position_of(entry_id.decode()) for entry_id, _ in page]
        await self._database.read(
            tenant,
            "record_cut",
            tenant=tenant,
            kind=stream.kind,
            channel=stream.channel,
            positions=positions,
            entry_ids=[fields.get(b"id", b"").decode(errors="replace") for _, fields in page],
        )
        last = [id_of(positions[-1]), id_of(positions[-1] + 1), ASIDE_ID]
        return int(await self._scripts.cut_stream(keys=[stream.name], args=last))

    async def _standing(self, stream: OutboundStream) -> dict[str, int]:
        """Return up to which position each group that reads the stream itself has collected it."""
        standing = {}
        for group in await self._client.xinfo_groups(stream.name):
            name, delivered = group["name"], group["last-delivered-id"].decode()
            if delivered == ASIDE_ID:
                continue
            oldest = (await self._client.xpending(stream.name, name))["min"]
            standing[name.decode()] = position_of(oldest.decode()) - 1 if oldest else position_of(delivered)
        return standing
