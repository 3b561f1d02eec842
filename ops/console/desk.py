"""Routes below /v1/desk: what people do with the conversations of their tenant's desk.

A key needs the scope `desk` and names its person: everything is done, and recorded, under that name, and the person's
role decides in the operation itself.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from ops.console import desk_bodies as bodies
from ops.console.refusing import refusing
from ops.desk import acts, approvals, people
from ops.desk.acts import InvalidAct
from ops.desk.desk import Desk, DeskState, HeldByAnother, NotClaimed, SeenIsStale, StateForbids
from ops.desk.inbox import PAGE_MAX, Filters, View, list_inbox, look_at
from ops.desk.replying import LastSeen, reply
from ops.desk.roles import NotAllowed, NotAtDesk, Who
from ops.desk.takeover import UnknownConversation
from ops.desk.tickets import InvalidReason, UnknownTicket, open_ticket
from producer.gateway.access import parts_of, require
from producer.gateway.problems import Refused
from runtime.configuration import open_sealer
from runtime.encoding import parse_json
from schema.ids import CONVERSATION_PATTERN, ConversationKey

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.api_keys import Principal
    from runtime.sealing import Sealer
    from schema.errors import FteError
    from schema.settings.sealing import SealingSettings

_REFUSALS: Final[dict[type[FteError], str]] = {
    NotAtDesk: "forbidden",
    NotAllowed: "forbidden",
    UnknownConversation: "not-found",
    UnknownTicket: "not-found",
    HeldByAnother: "conflict",
    NotClaimed: "conflict",
    StateForbids: "conflict",
    SeenIsStale: "conflict",
    InvalidAct: "invalid-request",
    approvals.UnknownApproval: "not-found",
    approvals.NotDecidable: "conflict",
    InvalidReason: "invalid-request",
}
_refusing = partial(refusing, _REFUSALS)


class AtDesk(NamedTuple):
    """Who asks, of which tenant, and the desk that serves them."""

    desk: Desk
    tenant: str
    who: Who

    def key(self, conversation: str) -> ConversationKey:
        """Return the key of one of the tenant's conversations."""
        return ConversationKey(self.tenant, conversation)


_HAS_SCOPE = require("desk")


async def at_desk(request: Request) -> AtDesk:
    """Return the person whom the request's key names; a dependency. Raises Refused without the scope, or a person."""
    principal: Principal = await _HAS_SCOPE(request)
    if principal.person is None:
        raise Refused(
            "forbidden", "this key names no person; make one with `fte keys create --person NAME --scope desk`"
        )
    parts = parts_of(request)
    sealer: Sealer = request.app.state.desk_sealer
    who = Who(principal.person, address=getattr(request.state, "address", None) or None)
    return AtDesk(Desk(parts.database, parts.scripts, sealer, parts.tenants), principal.tenant, who)


Here = Annotated[AtDesk, Depends(at_desk)]
Conversation = Annotated[str, Path(pattern=CONVERSATION_PATTERN, description="the conversation's id")]
TicketId = Annotated[str, Path(pattern=r"^[!-~]{1,32}$", description="the ticket's id")]
ApprovalId = Annotated[str, Path(pattern=r"^ap_[0-9a-f]{24}$", description="the approval's id")]
Person = Annotated[str, Path(min_length=1, max_length=100, description="the person's name")]

_inbox = APIRouter()
_acts = APIRouter(prefix="/conversations/{conversation}")
_people = APIRouter()


def desk_router(settings: SealingSettings | None = None) -> APIRouter:
    """Return the routes; without settings, for the contract alone, they cannot be served."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings is not None:
            app.state.desk_sealer = open_sealer(settings)
        yield

    router = APIRouter(prefix="/v1/desk", tags=["desk"], lifespan=lifespan)
    for part in (_inbox, _acts, _people):
        router.include_router(part)
    return router


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    view: View = "all"
    category: str | None = Field(default=None, pattern=r"^[a-z_]{1,40}$")
    priority: str | None = Field(default=None, pattern=r"^[a-z]{1,20}$")
    channel: str | None = Field(default=None, pattern=r"^[a-z]{1,20}$")
    after: str | None = Field(default=None, pattern=r"^[!-~]{1,200}$", description="the `next_after` of a page")
    limit: int = Field(default=50, ge=1, le=PAGE_MAX)


@_inbox.get("/inbox", summary="What waits for a person")
async def list_waiting(here: Here, wanted: Annotated[_Wanted, Query()]) -> bodies.InboxPage:
    """List conversations, the soonest due first: what is overdue leads."""
    filters = Filters(wanted.category, wanted.priority, wanted.channel)
    with _refusing():
        page = await list_inbox(
            here.desk,
            here.tenant,
            here.who,
            wanted.view,
            filters=filters,
            after=_place(wanted.after),
            limit=wanted.limit,
        )
    next_after = None if page.next_after is None else f"{page.next_after[0].isoformat()},{page.next_after[1]}"
    entries = [
        bodies.InboxEntry.model_validate({**row, "conversation": row["conversation_id"], "state": row["desk_state"]})
        for row in page.rows
    ]
    return bodies.InboxPage(entries=entries, next_after=next_after)


@_inbox.post("/tickets/{ticket}/open", summary="A ticket with its private values")
async def open_one(here: Here, ticket: TicketId, body: bodies.Opening, response: Response) -> bodies.OpenedTicketBody:
    """Open a ticket's placeholders; who did, and why, is recorded before anything is shown."""
    with _refusing():
        opened = await open_ticket(here.desk, here.who, here.tenant, ticket, reason=body.reason)
    response.headers["Cache-Control"] = "no-store"
    shown = parse_json(opened.escalation.model_dump_json())
    return bodies.OpenedTicketBody(ticket=shown, values=opened.values)


@_inbox.get("/approvals", summary="Changes that wait for a person's yes")
async def list_approvals(here: Here) -> list[bodies.Approval]:
    """List what waits for a yes, the soonest to expire first."""
    with _refusing():
        found = await approvals.list_approvals(here.desk, here.tenant, here.who)
    return [bodies.Approval.model_validate(asdict(each)) for each in found]


@_inbox.post("/approvals/{approval}/approve", summary="Approve a change")
async def approve(here: Here, approval: ApprovalId, body: bodies.Why) -> bodies.DecidedApproval:
    """Approve a change; it is made in its conversation if the offer is still the same."""
    return await _decide(here, approval, "approved", body.reason)


@_inbox.post("/approvals/{approval}/reject", summary="Reject a change")
async def reject(here: Here, approval: ApprovalId, body: bodies.Opening) -> bodies.DecidedApproval:
    """Reject a change; the customer reads the reason."""
    return await _decide(here, approval, "rejected", body.reason)


async def _decide(
    here: AtDesk, approval: str, decision: Literal["approved", "rejected"], reason: str | None
) -> bodies.DecidedApproval:
    with _refusing():
        decided = await approvals.decide_on(here.desk, here.who, here.tenant, approval, decision, reason=reason)
    return bodies.DecidedApproval(approval_id=approval, conversation=decided["conversation_id"], state=decided["state"])


@_acts.get("", summary="A conversation as people work on it")
async def read_one(here: Here, conversation: Conversation, response: Response) -> bodies.ConversationAtDesk:
    """Return how a conversation stands, what was said (masked), and what was done about it."""
    with _refusing():
        found = await look_at(here.desk, here.who, here.key(conversation))
    response.headers["Cache-Control"] = "no-store"
    return bodies.ConversationAtDesk(
        standing=_standing(conversation, found.state),
        lines=[bodies.ShownLine.model_validate(asdict(line)) for line in found.transcript.lines],
        history=[bodies.HistoryEntry.model_validate({**act, "by": act["by_person"]}) for act in found.history],
    )


@_acts.post("/claim", summary="Claim a conversation")
async def claim(here: Here, conversation: Conversation) -> bodies.DeskStanding:
    """Claim a conversation that waits; 409 names who has it. Again, it renews the claim."""
    with _refusing():
        return _done(conversation, await acts.claim(here.desk, here.who, here.key(conversation)))


@_acts.post("/take-over", summary="Take a conversation over")
async def take_over(here: Here, conversation: Conversation, body: bodies.Why) -> bodies.DeskStanding:
    """Take a conversation from the bot, or, as a supervisor, from whoever has it."""
    with _refusing():
        return _done(
            conversation, await acts.take_over(here.desk, here.who, here.key(conversation), reason=body.reason)
        )


@_acts.post("/renew", summary="Renew a claim")
async def renew(here: Here, conversation: Conversation) -> bodies.DeskStanding:
    """Renew one's claim before it lapses."""
    with _refusing():
        return _done(conversation, await acts.renew(here.desk, here.who, here.key(conversation)))


@_acts.post("/reply", status_code=202, summary="Answer the customer")
async def send_reply(here: Here, conversation: Conversation, body: bodies.NewReply) -> bodies.ReplyReceipt:
    """Send a reply; 409 with what is new when the customer wrote meanwhile, or somebody did something."""
    seen = LastSeen(body.desk_version, body.seen_position)
    with _refusing():
        sent = await reply(
            here.desk, here.who, here.key(conversation), body.text, seen=seen, request_id=body.request_id
        )
    return bodies.ReplyReceipt(
        reply_id=sent.reply_id,
        sequence=sent.sequence,
        is_new=sent.is_new,
        standing=_standing(conversation, sent.state),
    )


@_acts.post("/note", summary="Add a note")
async def add_note(here: Here, conversation: Conversation, body: bodies.NewNote) -> bodies.DeskStanding:
    """Add a note that only people read."""
    with _refusing():
        done = await acts.note(here.desk, here.who, here.key(conversation), body.text, request_id=body.request_id)
    return _done(conversation, done)


@_acts.post("/reassign", summary="Give a conversation to somebody else")
async def reassign(here: Here, conversation: Conversation, body: bodies.Reassignment) -> bodies.DeskStanding:
    """Give a conversation to another person, or back to the queue."""
    with _refusing():
        return _done(
            conversation,
            await acts.reassign(here.desk, here.who, here.key(conversation), to=body.to, reason=body.reason),
        )


@_acts.post("/snooze", summary="Put a conversation aside")
async def snooze(here: Here, conversation: Conversation, body: bodies.Snooze) -> bodies.DeskStanding:
    """Put a conversation aside until a time; the customer's next message brings it back."""
    until = body.until.astimezone(UTC)
    with _refusing():
        done = await acts.snooze(
            here.desk, here.who, here.key(conversation), until=until, reason=body.reason, now=datetime.now(UTC)
        )
    return _done(conversation, done)


@_acts.post("/resolve", summary="Call a conversation resolved")
async def resolve(here: Here, conversation: Conversation, body: bodies.Why) -> bodies.DeskStanding:
    """Close a conversation's tickets and its episode; the bot answers what comes next."""
    with _refusing():
        return _done(conversation, await acts.resolve(here.desk, here.who, here.key(conversation), reason=body.reason))


@_acts.post("/hand-back", summary="Hand a conversation back to the bot")
async def hand_back(here: Here, conversation: Conversation, body: bodies.HandBack) -> bodies.DeskStanding:
    """Hand a conversation back; the bot answers from the next message on, and knows the line."""
    with _refusing():
        return _done(conversation, await acts.hand_back(here.desk, here.who, here.key(conversation), line=body.line))


@_acts.post("/reopen", summary="Reopen a resolved conversation")
async def reopen(here: Here, conversation: Conversation, body: bodies.Why) -> bodies.DeskStanding:
    """Make a resolved conversation wait for a person again."""
    with _refusing():
        return _done(conversation, await acts.reopen(here.desk, here.who, here.key(conversation), reason=body.reason))


@_people.get("/people", summary="Who works at the desk")
async def list_people(here: Here) -> list[bodies.Member]:
    """List the people of the desk, by name."""
    with _refusing():
        rows = await people.list_people(here.desk.database, here.tenant, here.who)
    return [bodies.Member.model_validate(row) for row in rows]


@_people.put("/people/{person}", status_code=204, summary="Set a person's role")
async def set_person(here: Here, person: Person, body: bodies.Position) -> None:
    """List a person under a role, or change it."""
    with _refusing():
        await people.set_person(here.desk.database, here.tenant, here.who, person=person, role=body.role)


@_people.delete("/people/{person}", status_code=204, summary="Take a person off the desk")
async def remove_person(here: Here, person: Person) -> None:
    """Take a person off the desk: from now on nothing is allowed to them."""
    with _refusing():
        await people.remove_person(here.desk.database, here.tenant, here.who, person=person)


def _standing(conversation: str, state: DeskState, **more: Any) -> bodies.DeskStanding:
    names = bodies.DeskStanding.model_fields.keys() - {"conversation", "changed", "withdrawn"}
    return bodies.DeskStanding(conversation=conversation, **{name: getattr(state, name) for name in names}, **more)


def _done(conversation: str, done: acts.ActDone) -> bodies.DeskStanding:
    return _standing(conversation, done.state, changed=done.changed, withdrawn=list(done.withdrawn))


def _place(after: str | None) -> tuple[datetime, str] | None:
    if after is None:
        return None
    due, _, conversation = after.partition(",")
    try:
        at = datetime.fromisoformat(due)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refused("invalid-request", "after: give the next_after of the page before, as it is")
    return at, conversation
