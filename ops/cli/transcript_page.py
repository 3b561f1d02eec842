"""Lay out a transcript for the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ops.terminal import clock, plain, safe_text

if TYPE_CHECKING:
    from ops.desk.transcript import Line, Transcript

_STYLES = {"customer": "bold cyan", "agent": "bold green", "tool": "dim", "handoff": "magenta", "note": "yellow"}
_STEPS = ("queue_ms", "hydrate_ms", "guard_ms", "act_ms", "model_ms")
_HIDDEN_CONTEXT = {"conversation_id", "quote", "verified_sender_key"}
_SPEAKER_COLUMNS = 22


def page_of(transcript: Transcript) -> RenderableType:
    """Return the page of a transcript: head, known facts, what was said, and where the time went."""
    parts: list[RenderableType] = [_head(transcript), Text()]
    known = _known(transcript.context)
    if known.row_count:
        parts += [_titled("Known", known), Text()]
    parts += [_titled("Said", _said(transcript.lines)), Text()]
    if transcript.tickets:
        parts += [_titled("Tickets", _tickets(transcript.tickets)), Text()]
    if transcript.dead_letters:
        parts += [_titled("Dead letters", _dead_letters(transcript.dead_letters)), Text()]
    parts.append(_titled("Turns, in milliseconds", _turns(transcript.turns)))
    return Group(*parts)


def _titled(title: str, body: RenderableType) -> Group:
    return Group(Text(title, "bold"), Padding(body, (0, 0, 0, 2)))


def _head(transcript: Transcript) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    owner = Text("the bot", "green") if transcript.owner == "bot" else Text("a human: the bot is silent", "bold yellow")
    table.add_row("conversation", safe_text(transcript.conversation, "bold"))
    table.add_row("tenant", transcript.tenant)
    table.add_row("owner", owner)
    table.add_row("last agent", transcript.last_agent or "–")
    counted = f"{transcript.accepted} accepted, {transcript.replies} replies, {transcript.waiting} waiting"
    if transcript.unpublished:
        counted += f", {transcript.unpublished} not yet published"
    table.add_row("messages", counted)
    table.add_row("trace", transcript.trace_id)
    return table


def _known(context: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in context.items():
        if name in _HIDDEN_CONTEXT or value in (None, "", False, [], {}, 0):
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else ("yes" if value is True else str(value))
        table.add_row(name.replace("_", " "), safe_text(shown))
    return table


def _said(lines: list[Line]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", justify="right", no_wrap=True)
    table.add_column(max_width=_SPEAKER_COLUMNS, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    turn = None
    for line in lines:
        number = str(line.turn) if line.turn != turn else ""
        turn = line.turn
        style = _STYLES[line.kind]
        table.add_row(
            number, Text(plain(line.speaker), style), safe_text(line.text, style if line.kind != "agent" else "")
        )
    return table


def _tickets(tickets: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for ticket in tickets:
        closed = "closed" if ticket["closed_at"] else f"a person answers by {_moment(ticket['answer_by'])}"
        table.add_row(
            Text(ticket["ticket_id"], "bold yellow"), ticket["category"], ticket["priority"], Text(closed, "dim")
        )
    return table


def _dead_letters(letters: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for letter in letters:
        table.add_row(
            Text(str(letter["dead_letter_id"]), "bold red"),
            safe_text(letter["message_id"] or "(unreadable)"),
            safe_text(letter["reason"]),
            Text(f"{letter['attempts']} attempts, {_moment(letter['created_at'])}", "dim"),
        )
    return table


def _turns(turns: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", style="dim", justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for title in ("attempts", *(step.removesuffix("_ms") for step in _STEPS), "total"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("committed", style="dim", no_wrap=True)
    for turn in turns:
        timings = turn["timings"]
        steps = [f"{timings[step]:.0f}" if step in timings else "–" for step in _STEPS]
        total = f"{total_milliseconds(timings):.0f}"
        committed = _moment(turn["committed_at"])
        table.add_row(str(turn["number"]), turn["outcome"], str(turn["attempts"]), *steps, total, committed)
    return table


def total_milliseconds(timings: dict[str, float]) -> float:
    """Sum a turn's steps in milliseconds, from acceptance up to its commit, whose own time no row can hold.

    `act_ms` includes `model_ms`.
    """
    return sum(value for step, value in timings.items() if step != "model_ms")


def _moment(text: str) -> str:
    return clock(datetime.fromisoformat(text))
