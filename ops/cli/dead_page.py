"""Lay out dead letters, and outcomes of commands on them, for the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table

from ops.terminal import open_console, print_line, safe_text
from runtime.encoding import dump_json

if TYPE_CHECKING:
    from ops.desk.dead_letters import DeadLetter
    from ops.desk.redrive import RedriveOutcome


def print_outcomes(outcomes: list[RedriveOutcome], *, as_json: bool) -> None:
    """Print the outcome of a command for each letter."""
    console = open_console()
    for outcome in outcomes:
        row = {
            "dead_letter_id": outcome.letter.dead_letter_id,
            "tenant": outcome.letter.tenant,
            "conversation": outcome.letter.conversation,
            "status": outcome.status,
            "message_id": outcome.message_id,
            "detail": outcome.detail,
        }
        if as_json:
            print_line(dump_json(row))
            continue
        as_what = f" as {outcome.message_id}" if outcome.message_id else ""
        why = f": {outcome.detail}" if outcome.detail else ""
        line = f"{outcome.letter.dead_letter_id}  {outcome.letter.conversation}  {outcome.status}{as_what}{why}"
        console.print(safe_text(line), soft_wrap=True)
    if not outcomes and not as_json:
        console.print("no such dead letters")


def table_of(letters: list[DeadLetter]) -> Table:
    """Return a table of letters, one a line."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("id", justify="right")
    for name in ("died", "conversation", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("reason", overflow="fold")
    for letter in letters:
        died = f"{letter.created_at.astimezone():%Y-%m-%d %H:%M:%S}"
        table.add_row(
            str(letter.dead_letter_id), died, safe_text(letter.conversation), letter.state, safe_text(letter.reason)
        )
    return table


def page_of(about: dict[str, object]) -> Table:
    """Return a table of one letter's fields."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in about.items():
        if value is not None:
            shown = f"{value.astimezone():%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else str(value)
            table.add_row(name.replace("_", " "), safe_text(shown))
    return table
