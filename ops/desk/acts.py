"""What people do with the conversations of their desk: claim, renew, take over, reassign, snooze, resolve, and so on.

Each operation names its act, checks the person's role in its own transaction, and leaves a row of the history
(`desk_act`). Where the owner changes, an event tells operators and webhooks; other acts have events for tenants that
say so, since a reader of the release before knows no such names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ops.desk.desk import NOTE_CHARACTERS_MAX, ActRequest, DeskState
from ops.desk.roles import MAY, NotAllowed, NotAtDesk
from ops.desk.withdrawing import hold_back, remove_published
from runtime.encoding import dump_json
from schema.errors import FteError
from worker.outbound.announcing import announce

if TYPE_CHECKING:
    from ops.desk.desk import Desk, DeskAct
    from ops.desk.roles import Operation, Who
    from schema.ids import ConversationKey
    from schema.messages.event import EventName

SNOOZE_DAYS_MAX: Final = 30
REOPENED_HOURS: Final = 4
"""By when a reopened conversation is to be answered, unless a time is given."""


class InvalidAct(FteError):
    """An act that asks for something out of bounds."""


@dataclass(frozen=True)
class ActDone:
    """What came of an act: the conversation as it stands, whether anything changed, and the replies withdrawn."""

    state: DeskState
    changed: bool
    withdrawn: tuple[int, ...] = ()
    """Sequences of the bot's replies that the act kept from leaving."""


async def claim(desk: Desk, who: Who, key: ConversationKey) -> ActDone:
    """Claim a conversation that waits for a person; one's own is renewed. Raises what `Desk.act` raises."""
    return await _take(desk, who, key, "claim", ActRequest())


async def take_over(desk: Desk, who: Who, key: ConversationKey, *, reason: str | None = None) -> ActDone:
    """Take a conversation from the bot, or, as a supervisor, from whoever has it. Raises what `Desk.act` raises."""
    return await _take(desk, who, key, "take_over", ActRequest(reason=reason))


async def renew(desk: Desk, who: Who, key: ConversationKey) -> ActDone:
    """Renew one's claim. Raises what `Desk.act` raises."""
    async with desk.act(who, key, "renew", ActRequest()) as act:
        return ActDone(act.state, changed=False)


async def reassign(
    desk: Desk, who: Who, key: ConversationKey, *, to: str | None = None, reason: str | None = None
) -> ActDone:
    """Give a conversation to another person of the desk, or back to the queue.

    An agent gives away what they have themselves; a supervisor any. Raises what `Desk.act` raises, and NotAtDesk or
    NotAllowed for a person who could not answer it.
    """
    async with desk.act(who, key, "reassign", ActRequest(to_person=to, reason=reason)) as act:
        if to is not None:
            rows = await act.transaction.run("find_member", tenant=key.tenant, person=to)
            if not rows:
                raise NotAtDesk(key.tenant, to)
            if "reply" not in MAY[rows[0]["role"]]:
                raise NotAllowed(to, rows[0]["role"], "reply")
        withdrawn = await _after_taking(desk, act)
    return await _finish_taking(desk, act, withdrawn)


async def snooze(
    desk: Desk,
    who: Who,
    key: ConversationKey,
    *,
    until: datetime,
    reason: str | None = None,
    now: datetime | None = None,
) -> ActDone:
    """Put one's conversation aside until a time; the customer's next message brings it back at once.

    Raises InvalidAct for a time that is past or further off than SNOOZE_DAYS_MAX, and what `Desk.act` raises.
    """
    now = now or datetime.now(UTC)
    if not now < until <= now + timedelta(days=SNOOZE_DAYS_MAX):
        raise InvalidAct(f"snooze until a time from now to {SNOOZE_DAYS_MAX} days ahead, not {until:%Y-%m-%d %H:%M}")
    async with desk.act(who, key, "snooze", ActRequest(until=until, reason=reason)) as act:
        return ActDone(act.state, act.is_done)


async def note(desk: Desk, who: Who, key: ConversationKey, text: str, *, request_id: str | None = None) -> ActDone:
    """Add a note that only people read; it is stored sealed. Raises InvalidAct, and what `Desk.act` raises."""
    said = text.strip()
    if not said or len(said) > NOTE_CHARACTERS_MAX:
        raise InvalidAct(f"a note has 1 to {NOTE_CHARACTERS_MAX} characters, not {len(said)}")
    async with desk.act(who, key, "note", ActRequest(note=said, request_id=request_id)) as act:
        return ActDone(act.state, act.is_done)


async def resolve(desk: Desk, who: Who, key: ConversationKey, *, reason: str | None = None) -> ActDone:
    """Call a conversation resolved: its tickets are closed, its episode ends, and the bot answers what comes next.

    Raises what `Desk.act` raises.
    """
    async with desk.act(who, key, "resolve", ActRequest(reason=reason)) as act:
        await act.transaction.run("add_resolution", resolved_at=act.now, resolved_by=act.actor.name, **act.names)
        await _tell_owner(desk, act)
        return ActDone(act.state, act.is_done)


async def hand_back(desk: Desk, who: Who, key: ConversationKey, *, line: str | None = None) -> ActDone:
    """Hand a conversation back to the bot, which answers from the next message on; `line` is for the bot to know.

    A marker in the bot's history says that a person was there and what they leave: without it a bot goes on being
    silent, or hands off again at once. Raises what `Desk.act` raises.
    """
    async with desk.act(who, key, "hand_back", ActRequest(reason=line)) as act:
        marker = (await desk.sealer_of(act.transaction, key)).seal_item(
            {"role": "system", "content": _marker(act, line)}
        )
        await act.transaction.run("add_desk_item", item=dump_json(marker), **act.names)
        await _tell_owner(desk, act, always=True)
        return ActDone(act.state, act.is_done)


async def reopen(
    desk: Desk, who: Who, key: ConversationKey, *, reason: str | None = None, now: datetime | None = None
) -> ActDone:
    """Make a resolved conversation wait for a person again, with the tickets that its resolution closed.

    Raises what `Desk.act` raises.
    """
    until = (now or datetime.now(UTC)) + timedelta(hours=REOPENED_HOURS)
    async with desk.act(who, key, "reopen", ActRequest(until=until, reason=reason)) as act:
        return ActDone(act.state, act.is_done)


async def _take(desk: Desk, who: Who, key: ConversationKey, operation: Operation, asked: ActRequest) -> ActDone:
    async with desk.act(who, key, operation, asked) as act:
        withdrawn = await _after_taking(desk, act)
    return await _finish_taking(desk, act, withdrawn)


async def _after_taking(desk: Desk, act: DeskAct) -> list[int]:
    """Withdraw the bot's replies that have not left, and tell of the new owner, in the act's transaction."""
    if act.state.owner != "human" or act.from_owner != "bot":
        return []
    cancelled = await act.transaction.run("cancel_approvals", person=act.actor.name, **act.names)
    if cancelled:
        act.attributes["approvals_cancelled"] = str(len(cancelled))
    withdrawn = await hold_back(desk, act)
    if withdrawn:
        act.attributes["withdrawn"] = ",".join(map(str, withdrawn))
    await _tell_owner(desk, act)
    return withdrawn


async def _finish_taking(desk: Desk, act: DeskAct, withdrawn: list[int]) -> ActDone:
    """Remove what stands in streams unread; also after a claim whose process died before it came to this."""
    removed = await remove_published(desk, act.key) if act.state.owner == "human" else []
    return ActDone(act.state, act.is_done, tuple(sorted({*withdrawn, *removed})))


async def _tell_owner(desk: Desk, act: DeskAct, *, always: bool = False) -> None:
    """Write the event of a conversation that went to people, or back to the bot."""
    if not act.is_done or (act.from_owner == act.state.owner and not always):
        return
    name: EventName = "conversation.taken_over" if act.state.owner == "human" else "conversation.handed_back"
    act.is_told = True
    attributes = {"act": act.name, "by": act.actor.name, **act.attributes}
    await announce(act.transaction, desk.sealer, act.key, name, now=act.now, attributes=attributes)


def _marker(act: DeskAct, line: str | None) -> str:
    said = f" They leave you this: {line.strip().rstrip('.')}." if line and line.strip() else ""
    return (
        f"{act.actor.name} of the team spoke with this customer and has handed the conversation back to you.{said} "
        "What was promised before, that a colleague would answer, is settled: answer what the customer writes next "
        "yourself, and bring in a person only for a new reason."
    )
