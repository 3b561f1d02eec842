"""Drain a mailbox: hold its lease, run one turn per message, give way after a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property

import structlog
from redis.exceptions import RedisError

from runtime.failpoints import Failpoint, no_failpoint
from runtime.switches import Switches
from schema.ids import ConversationKey, trace_id_of
from schema.settings.process import DrainSettings
from worker.mailbox.heartbeat import Heartbeat
from worker.mailbox.mailbox import Head, Lease, LeaseLost, Mailbox
from worker.measures.metrics import WorkerMetrics
from worker.pipeline.failure import asked_wait_seconds, backoff_seconds, classify_failure, describe_failure
from worker.pipeline.outcome import Again, Later, Mend, Repair, Verdict
from worker.pipeline.turn import Turn
from worker.process.tenant_slots import TenantSlots

_log = structlog.get_logger("fte.drain")

_AGAIN_MAX = 3
PAUSED_SECONDS = 15.0
"""How long a conversation of a paused tenant is put off: less, and those that wait come up in others' sweeps."""

_OUTAGE_SECONDS_MAX = 1.0
"""The longest wait before looking whether a server is back."""

Ring = Callable[[list[ConversationKey]], Awaitable[None]]


@dataclass
class Drainer:
    """Drains conversations for the length of a process."""

    settings: DrainSettings
    mailbox: Mailbox
    heartbeat: Heartbeat
    turn: Turn
    ring: Ring
    failpoint: Failpoint = no_failpoint
    metrics: WorkerMetrics = field(default_factory=WorkerMetrics)
    switches: Switches = field(default_factory=Switches)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    is_ordered_to_pause: bool = False
    """Whether operators want this one process to take up nothing; turns under way go on."""
    _idle: asyncio.Event = field(default_factory=asyncio.Event)
    _begun: set[asyncio.Task[None]] = field(default_factory=set)

    @cached_property
    def slots(self) -> TenantSlots:
        """Return this process's slots: who has them, and who waits for one."""
        return TenantSlots(concurrency=self.settings.concurrency, share_max=self.settings.tenant_share_max)

    @property
    def is_paused(self) -> bool:
        """Return whether this process takes up nothing, by an order to it or because all workers are paused."""
        return self.is_ordered_to_pause or self.switches.is_paused()

    @property
    def free_slots(self) -> int:
        """Return how many more conversations this process may drain now."""
        return 0 if self.stopping.is_set() or self.is_paused else self.slots.free

    def stop(self) -> None:
        """Start no more turns; those under way go on. Whatever waits for a slot is left to the agenda."""
        self.stopping.set()
        self.slots.close()

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while self.slots.under_way:
            self._idle.clear()
            await self._idle.wait()

    def begin(self, key: ConversationKey) -> None:
        """Start to drain a conversation in a task of its own, for which nobody waits."""
        task = asyncio.create_task(self.drain(key))
        self._begun.add(task)
        task.add_done_callback(self._after_end)

    def _after_end(self, task: asyncio.Task[None]) -> None:
        self._begun.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("drain.failed", exc_info=task.exception())

    async def drain(self, key: ConversationKey) -> None:
        """Answer what waits in one mailbox, in order; return at once when another worker is at it.

        Waits for a slot first, with no lease: no more turns are under way than there are slots, whoever starts them.
        Returns at once when the tenant has its share of the slots: the conversation is drained when one of them ends,
        and no thread waits for that. Never raises because of a message: what fails is parked, and the head keeps its
        place.
        """
        if self.stopping.is_set() or self.is_paused:
            return  # the agenda still has it: another worker's rescue takes it
        if self.switches.is_paused(key.tenant):
            await self._put_off(key)
            return
        if not await self.slots.take(key):
            return
        try:
            if self._may_go_on(key.tenant):  # it may have waited long for its slot
                await self._drain(key)
        finally:
            put_off = self.slots.give_back(key.tenant)
            if not self.slots.under_way:
                self._idle.set()
            self._follow_up(put_off)

    def _may_go_on(self, tenant: str) -> bool:
        """Check whether a turn of a tenant may begin in this process now."""
        return not (self.stopping.is_set() or self.is_paused or self.switches.is_paused(tenant))

    def _follow_up(self, key: ConversationKey | None) -> None:
        """Drain a conversation that was put off: its tenant has room in its share now."""
        if key is not None and not self.stopping.is_set():
            self.begin(key)

    async def _put_off(self, key: ConversationKey) -> None:
        """Put a conversation off because its tenant is paused; what waits in it costs no attempt."""
        try:
            acquired = await self.mailbox.acquire(key)
            if not isinstance(acquired, str):
                lease, head = acquired
                await self.mailbox.park(lease, head, backoff_seconds=PAUSED_SECONDS, counts=False, cause=head.cause)
        except (RedisError, OSError) as error:
            _log.warning("drain.interrupted", tenant=key.tenant, conversation=key.conversation, error=str(error))

    async def _drain(self, key: ConversationKey) -> None:
        self.failpoint("drain.begun")
        try:
            acquired = await self.mailbox.acquire(key)
            if isinstance(acquired, str):
                return
            lease, head = acquired
            structlog.contextvars.bind_contextvars(
                tenant=key.tenant, conversation=key.conversation, trace_id=trace_id_of(key)
            )
            with self.heartbeat.holding(lease):
                await self._work(lease, head)
        except (RedisError, OSError) as error:
            # The heartbeat gives the lease back once Redis answers; at worst it runs out by itself.
            _log.warning("drain.interrupted", tenant=key.tenant, conversation=key.conversation, error=str(error))
        except LeaseLost:
            self.metrics.leases_lost.inc()
            _log.warning("lease.lost", tenant=key.tenant, conversation=key.conversation)

    async def _work(self, lease: Lease, first: Head) -> None:
        head: Head | None = first
        turns, goes_on = 0, False
        try:
            while head is not None:
                verdict = await self._attempt(lease, head)
                if verdict is None:
                    return
                if isinstance(verdict, Later):
                    await self.mailbox.park(
                        lease,
                        head,
                        backoff_seconds=verdict.backoff_seconds,
                        counts=verdict.counts,
                        cause=verdict.cause,
                    )
                    return
                if isinstance(verdict, Repair):
                    goes_on = verdict.messages > 0
                    break
                if isinstance(verdict, Mend):
                    # The damaged entry first: it holds the place. Should this worker die here, the gap is repaired.
                    await self.mailbox.acknowledge(lease, head, more=False)
                    await self.mailbox.restore(lease.key, verdict.rows)
                    goes_on = True
                    break
                turns += 1
                more = turns < self.settings.turns_per_drain_max and self._may_go_on(lease.key.tenant)
                head = await self.mailbox.acknowledge(lease, head, more=more, followers=verdict.followers)
                self.failpoint("acknowledge.done")
                if head is not None and self.slots.under_way > 1:
                    # Others share the loop, and would wait for this conversation's turns at each step of theirs.
                    await asyncio.sleep(self.settings.give_way_seconds)
            await self._release(lease, untried=head, goes_on=goes_on)
        except (RedisError, OSError):
            self.mailbox.forsake(lease, untried=head)
            raise
        except asyncio.CancelledError:
            # The heartbeat found the lease gone while the last step was under way, which may have been giving it back.
            if lease.token in self.heartbeat.lost:
                raise LeaseLost from None
            raise

    async def _attempt(self, lease: Lease, head: Head) -> Verdict | None:
        """Run a turn until it has a verdict; None when the lease was given back or lost on the way."""
        if head.attempts > 1 and not head.cause:  # an attempt that ends by itself leaves word, or does not count
            self.metrics.takeovers.inc()
        for _ in range(_AGAIN_MAX):
            try:
                return await self.turn.run(lease.key, head)
            except asyncio.CancelledError:
                if lease.token in self.heartbeat.lost:
                    self.metrics.leases_lost.inc()
                    return None
                if not self.stopping.is_set():
                    raise
                _log.info("turn.given_back")
                self.metrics.given_back.inc()
                await self._release(lease, untried=head)
                return None
            except Exception as error:  # noqa: BLE001 - the boundary: every failure gets its class
                verdict = self._after_failure(head, error)
                if not isinstance(verdict, Again):
                    return verdict
        return Later(self.settings.backoff_seconds, counts=True, cause="fenced again and again")

    async def _release(self, lease: Lease, *, untried: Head | None, goes_on: bool = False) -> None:
        """Release the conversation, at once ready for others; the attempt at an untried head does not count.

        With `goes_on` it is drained here again: its mailbox was repaired, mostly after an outage of Redis, which the
        doorbells' connections notice last.
        """
        if not await self.mailbox.release(lease, untried=untried):
            return
        if goes_on and not self.stopping.is_set():
            self.begin(lease.key)
        else:
            await self.ring([lease.key])

    def _after_failure(self, head: Head, error: Exception) -> Later | Again:
        failure = classify_failure(error)
        self.metrics.note_failure(failure)
        settings = self.settings
        if failure == "again":
            _log.info("turn.fenced", reason=str(error))
            return Again()
        wait = backoff_seconds(head.attempts, first=settings.backoff_seconds, most=settings.backoff_seconds_max)
        asked = asked_wait_seconds(error, time.time(), most=settings.model_park_seconds_max)
        if failure == "busy":
            _log.info("turn.postponed", error=str(error), error_type=type(error).__name__)
            return Later(asked, counts=False)
        wait = max(wait, asked)
        if failure == "outage":
            _log.warning("turn.postponed", error=str(error), error_type=type(error).__name__)
            return Later(min(wait, _OUTAGE_SECONDS_MAX), counts=False)
        cause = describe_failure(error)
        trace = (
            {"exc_info": error}
            if failure == "bug"
            else {"error": str(error) or cause, "error_type": type(error).__name__}
        )
        _log.warning(f"turn.failed_{failure}", attempts=head.attempts, backoff_seconds=round(wait, 2), **trace)
        return Later(wait, counts=True, cause=cause)
