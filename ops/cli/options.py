"""Define the options that several commands share, so that one name means one thing everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, for a program to read.")]
Tenant = Annotated[str, typer.Option("--tenant", metavar="NAME", help="Whose conversations.")]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency", "-c", min=1, metavar="N", help="Conversations one worker drains at once [FTE_CONCURRENCY]."
    ),
]
