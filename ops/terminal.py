"""Print to the terminal: colours where there is one, plain text where a program reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

WIDTH_MAX = 110
"""Columns beyond which text is harder to read, not easier."""

SPEAKER_COLUMNS = 17
"""Width of the column that names the speaker."""

# Characters that move a cursor or rename a window: what a customer writes must not steer an operator's terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def open_console(*, stderr: bool = False) -> Console:
    """Make a console on the current standard output, or standard error."""
    console = Console(stderr=stderr, highlight=False, soft_wrap=False)
    console.width = min(console.width, WIDTH_MAX)
    return console


def print_line(text: str) -> None:
    """Print one line for a program, whole and flushed, because a reader waits at the other end of a pipe."""
    print(text, flush=True)  # noqa: T201 - the command's output


def plain(text: str) -> str:
    """Remove control characters, and those that change the direction of writing, from untrusted text."""
    return _CONTROL.sub("", text)


def safe_text(text: str, style: str = "") -> Text:
    """Return untrusted text in printable form: no markup, no control characters."""
    return Text(plain(text), style=style)


def clock(moment: datetime) -> str:
    """Format a moment as the time of day in the reader's time zone."""
    return f"{moment.astimezone():%H:%M:%S}"


def minute_of(at: datetime | None) -> str:
    """Format a moment as date and minute in UTC; nothing for None."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def print_speech(console: Console, speaker: str, style: str, text: Text) -> None:
    """Print a speaker's name in a narrow column, and what is said beside it, line under line.

    Not a table: that would pad every line with blanks up to the edge, which a copy of the output carries along.
    """
    margin = " " * (SPEAKER_COLUMNS + 2)
    width = max(20, console.width - len(margin) - 1)
    name = plain(speaker)[:SPEAKER_COLUMNS].rjust(SPEAKER_COLUMNS)
    for number, line in enumerate(text.wrap(console, width)):
        line.rstrip()
        head = (f"{name}  ", style) if number == 0 else margin if line else ""
        console.print(Text.assemble(head, line), soft_wrap=True)


def tell_on(console: Console) -> Callable[[str], None]:
    """Return a function that prints a line about the step under way."""
    return lambda line: console.print(Text(f"{line} …", "dim"))
