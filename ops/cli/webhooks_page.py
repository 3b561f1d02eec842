"""Lay out webhook targets, outcomes and the log of deliveries for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ops.terminal import open_console, print_line, safe_text
from runtime.encoding import dump_json

if TYPE_CHECKING:
    from datetime import datetime

    from ops.desk.webhooks import NewTarget
    from producer.delivery.sending import DeliveryOutcome
    from runtime.database import Row


def print_secret(made: NewTarget, until: datetime | None = None, *, as_json: bool) -> None:
    """Print a target with its new secret, which cannot be shown again; `until`: how long the old one signs."""
    if as_json:
        about = {"target_id": made.target_id, "url": made.url, "secret": made.secret}
        print_line(dump_json(about if until is None else about | {"old_secret_until": until}))
        return
    console = open_console()
    console.print(f"{made.target_id}  {made.url}", markup=False, soft_wrap=True)
    console.print(f"secret  {made.secret}", markup=False, soft_wrap=True)
    console.print("It is not shown again: give it to the receiver now.", style="dim")
    if until is not None:
        console.print(f"The secret before signs as well until {until.astimezone():%Y-%m-%d %H:%M}.", style="dim")


def print_targets(rows: list[Row], tenant: str, *, as_json: bool) -> None:
    """Print a tenant's targets."""
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("target", "state", "waiting", "dead"):
        table.add_column(name, no_wrap=True)
    table.add_column("events", overflow="fold")
    table.add_column("url", overflow="fold")
    for row in rows:
        events = ", ".join(row["event_types"]) or "all"
        counts = (str(row["waiting"]), str(row["dead"]))
        table.add_row(row["target_id"], safe_text(_state_of(row)), *counts, events, safe_text(row["url"]))
    open_console().print(table if rows else f"no webhook targets of tenant {tenant}")


def _state_of(row: Row) -> str:
    if row["disabled_at"] is not None:
        return f"disabled: {row['disabled_reason']}"
    if row["failing_since"] is not None:
        return f"failing since {row['failing_since'].astimezone():%Y-%m-%d %H:%M}"
    return "enabled"


def print_outcome(outcome: DeliveryOutcome, *, as_json: bool) -> None:
    """Print how a test went."""
    if as_json:
        print_line(dump_json({"delivered": outcome.is_delivered, **vars(outcome)}))
        return
    answer = f"the receiver answered {outcome.status}" if outcome.status is not None else outcome.kind
    told = f"{'delivered' if outcome.is_delivered else 'not delivered'}: {answer}"
    open_console().print(safe_text(f"{told} {outcome.reason}".rstrip()), soft_wrap=True)


def print_log(rows: list[Row], tenant: str, *, as_json: bool) -> None:
    """Print attempts, newest first."""
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("begun", "target", "webhook-id", "type", "conversation", "try", "ended", "state"):
        table.add_column(name, overflow="fold")
    for row in rows:
        begun = f"{row['begun_at'].astimezone():%Y-%m-%d %H:%M:%S}" if row["begun_at"] else "not yet"
        ended = " ".join(str(each) for each in (row["outcome"], row["status"]) if each is not None) or "under way"
        table.add_row(
            begun,
            row["target_id"],
            row["event_id"],
            row["type"],
            safe_text(row["conversation_id"]),
            str(row["number"] or 0),
            ended,
            row["state"],
        )
    open_console().print(table if rows else f"no deliveries of tenant {tenant}")
