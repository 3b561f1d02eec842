"""Lay out channel accounts, findings of their check, and the log of replies for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from ops.terminal import open_console, print_line, safe_text
from runtime.encoding import dump_json

if TYPE_CHECKING:
    from ops.desk.channel_findings import AccountFinding
    from runtime.database import Row

_SIGNS = {"right": "✓", "wrong": "✗", "advice": "·"}


def print_added(row: Row, tenant: str, *, as_json: bool) -> None:
    """Print a new account and what is to be done with it."""
    print_account(row, tenant, as_json=as_json)
    if not as_json:
        open_console().print(f"Try it: fte channels check {row['account_id']}", style="dim")


def print_account(row: Row, tenant: str, *, as_json: bool) -> None:
    """Print an account; of secrets their names alone."""
    if as_json:
        print_line(dump_json(row))
        return
    console = open_console()
    console.print(f"{row['account_id']}  {row['channel']}  {_state_of(row)}", markup=False, soft_wrap=True)
    for name, value in row["settings"].items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        console.print(f"  {name:<20} {shown}", markup=False, soft_wrap=True)
    console.print(f"  {'secrets':<20} {', '.join(row['secrets']) or 'none'}", markup=False, soft_wrap=True)
    if row["channel"] == "sms":
        url = f"{row['settings']['public_url']}/v1/channels/sms/{tenant}/{row['account_id']}"
        console.print(f"  {'webhook':<20} {url}#rc=5&rp=all", markup=False, soft_wrap=True)
    for provider in row["settings"].get("inbound_providers") or ():
        ending = "/mime" if provider == "mailgun" else ""  # asks it for the raw mail
        path = f"/v1/channels/email/{tenant}/{row['account_id']}/{provider}{ending}"
        console.print(f"  {'webhook':<20} the gateway's URL, and {path}", markup=False, soft_wrap=True)


def print_accounts(rows: list[Row], tenant: str, *, as_json: bool) -> None:
    """Print a tenant's accounts."""
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("account", "channel", "waiting", "dead"):
        table.add_column(name, no_wrap=True)
    table.add_column("addresses", overflow="fold")
    table.add_column("state", overflow="fold")
    for row in rows:
        own = row["settings"].get("numbers") or row["settings"].get("addresses") or []
        addresses = ", ".join([*own, *row["settings"].get("messaging_services", [])])
        counts = (str(row["waiting"]), str(row["dead"]))
        table.add_row(row["account_id"], row["channel"], *counts, safe_text(addresses), safe_text(_state_of(row)))
    open_console().print(table if rows else f"no channel accounts of tenant {tenant}")


def print_findings(findings: list[AccountFinding], *, as_json: bool) -> None:
    """Print what a check found."""
    console = open_console()
    for finding in findings:
        if as_json:
            print_line(dump_json(vars(finding)))
        else:
            console.print(f"{_SIGNS[finding.state]} {finding.name}: {finding.text}", markup=False, soft_wrap=True)


def print_log(rows: list[Row], tenant: str, *, as_json: bool) -> None:
    """Print replies with their messages."""
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("queued", "conversation", "reply", "state", "part", "provider"):
        table.add_column(name, overflow="fold")
    for row in rows:
        part = f"{row['number']} {row['part_state']}" if row["number"] else ""
        told = " ".join(str(row[name]) for name in ("status", "status_code") if row[name])
        state = f"{row['state']}: {row['reason']}" if row["reason"] else row["state"]
        queued = f"{row['queued_at'].astimezone():%m-%d %H:%M:%S}"
        table.add_row(queued, row["conversation_id"], row["reply_id"], safe_text(state), part, safe_text(told))
    open_console().print(table if rows else f"no replies of tenant {tenant} went out by an account")


def print_suppressions(rows: list[Row], tenant: str, *, as_json: bool) -> None:
    """Print who may not be written to."""
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("since", "channel", "from", "customer", "reason"):
        table.add_column(name, overflow="fold")
    for row in rows:
        since = f"{row['since'].astimezone():%Y-%m-%d %H:%M}"
        table.add_row(since, row["channel"], row["own_address"], row["sender_key"][:16], safe_text(row["reason"]))
    open_console().print(table if rows else f"nobody of tenant {tenant} has opted out")


def _state_of(row: Row) -> str:
    return f"stopped: {row['disabled_reason']}" if row["disabled_at"] is not None else "in service"
