"""The commands `fte inbox …`: what waits for a person, and what people do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ops.cli.options import Json, Tenant, Who
from ops.cli.ownership import Conversation, Reason, act_once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.desk.desk import Desk
    from ops.desk.inbox import InboxListing, Overview, View
    from ops.desk.replying import SentReply
    from ops.desk.roles import Who as Person
    from runtime.switches import Switch
    from schema.ids import ConversationKey

inbox = typer.Typer(invoke_without_command=True, help="What waits for a person, the soonest due first.")

Filter = Annotated[str | None, typer.Option(metavar="NAME", help="Only these.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What is said; - reads it from standard input.")]


@inbox.callback()
def show_list(
    context: typer.Context,
    *,
    view: Annotated[
        str, typer.Option("--view", metavar="VIEW", help="all, unassigned, mine, overdue, snoozed or resolved.")
    ] = "all",
    category: Filter = None,
    priority: Filter = None,
    channel: Filter = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 50,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """List what waits for a person, or what one has; `fte inbox COMMAND` does something about it.

    Without --json it begins with what operators have switched off.
    """
    if context.invoked_subcommand is not None:
        return
    from ops.desk.inbox import VIEWS, Filters, list_inbox
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json
    from runtime.switches import read_switches

    if view not in VIEWS:
        raise typer.BadParameter(f"{view!r} is none of {', '.join(VIEWS)}", param_hint="--view")
    chosen: View = view

    async def do(desk: Desk, person: Person, _: ConversationKey) -> tuple[InboxListing, list[Switch]]:
        filters = Filters(category, priority, channel)
        page = await list_inbox(desk, tenant, person, chosen, filters=filters, limit=limit)
        return page, [switch for switch in await read_switches(desk.database) if switch.concerns(tenant)]

    page, off = act_once(do, tenant, "", who)
    if as_json:
        for row in page.rows:
            print_line(dump_json({name: value for name, value in row.items() if name != "due"}))
        return
    from ops.cli.inbox_page import table_of_inbox
    from ops.cli.switches_page import with_banner

    open_console().print(with_banner(off, table_of_inbox(page.rows)))


@inbox.command("show")
def show_one(conversation: Conversation, *, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Show how a conversation stands, what was said (masked), and everything that was done about it."""
    from dataclasses import asdict

    from ops.desk.inbox import look_at
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    overview: Overview = act_once(look_at, tenant, conversation, who)
    if as_json:
        told = {"state": asdict(overview.state), "history": overview.history}
        print_line(dump_json({**told, "lines": [asdict(line) for line in overview.transcript.lines]}))
        return
    from ops.cli.inbox_page import page_of_overview

    open_console().print(page_of_overview(conversation, overview))


@inbox.command("claim")
def claim(conversation: Conversation, *, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Claim a conversation that waits for a person; again, it renews the claim."""
    from ops.desk.acts import claim as claim_in

    _do(claim_in, tenant, conversation, who, as_json=as_json)


@inbox.command("renew")
def renew(conversation: Conversation, *, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """Renew a claim before it lapses."""
    from ops.desk.acts import renew as renew_in

    _do(renew_in, tenant, conversation, who, as_json=as_json)


@inbox.command("reply")
def reply(
    conversation: Conversation,
    text: Text,
    *,
    version: Annotated[int, typer.Option("--version", help="The desk's version as `fte inbox show` told it.")],
    seen: Annotated[int, typer.Option("--seen", help="Position of the newest message that you have read.")],
    request: Annotated[
        str | None, typer.Option("--request", metavar="ID", help="SentReply once, however often it is asked for.")
    ] = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Answer the customer. Refused, with what is new, when they wrote meanwhile or somebody did something."""
    from ops.desk.replying import LastSeen
    from ops.desk.replying import reply as reply_in
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    said = _read(text)

    async def do(desk: Desk, person: Person, key: ConversationKey) -> SentReply:
        return await reply_in(desk, person, key, said, seen=LastSeen(version, seen), request_id=request)

    sent: SentReply = act_once(do, tenant, conversation, who)
    if as_json:
        print_line(dump_json({"reply_id": sent.reply_id, "sequence": sent.sequence, "is_new": sent.is_new}))
        return
    told = "is on its way" if sent.is_new else "was sent before"
    open_console().print(f"reply {sent.sequence} of {conversation} {told}", markup=False)


@inbox.command("note")
def note(
    conversation: Conversation, text: Text, *, who: Who = None, tenant: Tenant = "default", as_json: Json = False
) -> None:
    """Add a note that only people read."""
    from ops.desk.acts import note as note_in

    _do(note_in, tenant, conversation, who, as_json=as_json, text=_read(text))


@inbox.command("reassign")
def reassign(
    conversation: Conversation,
    *,
    to: Annotated[str | None, typer.Option("--to", metavar="NAME", help="To whom; default: back to the queue.")] = None,
    reason: Reason = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Give a conversation to somebody else, or back to the queue."""
    from ops.desk.acts import reassign as reassign_in

    _do(reassign_in, tenant, conversation, who, as_json=as_json, to=to, reason=reason)


@inbox.command("snooze")
def snooze(
    conversation: Conversation,
    *,
    span: Annotated[str, typer.Option("--for", metavar="SPAN", help="90m, 4h, 2d.")],
    reason: Reason = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Put a conversation aside; the customer's next message brings it back at once."""
    from datetime import UTC, datetime, timedelta

    from ops.cli.options import span_seconds
    from ops.desk.acts import snooze as snooze_in

    seconds = span_seconds(span)
    if seconds is None:
        raise typer.BadParameter(f"{span!r} is no span of time such as 90m, 4h or 2d", param_hint="--for")
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    _do(snooze_in, tenant, conversation, who, as_json=as_json, until=until, reason=reason)


@inbox.command("reopen")
def reopen(
    conversation: Conversation,
    *,
    reason: Reason = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Make a resolved conversation wait for a person again."""
    from ops.desk.acts import reopen as reopen_in

    _do(reopen_in, tenant, conversation, who, as_json=as_json, reason=reason)


ApprovalId = Annotated[str, typer.Argument(metavar="APPROVAL", help="As `fte inbox approvals` lists it.")]


@inbox.command("approvals")
def list_all_approvals(*, who: Who = None, tenant: Tenant = "default", as_json: Json = False) -> None:
    """List the changes that wait for a person's yes, the soonest to expire first."""
    from dataclasses import asdict

    from ops.cli.inbox_page import table_of_approvals
    from ops.desk.approvals import WaitingApproval, list_approvals
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    async def do(desk: Desk, person: Person, _: ConversationKey) -> list[WaitingApproval]:
        return await list_approvals(desk, tenant, person)

    found: list[WaitingApproval] = act_once(do, tenant, "", who)
    if as_json:
        for each in found:
            print_line(dump_json(asdict(each)))
        return
    open_console().print(table_of_approvals(found))


@inbox.command("approve")
def approve(approval: ApprovalId, *, reason: Reason = None, who: Who = None, tenant: Tenant = "default") -> None:
    """Approve a change: it is made in its conversation, if the offer is still the same to the dollar."""
    _decide(approval, "approved", reason, who, tenant)


@inbox.command("reject")
def reject(
    approval: ApprovalId,
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the customer reads it.")],
    who: Who = None,
    tenant: Tenant = "default",
) -> None:
    """Reject a change: the customer is told, with the reason."""
    _decide(approval, "rejected", reason, who, tenant)


def _decide(
    approval: str, decision: Literal["approved", "rejected"], reason: str | None, who: str | None, tenant: str
) -> None:
    from ops.desk.approvals import decide_on
    from ops.terminal import open_console

    async def do(desk: Desk, person: Person, _: ConversationKey) -> dict[str, Any]:
        return await decide_on(desk, person, tenant, approval, decision, reason=reason)

    decided = act_once(do, tenant, "", who)
    open_console().print(f"{approval} is {decision}: {decided['conversation_id']} hears of it", markup=False)


def _do(
    act: Callable[..., Awaitable[Any]], tenant: str, conversation: str, who: str | None, *, as_json: bool, **asked: Any
) -> None:
    """Do an act and tell how the conversation stands."""
    from dataclasses import asdict

    from ops.cli.inbox_page import line_of_state
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    async def do(desk: Desk, person: Person, key: ConversationKey) -> Any:
        return await act(desk, person, key, **asked)

    done = act_once(do, tenant, conversation, who)
    if as_json:
        print_line(dump_json({"conversation": conversation, **asdict(done)}))
        return
    console = open_console()
    console.print(line_of_state(conversation, done.state))
    if done.withdrawn:
        console.print(f"withdrawn before it left: reply {', '.join(map(str, done.withdrawn))}", markup=False)


def _read(text: str) -> str:
    import sys

    return sys.stdin.read() if text == "-" else text
