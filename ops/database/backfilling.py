"""Fill in, after a migration and beside running workers, what rows of before do not say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime.database import EVERY_TENANT
from schema.resources import load_query

if TYPE_CHECKING:
    import psycopg

    from runtime.database import Row

PAGE_CONVERSATIONS: Final = 500


def find_people(connection: psycopg.Connection[Row]) -> int:
    """Look through the conversations of before for their people; return how many pages there were.

    Each page is a transaction of its own. Broken off, it goes on at the next run; what is new is noted by a trigger.
    """
    pages = 0
    for row in _run(connection, "find_people_to_read"):
        read_to: str | None = row["read_to"]
        while read_to is not None:
            names = {"tenant": row["tenant_id"], "after": read_to, "conversations_max": PAGE_CONVERSATIONS}
            read_to = _run(connection, "backfill_people", **names)[0]["read_to"]
            pages += 1
    return pages


def _run(connection: psycopg.Connection[Row], query: str, **parameters: str | int) -> list[Row]:
    with connection.transaction():
        connection.execute("SELECT set_config('fte.tenant', %s, true)", [EVERY_TENANT])
        return connection.execute(load_query(query), parameters).fetchall()
