"""Print conversations that run at once, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ops.terminal import plain, print_speech

if TYPE_CHECKING:
    from ops.demo.checks import DemoCheck
    from ops.demo.conversations import SampleConversation
    from schema.messages.escalation import Escalation
    from schema.messages.reply import Reply


class Screen:
    """Shows one conversation at a time, live, and buffers the others until their turn.

    Conversations come in the order of `scripts`.
    """

    def __init__(self, console: Console, scripts: Sequence[SampleConversation]) -> None:
        self._console = console
        self._waiting: dict[str, list[Callable[[], None]]] = {
            script.name: [partial(print_heading, console, script.title, script.channel)] for script in scripts
        }
        self._ended: set[str] = set()
        self._flush()

    def asked(self, script: SampleConversation, text: str) -> None:
        """Show what a customer wrote."""
        self._say(script, script.customer, "bold cyan", Text(text))

    def answered(self, script: SampleConversation, reply: Reply, seconds: float) -> None:
        """Show a reply, and how long after the message it came."""
        told = Text.assemble(plain(reply.text), (f"  {seconds:.2f} s", "dim"))
        self._say(script, reply.agent or "fte", "bold green", told)

    def escalated(self, script: SampleConversation, escalation: Escalation) -> None:
        """Show what the human agents' queue received."""
        told = Text.assemble(
            (escalation.ticket_id, "bold yellow"),
            (f"  {escalation.category.replace('_', ' ')}, {escalation.priority} priority", "yellow"),
            (f"\n{escalation.reason}", "dim"),
        )
        self._say(script, "to a human", "bold yellow", told)

    def noted(self, script: SampleConversation, text: str, style: str = "dim") -> None:
        """Show a remark between the lines."""
        self._say(script, "", "", Text(text, style))

    def ended(self, script: SampleConversation) -> None:
        """Mark a conversation as ended, so that the next one can be shown."""
        self._ended.add(script.name)
        self._flush()

    def _say(self, script: SampleConversation, speaker: str, style: str, text: Text) -> None:
        self._waiting[script.name].append(partial(print_speech, self._console, speaker, style, text))
        self._flush()

    def _flush(self) -> None:
        for name in list(self._waiting):
            lines = self._waiting[name]
            while lines:
                lines.pop(0)()
            if name not in self._ended:
                return
            del self._waiting[name]


def print_heading(console: Console, title: str, remark: str = "") -> None:
    """Print a heading line."""
    told = Text.assemble((f"── {title}", "bold"), (f" · {remark} " if remark else " ", "dim"))
    told.append("─" * max(0, console.width - told.cell_len - 1), "dim")
    console.print()
    console.print(told, soft_wrap=True)


def show_checks(console: Console, checks: Sequence[DemoCheck]) -> None:
    """Print the checks made after the demo."""
    print_heading(console, "Looked up afterwards")
    for check in checks:
        mark, style = ("✓", "bold green") if check.passed else ("✗", "bold red")
        print_speech(console, mark, style, Text(check.text, "" if check.passed else "bold red"))
    console.print()
