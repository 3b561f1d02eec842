"""Renew every lease this process holds, in one pipeline per beat."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from runtime.loops import Loop
from runtime.outage import Outages
from worker.mailbox.mailbox import Lease, Mailbox

_log = structlog.get_logger("fte.heartbeat")


class Heartbeat:
    """Owns the leases of one process: renews them, and stops the turns whose lease is lost.

    One beat for the process instead of a timer per turn: when the process was frozen, all its leases are renewed or
    found lost together.
    """

    def __init__(self, mailbox: Mailbox, outages: Outages, renew_seconds: float) -> None:
        self._mailbox = mailbox
        self._outages = outages
        self._renew_seconds = renew_seconds
        self._held: dict[str, tuple[Lease, asyncio.Task[Any]]] = {}
        self.lost: set[str] = set()

    @contextmanager
    def holding(self, lease: Lease) -> Iterator[None]:
        """Renew the lease for the length of the block; the current task is cancelled when it is lost."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a lease is held by a task")
        self._held[lease.token] = (lease, task)
        try:
            yield
        finally:
            self._held.pop(lease.token, None)
            self.lost.discard(lease.token)

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that hold a lease now."""
        return [task for _, task in self._held.values()]

    def loop(self) -> Loop:
        """Return the loop that beats; a beat that fails is made up for at the next, before the leases run out."""
        return Loop("heartbeat", self.beat, self._renew_seconds, backoff_seconds_max=0)

    async def beat(self) -> None:
        """Renew every lease once, and give back those that could not be given back before; raises what Redis raises.

        When it fails the turns go on: should a lease run out meanwhile, their commit is fenced in PostgreSQL.
        """
        leases = [lease for lease, _ in self._held.values()]
        lost = await self._mailbox.renew(leases)
        forsaken = await self._mailbox.give_back_forsaken()
        if leases or forsaken:
            self._outages.redis.ends()
        for lease in lost:
            self._drop(lease)

    def _drop(self, lease: Lease) -> None:
        held = self._held.get(lease.token)
        if held is None:
            return  # given back while the beat was under way
        _log.warning("lease.lost", tenant=lease.key.tenant, conversation=lease.key.conversation)
        self.lost.add(lease.token)
        held[1].cancel()
