"""List and export what an audit log says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.audit.verification import read_entries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from runtime.database import Database, Row

ACTS_LISTED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class ActFilter:
    """Which entries of a chain to list; a field that is None does not narrow it."""

    before_number: int | None = None
    """Only older ones than this: the last of the page before."""
    since: datetime | None = None
    actor: str | None = None
    operation: str | None = None
    conversation: str | None = None


async def list_acts(database: Database, tenant: str, which: ActFilter, acts_max: int = 50) -> list[dict[str, Any]]:
    """List entries of a tenant's chain, newest first, as JSON gives them to programs."""
    rows = await database.read(
        tenant,
        "list_acts",
        tenant=tenant,
        before_number=which.before_number,
        since=which.since,
        actor=which.actor,
        operation=which.operation,
        conversation=which.conversation,
        acts_max=min(acts_max, ACTS_LISTED_MAX),
    )
    return [describe_act(row) for row in rows]


def describe_act(row: Row) -> dict[str, Any]:
    """Return an entry as JSON gives it to programs; hashes as hex digits."""
    named = ("number", "at", "actor", "role", "address", "operation", "object", "reason", "erased_by")
    hashes = ("before_hash", "after_hash", "hash")
    told = {name: row[name] for name in named} | {name: _hex(row[name]) for name in hashes}
    return told | {"conversation": row["conversation_id"]}


async def export_acts(database: Database, tenant: str) -> AsyncIterator[dict[str, Any]]:
    """Yield a whole chain, oldest first, with all that its hashes are made of: it can be verified without us."""
    async for row in read_entries(database, tenant):
        whole = {
            "detail_hash": _hex(row["detail_hash"]),
            "prior_hash": _hex(row["prior_hash"]),
            "salt": _hex(row["salt"]),
        }
        yield {"tenant": tenant} | describe_act(row) | {"object_kind": row["object_kind"]} | whole


def _hex(value: bytes | None) -> str | None:
    return None if value is None else value.hex()
