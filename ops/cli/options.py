"""Options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

import typer

from schema.channels import CHANNELS
from schema.errors import FteError

Value = TypeVar("Value")

CHANNEL_NAMES = ", ".join(CHANNELS)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, for a program to read.")]
Tenant = Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose conversations.")]
Who = Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who does this; default: this machine's user.")]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency", "-c", min=1, metavar="N", help="Conversations one worker drains at once [FTE_CONCURRENCY]."
    ),
]


def span_seconds(text: str) -> int | None:
    """Parse a span of time such as `90s`, `10m`, `2h`, `7d` to seconds; None for anything else."""
    import re

    span = re.fullmatch(r"(\d{1,6})([smhd])", text)
    return int(span[1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[span[2]] if span else None


def read_option(option: str, read: Callable[[str], Value], text: str) -> Value:
    """Read an option's text; raises typer.BadParameter, which names the option, for what cannot be read."""
    try:
        return read(text)
    except (ValueError, FteError) as error:
        raise typer.BadParameter(f"{option} {error}") from None


def user_name(given: str | None) -> str:
    """Return the name under which a command goes on record; raises typer.BadParameter when there is none."""
    import getpass

    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        raise typer.BadParameter("this machine's user has no name; say who you are", param_hint="--as") from None
