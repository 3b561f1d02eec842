"""Rescue: drain what is overdue, put back what Redis lost, publish what a dead worker left. Runs in every worker."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import structlog
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from runtime.database import EVERY_TENANT, Database
from runtime.failpoints import Reach, pass_by
from runtime.outage import POSTGRESQL_AWAY, Outage, Outages
from schema.errors import Unsealable
from schema.ids import ConversationKey
from schema.settings import Settings
from worker.mailbox.mailbox import Mailbox
from worker.outbound.publisher import Publisher
from worker.outbound.streams import Streams
from worker.outbound.trimming import Trimmer
from worker.process.drain import Drainer

_log = structlog.get_logger("fte.rescue")

_OUTAGES = (RedisError, OSError, *POSTGRESQL_AWAY)
_PAGES_MAX = 100
"""Pages of outbox rows published in one go."""

_SWEEP_SECONDS_MIN = 0.2
"""Between two sweeps, where what is due next is due sooner than the usual interval."""

_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "", "")


@dataclass
class Rescue:
    """Repair, round by round; idempotent, so several workers may do it at once."""

    settings: Settings
    mailbox: Mailbox
    database: Database
    streams: Streams
    publisher: Publisher
    drainer: Drainer
    outages: Outages
    trimmer: Trimmer
    reach: Reach = pass_by
    _drains: set[asyncio.Task[None]] = field(default_factory=set)
    _page: tuple[datetime, str, str] = field(default=_BEGINNING)

    async def run(self) -> None:
        """Do all repairs at their intervals, jittered, until cancelled."""
        settings, outages = self.settings, self.outages
        await asyncio.gather(
            self._repeat(
                self.sweep,
                settings.sweep_seconds,
                outages.redis,
                afterwards=self.reconcile_at_once,
                sooner=self.seconds_until_sweep,
            ),
            self._repeat(self.reconcile, settings.reconcile_seconds, outages.postgresql),
            self._repeat(self.publish_leftovers, settings.publish_seconds, outages.postgresql),
            self._repeat(self.restore_streams, settings.publish_seconds, outages.redis),
            self._repeat(self.note_collected, settings.collected_seconds, outages.redis),
            self._repeat(self.trimmer.trim, settings.trim_seconds, outages.postgresql),
            self._repeat(self.trimmer.trim_spans, settings.trim_seconds, outages.postgresql),
            self._repeat(self.trimmer.trim_guesses, settings.trim_seconds, outages.postgresql),
            self._repeat(self.trimmer.trim_usage, settings.trim_seconds, outages.postgresql),
        )

    async def _repeat(
        self,
        repair: Callable[[], Awaitable[int]],
        interval_seconds: float,
        asked: Outage,
        *,
        afterwards: Callable[[], Awaitable[int]] | None = None,
        sooner: Callable[[], Awaitable[float]] | None = None,
    ) -> None:
        """Repeat a repair for ever; while a server is away wait, say so once, do `afterwards`, and go on.

        `sooner` says in how many seconds there will be something to do; such a repair begins at once as well.
        """
        was_away = False
        pause_seconds = _jitter(interval_seconds) if sooner is None else 0.0
        while True:
            await asyncio.sleep(pause_seconds)
            pause_seconds = _jitter(interval_seconds)
            try:
                await repair()
                asked.ends()
                if was_away and afterwards is not None:
                    await afterwards()
                was_away = False
                if sooner is not None:
                    pause_seconds = min(pause_seconds, await sooner())
            except _OUTAGES as error:
                was_away = True
                self.outages.begins(error)
                if isinstance(error, RedisTimeoutError):
                    await self.mailbox.reconnect()
            except Exception:  # noqa: BLE001 - rescue must outlive any one round; the fact is logged with its trace
                _log.exception("rescue.failed", repair=getattr(repair, "__name__", ""))

    async def sweep(self) -> int:
        """Drain conversations that are overdue on the agenda; gives how many were taken up.

        A lost doorbell, a dead worker's lease and a retry come due are one case: somebody had to look by now. They are
        drained here rather than rung for: a bell more would help neither a broker that is down nor workers that are all
        busy, where the bells of everything that waits would pile up. So a process takes up what it has slots for.
        """
        slots = self.drainer.free_slots
        if not slots:
            return 0
        overdue = await self.mailbox.sweep(slots)
        for key in overdue:
            task = asyncio.create_task(self.drainer.drain(key))
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)
        if overdue:
            _log.info("rescue.took_up", conversations=len(overdue))
        return len(overdue)

    async def seconds_until_sweep(self) -> float:
        """Give when the next conversation is due: a dead worker's are taken up as soon as its leases have run out."""
        if not self.drainer.free_slots:
            return math.inf
        return max(_SWEEP_SECONDS_MIN, await self.mailbox.seconds_until_due())

    async def reconcile_at_once(self) -> int:
        """Put back what was accepted while Redis was away: nobody else is about to, however new it is."""
        return await self.reconcile(age_seconds=0)

    async def reconcile(self, *, age_seconds: float | None = None) -> int:
        """Put back accepted messages that no mailbox holds; gives how many. Looks at one page a round."""
        after = dict(zip(("after_accepted_at", "after_tenant", "after_message_id"), self._page, strict=True))
        rows = await self.database.read(
            EVERY_TENANT,
            "find_accepted",
            age_seconds=self.settings.reconcile_seconds if age_seconds is None else age_seconds,
            messages_max=self.settings.reconcile_messages_max,
            **after,
        )
        full = len(rows) == self.settings.reconcile_messages_max
        self._page = (rows[-1]["accepted_at"], rows[-1]["tenant_id"], rows[-1]["message_id"]) if full else _BEGINNING
        waiting: dict[ConversationKey, list[dict[str, Any]]] = {}
        for row in rows:
            waiting.setdefault(ConversationKey(row["tenant_id"], row["conversation_id"]), []).append(row)
        if not waiting:
            return 0
        # A conversation on the agenda has a mailbox; should that lack an earlier message, its turn sees the gap.
        watched = await self.mailbox.on_agenda(list(waiting))
        lost = [key for key, seen in zip(waiting, watched, strict=True) if not seen]
        for key in lost:
            await self.mailbox.restore(key, waiting[key])
        restored = sum(len(waiting[key]) for key in lost)
        if restored:
            _log.warning("rescue.restored", messages=restored, conversations=len(lost))
        return restored

    async def restore_streams(self) -> int:
        """Put back into the outbound streams what Redis lost before it was collected; gives how many entries."""
        restored = await self.streams.restore_all()
        self.drainer.shares.tenants = self.streams.tenants
        return await self.publish_leftovers(age_seconds=0) if restored else 0

    async def note_collected(self) -> int:
        """Note what consumers have collected, unless another worker has just done so; gives of how many streams."""
        return await self.streams.note_collected() if await self.streams.is_my_turn() else 0

    async def publish_leftovers(self, *, age_seconds: float | None = None) -> int:
        """Publish outbox rows whose worker died after its commit, or that Redis lost; gives how many."""
        age_seconds = self.settings.publish_seconds if age_seconds is None else age_seconds
        published = 0
        for _ in range(_PAGES_MAX):
            page = await self._publish_page(age_seconds)
            published += page
            if page < self.settings.reconcile_messages_max:
                break
        if published:
            _log.warning("rescue.published", rows=published)
        return published

    async def _publish_page(self, age_seconds: float) -> int:
        await self.publisher.note()
        rows = await self.database.read(
            EVERY_TENANT, "find_unpublished", age_seconds=age_seconds, rows_max=self.settings.reconcile_messages_max
        )
        for key, group in groupby(rows, lambda row: ConversationKey(row["tenant_id"], row["conversation_id"])):
            self.reach("leftovers.found")
            try:
                await self.publisher.publish_found(key, list(group))
                self.reach("leftovers.published")
            except Unsealable:  # sealed with a key that is gone; the other conversations need not wait for it
                _log.exception("publish.unsealable", tenant=key.tenant, conversation=key.conversation)
        return len(rows)


def _jitter(seconds: float) -> float:
    """Draw a pause about so long: several workers must not beat alike."""
    return seconds * random.uniform(0.7, 1.3)  # noqa: S311 - spreads load
