"""Prepare a database, and make the key it is prepared with."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.cli.options import Json


def migrate(
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", metavar="NAME", help="A tenant to set up; may be repeated.")
    ] = None,
    without_sample: Annotated[
        bool, typer.Option("--without-sample", help="Do not fill the tenants with the sample airline and its articles.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring the database up to this release; safe to repeat, and while workers run."""
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.migrate import migrate as bring_up
    from ops.runtime.configuration import open_sealer
    from ops.runtime.encoding import dump_json
    from ops.terminal import open_console, print_line

    settings = find_servers()
    report = bring_up(
        settings.database_url or "", open_sealer(settings), tenants=tenant or ["default"], sample=not without_sample
    )
    if as_json:
        print_line(dump_json(asdict(report)))
        return
    console = open_console()
    done = f"applied {', '.join(report.applied)}" if report.applied else "nothing to apply"
    console.print(f"the database is at migration [bold]{report.number}[/] ({done})")
    if report.tenants_added:
        console.print(f"added {', '.join(report.tenants_added)}")
    if not report.role_granted:
        console.print("the role fte_app could not be made: the tables' owner is under row-level security itself")


def key() -> None:
    """Print a new Fernet key for FTE_VAULT_KEYS."""
    from cryptography.fernet import Fernet

    from ops.terminal import print_line

    print_line(Fernet.generate_key().decode())
