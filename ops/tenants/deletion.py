"""Delete a tenant: everything of it in PostgreSQL and in Redis, in batches, with a receipt.

A deletion that was broken off goes on where it was when it is asked for again: each batch and its count are one
transaction. Tables are found in PostgreSQL's catalogue, so that a new one is not forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ops.audit.acts import DEPLOYMENT_CHAIN, Act, By, actor_of, record_act
from runtime.database import EVERY_TENANT
from schema.errors import FteError, UnknownTenant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from runtime.database import Database, Row

BATCH_ROWS = 1_000
"""Rows removed in one transaction: a second's work at most, and no lock is held for longer."""

BATCH_KEYS = 500

ROUNDS_MAX = 10
"""How often what workers wrote meanwhile is removed; what is under way ends within the time limit of a turn."""

_REMOVE = sql.SQL("""
    DELETE FROM {table}
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE tenant_id = %(tenant)s LIMIT %(rows_max)s))
""")

Say = Callable[[str, int], None]
"""Takes what was removed from (a table, a stream, `keys`) and how much."""


class TenantInService(FteError):
    """Only a suspended tenant is deleted: by then nothing new comes in, and somebody has had time to object."""

    def __init__(self, tenant: str) -> None:
        super().__init__(f"tenant {tenant!r} is in service; suspend it first: `fte tenant suspend {tenant}`")


class TenantStillBusy(FteError):
    """Something still writes for the tenant, so that there is always more to remove."""

    def __init__(self, tenant: str) -> None:
        super().__init__(
            f"something still writes for tenant {tenant!r} after {ROUNDS_MAX} rounds; wait for its turns to end, and "
            "delete it again"
        )


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """What was removed of a tenant, all runs of its deletion together."""

    tenant: str
    requested_by: str
    rows: dict[str, int]
    """Table -> rows."""
    entries: dict[str, int]
    """Stream -> entries."""
    keys: int
    """Keys of Redis besides the streams: mailboxes, leases, marks."""
    is_finished: bool


async def delete_tenant(
    database: Database, redis: Redis, tenant: str, *, by: By, say: Say = lambda _place, _count: None
) -> DeletionReceipt:
    """Remove everything of a suspended tenant, and its name with it: no later tenant gets that.

    Returns the receipt. Asked for again it goes on, or removes what a turn that was under way left behind. Raises
    UnknownTenant, TenantInService; TenantStillBusy: run it again later.
    """
    if not await _begin(database, tenant, by) and await read_receipt(database, tenant) is None:
        known = await database.read(tenant, "read_tenant", tenant=tenant)
        raise TenantInService(tenant) if known else UnknownTenant(tenant)
    removal = _Removal(database, redis, tenant, say)
    # Mailboxes first: a worker that finds one takes its messages up. Rescue puts them back for as long as they stand in
    # the inbox, and a turn under way may still write; so it goes round until nothing is found. The tenant's own row is
    # the last: while it is there, workers look after its streams.
    for last in (False, True):
        for _ in range(ROUNDS_MAX):
            await removal.empty_redis()
            if await removal.empty_tables(with_tenant=last) == 0:
                break
        else:
            raise TenantStillBusy(tenant)
    receipt = await _finish(database, tenant, by)
    if receipt is None:
        raise UnknownTenant(tenant)
    return receipt


async def _begin(database: Database, tenant: str, by: By) -> bool:
    """Mark a suspended tenant as being deleted, and say how its audit log ends; return whether it is marked.

    The log goes with the tenant. What an export of it must end with is on record among the operators' acts.
    """
    async with database.transaction(EVERY_TENANT) as transaction:
        if not await transaction.run("begin_tenant_deletion", tenant=tenant, by=actor_of(by).name):
            return False
        heads = await transaction.run("read_audit_heads", tenant=tenant)
        head = f"{heads[0]['entries']}:{bytes(heads[0]['head_hash']).hex()}" if heads else "none"
        act = Act("tenant.deletion_begun", tenant, reason=f"its audit log ends with {head}")
        await record_act(transaction, DEPLOYMENT_CHAIN, by, act)
    return True


async def _finish(database: Database, tenant: str, by: By) -> DeletionReceipt | None:
    async with database.transaction(EVERY_TENANT) as transaction:
        await transaction.run("finish_tenant_deletion", tenant=tenant)
        rows = await transaction.run("read_tenant_deletion", tenant=tenant)
        if not rows:
            return None
        receipt = _receipt_of(rows[0])
        await record_act(transaction, DEPLOYMENT_CHAIN, by, Act("tenant.deleted", tenant, after=asdict(receipt)))
    return receipt


async def read_receipt(database: Database, tenant: str) -> DeletionReceipt | None:
    """Return what was removed of a tenant; None where nobody asked for its deletion."""
    rows = await database.read(tenant, "read_tenant_deletion", tenant=tenant)
    return _receipt_of(rows[0]) if rows else None


def _receipt_of(row: Row) -> DeletionReceipt:
    return DeletionReceipt(
        tenant=row["tenant_id"],
        requested_by=row["requested_by"],
        rows=row["rows_removed"],
        entries=row["entries_removed"],
        keys=row["keys_removed"],
        is_finished=row["finished_at"] is not None,
    )


class _Removal:
    """One run of a tenant's deletion."""

    def __init__(self, database: Database, redis: Redis, tenant: str, say: Say) -> None:
        self._database = database
        self._redis: Any = redis
        self._tenant = tenant
        self._say = say

    async def empty_tables(self, *, with_tenant: bool) -> int:
        """Remove the tenant's rows from every table, those that refer to others first; return how many there were."""
        found = await self._database.read(self._tenant, "find_tables_of_tenants")
        order = TopologicalSorter({row["name"]: row["needed_by"] for row in found}).static_order()
        removed = 0
        for table in order:
            if with_tenant or table != "tenant":
                removed += await self._empty_table(table)
        return removed

    async def _empty_table(self, table: str) -> int:
        removed = 0
        statement = _REMOVE.format(table=sql.Identifier(table))
        while True:
            async with self._database.transaction(self._tenant) as transaction:
                cursor = await transaction.connection.execute(
                    statement, {"tenant": self._tenant, "rows_max": BATCH_ROWS}
                )
                rows = cursor.rowcount
                if rows:
                    await transaction.run("note_tenant_deletion", **self._note(table_name=table, rows=rows))
            if not rows:
                return removed
            removed += rows
            self._say(table, rows)

    async def empty_redis(self) -> None:
        """Remove the tenant's streams and keys.

        Removed first and noted then: when it is broken off in between the receipt lacks a batch, and nothing stays.
        """
        async for key in self._keys():
            entries = await self._redis.xlen(key) if await self._redis.type(key) == b"stream" else None
            if not await self._redis.unlink(key):
                continue
            name = key.decode()
            note = self._note(keys=1) if entries is None else self._note(stream=name, entries=entries)
            await self._database.read(self._tenant, "note_tenant_deletion", **note)
            self._say("keys" if entries is None else name, 1 if entries is None else entries)
        async for agenda in self._redis.scan_iter(match="fte:{p*}:agenda", count=BATCH_KEYS):
            async for member, _ in self._redis.zscan_iter(agenda, match=f"{self._tenant}:*", count=BATCH_KEYS):
                await self._redis.zrem(agenda, member)

    async def _keys(self) -> AsyncIterator[bytes]:
        # A tenant's name holds no character that means something in these patterns.
        for pattern in (f"fte:*:{{{self._tenant}}}*", f"fte:{{p*}}:*:{self._tenant}:*"):
            async for key in self._redis.scan_iter(match=pattern, count=BATCH_KEYS):
                yield key

    def _note(self, **removed: Any) -> dict[str, Any]:
        nothing = {"table_name": None, "rows": 0, "stream": None, "entries": 0, "keys": 0}
        return {**nothing, "tenant": self._tenant, **removed}
