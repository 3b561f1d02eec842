"""Define the options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, for a program to read.")]
Tenant = Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose conversations.")]
Who = Annotated[str | None, typer.Option("--as", metavar="NAME", help="Who does this; default: this machine's user.")]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency", "-c", min=1, metavar="N", help="Conversations one worker drains at once [FTE_CONCURRENCY]."
    ),
]


def user_name(given: str | None) -> str:
    """Give the name under which a command goes on record; raises typer.BadParameter when there is none."""
    import getpass

    if given:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user id without a name
        raise typer.BadParameter("this machine's user has no name; say who you are", param_hint="--as") from None
