"""Re-encrypt with the newest key what older keys sealed, so that they can be dropped; works beside running workers.

Safe to repeat and to break off: what the newest key has sealed is left alone.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import sql

from ops.audit.acts import DEPLOYMENT_CHAIN, Act, By, parameters_of
from ops.database.migrate import read_fingerprint, record_fingerprint
from runtime.database import EVERY_TENANT, connect
from runtime.redis import check_redis, make_redis
from runtime.startup import check_fingerprint
from schema.errors import Unsealable
from schema.messages.envelope import Envelope
from schema.resources import load_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.database.migrate import Connection
    from runtime.database import Row
    from runtime.sealing import Sealer
    from schema.settings.servers import ServerSettings

BATCH_ROWS = 500
"""Rows that are locked together: few enough that no turn waits for long."""


@dataclass(frozen=True)
class SealedColumn:
    """A column that holds sealed text, and its table's primary key."""

    table: str
    key: tuple[str, ...]
    column: str


SEALED: tuple[SealedColumn, ...] = (
    SealedColumn("inbox", ("tenant_id", "message_id"), "payload"),
    SealedColumn("conversation", ("tenant_id", "conversation_id"), "vault"),
    SealedColumn("conversation", ("tenant_id", "conversation_id"), "return_address"),
    SealedColumn("conversation_sender", ("tenant_id", "conversation_id", "sender_key"), "vault"),
    SealedColumn("conversation_key", ("tenant_id", "conversation_id"), "sealed_key"),
    SealedColumn("deployment", ("only_row",), "sender_secret"),
    SealedColumn("outbox", ("tenant_id", "conversation_id", "ordinal"), "body"),
    SealedColumn("dead_letter", ("dead_letter_id",), "payload"),
    SealedColumn("tool_journal", ("tenant_id", "message_id", "call_id"), "delta"),
    SealedColumn("desk_act", ("tenant_id", "conversation_id", "number"), "note"),
    SealedColumn("approval", ("tenant_id", "approval_id"), "details"),
    SealedColumn("webhook_target", ("tenant_id", "target_id"), "secret"),
    SealedColumn("webhook_target", ("tenant_id", "target_id"), "old_secret"),
    SealedColumn("mail_message", ("tenant_id", "message_id"), "head"),
    SealedColumn("channel_account", ("tenant_id", "account_id"), "secrets"),
    SealedColumn("channel_account", ("tenant_id", "account_id"), "old_secrets"),
    SealedColumn("channel_account", ("tenant_id", "account_id"), "door_secret"),
    SealedColumn("reply_part", ("tenant_id", "reply_id", "number"), "content"),
)
"""Every sealed column of the database."""


@dataclass
class TableCount:
    """Counts of one table's sealed values, over all its sealed columns."""

    looked_at: int = 0
    older: int = 0
    """Sealed with another key than the newest, when read."""
    resealed: int = 0
    unreadable: int = 0


@dataclass(frozen=True)
class RotationReport:
    """What one rotation found and did."""

    newest: str
    """The newest key's fingerprint."""
    dry_run: bool
    tables: dict[str, TableCount] = field(default_factory=dict)
    waiting_older: int = 0
    """Messages in mailboxes that are sealed with another key; their turns remove them."""

    @property
    def unreadable(self) -> int:
        """Return how many sealed values no key opens."""
        return sum(count.unreadable for count in self.tables.values())

    @property
    def older_keys_needed(self) -> bool:
        """Check whether anything is left that the newest key does not open."""
        left = sum(count.older - count.resealed + count.unreadable for count in self.tables.values())
        return bool(left or self.waiting_older)


def rotate(settings: ServerSettings, sealer: Sealer, *, by: By, dry_run: bool = False) -> RotationReport:
    """Re-seal everything stored, and record the newest key as the database's once nothing needs another.

    Raises ServerUnreachable, and InvalidSettings when the database was set up with a key that `sealer` lacks.
    """
    with connect(settings.database_url or "") as connection:
        connection.execute("SELECT set_config('fte.tenant', %s, false)", [EVERY_TENANT])
        check_fingerprint(read_fingerprint(connection), sealer)
        tables = {one.table: TableCount() for one in SEALED}
        for one in SEALED:
            _reseal_column(connection, one, sealer, tables[one.table], dry_run=dry_run)
        waiting = asyncio.run(_count_waiting(settings, sealer))
        report = RotationReport(sealer.fingerprints[0], dry_run, tables, waiting)
        if not dry_run and not report.older_keys_needed:
            record_fingerprint(connection, sealer)
        if not dry_run:
            act = Act("vault_keys.rotated", report.newest, after={"older_keys_needed": report.older_keys_needed})
            connection.execute(load_query("record_act"), parameters_of(DEPLOYMENT_CHAIN, by, act))
        return report


def _reseal_column(
    connection: Connection, column: SealedColumn, sealer: Sealer, count: TableCount, *, dry_run: bool
) -> None:
    """Re-seal one column, and add what was found to its table's count."""
    for rows in _batches(connection, column):
        changed = []
        for row in rows:
            count.looked_at += 1
            sealed = row[column.column]
            if sealer.is_newest(sealed):
                continue
            try:
                changed.append({**row, "sealed_anew": sealer.reseal(sealed)})
                count.older += 1
            except Unsealable:
                count.unreadable += 1
        if changed and not dry_run:
            count.resealed += _update(connection, column, changed)


def _batches(connection: Connection, column: SealedColumn) -> Iterator[list[Row]]:
    """Yield the sealed values with their keys, in the order of the key; each batch starts after the one before."""
    names = sql.SQL(", ").join(map(sql.Identifier, column.key))
    select = sql.SQL(
        "SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL {after} ORDER BY {key} LIMIT {most}"
    )
    last: list[Any] = []
    while True:
        places = sql.SQL(", ").join(sql.Placeholder() * len(last))
        after = sql.SQL("AND ({key}) > ({places})").format(key=names, places=places) if last else sql.SQL("")
        statement = select.format(
            key=names,
            column=sql.Identifier(column.column),
            table=sql.Identifier(column.table),
            after=after,
            most=sql.Literal(BATCH_ROWS),
        )
        rows = connection.execute(statement, last).fetchall()
        if not rows:
            return
        yield rows
        last = [rows[-1][name] for name in column.key]


def _update(connection: Connection, column: SealedColumn, changed: list[Row]) -> int:
    """Replace sealed values that are still the old ones: a turn that was quicker has sealed anew itself."""
    conditions = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in (*column.key, column.column)
    ]
    statement = sql.SQL("UPDATE {table} SET {column} = %(sealed_anew)s WHERE {where}").format(
        table=sql.Identifier(column.table),
        column=sql.Identifier(column.column),
        where=sql.SQL(" AND ").join(conditions),
    )
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement, changed)
        return cursor.rowcount


async def _count_waiting(settings: ServerSettings, sealer: Sealer) -> int:
    """Count the messages in mailboxes sealed with an older key; unreadable ones need no key."""
    client: Any = make_redis(settings)  # its stubs mix the answers of both protocols
    try:
        await check_redis(client, settings)
        older = 0
        async for name in client.scan_iter(match="fte:{p*}:mailbox:*", count=1_000):
            for entry in await client.lrange(name, 0, -1):
                older += _is_older(entry, sealer)
        return older
    finally:
        await client.aclose()


def _is_older(entry: bytes, sealer: Sealer) -> bool:
    try:
        return not sealer.is_newest(Envelope.model_validate_json(entry).payload)
    except ValueError:
        return False
