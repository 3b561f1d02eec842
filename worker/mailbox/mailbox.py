"""Mailboxes of conversations, one holder at a time: the scripts of `schema/scripts`, as methods."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from runtime.redis import Scripts
from schema.ids import ConversationKey, new_token
from schema.keys import MailboxKeys, agenda_key, mailbox_keys
from schema.messages.envelope import Envelope, encode_envelope
from schema.settings.mailbox import MailboxSettings

_log = structlog.get_logger("fte.mailbox")


@dataclass(frozen=True)
class Head:
    """The oldest envelope of a mailbox, unread, and the number of this attempt at it (1, 2, …)."""

    raw: bytes
    attempts: int
    cause: str = ""
    """Why the attempt before failed, where that is known: a worker that dies says nothing."""

    @property
    def name(self) -> bytes:
        """Return the field under which its attempts are counted: its first 64 bytes, which hold its position."""
        return self.raw[:64]


@dataclass(frozen=True)
class Lease:
    """The right to drain one conversation, until it runs out or is given back."""

    key: ConversationKey
    keys: MailboxKeys
    token: str


Argument = str | bytes | int
"""An argument of a script."""


class LeaseLost(Exception):
    """The lease is another's now; whatever was under way must be dropped."""


class Mailbox:
    """Operations on every conversation's mailbox; atomic, with deadlines by the clock of Redis."""

    def __init__(self, client: Redis, scripts: Scripts, settings: MailboxSettings) -> None:
        self._client = client
        self._scripts = scripts
        self._partitions = settings.partitions
        self._lease_ms = round(settings.lease_seconds * 1_000)
        self._bell_ms = round(settings.bell_seconds * 1_000)
        self._lease_seconds = settings.lease_seconds
        # Half as much again: a provider's wish is jittered, and other processes may have other settings for a while.
        longest = max(settings.lease_seconds, settings.bell_seconds, settings.backoff_seconds_max)
        self._ahead_ms = round(max(longest, settings.model_park_seconds_max) * 1_500)
        self._forsaken: dict[str, tuple[Lease, Head | None, float]] = {}

    async def append(self, key: ConversationKey, envelopes: list[Envelope]) -> bool:
        """Put envelopes (in order of position) where they belong, once; returns whether to ring."""
        return any(ring for _, ring in await self._append(key, envelopes, due_ms=self._bell_ms))

    async def restore(self, key: ConversationKey, rows: list[dict[str, Any]]) -> int:
        """Put messages back from their inbox rows (message_id, position, payload); due at once: nobody rings.

        Returns how many were missing.
        """
        outcomes = await self._append(
            key,
            [
                Envelope(position=row["position"], message_id=row["message_id"], payload=row["payload"])
                for row in sorted(rows, key=lambda row: int(row["position"]))
            ],
            due_ms=0,
        )
        return sum(appended for appended, _ in outcomes)

    async def _append(self, key: ConversationKey, envelopes: list[Envelope], *, due_ms: int) -> list[Any]:
        keys = mailbox_keys(key, self._partitions)
        return await self._for_each(
            [
                (self._scripts.append, keys, [str(key), encode_envelope(envelope), envelope.position, due_ms])
                for envelope in envelopes
            ]
        )

    async def acquire(self, key: ConversationKey) -> tuple[Lease, Head] | str:
        """Take the lease and the head, its attempt counted; otherwise returns why not: busy, empty, parked."""
        lease = Lease(key, mailbox_keys(key, self._partitions), new_token())
        try:
            arguments: list[Argument] = [str(key), lease.token, self._lease_ms, self._ahead_ms]
            answer = await self._scripts.acquire(keys=lease.keys, args=arguments)
        except (RedisError, OSError):
            self.forsake(lease)  # it may have been taken, and only the answer was lost
            raise
        if answer[0] != b"head":
            return str(answer[0].decode())
        return lease, Head(answer[1], int(answer[2]), answer[3].decode("utf-8", "replace"))

    async def acknowledge(
        self, lease: Lease, head: Head, *, more: bool, followers: Sequence[Envelope] = ()
    ) -> Head | None:
        """Remove the head, and `followers` where they stand next, in order; returns the new head if `more` is wanted.

        None when there is none. Raises LeaseLost.
        """
        arguments: list[Argument] = [str(lease.key), lease.token, int(more), head.raw]
        arguments += [encode_envelope(envelope) for envelope in followers]
        answer = await self._scripts.acknowledge(keys=lease.keys, args=arguments)
        if answer[0] == b"lost":
            raise LeaseLost
        return Head(answer[1], int(answer[2])) if answer[0] == b"head" else None

    async def release(self, lease: Lease, *, untried: Head | None = None) -> bool:
        """Give the lease back, `untried` without its attempt; returns whether to ring. Another's lease stays."""
        arguments: list[Argument] = [str(lease.key), lease.token, self._bell_ms, untried.name if untried else ""]
        return int(await self._scripts.release(keys=lease.keys, args=arguments)) == 1

    async def park(self, lease: Lease, head: Head, *, backoff_seconds: float, counts: bool, cause: str = "") -> None:
        """Give the lease back and park the head for a while; its attempt is forgotten unless it `counts`.

        `cause`, why it failed, is kept for the next attempt: a dead letter says it.
        """
        backoff_ms = round(backoff_seconds * 1_000)
        named = head.name + cause.encode() if cause else b""
        arguments: list[Argument] = [str(lease.key), lease.token, backoff_ms, "" if counts else head.name, named]
        await self._scripts.park(keys=lease.keys, args=arguments)

    def forsake(self, lease: Lease, *, untried: Head | None = None) -> None:
        """Remember a lease that could not be given back: else its conversation would wait until it runs out."""
        self._forsaken[lease.token] = (lease, untried, time.monotonic())

    async def give_back_forsaken(self) -> int:
        """Give back what was forsaken and may still be held, due at once; returns how many there were."""
        oldest = time.monotonic() - self._lease_seconds
        self._forsaken = {token: entry for token, entry in self._forsaken.items() if entry[2] > oldest}
        held = list(self._forsaken.values())
        await self._for_each(
            [
                (self._scripts.park, lease.keys, [str(lease.key), lease.token, 0, head.name if head else ""])
                for lease, head, _ in held
            ]
        )
        for lease, _, _ in held:
            self._forsaken.pop(lease.token, None)
        return len(held)

    async def renew(self, leases: list[Lease]) -> list[Lease]:
        """Prolong leases in one pipeline; returns those that are lost."""
        answers = await self._for_each(
            [(self._scripts.renew, lease.keys, [str(lease.key), lease.token, self._lease_ms]) for lease in leases]
        )
        return [lease for lease, renewed in zip(leases, answers, strict=True) if not renewed]

    async def sweep(self, conversations_max: int) -> list[ConversationKey]:
        """Take overdue conversations from the partitions' agendas, oldest first, about `conversations_max` of them.

        A member that names no conversation is logged, stays for `fte verify`, and is put off for long.
        """
        share = -(-conversations_max // self._partitions)
        answers = await self._for_each(
            [
                (
                    self._scripts.sweep,
                    [agenda_key(partition)],
                    [self._bell_ms, share, self._lease_ms, self._ahead_ms],
                )
                for partition in range(self._partitions)
            ]
        )
        found = []
        for partition, members in enumerate(answers):
            for member in members:
                try:
                    found.append(ConversationKey.parse(member.decode()))
                except ValueError as error:
                    await self._client.zincrby(agenda_key(partition), self._ahead_ms // 2, member)
                    _log.error("agenda.strange", agenda=agenda_key(partition), error=str(error))
        return found

    async def seconds_until_due(self) -> float:
        """Return the seconds until the next conversation is due, by Redis's clock; 0 or less: one is overdue."""
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.time()
            for partition in range(self._partitions):
                pipe.zrange(agenda_key(partition), 0, 0, withscores=True)
            (now, microseconds), *first = await pipe.execute()
        due_ms = min((score for members in first for _, score in members), default=math.inf)
        return float(due_ms / 1_000 - (now + microseconds / 1_000_000))

    async def count_overdue(self, seconds: float) -> int:
        """Count the conversations that have been due for at least so many seconds, by the clock of Redis."""
        now, microseconds = await self._client.time()
        before = now * 1_000 + microseconds // 1_000 - round(seconds * 1_000)
        async with self._client.pipeline(transaction=False) as pipe:
            for partition in range(self._partitions):
                pipe.zcount(agenda_key(partition), "-inf", before)
            return sum(await pipe.execute())

    async def on_agenda(self, keys: list[ConversationKey]) -> list[bool]:
        """Return for each conversation whether it is on the agenda."""
        async with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.zscore(mailbox_keys(key, self._partitions).agenda, str(key))
            return [score is not None for score in await pipe.execute()]

    async def _for_each(self, calls: list[tuple[AsyncScript, Sequence[str], Sequence[Argument]]]) -> list[Any]:
        if not calls:
            return []
        answers = await self._scripts.run_each(calls)
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers
