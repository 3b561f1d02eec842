"""The commands `fte dead …`: list dead letters, show one, submit them again, drop them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ops.cli.options import Json, Tenant, Who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.desk.dead_letters import DeadLetter, OpenedLetter, Operator, Selection
    from ops.desk.redrive import RedriveOutcome, Status
    from schema.settings.deployment import DeploymentSettings
    from schema.settings.sending import SendingSettings

dead = typer.Typer(no_args_is_help=True, help="Look after messages that could not be answered.")

Ids = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Which ones; or give filters.")]
Conversation = Annotated[str | None, typer.Option("--conversation", metavar="ID", help="Only of this conversation.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Only those whose reason has this in it.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only newer ones: 90m, 2h, 7d, or 2026-01-31T12:00Z.")
]
Every = Annotated[bool, typer.Option("--all", help="All that are kept, where no ID and no filter is given.")]
Because = Annotated[str | None, typer.Option("--because", metavar="TEXT", help="Why; goes on record.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@dead.command("list")
def list_dead(
    *,
    conversation: Conversation = None,
    reason: Reason = None,
    since: Since = None,
    settled: Annotated[bool, typer.Option("--all", help="Also those handed in again or dropped.")] = False,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """List dead letters in the order in which they died. Nothing of a customer's words is shown."""
    import asyncio

    from ops.cli.dead_page import table_of
    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    selection = _selection(tenant, None, conversation=conversation, reason=reason, since=since, settled=settled)
    letters = asyncio.run(_select(find_servers(), selection))
    if as_json:
        for letter in letters:
            print_line(dump_json(vars(letter)))
        return
    console = open_console()
    console.print(table_of(letters) if letters else f"no dead letters of tenant {tenant}", markup=False)


@dead.command("show")
def show_dead(
    letter_id: Annotated[int, typer.Argument(metavar="ID", help="The letter's number.")],
    *,
    opened: Annotated[
        bool, typer.Option("--open", help="Show its words. Needs the vault's key; who opened it is recorded.")
    ] = False,
    who: Who = None,
    because: Because = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Show one dead letter. Its words stay sealed unless it is opened, which leaves the event letter.opened.

    Card and social security numbers are masked all the same.
    """
    import asyncio

    from ops.cli.dead_page import page_of
    from ops.cli.options import user_name
    from ops.cli.servers import find_servers
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    settings = find_servers()
    if opened:
        operator = _operator(user_name(who), because)
        shown = asyncio.run(_open(settings, tenant, letter_id, operator))
        about = vars(shown.letter) | {"channel": shown.channel, "sender": shown.sender, "text": shown.text}
    else:
        about = dict(vars(asyncio.run(_select(settings, _selection(tenant, [letter_id])))[0]))
    if as_json:
        print_line(dump_json(about))
        return
    open_console().print(page_of(about))


@dead.command("redrive")
def redrive_dead(
    ids: Ids = None,
    *,
    conversation: Conversation = None,
    reason: Reason = None,
    since: Since = None,
    every: Every = False,
    who: Who = None,
    because: Because = None,
    dry_run: DryRun = False,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Submit dead letters again, in their old order, as new messages at the end of their conversations.

    Repeating it submits nothing twice. Who did it is recorded as the event letter.redriven. Exit code 1: some were not
    redriven; the rest was.
    """
    import asyncio

    from ops.cli.dead_page import print_outcomes
    from ops.cli.options import user_name
    from ops.cli.servers import find_servers
    from ops.desk.redrive import GOOD

    _check_narrowed(ids, conversation, reason, since, every=every)
    selection = _selection(tenant, ids, conversation=conversation, reason=reason, since=since)
    operator = _operator(user_name(who), because)
    outcomes = asyncio.run(_redrive(find_servers(), selection, operator, dry_run=dry_run))
    print_outcomes(outcomes, as_json=as_json)
    if any(outcome.status not in GOOD for outcome in outcomes):
        raise typer.Exit(1)


@dead.command("drop")
def drop_dead(
    ids: Ids = None,
    *,
    conversation: Conversation = None,
    reason: Reason = None,
    since: Since = None,
    every: Every = False,
    who: Who = None,
    because: Because = None,
    dry_run: DryRun = False,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Erase the words of dead letters for good, in the inbox too.

    Who did it is recorded as the event letter.dropped.
    """
    import asyncio

    from ops.cli.dead_page import print_outcomes
    from ops.cli.options import user_name
    from ops.cli.servers import find_servers

    _check_narrowed(ids, conversation, reason, since, every=every)
    selection = _selection(tenant, ids, conversation=conversation, reason=reason, since=since)
    operator = _operator(user_name(who), because)
    outcomes = asyncio.run(_drop(find_servers(), selection, operator, dry_run=dry_run))
    print_outcomes(outcomes, as_json=as_json)


def since_of(text: str, now: datetime) -> datetime:
    """Parse `90m`, `2h`, `7d` before now, or a time in RFC 3339 (UTC without an offset); raises typer.BadParameter."""
    from datetime import UTC, timedelta

    from ops.cli.options import span_seconds

    seconds = span_seconds(text)
    if seconds is not None:
        return now - timedelta(seconds=seconds)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: a time such as 90m, 2h, 7d, or 2026-01-31T12:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _selection(
    tenant: str,
    ids: Sequence[int] | None,
    *,
    conversation: str | None = None,
    reason: str | None = None,
    since: str | None = None,
    settled: bool = False,
) -> Selection:
    from datetime import UTC

    from ops.desk.dead_letters import Selection

    return Selection(
        tenant,
        ids=tuple(ids) if ids else None,
        conversation=conversation,
        reason=reason,
        since=since_of(since, datetime.now(UTC)) if since else None,
        states=("kept", "redriven", "dropped") if settled else ("kept",),
    )


def _check_narrowed(ids: list[int] | None, *filters: str | None, every: bool) -> None:
    """Refuse a command without ids or filters, which would touch everything."""
    if not ids and not every and not any(filters):
        raise typer.BadParameter("say which: IDs, --conversation, --reason, --since, or --all")


def _operator(name: str, because: str | None) -> Operator:
    from datetime import UTC

    from ops.desk.dead_letters import Operator

    try:
        return Operator(name, datetime.now(UTC), because)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


async def _select(settings: DeploymentSettings, selection: Selection) -> list[DeadLetter]:
    from ops.cli.reading import open_database
    from ops.desk.dead_letters import select_letters

    async with open_database(settings) as database:
        return [letter async for letter in select_letters(database, selection)]


async def _open(settings: DeploymentSettings, tenant: str, letter_id: int, operator: Operator) -> OpenedLetter:
    from ops.cli.reading import open_database
    from ops.desk.dead_letters import open_letter
    from runtime.configuration import open_sealer

    async with open_database(settings) as database:
        return await open_letter(database, open_sealer(settings), tenant, letter_id, operator)


async def _redrive(
    settings: SendingSettings, selection: Selection, operator: Operator, *, dry_run: bool
) -> list[RedriveOutcome]:
    from ops.cli.reading import open_database
    from ops.desk.dead_letters import select_letters
    from ops.desk.redrive import Redrive
    from runtime.configuration import open_sealer

    async with open_database(settings) as database:
        letters = [letter async for letter in select_letters(database, selection)]
        return await Redrive(settings, database, open_sealer(settings), operator, dry_run).run(letters)


async def _drop(
    settings: DeploymentSettings, selection: Selection, operator: Operator, *, dry_run: bool
) -> list[RedriveOutcome]:
    from ops.cli.reading import open_database
    from ops.desk.dead_letters import drop_letter, select_letters
    from ops.desk.redrive import RedriveOutcome
    from runtime.configuration import open_sealer

    outcomes = []
    async with open_database(settings) as database:
        sealer = open_sealer(settings)
        async for letter in select_letters(database, selection):
            if dry_run:
                gone = letter.state == "dropped"
            else:
                gone = await drop_letter(database, sealer, letter.tenant, letter.dead_letter_id, operator) is None
            done: Status = "would be dropped" if dry_run else "dropped"
            outcomes.append(RedriveOutcome(letter, "dropped before" if gone else done))
    return outcomes
