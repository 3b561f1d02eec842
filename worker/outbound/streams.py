"""Keep the outbound streams whole: note what is collected, and find what Redis lost of the rest."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import structlog

from runtime.database import EVERY_TENANT, Row
from schema.ids import ConversationKey, new_token
from schema.keys import (
    NOTING_KEY,
    escalations_stream,
    events_stream,
    life_key,
    published_key,
    replies_stream,
    restoring_key,
)
from schema.messages import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis
    from redis.commands.core import AsyncScript

    from runtime.database import Database
    from runtime.redis import Scripts
    from schema.settings import Settings

_NUMBERS_MAX = 1_000_000
"""Entries of one stream within a millisecond; more count as the last of them."""

_ROWS_MAX = 1_000
_CLAIM_SECONDS = 10
"""How long a worker that died while it restored a tenant's streams keeps the others from it."""

_WAIT_SECONDS = 0.1
_WAITS_MAX = 20

_log = structlog.get_logger("fte.streams")


class OutboundStream(NamedTuple):
    """Name one stream of a tenant as the outbox does, and as Redis does."""

    kind: str
    channel: str
    """'' for streams that have none."""
    name: str


def streams_of(tenant: str) -> list[OutboundStream]:
    """List a tenant's streams."""
    return [
        *(OutboundStream("reply", channel, replies_stream(tenant, channel)) for channel in get_args(Channel)),
        OutboundStream("escalation", "", escalations_stream(tenant)),
        OutboundStream("event", "", events_stream(tenant)),
    ]


def position_of(entry_id: str) -> int:
    """Give an entry's place in its stream as one number that ascends as the ids do."""
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds) * _NUMBERS_MAX + min(int(number), _NUMBERS_MAX - 1)


def _id_of(position: int) -> str:
    return f"{position // _NUMBERS_MAX}-{position % _NUMBERS_MAX}"


@dataclass(frozen=True)
class _Closed:
    """Hold how a tenant's streams were found: what the life key is left at ('': it was gone), and the server's run."""

    left_at: str
    run: str

    @property
    def lost_everything(self) -> bool:
        return not self.left_at


class Streams:
    """Know in which life each tenant's streams are, and begin the next one when Redis may have lost something.

    The key `life` holds the life and the run of the server; workers alone write it. It is gone when Redis was emptied,
    and names another run after a restart or a failover, which may have cost the last second. From then on `publish.lua`
    adds nothing, until somebody has compared what PostgreSQL notes as published, and not as collected, with what Redis
    still knows. What it does not know is unpublished again, and goes out in order before anything newer.
    """

    def __init__(self, client: Redis, scripts: Scripts, database: Database, settings: Settings) -> None:
        self._client: Any = client  # its stubs mix the answers of both protocols
        self._scripts = scripts
        self._database = database
        self._published_seconds = settings.published_seconds
        self.tenants = 1
        """How many there are, as of the last look."""
        self._collected_ms = max(1, round(settings.collected_seconds * 500))

    async def restore_all(self) -> int:
        """Restore the streams of every tenant of which Redis may have lost something; gives how many tenants'."""
        rows = await self._database.read(EVERY_TENANT, "find_lives")
        self.tenants = len(rows)
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.info("server")
            for row in rows:
                pipe.get(life_key(row["tenant_id"]))
            about, *found = await pipe.execute()
        wrong = [
            row["tenant_id"]
            for row, value in zip(rows, found, strict=True)
            # A tenant without a life has published nothing.
            if row["stream_life"] and value != f"{row['stream_life']} {about['run_id']}".encode()
        ]
        for tenant in wrong:
            await self.restore(tenant)
        return len(wrong)

    async def restore(self, tenant: str) -> bool:
        """Have a tenant's streams whole and open; False when another worker is at it, or something got in between."""
        for _ in range(_WAITS_MAX):
            async with self._claim(tenant) as is_ours:
                if is_ours:
                    return await self._restore(tenant)
            await asyncio.sleep(_WAIT_SECONDS)
        return False

    async def is_my_turn(self) -> bool:
        """Say whether to note what is collected: one worker at a time is enough."""
        return await self._take(NOTING_KEY, "1", self._collected_ms)

    async def note_collected(self) -> int:
        """Note how far the streams of every tenant are collected; gives of how many it is known.

        Read from the consumers' groups, so a consumer needs no way to PostgreSQL: acknowledging in Redis is enough.
        """
        tenants = [row["tenant_id"] for row in await self._database.read(EVERY_TENANT, "find_lives")]
        streams = {tenant: streams_of(tenant) for tenant in tenants}
        calls: list[tuple[AsyncScript, list[str], list[Any]]] = [
            (self._scripts.read_collected, [life_key(tenant), *(stream.name for stream in streams[tenant])], [])
            for tenant in tenants
        ]
        known = []
        for tenant, answer in zip(tenants, await self._scripts.run_each(calls), strict=True):
            if isinstance(answer, Exception):
                raise answer
            for stream, (with_it, entry_id) in zip(streams[tenant], answer or [(0, b"")] * 5, strict=True):
                if entry_id:
                    position = position_of(entry_id.decode()) - (0 if with_it else 1)
                    known.append((tenant, stream.kind, stream.channel, position))
        if known:
            names = ("tenants", "kinds", "channels", "positions")
            columns = dict(zip(names, map(list, zip(*known, strict=True)), strict=True))
            await self._database.read(EVERY_TENANT, "note_collected", **columns)
        return len(known)

    @asynccontextmanager
    async def _claim(self, tenant: str) -> AsyncIterator[bool]:
        """Be the one who restores; only to save work: two at a time would make each other start anew."""
        token = new_token()
        is_ours = await self._take(restoring_key(tenant), token, _CLAIM_SECONDS * 1_000)
        try:
            yield is_ours
        finally:
            if is_ours:
                await self._client.delete(restoring_key(tenant))

    async def _take(self, name: str, value: str, ms: int) -> bool:
        """Set a key for a while unless somebody has; one that stays longer was set before Redis's clock went back."""
        if await self._client.set(name, value, nx=True, px=ms):
            return True
        if await self._client.pttl(name) > ms:
            await self._client.delete(name)
        return False

    async def _restore(self, tenant: str) -> bool:
        found = ((await self._client.get(life_key(tenant))) or b"").decode()
        life = await self._read_life(tenant)
        changed, left_at, run = await self._look(tenant, found, life)
        if not changed:
            return True
        closed = _Closed(left_at, run)
        # What was published until now, and is noted from now on, is noted in vain: it is looked at below.
        life = (await self._database.read(tenant, "advance_life", tenant=tenant, life=None))[0]["stream_life"]
        rows = await self._database.read(tenant, "find_collected", tenant=tenant)
        collected = {(row["kind"], row["channel"]): int(row["position"]) for row in rows}
        streams = streams_of(tenant)
        lost = 0
        for stream in streams:
            lost += await self._forget_lost(tenant, stream, collected.get(stream[:2], 0), closed)
        # Turns that were read while rows were being taken back know some of them only: they belong to no life.
        advanced = await self._database.read(tenant, "advance_life", tenant=tenant, life=life)
        if not advanced:
            return False
        ends = [collected.get(stream[:2]) for stream in streams]
        arguments = [closed.left_at, run, advanced[0]["stream_life"], *(_id_of(end) if end else "" for end in ends)]
        keys = [life_key(tenant), *(stream.name for stream in streams)]
        is_open = bool(await self._scripts.open_streams(keys=keys, args=arguments))
        if life > 1 or lost:  # the first life begins with the first reply
            _log.warning("streams.restored", tenant=tenant, entries=lost, emptied=closed.lost_everything, open=is_open)
        return is_open

    async def _read_life(self, tenant: str) -> int:
        rows = await self._database.read(tenant, "read_life", tenant=tenant)
        return int(rows[0]["stream_life"])

    async def _look(self, tenant: str, found: str, life: int) -> tuple[bool, str, str]:
        """Close the streams unless they are in order; gives whether they were not, and how they are left."""
        about = await self._client.info("server")
        if life and found == f"{life} {about['run_id']}":
            return False, found, str(about["run_id"])
        is_closed, left_at, run = await self._scripts.close_streams(keys=[life_key(tenant)], args=[found])
        return bool(is_closed), left_at.decode(), run.decode()

    async def _forget_lost(self, tenant: str, stream: OutboundStream, after: int, closed: _Closed) -> int:
        """Take back what is noted as published on a stream, not as collected, and unknown to Redis; gives how much."""
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
            await self._client.expire(restoring_key(tenant), _CLAIM_SECONDS)
            lost += len(missing)

    async def _missing(self, tenant: str, page: Sequence[Row], closed: _Closed) -> list[Row]:
        """Give the rows that are beyond what Redis knows to have published of their conversation."""
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
