"""Read replies, escalations and events as a consumer group: each entry goes to one consumer of the group."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any, Self

import structlog
from anyio.from_thread import start_blocking_portal
from redis.exceptions import ResponseError

from producer.collecting.entries import StreamEntry, UnreadableEntry, read_entry
from producer.collecting.following import BLOCK_SECONDS
from producer.collecting.redis_retry import RedisRetry
from runtime.redis import make_redis
from schema.keys import again_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from schema.settings.servers import ServerSettings

READ_ENTRIES_MAX = 50
"""Entries taken at once: they wait in this process, and count as held by it."""

IDS_MAX = 10_000
"""How many ids are remembered, to skip entries that were published twice."""

CLAIM_IDLE_SECONDS = 60.0
"""How long a consumer may hold an entry before another claims it; longer than READ_ENTRIES_MAX deliveries take."""

_log = structlog.get_logger("fte.streams")


class AsyncSubscription:
    """One consumer of a group: each entry goes to one consumer, and is delivered again until one acknowledges it.

    Within a stream entries come in order; two consumers of a group share a stream without regard to conversations, so
    a group that must keep a conversation's replies in order has one consumer at a time.

    What this process did not acknowledge comes again when it starts under the same consumer's name; what a dead
    consumer held comes to another after `claim_idle_seconds`. An id that was handed out here lately is passed over.
    """

    def __init__(
        self,
        settings: ServerSettings,
        stream: str,
        group: str,
        consumer: str,
        *,
        start: str = "0",
        claim_idle_seconds: float = CLAIM_IDLE_SECONDS,
    ) -> None:
        """Take a stream's name (`schema.keys`); a new group starts after entry `start`: `0` for all, `$` for none."""
        self._client: Any = make_redis(settings)  # its stubs mix the answers of both protocols
        self._retry = RedisRetry(settings)
        self._seconds_max = settings.send_seconds_max
        self.stream, self._group, self._consumer = stream, group, consumer
        self._again = again_stream(stream, group)
        self._source = stream  # or `_again`, while the group collects what was cut from the stream
        self._start = start
        self._claim_idle_seconds = claim_idle_seconds
        self._claim_next = 0.0
        self._own_after: str | None = "0"  # up to which entry this consumer's own unacknowledged ones were read again
        self._read: deque[StreamEntry] = deque()
        self._held: dict[str, list[str]] = {}  # id → the entries under which it came and was not yet acknowledged
        self._ids: OrderedDict[str, None] = OrderedDict()

    async def __aenter__(self) -> Self:
        """Create the group unless it exists; workers create it again when Redis lost a group that they know."""
        async with AsyncExitStack() as opening:
            opening.push_async_callback(self._client.aclose)
            await self._retry.persist(lambda: self._make_group(self._start))
            await self._retry.persist(self._find_source)
            opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; unacknowledged entries stay this consumer's."""
        await self._client.aclose()

    async def __aiter__(self) -> AsyncIterator[StreamEntry]:
        """Yield entries as they come, without end; survives restarts of Redis."""
        while True:
            entry = await self.next(BLOCK_SECONDS)
            if entry is not None:
                yield entry

    async def next(self, wait_seconds: float) -> StreamEntry | None:
        """Return the next entry, or None when none came within `wait_seconds`; while Redis is away, wait for it."""
        deadline = time.monotonic() + wait_seconds
        while not self._read:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            await self._fill(min(remaining, BLOCK_SECONDS))
        return self._read.popleft()

    async def ack(self, *entries: StreamEntry) -> None:
        """Acknowledge entries, so that they are not delivered again.

        Raises ServerUnreachable when Redis does not answer within FTE_SEND_SECONDS_MAX; acknowledging again is safe.
        """
        names = [name for entry in entries for name in {entry.entry_id, *self._held.get(entry.id, ())}]
        if not names:
            return
        await self._retry.persist(lambda: self._acknowledge(names), seconds_max=self._seconds_max)
        for entry in entries:
            self._held.pop(entry.id, None)

    async def _fill(self, block_seconds: float) -> None:
        """Read once from where entries are due: this consumer's own from before, a dead consumer's, new ones."""
        found = await self._retry.persist(lambda: self._read_due(block_seconds))
        for entry_id, fields in found:
            await self._take(entry_id, fields)

    async def _read_due(self, block_seconds: float) -> list[tuple[bytes, dict[bytes, bytes]]]:
        try:
            if self._own_after is not None:
                found = await self._read_group(self._own_after, None)
                self._own_after = found[-1][0].decode() if found else None
                return found
            if time.monotonic() >= self._claim_next:
                found = await self._claim()
                if found:
                    return found
                self._claim_next = time.monotonic() + self._claim_idle_seconds / 2
            seconds = min(block_seconds, self._claim_next - time.monotonic())
            return await self._read_new(max(1, round(seconds * 1_000)))
        except ResponseError as error:
            if not str(error).startswith(("NOGROUP", "UNBLOCKED")):
                raise
            if not await self._find_source():
                # Redis lost the stream: whatever is in its successor is new.
                _log.warning("stream.group_lost", stream=self.stream, group=self._group)
                await self._make_group("0")
            return []
        except BaseException:
            # The answer that was lost may have held entries, which are this consumer's now.
            self._own_after = "0"
            raise

    async def _find_source(self) -> bool:
        """Find the stream to read from; return whether it is another one than until now.

        A group that was too far behind collects what was cut from a stream of its own, and gets nothing newer before
        that. Workers remove that stream once the group has acknowledged all of it.
        """
        source = self._again if await self._client.exists(self._again) else self.stream
        if source == self._source:
            return False
        self._source, self._own_after, self._claim_next = source, "0", 0.0
        return True

    async def _read_new(self, block_ms: int) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found = await self._read_group(">", block_ms)
        if not found:
            await self._find_source()
        return found

    async def _read_group(self, after: str, block_ms: int | None) -> list[tuple[bytes, dict[bytes, bytes]]]:
        answer: Any = await self._client.xreadgroup(
            self._group, self._consumer, {self._source: after}, count=READ_ENTRIES_MAX, block=block_ms
        )
        return answer[0][1] if answer else []

    async def _claim(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        answer: Any = await self._client.xautoclaim(
            self._source,
            self._group,
            self._consumer,
            min_idle_time=round(self._claim_idle_seconds * 1_000),
            start_id="0-0",
            count=READ_ENTRIES_MAX,
        )
        return [(entry_id, fields) for entry_id, fields in answer[1] if entry_id is not None]

    async def _take(self, entry_id: bytes, fields: dict[bytes, bytes] | None) -> None:
        """Queue an entry for `next`, unless it was handed out already or cannot be read."""
        name = entry_id.decode()
        if not fields:  # trimmed from the stream while it was held
            await self._acknowledge([name])
            return
        try:
            entry = read_entry(self.stream, entry_id, fields)
        except UnreadableEntry as error:
            # It stays pending, where an operator sees it; the entries behind it need not wait.
            _log.error("stream.unreadable", stream=self.stream, entry_id=name, reason=error.reason)
            return
        if entry.id in self._held:
            # Claimed from ourselves: the program is slower than `claim_idle_seconds`. Or published again: Redis lost
            # the entry. It stays pending until the program acknowledges it: this process may die before.
            if name not in self._held[entry.id]:
                self._held[entry.id].append(name)
            return
        if entry.id in self._ids:
            await self._acknowledge([name])
            return
        self._ids[entry.id] = None
        if len(self._ids) > IDS_MAX:
            self._ids.popitem(last=False)
        self._held[entry.id] = [name]
        self._read.append(entry)

    async def _acknowledge(self, ids: list[str]) -> None:
        await self._client.xack(self._source, self._group, *ids)

    async def _make_group(self, start: str) -> None:
        try:
            await self._client.xgroup_create(self.stream, self._group, id=start, mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


class Subscription:
    """A consumer for programs without asyncio: an `AsyncSubscription` on an event loop of its own."""

    def __init__(self, settings: ServerSettings, stream: str, group: str, consumer: str, **options: Any) -> None:
        """Take what `AsyncSubscription` takes."""
        self._arguments = (settings, stream, group, consumer)
        self._options = options
        self._opened = ExitStack()
        self._portal: BlockingPortal | None = None
        self._subscription: AsyncSubscription | None = None

    def __enter__(self) -> Self:
        """Create the group unless it exists."""
        with ExitStack() as opening:
            portal = opening.enter_context(start_blocking_portal("asyncio", {"use_uvloop": True}))
            subscription = portal.call(self._make)
            opening.enter_context(portal.wrap_async_context_manager(subscription))
            self._portal, self._subscription = portal, subscription
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect; unacknowledged entries stay this consumer's."""
        self._opened.close()

    def __iter__(self) -> Iterator[StreamEntry]:
        """Yield entries as they come, without end."""
        while True:
            entry = self.next(BLOCK_SECONDS)
            if entry is not None:
                yield entry

    def next(self, wait_seconds: float) -> StreamEntry | None:
        """Return the next entry, as `AsyncSubscription.next` does."""
        portal, subscription = self._started()
        return portal.call(subscription.next, wait_seconds)

    def ack(self, *entries: StreamEntry) -> None:
        """Acknowledge entries, as `AsyncSubscription.ack` does."""
        portal, subscription = self._started()
        portal.call(subscription.ack, *entries)

    async def _make(self) -> AsyncSubscription:
        return AsyncSubscription(*self._arguments, **self._options)

    def _started(self) -> tuple[BlockingPortal, AsyncSubscription]:
        if self._portal is None or self._subscription is None:
            raise RuntimeError("the subscription is not open: `with Subscription(…) as subscription`")
        return self._portal, self._subscription
