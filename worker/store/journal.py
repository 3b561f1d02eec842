"""Write journal entries in groups: one statement for all turns of the process that finished a model call just now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ops.runtime.database import EVERY_TENANT

if TYPE_CHECKING:
    from ops.runtime.database import Database
    from schema.ids import ConversationKey

_GROUP_MAX = 500


@dataclass(frozen=True)
class _Entry:
    tenant: str
    message_id: str
    step: int
    input_hash: str
    response: str
    written: asyncio.Future[None]


class JournalWriter:
    """Gather entries while a statement is under way, and write them with the next one.

    A turn waits until its entry is written, so a model call that a turn has gone past is in PostgreSQL. Alone, an entry
    is written at once; under load many share a round trip.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, key: ConversationKey, message_id: str, step: int, input_hash: str, response: str) -> None:
        """Write one entry and return when it is written; raises what the database raises."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(key.tenant, message_id, step, input_hash, response, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await written

    async def _write(self) -> None:
        while self._waiting:
            group = self._next_group()
            error = None
            try:
                await self._database.read(
                    EVERY_TENANT,
                    "record_journal",
                    tenants=[entry.tenant for entry in group],
                    message_ids=[entry.message_id for entry in group],
                    steps=[entry.step for entry in group],
                    input_hashes=[entry.input_hash for entry in group],
                    responses=[entry.response for entry in group],
                )
            except Exception as raised:  # noqa: BLE001 - each turn that waits gets it, and classifies it
                error = raised
            for entry in group:
                if entry.written.done():
                    continue  # its turn was cancelled
                if error is None:
                    entry.written.set_result(None)
                else:
                    entry.written.set_exception(error)

    def _next_group(self) -> list[_Entry]:
        """Take what waits, each message's step once: one statement cannot write a row twice."""
        group: dict[tuple[str, str, int], _Entry] = {}
        rest = []
        for entry in self._waiting:
            name = (entry.tenant, entry.message_id, entry.step)
            if name in group or len(group) == _GROUP_MAX:
                rest.append(entry)
            else:
                group[name] = entry
        self._waiting = rest
        return list(group.values())
