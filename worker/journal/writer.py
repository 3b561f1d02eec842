"""Write journal entries and usage in groups: one statement for all turns that finished a model call just now."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from runtime.database import EVERY_TENANT
from runtime.sealing import KEYED_MARK, OWN_MARK, VAULT_MARK
from schema.errors import Unsealable
from worker.journal.model_calls import JournalEntry
from worker.models.ledger import Spending

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.database import Database, Row
    from runtime.sealing import ConversationSealer, Sealer
    from schema.ids import ConversationKey

_GROUP_MAX = 500


@dataclass(frozen=True)
class _Call:
    key: ConversationKey
    message_id: str
    step: int
    entry: JournalEntry
    written: asyncio.Future[Spending | None]


def seal_call(entry: JournalEntry, own: ConversationSealer) -> JournalEntry:
    """Return an entry as it is stored: sealed where conversations have keys of their own, else in clear."""
    return replace(entry, response=own.seal(entry.response)) if own.by_conversation else entry


def open_calls(rows: Sequence[Mapping[str, Any]], sealer: Sealer) -> dict[int, JournalEntry]:
    """Open the model calls that hydrate read, by step; one that no key opens is left out, and made again."""
    found = {}
    for row in rows:
        response: str = row["response"]
        with suppress(Unsealable):
            if response.startswith((KEYED_MARK, OWN_MARK, VAULT_MARK)):
                response = sealer.open(response)
            found[row["step"]] = JournalEntry(row["input_hash"], response, row["model"], row["degraded"])
    return found


class JournalWriter:
    """Writes entries in groups: those that come while a statement is under way are written with the next one.

    A turn waits until its entry is written, so a model call that a turn has gone past is in PostgreSQL. Alone, an entry
    is written at once; under load many share a round trip.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Call] = []
        self._writer: asyncio.Task[None] | None = None

    async def record(self, key: ConversationKey, message_id: str, step: int, entry: JournalEntry) -> Spending | None:
        """Write one entry and its usage and return when they are written; raises what the database raises.

        Returns the tenant's spending to one of its calls in a group, and None to the others.
        """
        written: asyncio.Future[Spending | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(key, message_id, step, entry, written))
        if self._writer is None or self._writer.done():
            self._begin()
        return await written

    def _begin(self) -> None:
        self._writer = asyncio.create_task(self._write(), name="write_journal")
        self._writer.add_done_callback(self._after_end)

    def _after_end(self, ended: asyncio.Task[None]) -> None:
        """Start the writer again when it was ended while entries wait: each holds a turn up until it is written."""
        if any(not call.written.done() for call in self._waiting) and not ended.get_loop().is_closed():
            self._begin()

    async def _write(self) -> None:
        while self._waiting:
            group = self._next_group()
            error = None
            totals: dict[str, Spending] = {}
            try:
                rows = await self._database.read(EVERY_TENANT, "record_journal", **_parameters(group))
                totals = {row["tenant_id"]: _spending(row, group) for row in rows}
            except Exception as raised:  # noqa: BLE001 - each turn that waits gets it, and classifies it
                error = raised
            except asyncio.CancelledError:
                self._waiting = [*(call for call in group if not call.written.done()), *self._waiting]
                raise
            for call in group:
                if call.written.done():
                    continue  # its turn was cancelled
                if error is None:
                    call.written.set_result(totals.pop(call.key.tenant, None))
                else:
                    call.written.set_exception(error)

    def _next_group(self) -> list[_Call]:
        """Return the entries that wait, each message's step once: one statement cannot write a row twice."""
        group: dict[tuple[str, str, int], _Call] = {}
        rest = []
        for call in self._waiting:
            name = (call.key.tenant, call.message_id, call.step)
            if name in group or len(group) == _GROUP_MAX:
                rest.append(call)
            else:
                group[name] = call
        self._waiting = rest
        return list(group.values())


def _parameters(group: list[_Call]) -> dict[str, list[Any]]:
    usages = [call.entry.usage for call in group]
    return {
        "tenants": [call.key.tenant for call in group],
        "conversations": [call.key.conversation for call in group],
        "message_ids": [call.message_id for call in group],
        "steps": [call.step for call in group],
        "input_hashes": [call.entry.input_hash for call in group],
        "responses": [call.entry.response for call in group],
        "models": [call.entry.model for call in group],
        "degraded": [call.entry.degraded for call in group],
        "input_tokens": [usage and usage.tokens.input for usage in usages],
        "cached_tokens": [usage and usage.tokens.cached for usage in usages],
        "output_tokens": [usage and usage.tokens.output for usage in usages],
        "costs_usd": [usage and usage.cost_usd for usage in usages],
        "milliseconds": [usage and usage.milliseconds for usage in usages],
        "retries": [usage and usage.retries for usage in usages],
    }


def _spending(row: Row, group: list[_Call]) -> Spending:
    """Return a tenant's new total, and what it was before this group."""
    usages = [call.entry.usage for call in group if call.key.tenant == row["tenant_id"]]
    added = sum((usage.cost_usd for usage in usages if usage is not None and usage.cost_usd is not None), Decimal(0))
    return Spending(row["day"], row["cost_usd"] - added, row["cost_usd"])
