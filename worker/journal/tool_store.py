"""Store the tool results of turns under way in PostgreSQL, sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker.journal.tool_calls import ToolEntry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.database import Database
    from runtime.sealing import ConversationSealer, Sealer
    from schema.ids import ConversationKey


class ToolStore:
    """Stores tool results, each before its turn goes on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, key: ConversationKey, message_id: str, call_id: str, entry: ToolEntry, own: ConversationSealer
    ) -> None:
        """Write one result, sealed for its conversation."""
        await self._database.read(
            key.tenant,
            "record_tool",
            tenant=key.tenant,
            message_id=message_id,
            call_id=call_id,
            tool=entry.tool,
            input_hash=entry.input_hash,
            delta=own.seal(entry.delta),
        )

    async def forget(self, key: ConversationKey, message_id: str) -> None:
        """Delete a turn's results, so that its tools look again."""
        await self._database.read(key.tenant, "forget_tools", tenant=key.tenant, message_id=message_id)


def open_entries(rows: Sequence[Mapping[str, Any]], sealer: Sealer) -> dict[str, ToolEntry]:
    """Unseal the tool results that hydrate read, by call id; raises Unsealable."""
    return {
        row["call_id"]: ToolEntry(row["tool"], row["input_hash"], sealer.open(row["delta"]), float(row["age_seconds"]))
        for row in rows
    }
