"""Rescue: drain what is overdue, put back what Redis lost, publish what a dead worker left."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import structlog

from runtime.database import EVERY_TENANT, Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.leadership import Leadership
from runtime.loops import Loop
from runtime.outage import Outages
from schema.errors import Unsealable
from schema.ids import ConversationKey
from schema.settings.repair import RepairSettings
from worker.mailbox.mailbox import Mailbox
from worker.measures.metrics import WorkerMetrics
from worker.outbound.aside import Aside
from worker.outbound.publisher import Publisher
from worker.outbound.streams import Streams
from worker.outbound.trimming import Trimmer
from worker.process.drain import Drainer
from worker.store.episodes import Episodes
from worker.store.expiry import Expiry
from worker.store.silence import Silence

_log = structlog.get_logger("fte.rescue")

_PAGES_MAX = 100
"""Most pages of outbox rows published in one round."""

_SWEEP_SECONDS_MIN = 0.2
"""Least time between two sweeps, where what is due next is due sooner than the usual interval."""

_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), "", "")


@dataclass
class Rescue:
    """Repairs, round by round; idempotent, so several workers may do the same one at once."""

    settings: RepairSettings
    mailbox: Mailbox
    database: Database
    streams: Streams
    publisher: Publisher
    drainer: Drainer
    outages: Outages
    trimmer: Trimmer
    leadership: Leadership
    aside: Aside
    episodes: Episodes
    silence: Silence
    expiry: Expiry
    failpoint: Failpoint = no_failpoint
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    _page: tuple[datetime, str, str] = field(default=_BEGINNING)
    _leftovers: tuple[datetime, str, str] = field(default=_BEGINNING)

    def loops(self) -> list[Loop]:
        """Return the repairs as loops: those that every worker does, and those that one does for all.

        Every worker sweeps, since it takes up only what it has slots for, and a conversation of a dead worker must not
        wait for a leader. Every worker looks whether streams are lost: until they are restored none can publish, and
        the look counts the tenants, whose shares each process keeps for itself. The other repairs find the same rows
        in every worker and are idempotent: more than one at work would only load the servers.
        """
        settings, redis, postgresql = self.settings, self.outages.redis, self.outages.postgresql
        leads = self.leadership.is_held
        trimmer = self.trimmer
        return [
            Loop(
                "sweep",
                self.sweep,
                settings.sweep_seconds,
                wait=self._wait_for_sweep,
                after_outage=self.reconcile_at_once,
                asks=redis,
                at_once=True,
            ),
            Loop("restore_streams", self.restore_streams, settings.publish_seconds, asks=redis),
            self.leadership.loop(),
            Loop("reconcile", self.reconcile, settings.reconcile_seconds, on_duty=leads, asks=postgresql),
            Loop("publish_leftovers", self.publish_leftovers, settings.publish_seconds, on_duty=leads, asks=postgresql),
            Loop("note_collected", self.note_collected, settings.collected_seconds, on_duty=leads, asks=redis),
            Loop("refill_groups", self.aside.refill, settings.publish_seconds, on_duty=leads, asks=redis),
            Loop("trim_streams", trimmer.trim, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("trim_spans", trimmer.trim_spans, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("trim_guesses", trimmer.trim_guesses, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("trim_mail_counts", trimmer.trim_mail_counts, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("trim_mail_threads", trimmer.trim_mail_threads, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("trim_usage", trimmer.trim_usage, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("expire", self.expiry.expire, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("episodes", self.episodes.bring_up_to_date, settings.trim_seconds, on_duty=leads, asks=postgresql),
            Loop("desk_silence", self.silence.look, settings.trim_seconds, on_duty=leads, asks=postgresql),
        ]

    async def _wait_for_sweep(self, seconds: float) -> None:
        """Wait so long, or until the next conversation is due."""
        await asyncio.sleep(min(seconds, await self.seconds_until_sweep()))

    async def sweep(self) -> int:
        """Drain conversations that are overdue on the agenda; returns how many were taken up.

        A lost doorbell, a dead worker's lease and a retry come due are one case: somebody had to look by now. They are
        drained here rather than rung for: a further bell helps neither a broker that is down nor workers that are all
        busy, where the bells of everything that waits would pile up. So a process takes up what it has slots for.
        """
        slots = self.drainer.free_slots
        if not slots:
            return 0
        overdue = await self.mailbox.sweep(slots)
        for key in overdue:
            self.drainer.begin(key)
        if overdue:
            _log.info("rescue.took_up", conversations=len(overdue))
            self.metrics.taken_up.inc(len(overdue))
        return len(overdue)

    async def seconds_until_sweep(self) -> float:
        """Return the seconds until the next conversation is due, as when a dead worker's lease runs out."""
        if not self.drainer.free_slots:
            return math.inf
        return max(_SWEEP_SECONDS_MIN, await self.mailbox.seconds_until_due())

    async def reconcile_at_once(self) -> int:
        """Put back what was accepted while Redis was away, however new it is, where that is this process's to do.

        A conversation on the agenda is looked at as well: its mailbox may hold what came before the outage and lack the
        last message, behind which no turn would see a gap.
        """
        return await self.reconcile(age_seconds=0, looks_at_all=True) if self.leadership.is_held() else 0

    async def reconcile(self, *, age_seconds: float | None = None, looks_at_all: bool = False) -> int:
        """Put back accepted messages that no mailbox holds; returns how many. Looks at one page a round.

        Unless it `looks_at_all`, a conversation on the agenda is left to its turns.
        """
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
        watched = [False] * len(waiting) if looks_at_all else await self.mailbox.on_agenda(list(waiting))
        lost = [key for key, seen in zip(waiting, watched, strict=True) if not seen]
        restored = [await self.mailbox.restore(key, waiting[key]) for key in lost]
        if any(restored):
            _log.warning("rescue.restored", messages=sum(restored), conversations=sum(map(bool, restored)))
            self.metrics.restored.inc(sum(restored))
        return sum(restored)

    async def restore_streams(self) -> int:
        """Put back into the outbound streams what Redis lost before it was collected; returns how many entries."""
        restored = await self.streams.restore_all()
        self.drainer.slots.tenants = self.streams.tenants
        return await self.publish_leftovers(age_seconds=0) if restored else 0

    async def note_collected(self) -> int:
        """Note what consumers have collected, unless another worker has just done so; returns of how many streams."""
        return await self.streams.note_collected() if await self.streams.is_my_turn() else 0

    async def publish_leftovers(self, *, age_seconds: float | None = None) -> int:
        """Publish outbox rows whose worker died after its commit, or that Redis lost; returns how many."""
        age_seconds = self.settings.publish_seconds if age_seconds is None else age_seconds
        published = 0
        for _ in range(_PAGES_MAX):
            published += await self._publish_page(age_seconds)
            if self._leftovers == _BEGINNING:
                break
        if published:
            _log.warning("rescue.published", rows=published)
            self.metrics.published_late.inc(published)
        return published

    async def _publish_page(self, age_seconds: float) -> int:
        await self.publisher.note()
        rows_max = self.settings.reconcile_messages_max
        after = dict(zip(("after_created_at", "after_tenant", "after_conversation"), self._leftovers, strict=True))
        rows = await self.database.read(
            EVERY_TENANT, "find_unpublished", age_seconds=age_seconds, rows_max=rows_max, **after
        )
        # What cannot be published stays at the head for ever, and must not keep what follows from its turn.
        last = rows[-1] if len(rows) == rows_max else None
        self._leftovers = (last["waiting_since"], last["tenant_id"], last["conversation_id"]) if last else _BEGINNING
        published = 0
        for key, group in groupby(rows, lambda row: ConversationKey(row["tenant_id"], row["conversation_id"])):
            self.failpoint("leftovers.found")
            found = list(group)
            try:
                await self.publisher.publish_found(key, found)
                published += len(found)
                self.failpoint("leftovers.published")
            except Unsealable:  # sealed with a key that is gone; the other conversations need not wait for it
                _log.exception("publish.unsealable", tenant=key.tenant, conversation=key.conversation)
        return published
