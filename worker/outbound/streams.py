"""Note what is collected of the outbound streams, and restore what Redis lost of the rest."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from runtime.database import EVERY_TENANT, Row
from schema.ids import ConversationKey, new_token
from schema.keys import ASIDE_ID, NOTING_KEY, again_stream, epoch_key, published_key, restoring_key
from worker.outbound.groups import Sighting, Standing
from worker.outbound.places import OutboundStream, stream_of, streams_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

    from runtime.database import Database
    from runtime.redis import Scripts
    from schema.settings.repair import RepairSettings

_ROWS_MAX = 1_000
_CLAIM_SECONDS = 10
"""How long a worker that died while it restored a tenant's streams keeps the others from doing so."""

_WAIT_SECONDS = 0.1
_WAITS_MAX = 20

_log = structlog.get_logger("fte.streams")


@dataclass(frozen=True)
class _Closed:
    """How a tenant's streams were found: what the epoch key is left at ('': it was gone), and the server's run."""

    left_at: str
    run: str
    claim: str
    """The token of who restores them."""

    @property
    def lost_everything(self) -> bool:
        return not self.left_at


class Streams:
    """Tracks the epoch of each tenant's streams, and begins the next one when Redis may have lost something.

    A key (`epoch_key`) holds the epoch and the run of the server; workers alone write it. It is gone when Redis was
    emptied, and names another run after a restart or a failover, which may have cost the last second. From then on
    `publish.lua` adds nothing, until somebody has compared what PostgreSQL notes as published, and not as collected,
    with what Redis still knows. What it does not know is unpublished again, and goes out before anything newer, in
    order.
    """

    def __init__(self, client: Redis, scripts: Scripts, database: Database, settings: RepairSettings) -> None:
        self._client: Any = client  # its stubs mix the answers of both protocols
        self._scripts = scripts
        self._database = database
        self._published_seconds = settings.published_seconds
        self.tenants = 1
        """Number of tenants, as of the last look."""
        self._collected_ms = max(1, round(settings.collected_seconds * 500))

    async def restore_all(self) -> int:
        """Restore the streams of every tenant of which Redis may have lost something; returns how many tenants'."""
        rows = await self._database.read(EVERY_TENANT, "find_lives")
        self.tenants = len(rows)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.info("server")
            for row in rows:
                pipe.get(epoch_key(row["tenant_id"]))
            about, *found = await pipe.execute()
        wrong = [
            row["tenant_id"]
            for row, value in zip(rows, found, strict=True)
            # A tenant without an epoch has published nothing.
            if row["stream_life"] and value != f"{row['stream_life']} {about['run_id']}".encode()
        ]
        for tenant in wrong:
            await self.restore(tenant)
        return len(wrong)

    async def restore(self, tenant: str) -> bool:
        """Restore a tenant's streams and open them; False when another worker is at it, or something got in between."""
        for _ in range(_WAITS_MAX):
            async with self._claim(tenant) as claim:
                if claim is not None:
                    return await self._restore(tenant, claim)
            await asyncio.sleep(_WAIT_SECONDS)
        return False

    async def is_my_turn(self) -> bool:
        """Claim the noting of what is collected, and return whether this worker has it: one at a time is enough."""
        return await self._take(NOTING_KEY, "1", self._collected_ms)

    async def note_collected(self) -> int:
        """Note where groups of consumers stand, and so how far streams are collected; returns of how many it is known.

        Read from the groups, so a consumer needs no way to PostgreSQL: acknowledging in Redis is enough. A group
        that is gone from streams which are whole was destroyed, and is forgotten.
        """
        tenants = [row["tenant_id"] for row in await self._database.read(EVERY_TENANT, "find_lives")]
        calls: list[tuple[AsyncScript, list[str], list[Any]]] = [
            (
                self._scripts.read_collected,
                [epoch_key(tenant), *(stream.name for stream in streams_of(tenant))],
                [ASIDE_ID],
            )
            for tenant in tenants
        ]
        seen = Sighting()
        for tenant, answer in zip(tenants, await self._scripts.run_each(calls), strict=True):
            if isinstance(answer, Exception):
                raise answer
            if answer:
                seen.add(tenant, streams_of(tenant), answer)
        if not seen.epochs:
            return 0
        _, forgotten, *_ = await self._database.run_all(EVERY_TENANT, seen.statements())
        for row in forgotten:
            stream = stream_of(row)
            await self._client.delete(again_stream(stream.name, row["name"]))
            _log.info("stream.group_gone", tenant=row["tenant_id"], stream=stream.name, group=row["name"])
        return len(seen.collected)

    @asynccontextmanager
    async def _claim(self, tenant: str) -> AsyncIterator[str | None]:
        """Claim the restoring of a tenant's streams, and yield the claim's token; None when another worker has it.

        Only to save work: two at a time would make each other start anew.
        """
        token = new_token()
        is_ours = await self._take(restoring_key(tenant), token, _CLAIM_SECONDS * 1_000)
        try:
            yield token if is_ours else None
        finally:
            if is_ours:
                await self._hold_claim(tenant, token, ms=0)

    async def _hold_claim(self, tenant: str, token: str, *, ms: int) -> None:
        """Prolong a claim, or with 0 give it back; one that has run out may be another's by now, and stays."""
        await self._scripts.hold_claim(keys=[restoring_key(tenant)], args=[token, ms])

    async def _take(self, name: str, value: str, ms: int) -> bool:
        """Set a key for a while unless somebody has; one that stays longer was set before Redis's clock went back."""
        if await self._client.set(name, value, nx=True, px=ms):
            return True
        if await self._client.pttl(name) > ms:
            await self._client.delete(name)
        return False

    async def _restore(self, tenant: str, claim: str) -> bool:
        found = ((await self._client.get(epoch_key(tenant))) or b"").decode()
        epoch = await self._read_epoch(tenant)
        changed, left_at, run = await self._look(tenant, found, epoch)
        if not changed:
            return True
        closed = _Closed(left_at, run, claim)
        # Later notes of what was published until now are void, as the epoch has ended: those rows are looked at below.
        epoch = (await self._database.read(tenant, "advance_life", tenant=tenant, life=None))[0]["stream_life"]
        standing = await self._read_standing(tenant)
        lost = 0
        for stream in standing.streams:
            lost += await self._forget_lost(tenant, stream, standing.collected(stream), closed)
        # A turn that hydrated while rows were being unpublished knows only some of them: it must match no epoch.
        advanced = await self._database.read(tenant, "advance_life", tenant=tenant, life=epoch)
        if not advanced:
            return False
        keys, arguments = standing.opening()
        arguments = [closed.left_at, run, advanced[0]["stream_life"], *arguments]
        is_open = bool(await self._scripts.open_streams(keys=[epoch_key(tenant), *keys], args=arguments))
        if epoch > 1 or lost:  # the first epoch begins with the first reply
            _log.warning("streams.restored", tenant=tenant, entries=lost, emptied=closed.lost_everything, open=is_open)
        return is_open

    async def _read_standing(self, tenant: str) -> Standing:
        notes = await self._database.run_all(tenant, [("find_collected", {"tenant": tenant}), ("find_groups", {})])
        return Standing(tenant, *notes)

    async def _read_epoch(self, tenant: str) -> int:
        rows = await self._database.read(tenant, "read_life", tenant=tenant)
        return int(rows[0]["stream_life"])

    async def _look(self, tenant: str, found: str, epoch: int) -> tuple[bool, str, str]:
        """Close the streams unless they are in order; returns whether they were not, and how they are left."""
        about = await self._client.info("server")
        if epoch and found == f"{epoch} {about['run_id']}":
            return False, found, str(about["run_id"])
        is_closed, left_at, run = await self._scripts.close_streams(keys=[epoch_key(tenant)], args=[found])
        return bool(is_closed), left_at.decode(), run.decode()

    async def _forget_lost(self, tenant: str, stream: OutboundStream, after: int, closed: _Closed) -> int:
        """Unpublish what is noted as published on a stream, not as collected, and unknown to Redis; returns a count."""
        lost = 0
        last = {"from_position": after + 1, "after_conversation": "", "after_ordinal": 0}
        while True:
            page = await self._database.read(
                tenant,
                "find_uncollected",
                tenant=tenant,
                kind=stream.kind,
                channel=stream.channel,
                rows_max=_ROWS_MAX,
                **last,
            )
            if not page:
                return lost
            end = page[-1]
            last = {
                "from_position": end["stream_position"],
                "after_conversation": end["conversation_id"],
                "after_ordinal": end["ordinal"],
            }
            missing = await self._missing(tenant, page, closed)
            await self._database.read(
                tenant,
                "forget_published",
                tenant=tenant,
                conversations=[row["conversation_id"] for row in missing],
                ordinals=[row["ordinal"] for row in missing],
            )
            await self._hold_claim(tenant, closed.claim, ms=_CLAIM_SECONDS * 1_000)
            lost += len(missing)

    async def _missing(self, tenant: str, page: Sequence[Row], closed: _Closed) -> list[Row]:
        """Return the rows that are beyond what Redis knows to have published of their conversation."""
        of: dict[str, list[Row]] = defaultdict(list)
        for row in page:
            of[row["conversation_id"]].append(row)
        async with self._client.pipeline(transaction=False) as pipe:
            for conversation in of:
                pipe.get(published_key(ConversationKey(tenant, conversation)))
            counters = await pipe.execute()
        missing = []
        for rows, counter in zip(of.values(), counters, strict=True):
            for row in rows:
                expired = (
                    counter is None
                    and not closed.lost_everything
                    and row["published_seconds_ago"] > self._published_seconds / 2
                )
                if row["ordinal"] > int(counter or 0) and not expired:
                    missing.append(row)
        return missing
