"""Check Redis: mailboxes, leases and the agenda of each conversation, seen at one moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from ops.verify.finding import Finding
from schema.ids import ConversationKey
from schema.keys import agenda_key, mailbox_keys

if TYPE_CHECKING:
    from redis.asyncio import Redis

BATCH_CONVERSATIONS = 100
"""Conversations read in one MULTI, which blocks the server for as long."""

STALE_SECONDS = 30
"""How long a lease may be over, or an empty mailbox overdue, before a worker should have repaired it."""

_RESCUE = "a worker's rescue sees to it: see that one runs and has free slots, and look for rescue.failed in its log"


@dataclass(frozen=True)
class Seen:
    """The state of one conversation in Redis; times in seconds, by its clock."""

    key: ConversationKey
    entries: int
    due_in: float | None
    """Seconds until a worker must look at it; None: it is not on the agenda."""
    lease_ends_in: float | None
    """None: no worker holds it."""

    @property
    def in_work(self) -> bool:
        """Check whether a worker holds it now."""
        return self.lease_ends_in is not None and self.lease_ends_in > 0

    @property
    def is_nowhere(self) -> bool:
        """Check whether nothing in Redis leads to it."""
        return self.due_in is None and not self.entries


class Mailboxes:
    """Reads conversations in Redis, and changes nothing."""

    def __init__(self, client: Redis, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def every_key(self, tenant: str | None) -> tuple[set[ConversationKey], list[Finding]]:
        """Return every conversation that has a key in Redis: a mailbox, a lease, a place on the agenda.

        A key that names no conversation is a finding when every tenant is checked.
        """
        found: set[ConversationKey] = set()
        strange: list[Finding] = []
        async for place, member in self._members(tenant):
            try:
                found.add(ConversationKey.parse(member))
            except ValueError:
                way_out = f"remove it ({place}), and look for what else writes into this Redis"
                strange.append(Finding("name", "", member[:200], "names no conversation", way_out, item=place))
        return {key for key in found if tenant is None or key.tenant == tenant}, [] if tenant else strange

    async def _members(self, tenant: str | None) -> AsyncIterator[tuple[str, str]]:
        for partition in range(self._partitions):
            async for member, _ in self._client.zscan_iter(agenda_key(partition)):
                yield f"ZREM {agenda_key(partition)}", member.decode(errors="backslashreplace")
        for kind in ("mailbox", "lease"):
            async for name in self._client.scan_iter(f"fte:{{p*}}:{kind}:{tenant or '*'}:*", count=1_000):
                text = name.decode(errors="backslashreplace")
                yield f"DEL {text}", text.partition(f":{kind}:")[2]

    async def look_at(self, keys: Iterable[ConversationKey]) -> AsyncIterator[Seen]:
        """Read conversations, each at one moment."""
        remaining = iter(keys)
        while batch := list(islice(remaining, BATCH_CONVERSATIONS)):
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.time()
                for key in batch:
                    names = mailbox_keys(key, self._partitions)
                    pipe.llen(names.mailbox)
                    pipe.zscore(names.agenda, str(key))
                    pipe.hget(names.lease, "until")
                (seconds, microseconds), *answers = await pipe.execute()
            now = seconds + microseconds / 1e6
            for key, entries, due, until in zip(batch, *(answers[at::3] for at in range(3)), strict=True):
                yield Seen(key, entries, _until(due, now), _until(until, now))


def check_mailbox(seen: Seen) -> list[Finding]:
    """Return what is wrong with one conversation's keys."""
    findings = []
    if seen.entries and seen.due_in is None:
        way_out = f"{_RESCUE}; FTE_PARTITIONS must be the same in every process"
        findings.append(_finding(seen, "agenda", f"{seen.entries} messages wait and the agenda has no entry", way_out))
    if seen.due_in is not None and not seen.entries and not seen.in_work:
        what = "the agenda has an entry, and there is neither a mailbox nor a lease"
        findings.append(_finding(seen, "mailbox", what, _RESCUE))
    if seen.lease_ends_in is not None and seen.lease_ends_in < -STALE_SECONDS:
        what = f"a lease ended {-seen.lease_ends_in:.0f} s ago and nobody renews it or takes it over"
        findings.append(_finding(seen, "lease", what, _RESCUE))
    return findings


def check_waiting(seen: Seen, row: dict[str, Any]) -> list[Finding]:
    """Return a finding if long-waiting messages (a row of `find_waiting_conversations`) are nowhere in Redis."""
    if not seen.is_nowhere:
        return []
    what = f"{row['waiting']} messages from {row['first_position']} on wait {row['seconds']} s and are nowhere in Redis"
    return [_finding(seen, "lost", what, _RESCUE, waiting=row["waiting"], seconds=row["seconds"])]


def _finding(seen: Seen, check: str, what: str, way_out: str, **numbers: Any) -> Finding:
    told = {"entries": seen.entries, "due_in_seconds": seen.due_in, "lease_ends_in_seconds": seen.lease_ends_in}
    return Finding(check, *seen.key, what, way_out, numbers={**told, **numbers})


def _until(moment: bytes | float | None, now: float) -> float | None:
    """Convert milliseconds since the epoch to seconds from now."""
    return None if moment is None else round(float(moment) / 1_000 - now, 3)
