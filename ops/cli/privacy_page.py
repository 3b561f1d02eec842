"""How `fte privacy` shows receipts and holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ops.terminal import safe_text

if TYPE_CHECKING:
    from ops.privacy.erasing import ErasureReceipt
    from runtime.database import Row


def lines_of_erasure(receipt: ErasureReceipt) -> list[str]:
    """Return a receipt in lines, without the person's address."""
    if receipt.is_dry_run:
        lines = [f"would erase {receipt.conversations} conversations; --confirm does it"]
    else:
        rows = ", ".join(f"{table} {count}" for table, count in sorted(receipt.rows.items())) or "none"
        lines = [
            f"erased {receipt.conversations} conversations; rows: {rows}",
            f"stream entries {receipt.entries}, Redis keys {receipt.keys}, audit details {receipt.audit_details}",
            f"on record as entry {receipt.audit_number}",
        ]
    if receipt.held:
        lines.append(f"{receipt.held} conversations stay: legal hold (fte privacy holds)")
    if receipt.shared:
        lines.append(f"{receipt.shared} conversations stay: others wrote in them (--with-others erases those too)")
    return [*lines, f"the person's key, to erase again after a backup was restored: {receipt.person_key}"]


def table_of_holds(rows: list[Row]) -> Table:
    """Return legal holds as a table."""
    table = Table("held", "since (UTC)", "by", "why", box=None, pad_edge=False, header_style="dim")
    for row in rows:
        texts = (safe_text(row[name]) for name in ("placed_by", "reason"))
        table.add_row(safe_text(row["subject"]), f"{row['placed_at']:%Y-%m-%d %H:%M}", *texts)
    return table
