"""Share a process's slots among tenants: none takes all of them while another may need one."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schema.ids import ConversationKey

_PUT_OFF_MAX = 2_000
"""Conversations of one tenant that are remembered while its share is taken; the agenda remembers the others."""


class Shares:
    """Count the conversations under way of each tenant, and remember those that have to wait for their tenant's share.

    A share is fixed, not what is left over: a slot that is lent is back only when a turn ends, and by then the others
    have waited. With one tenant there is nobody to keep a slot for, and its share is everything.
    """

    def __init__(self, *, concurrency: int, share_max: float) -> None:
        self._slots_max = max(1, int(concurrency * share_max))
        self._under_way: Counter[str] = Counter()
        self._put_off: dict[str, dict[ConversationKey, None]] = defaultdict(dict)
        self.tenants = 1
        """How many tenants there are, as far as is known."""

    def take(self, key: ConversationKey) -> bool:
        """Take a slot of the tenant's share; without one, put the conversation off until one is given back."""
        if self.tenants > 1 and self._under_way[key.tenant] >= self._slots_max:
            waiting = self._put_off[key.tenant]
            if len(waiting) < _PUT_OFF_MAX:
                waiting[key] = None
            return False
        self._under_way[key.tenant] += 1
        return True

    def give_back(self, tenant: str) -> ConversationKey | None:
        """Give a slot back; gives the tenant's conversation that has waited longest, which is no longer remembered."""
        self._under_way[tenant] -= 1
        if not self._under_way[tenant]:
            del self._under_way[tenant]
        waiting = self._put_off.get(tenant)
        if not waiting:
            return None
        longest = next(iter(waiting))
        del waiting[longest]
        if not waiting:
            del self._put_off[tenant]
        return longest
