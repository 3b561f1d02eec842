"""The commands `fte takeover`, `fte hand-back` and `fte resolve`: who answers a conversation, and when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.cli.options import Json, Tenant, Who

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.desk.acts import ActDone
    from ops.desk.desk import Desk
    from ops.desk.roles import Who as Person
    from schema.ids import ConversationKey

Conversation = Annotated[str, typer.Argument(metavar="CONVERSATION", help="The conversation's id.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; goes on record.")]


def takeover(
    conversation: Conversation,
    *,
    reason: Reason = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Take a conversation over: the bot is silent from now on, also in a turn under way.

    What it said and no consumer was given yet is withdrawn. The customer's messages are still accepted and recorded;
    each appears as a message.forwarded event. `fte inbox reply` answers them.
    """
    from ops.desk.acts import take_over

    async def do(desk: Desk, person: Person, key: ConversationKey) -> ActDone:
        return await take_over(desk, person, key, reason=reason)

    done = act_once(do, tenant, conversation, who)
    _tell(conversation, tenant, done, "is a human's now", "was a human's already", as_json=as_json)


def hand_back(
    conversation: Conversation,
    *,
    line: Annotated[str | None, typer.Option("--line", metavar="TEXT", help="What the bot is to know.")] = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Hand a conversation back to the bot: it answers from the next message on."""
    from ops.desk.acts import hand_back as hand_back_in

    async def do(desk: Desk, person: Person, key: ConversationKey) -> ActDone:
        return await hand_back_in(desk, person, key, line=line)

    done = act_once(do, tenant, conversation, who, where_done="bot")
    _tell(conversation, tenant, done, "is the bot's now", "was the bot's already", as_json=as_json)


def resolve(
    conversation: Conversation,
    *,
    reason: Reason = None,
    who: Who = None,
    tenant: Tenant = "default",
    as_json: Json = False,
) -> None:
    """Call a conversation resolved: its tickets are closed, and the customer's next message begins another episode."""
    from ops.desk.acts import resolve as resolve_in

    async def do(desk: Desk, person: Person, key: ConversationKey) -> ActDone:
        return await resolve_in(desk, person, key, reason=reason)

    done = act_once(do, tenant, conversation, who, where_done="resolved")
    _tell(conversation, tenant, done, "is resolved", "has nothing new to resolve", as_json=as_json)


def act_once(
    do: Callable[[Desk, Person, ConversationKey], Awaitable[Any]],
    tenant: str,
    conversation: str,
    who: str | None,
    *,
    where_done: str | None = None,
) -> Any:
    """Open the desk, do an act, and return what came of it; None where the conversation is in state `where_done`."""
    import asyncio

    from ops.cli.desk_access import open_desk
    from ops.cli.options import user_name
    from ops.cli.servers import find_servers
    from ops.desk.desk import StateForbids
    from ops.desk.roles import Who as Person
    from schema.ids import ConversationKey

    person = Person(user_name(who), is_at_machine=True)

    async def run() -> Any:
        async with open_desk(find_servers()) as desk:
            try:
                return await do(desk, person, ConversationKey(tenant, conversation))
            except StateForbids as error:
                if error.state == where_done:
                    return None
                raise

    return asyncio.run(run())


def _tell(conversation: str, tenant: str, done: ActDone | None, changed: str, same: str, *, as_json: bool) -> None:
    from ops.terminal import open_console, print_line
    from runtime.encoding import dump_json

    is_changed = done is not None and done.changed
    withdrawn = list(done.withdrawn) if done is not None else []
    if as_json:
        print_line(
            dump_json({"tenant": tenant, "conversation": conversation, "changed": is_changed, "withdrawn": withdrawn})
        )
        return
    console = open_console()
    console.print(f"{conversation} {changed if is_changed else same}", markup=False)
    if withdrawn:
        console.print(f"withdrawn before it left: reply {', '.join(map(str, withdrawn))}", markup=False)
