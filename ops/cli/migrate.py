"""The commands `fte migrate` and `fte key`: prepare a database, make and rotate its keys."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ops.cli.options import Json, Who, user_name


def migrate(
    tenant: Annotated[
        list[str] | None, typer.Option("--tenant", metavar="NAME", help="A tenant to set up; may be repeated.")
    ] = None,
    brand: Annotated[
        str | None, typer.Option("--brand", metavar="NAME", help="What these tenants' agents call the airline.")
    ] = None,
    without_sample: Annotated[
        bool, typer.Option("--without-sample", help="Do not fill the tenants with the sample airline and its articles.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Migrate the database to this release; safe to repeat, and while workers run."""
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.database.migrate import migrate as bring_up
    from ops.terminal import open_console, print_line
    from runtime.configuration import open_sealer
    from runtime.encoding import dump_json

    settings = find_servers()
    report = bring_up(
        settings.database_url or "",
        open_sealer(settings),
        tenants=tenant or ["default"],
        brand=brand,
        sample=not without_sample,
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
    if not report.http_role_granted:
        console.print("the role fte_http could not be made, so HTTP processes cannot start; docs/tenants.md")


def key(
    action: Annotated[
        Literal["new", "rotate", "adopt"],
        typer.Argument(
            help="new: print a key. rotate: seal what is stored with the newest key of FTE_VAULT_KEYS. adopt: give "
            "every conversation a key of its own."
        ),
    ] = "new",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="rotate: count only, change nothing.")] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Print a new Fernet key for FTE_VAULT_KEYS, or re-seal what is stored with the newest of them."""
    if action == "rotate":
        _rotate(user_name(who), dry_run=dry_run, as_json=as_json)
        return
    if action == "adopt":
        _adopt(user_name(who), as_json=as_json)
        return
    from cryptography.fernet import Fernet

    from ops.terminal import print_line

    print_line(Fernet.generate_key().decode())


def _adopt(who: str, *, as_json: bool) -> None:
    from ops.cli.servers import find_servers
    from ops.database.adoption import adopt_conversations
    from ops.terminal import open_console, print_line
    from runtime.configuration import open_sealer
    from runtime.encoding import dump_json

    settings = find_servers()
    adopted = adopt_conversations(settings, open_sealer(settings), by=who)
    if as_json:
        print_line(dump_json({"conversations": adopted}))
        return
    open_console().print(f"{adopted} conversations are sealed with keys of their own now", markup=False)


def _rotate(who: str, *, dry_run: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from ops.cli.servers import find_servers
    from ops.database.rotation import rotate
    from ops.terminal import open_console, print_line
    from runtime.configuration import open_sealer
    from runtime.encoding import dump_json

    settings = find_servers()
    report = rotate(settings, open_sealer(settings), by=who, dry_run=dry_run)
    if as_json:
        print_line(dump_json({**asdict(report), "older_keys_needed": report.older_keys_needed}))
    else:
        console = open_console()
        for table, count in report.tables.items():
            console.print(
                f"{table}: {count.looked_at} sealed, {count.older} with an older key"
                f"{'' if dry_run else f', {count.resealed} sealed anew'}, {count.unreadable} that no key opens"
            )
        console.print(f"mailboxes: {report.waiting_older} messages wait sealed with an older key")
        if report.older_keys_needed:
            console.print("keep the older keys: run this again when the mailboxes are empty, or mend what no key opens")
        elif dry_run:
            console.print(f"nothing stored needs a key but {report.newest}; without --dry-run the database takes note")
        else:
            console.print(f"nothing needs a key but {report.newest}: drop the others from FTE_VAULT_KEYS")
    if report.unreadable:
        raise typer.Exit(1)
