"""Publish outbox rows to the outbound streams, each once and in order, and note it in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from runtime.database import EVERY_TENANT, Database, Row
from runtime.loops import Loop
from runtime.redis import Scripts
from runtime.sealing import Sealer
from schema.ids import ConversationKey
from schema.keys import epoch_key, hold_key, published_key
from schema.settings.repair import RepairSettings
from worker.outbound.places import position_of, stream_named
from worker.outbound.streams import Streams

_NOTE_SECONDS = 0.1
"""How long what was published is gathered before it is noted."""

_HELD = -1
"""The answer of `publish.lua` where a takeover holds rows back."""

_log = structlog.get_logger("fte.publisher")


@dataclass(frozen=True)
class OutboxRow:
    """One row to publish: `body` is its JSON, `ordinal` its place among all rows of the conversation."""

    ordinal: int
    kind: str
    channel: str | None
    entry_id: str
    sequence: int
    body: str

    def stream(self, tenant: str) -> str:
        """Return the name of the stream that this row belongs to."""
        return stream_named(tenant, self.kind, self.channel or "").name


@dataclass(frozen=True)
class _Note:
    """What is to be noted of one row: where its entry stands, and in which epoch of the streams."""

    position: int
    epoch: int


@dataclass(frozen=True)
class _Held:
    """A takeover holds rows back until PostgreSQL has been asked; the token lifts this hold, and no later one."""

    token: str


class Publisher:
    """Publishes rows at once after a commit; the note in PostgreSQL follows in batches.

    A crash in between leaves rows that are in their streams but not noted: rescue publishes them again, and the script
    sees that their ordinals are behind.
    """

    def __init__(
        self,
        database: Database,
        scripts: Scripts,
        sealer: Sealer,
        streams: Streams,
        *,
        settings: RepairSettings,
    ) -> None:
        self._database = database
        self._scripts = scripts
        self._sealer = sealer
        self._streams = streams
        self._published_seconds = settings.published_seconds
        self._rows_max = settings.reconcile_messages_max
        self._unnoted: dict[tuple[ConversationKey, int], _Note] = {}
        self._wake = asyncio.Event()

    async def publish(self, key: ConversationKey, rows: Sequence[OutboxRow], *, floor: int, epoch: int) -> None:
        """Add rows (in order of ordinal) to their streams; `floor` is the ordinal known to be published before them.

        `epoch` is what the tenant's streams were in when the rows, or the floor, were read. When Redis may have lost
        something since, the streams are restored, and what is to be published of the conversation now is read anew.
        """
        published = not rows or await self._publish(key, rows, floor=floor, epoch=epoch)
        if published is True:
            return
        if published is False and not await self._streams.restore(key.tenant):
            return  # another worker restores them, and rescue publishes what is left
        names = {"tenant": key.tenant, "conversation": key.conversation}
        # Behind the lock of a takeover under way: what it withdraws is not found any more.
        _, found = await self._database.run_all(
            key.tenant,
            [("lock_conversation", names), ("find_unpublished_of", {**names, "rows_max": self._rows_max})],
        )
        if found:
            anew = [self._open(row) for row in found]
            lift = published.token if isinstance(published, _Held) else ""
            await self._publish(key, anew, floor=anew[0].ordinal - 1, epoch=found[0]["stream_life"], lift=lift)

    async def publish_found(self, key: ConversationKey, found: Sequence[Row]) -> None:
        """Publish unpublished rows of one conversation, from its oldest on, as queries give them."""
        rows = [self._open(row) for row in found]
        await self.publish(key, rows, floor=rows[0].ordinal - 1, epoch=found[0]["stream_life"])

    async def _publish(
        self, key: ConversationKey, rows: Sequence[OutboxRow], *, floor: int, epoch: int, lift: str = ""
    ) -> bool | _Held:
        """Publish, and return whether that was done; `_Held` where a takeover wants PostgreSQL asked first."""
        arguments: list[Any] = [epoch, floor, self._published_seconds]
        follows = floor
        for row in rows:
            arguments += [row.ordinal, follows, row.entry_id, key.conversation, row.sequence, row.body]
            follows = row.ordinal
        arguments.append(lift)
        keys = [published_key(key), epoch_key(key.tenant), *(row.stream(key.tenant) for row in rows), hold_key(key)]
        answer = await self._scripts.publish(keys=keys, args=arguments)
        if not answer:
            return False
        published, *entry_ids = answer
        if published == _HELD:
            return _Held(entry_ids[0].decode())
        if published < rows[-1].ordinal:
            _log.warning("publish.gap", tenant=key.tenant, conversation=key.conversation, published=published)
        for row, entry_id in zip(rows, entry_ids, strict=True):
            known = self._unnoted.get((key, row.ordinal))
            # The answer to a repeat is only an upper bound of the row's place: the first answer is the exact one.
            if entry_id and (known is None or known.epoch != epoch):
                self._unnoted[key, row.ordinal] = _Note(position_of(entry_id.decode()), epoch)
        self._wake.set()
        return True

    def loop(self) -> Loop:
        """Return the loop that notes in PostgreSQL what was published: soon after it was, and several at a time."""
        return Loop("note_published", self.note, _NOTE_SECONDS, wait=self._wait_for_notes)

    async def _wait_for_notes(self, seconds: float) -> None:
        await self._wake.wait()
        await asyncio.sleep(seconds)

    async def note(self) -> None:
        """Note everything published so far; raises what the database raises, and tries it again the next time."""
        self._wake.clear()
        unnoted, self._unnoted = self._unnoted, {}
        if not unnoted:
            return
        try:
            await self._database.read(
                EVERY_TENANT,
                "mark_published",
                tenants=[key.tenant for key, _ in unnoted],
                conversations=[key.conversation for key, _ in unnoted],
                ordinals=[ordinal for _, ordinal in unnoted],
                positions=[note.position for note in unnoted.values()],
                lives=[note.epoch for note in unnoted.values()],
            )
        except BaseException:
            self._unnoted = {**unnoted, **self._unnoted}
            self._wake.set()
            raise

    def _open(self, row: Row) -> OutboxRow:
        names = ("ordinal", "kind", "channel", "entry_id", "sequence")
        return OutboxRow(**{name: row[name] for name in names}, body=self._sealer.open(row["body"]))
