"""Show tenants, their settings and their API keys on a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ops.terminal import safe_text
from runtime.encoding import dump_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ops.tenants.deletion import DeletionReceipt
    from ops.tenants.settings import TenantRecord
    from runtime.database import Row


def table_of_tenants(rows: Sequence[Row]) -> Table:
    """Return one line for each tenant."""
    table = _table("tenant", "brand", "state", "settings", "keys", "since")
    for row in rows:
        table.add_row(
            row["tenant_id"],
            safe_text(row["brand"] or ""),
            _state_of(row),
            f"version {row['version']}" if row["version"] else "defaults",
            str(row["keys"]),
            _day(row["created_at"]),
        )
    return table


def page_of(record: TenantRecord) -> Group:
    """Return a tenant's settings, those that it sets itself in bold."""
    state = "being deleted" if record.is_being_deleted else "suspended" if record.is_suspended else "in service"
    because = f" ({record.suspended_because})" if record.suspended_because else ""
    head = Text.assemble((record.tenant, "bold"), f"  {state}{because}, ", f"settings of version {record.version}\n")
    table = _table("setting", "value")
    stored = dict(_flat(record.stored))
    for name, value in _flat(record.settings.model_dump(mode="json")):
        table.add_row(name, safe_text(_shown(value), "bold yellow" if name in stored else "dim"))
    return Group(head, table)


def table_of_changes(rows: Sequence[Row]) -> Table:
    """Return one line for each change of a tenant's settings."""
    table = _table("version", "when", "who", "why", "settings")
    for row in rows:
        why = row["reason"] or (f"back to version {row['restores']}" if row["restores"] is not None else "")
        table.add_row(
            str(row["version"]),
            f"{row['changed_at']:%Y-%m-%d %H:%M}",
            safe_text(row["changed_by"]),
            safe_text(why),
            safe_text(dump_json(row["settings"])),
        )
    return table


def table_of_keys(rows: Sequence[Row]) -> Table:
    """Return one line for each API key."""
    table = _table("key", "label", "scopes", "state", "last used", "from")
    now = datetime.now(UTC)
    for row in rows:
        table.add_row(
            row["key_id"],
            safe_text(row["label"]),
            " ".join(row["scopes"]),
            _state_of_key(row, now),
            f"{row['last_used_at']:%Y-%m-%d %H}h" if row["last_used_at"] else "never",
            " ".join(row["addresses"]) or "anywhere",
        )
    return table


def lines_of_receipt(receipt: DeletionReceipt) -> Iterator[str]:
    """Return what was removed of a tenant, a line for each table and stream."""
    yield f"everything of tenant {receipt.tenant} is removed, as {receipt.requested_by} asked:"
    for table, rows in sorted(receipt.rows.items()):
        yield f"  {rows:>10,} rows of {table}"
    for stream, entries in sorted(receipt.entries.items()):
        yield f"  {entries:>10,} entries of {stream}"
    yield f"  {receipt.keys:>10,} other keys of Redis"


def _state_of(row: Row) -> str:
    if row["deleting_since"] is not None:
        return "being deleted"
    return "suspended" if row["suspended_at"] is not None else "in service"


def _state_of_key(row: Row, now: datetime) -> str:
    if row["revoked_at"] is not None:
        by = f", replaced by {row['replaced_by']}" if row["replaced_by"] else ""
        return f"{'revoked' if row['revoked_at'] <= now else 'until'} {_day(row['revoked_at'])}{by}"
    if row["expires_at"] is not None:
        return f"{'expired' if row['expires_at'] <= now else 'until'} {_day(row['expires_at'])}"
    return "in use"


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return "–"
    return value if isinstance(value, str) else dump_json(value)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _table(*names: str) -> Table:
    return Table(*names, box=None, pad_edge=False, header_style="dim")
