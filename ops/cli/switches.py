"""The commands `fte switches …`, `fte pause` and `fte resume`: what the bot does not do for now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.database import Database
    from runtime.switches import Switch
    from schema.switches import SwitchTarget

switches = typer.Typer(
    no_args_is_help=True, help="Kill switches: a tenant, channel, agent, tool or model provider, off and on."
)

Named = Annotated[
    str,
    typer.Argument(
        metavar="KIND:NAME",
        help="tenant:acme, channel:sms, agent:booking, tool:confirm_quote, provider:openai, provider:openai:gpt-5.",
    ),
]
OfTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="NAME", help="For this tenant alone; default: for every tenant.")
]
Span = Annotated[
    str | None,
    typer.Option("--for", metavar="SPAN", help="90s, 30m, 2h, 7d: on again by itself then; default: when turned on."),
]
Because = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; goes on record, and operators see it.")]
MayBecause = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; goes on record.")]


@switches.command("list")
def list_switches(as_json: Json = False) -> None:
    """List what is off, also pauses: for whom, since and until when, by whom, and why."""
    from ops.cli.switches_page import table_of_switches
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json
    from runtime.switches import read_switches

    found: list[Switch] = _run(read_switches)
    if as_json:
        for switch in found:
            print_line(dump_json(switch.as_record()))
        return
    open_console().print(table_of_switches(found))


@switches.command("off")
def off(
    named: Named,
    *,
    reason: Because,
    tenant: OfTenant = None,
    span: Span = None,
    any_name: Annotated[
        bool, typer.Option("--any-name", help="Also an agent or tool that this release does not know.")
    ] = False,
    who: Who = None,
    as_json: Json = False,
) -> None:
    """Turn something off in every worker within two seconds; a turn under way calls it no more either.

    docs/operations.md says what customers meet. What is off already gets the new reason and end.
    """
    from ops.desk.switches import check_known
    from schema.switches import parse_target

    target = parse_target(named)
    if target.kind in {"agent", "tool"} and not any_name:
        from worker.domains.airline.agents.graph import switchable_names  # loads the agents SDK, which takes a second

        check_known(target, switchable_names()[target.kind])
    _turn_off(target, tenant, span, reason, who, as_json=as_json)


@switches.command("on")
def on(
    named: Named, *, reason: MayBecause = None, tenant: OfTenant = None, who: Who = None, as_json: Json = False
) -> None:
    """Turn something on again, for whom it was turned off."""
    from schema.switches import parse_target

    _turn_on(parse_target(named), tenant, reason, who, as_json=as_json)


def pause(
    *, reason: Because, tenant: OfTenant = None, span: Span = None, who: Who = None, as_json: Json = False
) -> None:
    """Let no worker begin a turn until resume, for maintenance; turns under way end, messages are accepted and wait.

    Workers that start meanwhile begin none either. `fte workers pause` is for single workers.
    """
    from schema.switches import ALL_TURNS

    _turn_off(ALL_TURNS, tenant, span, reason, who, as_json=as_json)


def resume(*, reason: MayBecause = None, tenant: OfTenant = None, who: Who = None, as_json: Json = False) -> None:
    """End a pause: of all workers, or with --tenant of one that was paused by itself."""
    from schema.switches import ALL_TURNS

    _turn_on(ALL_TURNS, tenant, reason, who, as_json=as_json)


def _turn_off(
    target: SwitchTarget, tenant: str | None, span: str | None, reason: str, who: str | None, *, as_json: bool
) -> None:
    from ops.cli.options import span_seconds, user_name
    from ops.desk.switches import SECONDS_MAX, turn_off

    seconds = span_seconds(span) if span is not None else None
    if span is not None and not 0 < (seconds or 0) <= SECONDS_MAX:
        told = f"{span!r} is no span of time such as 30m, 2h or 7d, of a year at most"
        raise typer.BadParameter(told, param_hint="--for")
    if not reason.strip():
        raise typer.BadParameter("say why, for those who find it off", param_hint="--reason")
    by = user_name(who)
    switch = _run(lambda database: turn_off(database, target, tenant=tenant, by=by, reason=reason, seconds=seconds))
    _tell(switch, is_off=True, as_json=as_json)


def _turn_on(target: SwitchTarget, tenant: str | None, reason: str | None, who: str | None, *, as_json: bool) -> None:
    from ops.cli.options import user_name
    from ops.desk.switches import turn_on

    by = user_name(who)
    switch = _run(lambda database: turn_on(database, target, tenant=tenant, by=by, reason=reason))
    _tell(switch, is_off=False, as_json=as_json)


def _tell(switch: Switch, *, is_off: bool, as_json: bool) -> None:
    from ops.cli.switches_page import line_of, name_of
    from ops.terminal import open_console, print_line, safe_text
    from runtime.encoding import dump_json

    if as_json:
        print_line(dump_json({**switch.as_record(), "is_off": is_off}))
        return
    told = line_of(switch) if is_off else f"{name_of(switch)} is on again"
    open_console().print(safe_text(f"{told}; every worker knows within 2 s"), soft_wrap=True)


def _run(work: Callable[[Database], Awaitable[Any]]) -> Any:
    import asyncio

    from ops.cli.reading import open_database
    from ops.cli.servers import find_servers

    async def run() -> Any:
        async with open_database(find_servers()) as database:
            return await work(database)

    return asyncio.run(run())
