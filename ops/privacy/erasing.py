"""Erase all that is kept of a person, with a receipt."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ops.audit.acts import Act, By, record_act
from ops.desk.erasing import erase_from_streams
from ops.privacy.people import TheirConversation, find_conversations
from runtime.redis import Scripts
from schema.errors import FteError
from schema.ids import ConversationKey
from schema.keys import mailbox_keys, published_key
from worker.mailbox.mailbox import Mailbox
from worker.store.erasure import erase_conversations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis.asyncio import Redis

    from runtime.database import Database
    from schema.settings.mailbox import MailboxSettings

BATCH_CONVERSATIONS: Final = 50
"""Conversations erased in one transaction."""

BUSY_SECONDS_MAX: Final = 60.0
"""How long to wait for turns that are under way: each ends within its own limit."""

_PAUSE_SECONDS: Final = 0.2


class ConversationBusy(FteError):
    """A turn is under way in a conversation that is to be erased, and does not end."""

    def __init__(self, conversations: int) -> None:
        super().__init__(
            f"turns are under way in {conversations} of the conversations for {BUSY_SECONDS_MAX:.0f} s; "
            "what was erased before stays erased: try again"
        )


@dataclass(frozen=True)
class ErasureReceipt:
    """What was erased of a person, and what was not, and why; names nobody but by key."""

    tenant: str
    person_key: str
    is_dry_run: bool
    conversations: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    """Rows removed, or whose names were taken out, by table."""
    audit_details: int = 0
    entries: int = 0
    """Entries of outbound streams."""
    keys: int = 0
    """Keys of Redis."""
    held: int = 0
    """Conversations that stay, because of a legal hold."""
    shared: int = 0
    """Conversations that stay, because other people wrote in them as well."""
    audit_number: int | None = None
    """The number of the erasure in the audit log; None for a dry run."""


@dataclass(frozen=True)
class Eraser:
    """Erases people and conversations of one tenant; the caller has checked who asks."""

    database: Database
    redis: Redis
    settings: MailboxSettings
    tenant: str
    by: By
    reason: str | None = None

    async def erase_person(
        self, person_key: str, *, dry_run: bool = False, with_others: bool = False
    ) -> ErasureReceipt:
        """Erase every conversation of a person that is not on legal hold, and what else is kept under their key.

        A conversation in which others wrote as well stays, unless `with_others`. Erased again it does no harm, and
        goes on where it was broken off. Raises ConversationBusy.
        """
        theirs = await find_conversations(self.database, self.tenant, person_key)
        chosen = [one.conversation for one in theirs if not one.is_held and (with_others or not one.others)]
        held, shared = _left(theirs, with_others=with_others)
        if dry_run:
            return ErasureReceipt(
                self.tenant, person_key, is_dry_run=True, conversations=len(chosen), held=held, shared=shared
            )
        sums = _Sums()
        for first in range(0, len(chosen), BATCH_CONVERSATIONS):
            await self._erase(chosen[first : first + BATCH_CONVERSATIONS], person_key, sums)
        # Once more: what a worker had read before its rows were gone may have come into a stream since.
        sums.entries += await erase_from_streams(self.database, Scripts(self.redis), self.tenant, chosen)
        async with self.database.transaction(self.tenant) as transaction:
            names = {"tenant": self.tenant, "conversations": chosen}
            late = int((await transaction.run("erase_leftovers", **names))[0]["removed"])
            sums.add({"written meanwhile": late} if late else {})
            if not held:
                guesses = await transaction.run("forget_person", tenant=self.tenant, person_key=person_key)
                sums.add({"guess": len(guesses)} if guesses else {})
            receipt = ErasureReceipt(
                self.tenant,
                person_key,
                is_dry_run=False,
                conversations=len(chosen),
                rows=sums.rows,
                audit_details=sums.audit_details,
                entries=sums.entries,
                keys=sums.keys,
                held=held,
                shared=shared,
            )
            act = Act("person.erased", person_key, reason=self.reason, after=asdict(receipt))
            number = await record_act(transaction, self.tenant, self.by, act)
        return ErasureReceipt(**{**asdict(receipt), "audit_number": number})

    async def _erase(self, conversations: Sequence[str], person_key: str, sums: _Sums) -> None:
        keys = [ConversationKey(self.tenant, conversation) for conversation in conversations]
        await self._hold(keys)
        async with self.database.transaction(self.tenant) as transaction:
            sums.add(await erase_conversations(transaction, self.tenant, conversations))
            act = Act("conversation.erased", person_key, reason=self.reason, after={"conversations": len(keys)})
            number = await record_act(transaction, self.tenant, self.by, act)
            names = {"tenant": self.tenant, "conversations": list(conversations), "number": number}
            sums.audit_details += len(await transaction.run("erase_details", **names))
        sums.keys += await self._clear_redis(keys)
        sums.entries += await erase_from_streams(self.database, Scripts(self.redis), self.tenant, conversations)

    async def _hold(self, keys: Sequence[ConversationKey]) -> None:
        """Take the leases, so that no worker is in a turn, or begins one, while a conversation goes.

        Nobody gives them back: they go with the mailboxes.
        """
        mailbox = Mailbox(self.redis, Scripts(self.redis), self.settings)
        waiting = list(keys)
        for _ in range(round(BUSY_SECONDS_MAX / _PAUSE_SECONDS)):
            waiting = [key for key in waiting if await mailbox.acquire(key) == "busy"]
            if not waiting:
                return
            await asyncio.sleep(_PAUSE_SECONDS)
        raise ConversationBusy(len(waiting))

    async def _clear_redis(self, keys: Sequence[ConversationKey]) -> int:
        client: Any = self.redis  # its stubs mix the answers of both protocols
        gone = 0
        for key in keys:
            theirs = mailbox_keys(key, self.settings.partitions)
            async with client.pipeline(transaction=False) as pipe:
                pipe.unlink(theirs.mailbox, theirs.lease, theirs.attempts)
                pipe.unlink(published_key(key))
                pipe.zrem(theirs.agenda, str(key))
                gone += sum(await pipe.execute())
        return gone


def _left(theirs: Sequence[TheirConversation], *, with_others: bool) -> tuple[int, int]:
    """Count the conversations that stay: those on hold, and of the rest those in which others wrote."""
    held = sum(one.is_held for one in theirs)
    return held, 0 if with_others else sum(one.others > 0 and not one.is_held for one in theirs)


@dataclass
class _Sums:
    """What was erased so far."""

    rows: dict[str, int] = field(default_factory=dict)
    audit_details: int = 0
    entries: int = 0
    keys: int = 0

    def add(self, removed: dict[str, int]) -> None:
        """Add the rows of one transaction."""
        for table, rows in removed.items():
            self.rows[table] = self.rows.get(table, 0) + rows
