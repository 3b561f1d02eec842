"""Lay out the inbox of human agents for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ops.cli.ticket_page import PRIORITY_STYLES
from ops.terminal import minute_of, plain, safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.desk.approvals import WaitingApproval
    from ops.desk.desk import DeskState
    from ops.desk.inbox import Overview
    from runtime.database import Row


def table_of_inbox(rows: Sequence[Row]) -> RenderableType:
    """Return the list of conversations, or a line that says what an empty one means."""
    if not rows:
        return Text("nothing here waits for a person", "dim")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("conversation", "state", "who", "answer by", "priority", "category", "channel", "unread"):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(
            safe_text(row["conversation_id"]),
            "snoozed" if row["snoozed_until"] else row["desk_state"],
            safe_text(row["claimed_by"] or ""),
            Text(minute_of(row["answer_by"]), "bold red" if row["is_overdue"] else ""),
            Text(row["priority"] or "", PRIORITY_STYLES.get(row["priority"], "")),
            (row["category"] or "").replace("_", " "),
            row["channel"] or "",
            str(row["unread"] or ""),
        )
    return table


def table_of_approvals(found: Sequence[WaitingApproval]) -> RenderableType:
    """Return the list of changes that wait for a yes, or a line that says what an empty one means."""
    if not found:
        return Text("nothing waits for a yes", "dim")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("approval", "conversation", "dollars", "rule", "decide by", "what"):
        table.add_column(name, overflow="fold")
    for each in found:
        table.add_row(
            each.approval_id,
            safe_text(each.conversation),
            str(each.amount_usd),
            each.policy,
            minute_of(each.expires_at),
            safe_text(each.summary),
        )
    return table


def line_of_state(conversation: str, state: DeskState) -> Text:
    """Return one line on how a conversation stands."""
    who = f", {plain(state.claimed_by)} has it until {minute_of(state.claimed_until)}" if state.claimed_by else ""
    return Text(f"{plain(conversation)}: {state.state}{who}; version {state.desk_version}")


def page_of_overview(conversation: str, overview: Overview) -> RenderableType:
    """Return the page of one conversation: how it stands, the transcript, the history."""
    said = Table.grid(padding=(0, 2))
    said.add_column(style="bold", no_wrap=True)
    said.add_column(overflow="fold")
    for line in overview.transcript.lines:
        said.add_row(safe_text(line.speaker), Text(plain(line.text), "dim" if line.kind not in _SPOKEN else ""))
    state = overview.state
    return Group(
        line_of_state(conversation, state),
        Text(f"newest message {state.last_position}; answer by {minute_of(state.answer_by) or 'nobody waits'}", "dim"),
        Text(),
        said,
        Text(),
        *(_act_line(act) for act in overview.history),
    )


_SPOKEN = frozenset({"customer", "agent"})


def _act_line(act: dict[str, Any]) -> Text:
    moved = "" if act["from_state"] == act["to_state"] else f" {act['from_state']} → {act['to_state']}"
    given = f" to {act['to_person']}" if act["act"] == "reassign" and act["to_person"] else ""
    said = "".join(f": {plain(act[name])}" for name in ("reason", "note") if act[name])
    return Text(f"{minute_of(act['at'])}  {plain(act['by_person'])} {act['act'].replace('_', ' ')}{given}{moved}{said}")
