"""Print entries of the outbound streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.text import Text

from ops.cli.ticket_page import PRIORITY_STYLES, brief_line
from ops.terminal import clock, open_console, plain, print_line
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from producer.collecting.entries import StreamEntry


class EntryPrinter:
    """Prints each entry: a block for people, or the body's JSON as one line for programs."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = open_console()

    def print(self, entry: StreamEntry) -> None:
        """Print one entry."""
        if self._as_json:
            print_line(entry.body.model_dump_json())
            return
        head, text = _lay_out(entry.body)
        self._console.print(head, soft_wrap=True)
        if text:
            self._console.print(Padding(Text(plain(text)), (0, 0, 0, 2), expand=False))


def _lay_out(body: Reply | Escalation | Event) -> tuple[Text, str]:
    when = (f"{clock(body.created_at)}  ", "dim")
    conversation = (body.conversation, "bold cyan")
    if isinstance(body, Reply):
        about = f"  #{body.sequence}  {body.agent or 'fte'} → {plain(body.recipient)} by {body.channel}"
        return Text.assemble(when, conversation, (about, "dim")), body.text
    if isinstance(body, Escalation):
        ticket = (f"  {body.ticket_id}", PRIORITY_STYLES[body.priority])
        about = f"  {body.category.replace('_', ' ')}, {body.priority}, answer by {clock(body.answer_by)}"
        told = [body.reason, brief_line(body), body.summary]
        return Text.assemble(when, conversation, ticket, (about, "dim")), "\n".join(part for part in told if part)
    attributes = " ".join(f"{name}={plain(value)}" for name, value in body.attributes.items())
    return Text.assemble(when, conversation, f"  {body.name}", (f"  {attributes}", "dim")), ""
