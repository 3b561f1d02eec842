"""The commands `fte people …`: who works at a tenant's desk, and what each may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Tenant, Who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.desk.roles import Role
    from ops.desk.roles import Who as Person
    from runtime.database import Database, Row

people = typer.Typer(no_args_is_help=True, help="Who works at the desk of human agents, and in which role.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As an API key's --person has it.")]


@people.command("list")
def list_all(*, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """List the people of a desk."""
    from ops.desk.people import list_people
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    async def do(database: Database, person: Person) -> list[Row]:
        return await list_people(database, tenant, person)

    rows = _run(do, who)
    if as_json:
        for row in rows:
            print_line(dump_json(row))
        return
    console = open_console()
    for row in rows:
        console.print(f"{row['person']}: {row['role']}, set by {row['set_by']}", markup=False)


@people.command("set")
def set_one(
    name: Name,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="viewer, agent, supervisor, operator, analyst or admin.")],
    *,
    who: Who = None,
    tenant: Tenant = "default",
) -> None:
    """List a person under a role, or change it. It holds from their next act on."""
    from ops.desk.people import set_person
    from ops.desk.roles import ROLES
    from ops.terminal import open_console

    if role not in ROLES:
        raise typer.BadParameter(f"{role!r} is none of {', '.join(ROLES)}", param_hint="ROLE")
    chosen: Role = role

    async def do(database: Database, person: Person) -> str | None:
        return await set_person(database, tenant, person, person=name, role=chosen)

    before = _run(do, who)
    open_console().print(f"{name} is {role} now" + (f", was {before}" if before else ""), markup=False)


@people.command("remove")
def remove_one(name: Name, *, who: Who = None, tenant: Tenant = "default") -> None:
    """Take a person off the desk: from now on nothing is allowed to them."""
    from ops.desk.people import remove_person
    from ops.terminal import open_console

    async def do(database: Database, person: Person) -> str:
        return await remove_person(database, tenant, person, person=name)

    open_console().print(f"{name}, who was {_run(do, who)}, is not at the desk any more", markup=False)


def _run(do: Callable[[Database, Person], Awaitable[Any]], who: str | None) -> Any:
    import asyncio

    from ops.cli.options import user_name
    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers
    from ops.desk.roles import Who as Person

    person = Person(user_name(who), is_at_machine=True)

    async def run() -> Any:
        async with open_database(find_servers()) as database:
            return await do(database, person)

    return asyncio.run(run())
