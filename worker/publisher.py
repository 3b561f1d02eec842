"""Bring outbox rows into the outbound streams, each once and in order, and note it in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from ops.runtime.database import EVERY_TENANT, Database
from ops.runtime.outage import POSTGRESQL_AWAY, Outages
from ops.runtime.redis import Scripts
from schema.ids import ConversationKey
from schema.keys import escalations_stream, events_stream, published_key, replies_stream
from schema.settings import Settings

_log = structlog.get_logger("fte.publisher")


@dataclass(frozen=True)
class OutboxRow:
    """Hold one thing to publish: `body` is its JSON, `ordinal` its place among all rows of the conversation."""

    ordinal: int
    kind: str
    channel: str | None
    entry_id: str
    sequence: int
    body: str

    def stream(self, tenant: str) -> str:
        """Name the stream this row belongs to."""
        if self.kind == "reply":
            return replies_stream(tenant, self.channel or "")
        return escalations_stream(tenant) if self.kind == "escalation" else events_stream(tenant)


class Publisher:
    """Publish at once after a commit; the note in PostgreSQL follows in batches.

    A crash in between leaves rows that are in their streams but not noted: rescue publishes them again, and the script
    sees that their ordinals are behind.
    """

    def __init__(self, database: Database, scripts: Scripts, outages: Outages, settings: Settings) -> None:
        self._outages = outages
        self._database = database
        self._scripts = scripts
        self._published_seconds = settings.published_seconds
        self._unnoted: dict[ConversationKey, int] = {}
        self._wake = asyncio.Event()

    async def publish(self, key: ConversationKey, rows: Sequence[OutboxRow], *, floor: int) -> None:
        """Add rows (in order of ordinal) to their streams; `floor` is the ordinal known to be published before them."""
        if not rows:
            return
        arguments: list[Any] = [floor, self._published_seconds]
        for row in rows:
            arguments += [row.ordinal, row.entry_id, key.conversation, row.sequence, row.body]
        keys = [published_key(key), *(row.stream(key.tenant) for row in rows)]
        published = int(await self._scripts.publish(keys=keys, args=arguments))
        if published < rows[-1].ordinal:
            _log.warning("publish.gap", tenant=key.tenant, conversation=key.conversation, published=published)
        self._unnoted[key] = max(published, self._unnoted.get(key, 0))
        self._wake.set()

    async def run(self, *, interval_seconds: float = 0.1) -> None:
        """Note in PostgreSQL what was published, until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(interval_seconds)
            try:
                await self.note()
            except POSTGRESQL_AWAY as error:
                self._outages.begins(error)

    async def note(self) -> None:
        """Note everything published so far; raises POSTGRESQL_AWAY and keeps it for the next time."""
        self._wake.clear()
        unnoted, self._unnoted = self._unnoted, {}
        if not unnoted:
            return
        try:
            await self._database.read(
                EVERY_TENANT,
                "mark_published",
                tenants=[key.tenant for key in unnoted],
                conversations=[key.conversation for key in unnoted],
                ordinals=list(unnoted.values()),
            )
        except BaseException:
            for key, ordinal in unnoted.items():
                self._unnoted[key] = max(ordinal, self._unnoted.get(key, 0))
            self._wake.set()
            raise
