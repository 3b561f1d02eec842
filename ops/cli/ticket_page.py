"""Lay out a ticket for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ops.terminal import clock, plain, safe_text

if TYPE_CHECKING:
    from schema.messages.escalation import Briefing, Escalation

PRIORITY_STYLES = {"normal": "yellow", "high": "bold yellow", "urgent": "bold red"}


def page_of_ticket(escalation: Escalation) -> RenderableType:
    """Return the page of a ticket."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("ticket", Text(escalation.ticket_id, PRIORITY_STYLES[escalation.priority]))
    table.add_row("priority", f"{escalation.priority}, answer by {clock(escalation.answer_by)}")
    table.add_row("category", escalation.category.replace("_", " "))
    table.add_row("reason", safe_text(escalation.reason))
    if escalation.briefing is not None:
        _add_briefing(table, escalation.briefing)
    table.add_row("transcript", safe_text(_transcript_of(escalation)))
    return Group(table, Text(), Padding(Text(plain(escalation.summary)), (0, 0, 0, 2), expand=False))


def brief_line(escalation: Escalation) -> str:
    """Return the briefing in one line, for a list; empty for a ticket of an earlier release."""
    briefing = escalation.briefing
    if briefing is None:
        return ""
    told = [
        _passenger_of(briefing),
        _flight_of(briefing),
        f"customer {briefing.sentiment}" if briefing.sentiment else "",
        f"refused: {', '.join(briefing.refused)}" if briefing.refused else "",
        f"guardrails: {', '.join(briefing.verdicts)}" if briefing.verdicts else "",
    ]
    return " · ".join(part for part in told if part)


def _add_briefing(table: Table, briefing: Briefing) -> None:
    rows = {
        "customer": _passenger_of(briefing),
        "mood": briefing.sentiment or "",
        "channel": briefing.channel,
        "flight": _flight_of(briefing),
        "changed": ", ".join(briefing.changes_made),
        "tried": ", ".join(briefing.tried),
        "refused": ", ".join(briefing.refused),
        "guardrails": ", ".join(briefing.verdicts),
    }
    for name, value in rows.items():
        if value:
            table.add_row(name, safe_text(value))


def _passenger_of(briefing: Briefing) -> str:
    named = " ".join(part for part in (briefing.passenger_name, briefing.confirmation_number) if part)
    return f"{named} ({'verified' if briefing.verified else 'not verified'})" if named else ""


def _flight_of(briefing: Briefing) -> str:
    flight = " ".join(part for part in (briefing.flight_number, briefing.flight_date) if part)
    return f"{flight}, seat {briefing.seat_number}" if flight and briefing.seat_number else flight


def _transcript_of(escalation: Escalation) -> str:
    reference = escalation.transcript
    command = f"fte show {escalation.conversation}"
    if escalation.tenant != "default":
        command += f" --tenant {escalation.tenant}"
    return command if reference is None else f"{command}, up to message {reference.last_position}"
