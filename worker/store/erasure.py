"""Erase conversations from PostgreSQL, so that nothing of them comes back."""

from __future__ import annotations

from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.database import Transaction

_REMOVE = sql.SQL("DELETE FROM {table} WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s)")


async def erase_conversations(transaction: Transaction, tenant: str, conversations: Sequence[str]) -> dict[str, int]:
    """Remove all that tables hold of conversations; return how many rows went, or lost their names, by table.

    Tables are found in PostgreSQL's catalogue, so that a new one is not forgotten. What stays names nobody: keyed
    hashes of message ids (each is accepted once, for ever) and of the conversations' names with their counters (one
    that begins anew counts on), what model calls cost, and the ledger of bookings' changes. A turn under way commits
    nothing.
    """
    names = {"tenant": tenant, "conversations": list(conversations)}
    await transaction.run("lock_conversations", **names)
    await transaction.run("keep_accepted_ids", **names)
    await transaction.run("keep_erased_counters", **names)
    removed = {
        "journals": int((await transaction.run("erase_journals", **names))[0]["removed"]),
        "usage_record": len(await transaction.run("unname_usage", **names)),
        "reservation_change": len(await transaction.run("unname_changes", **names)),
    }
    found = await transaction.run("find_tables_of_conversations")
    tables = {row["name"] for row in found}
    order = TopologicalSorter({row["name"]: tables.intersection(row["needed_by"]) for row in found}).static_order()
    for table in order:
        cursor = await transaction.connection.execute(_REMOVE.format(table=sql.Identifier(table)), names)
        removed[table] = cursor.rowcount
    return {table: rows for table, rows in removed.items() if rows}
