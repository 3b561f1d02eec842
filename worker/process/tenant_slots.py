"""Share a process's slots among tenants and among those who start turns: none takes all while another needs one."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.ids import ConversationKey

_PUT_OFF_MAX = 2_000
"""Conversations of one tenant that are remembered while its share is taken; the agenda remembers the others."""


class TenantSlots:
    """Counts the conversations under way, never more than `concurrency`, and remembers those that have to wait.

    One count for whoever starts a turn: doorbells, rescue, what was put off. A caller without a slot waits without a
    lease, so that another process may take its conversation up meanwhile. A slot that becomes free goes to the waiting
    tenant that has the fewest.

    A tenant's share is fixed, not what is left over: a slot that is lent is back only when a turn ends, and by then the
    others have waited. Over its share a conversation is put off, without anybody who waits with it. With one tenant
    there is nobody to keep a slot for, and its share is everything.
    """

    def __init__(self, *, concurrency: int, share_max: float) -> None:
        self._concurrency = concurrency
        self._share = max(1, int(concurrency * share_max))
        self._under_way: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[bool]]] = defaultdict(deque)
        self._put_off: dict[str, dict[ConversationKey, None]] = defaultdict(dict)
        self.is_closed = False
        self.tenants = 1
        """How many tenants there are, as far as is known."""

    @property
    def under_way(self) -> int:
        """Return how many slots are taken."""
        return self._under_way.total()

    @property
    def waiting(self) -> int:
        """Return how many wait for a slot."""
        return sum(map(len, list(self._waiting.values())))

    @property
    def free(self) -> int:
        """Return how many slots may be taken at once: none once it is closed."""
        return 0 if self.is_closed else self._concurrency - self.under_way

    async def take(self, key: ConversationKey) -> bool:
        """Take a slot, as soon as there is one; False when the tenant has its share (put off), or when it is closed."""
        tenant = key.tenant
        if self.is_closed:
            return False
        if self.tenants > 1 and self._under_way[tenant] + len(self._waiting.get(tenant, ())) >= self._share:
            put_off = self._put_off[tenant]
            if len(put_off) < _PUT_OFF_MAX:
                put_off[key] = None
            return False
        if self.free > 0:
            self._under_way[tenant] += 1
            return True
        return await self._wait(tenant)

    def give_back(self, tenant: str) -> ConversationKey | None:
        """Give a slot back; returns the tenant's conversation put off longest, which is no longer remembered."""
        self._under_way[tenant] -= 1
        if not self._under_way[tenant]:
            del self._under_way[tenant]
        self._pass_on()
        put_off = self._put_off.get(tenant)
        if not put_off:
            return None
        longest = next(iter(put_off))
        del put_off[longest]
        if not put_off:
            del self._put_off[tenant]
        return longest

    def close(self) -> None:
        """Grant no more slots, and refuse everybody who waits for one."""
        self.is_closed = True
        for waiting in self._waiting.values():
            for slot in waiting:
                if not slot.done():
                    slot.set_result(False)
        self._waiting.clear()

    async def _wait(self, tenant: str) -> bool:
        slot: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[tenant].append(slot)
        try:
            return await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and slot.result():
                self.give_back(tenant)  # it was given in the moment in which whoever waited went away
            else:
                self._forget(tenant, slot)
            raise

    def _pass_on(self) -> None:
        """Pass a free slot to the waiting tenant that has the fewest, and there to who has waited longest."""
        while self._waiting and self.free > 0:
            tenant = min(self._waiting, key=lambda waiting: self._under_way[waiting])
            slot = self._waiting[tenant][0]
            self._forget(tenant, slot)
            if not slot.done():
                self._under_way[tenant] += 1
                slot.set_result(True)

    def _forget(self, tenant: str, slot: asyncio.Future[bool]) -> None:
        waiting = self._waiting.get(tenant)
        if waiting is not None and slot in waiting:
            waiting.remove(slot)
            if not waiting:
                del self._waiting[tenant]
