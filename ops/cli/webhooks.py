"""The commands `fte webhooks …`: a tenant's targets, a test, the log of deliveries, and replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Tenant, Who, user_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.desk.webhooks import Targets

webhooks = typer.Typer(no_args_is_help=True, help="Tell receivers outside what happens: signed webhooks.")

TargetId = Annotated[str, typer.Argument(metavar="TARGET", help="The target's id, wt_…; see list.")]


@webhooks.command("add")
def add_target(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send; https://…")],
    event: Annotated[
        list[str] | None, typer.Option("--event", metavar="TYPE", help="Only these types; repeatable. Default: all.")
    ] = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Add a target and show its secret, this once. `fte deliver webhooks` sends to it what happens from now on.

    Types: message.answered, message.dead, conversation.completed, conversation.escalated, conversation.taken_over,
    conversation.handed_back, ticket.created, ticket.opened, and every event of `fte events`.
    """
    from ops.cli.webhooks_page import print_secret

    try:
        made = _run(tenant, user_name(who), lambda targets: targets.add(url, event or []))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--event") from None
    print_secret(made, as_json=as_json)


@webhooks.command("list")
def list_targets(tenant: Tenant = "default", as_json: Json = False) -> None:
    """List targets: what they are told, whether they are disabled and why, how many deliveries wait or are dead."""
    from ops.cli.webhooks_page import print_targets

    print_targets(_run(tenant, "", lambda targets: targets.read()), tenant, as_json=as_json)


@webhooks.command("rotate")
def rotate_secret(
    target_id: TargetId,
    overlap: Annotated[
        str, typer.Option("--overlap", metavar="SPAN", help="How long the old secret signs as well: 30m, 24h.")
    ] = "24h",
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Give a target a new secret and show it, this once. Until the overlap ends deliveries carry both signatures."""
    from ops.cli.options import span_seconds
    from ops.cli.webhooks_page import print_secret

    seconds = span_seconds(overlap)
    if seconds is None:
        raise typer.BadParameter(f"{overlap!r}: a span such as 30m or 24h", param_hint="--overlap")
    made, until = _run(tenant, user_name(who), lambda targets: targets.rotate(target_id, seconds))
    print_secret(made, until, as_json=as_json)


@webhooks.command("enable")
def enable_target(target_id: TargetId, who: Who = None, tenant: Tenant = "default") -> None:
    """Send to a disabled target again, or end a pause. What it missed meanwhile is sent by replay."""
    _run(tenant, user_name(who), lambda targets: targets.enable(target_id))
    _say(f"{target_id} is enabled")


@webhooks.command("remove")
def remove_target(target_id: TargetId, who: Who = None, tenant: Tenant = "default") -> None:
    """Remove a target with its log and what waits for it."""
    _run(tenant, user_name(who), lambda targets: targets.remove(target_id))
    _say(f"{target_id} is removed")


@webhooks.command("test")
def try_target(target_id: TargetId, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Send a webhook.test now, once, and say what the receiver answered. Exit code 1: it did not take it."""
    from ops.cli.webhooks_page import print_outcome

    settings = _settings()
    outcome = _run(tenant, user_name(who), lambda targets: targets.test(target_id, settings))
    print_outcome(outcome, as_json=as_json)
    if not outcome.is_delivered:
        raise typer.Exit(1)


@webhooks.command("log")
def show_log(
    *,
    target: Annotated[str | None, typer.Option("--target", metavar="TARGET", help="Only of this target.")] = None,
    webhook: Annotated[str | None, typer.Option("--id", metavar="ID", help="Only this webhook-id.")] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="Only waiting, delivered or dead.")
    ] = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=1_000, metavar="N", help="How many attempts.")] = 50,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """List attempts, newest first: when, to which target, under which id, and how each ended."""
    from ops.cli.webhooks_page import print_log

    if state not in {None, "waiting", "delivered", "dead"}:
        raise typer.BadParameter(f"{state!r}: waiting, delivered or dead", param_hint="--state")
    rows = _run(tenant, "", lambda targets: targets.log(target_id=target, event_id=webhook, state=state, rows_max=last))
    print_log(rows, tenant, as_json=as_json)


@webhooks.command("replay")
def replay(
    target_id: TargetId,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Which webhook-ids.")] = None,
    *,
    dead: Annotated[bool, typer.Option("--dead", help="All that were given up.")] = False,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="All since: 90m, 2h, 7d, or 2026-01-31T12:00Z.")
    ] = None,
    who: Who = None,
    tenant: Tenant = "default",
) -> None:
    """Send events to a target again, under the ids they had; also those that it missed while it was disabled.

    What waits already is left alone. Receivers pass over ids that they know.
    """
    from datetime import UTC, datetime

    from ops.cli.dead import since_of

    if not ids and not dead and since is None:
        raise typer.BadParameter("say which: IDs, --dead or --since")
    moment = since_of(since, datetime.now(UTC)) if since else None
    queued = _run(
        tenant,
        user_name(who),
        lambda targets: targets.replay(target_id, event_ids=ids or [], dead_only=dead, since=moment),
    )
    _say(f"{queued} queued for {target_id}")


def _settings() -> Any:
    from ops.cli.servers import find_servers

    return find_servers()


def _run(tenant: str, by: str, do: Callable[[Targets], Awaitable[Any]]) -> Any:
    import asyncio

    from ops.cli.reading import open_database
    from ops.desk.webhooks import Targets
    from runtime.configuration import open_sealer

    async def work() -> Any:
        settings = _settings()
        async with open_database(settings) as database:
            return await do(Targets(database, open_sealer(settings), tenant, by))

    return asyncio.run(work())


def _say(line: str) -> None:
    from ops.terminal import open_console

    open_console().print(line, markup=False)
