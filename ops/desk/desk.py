"""Do one act of the desk in a conversation: who may, whether the conversation's state allows it, and what is recorded.

Every operation of the desk goes through `Desk.act`. PostgreSQL decides it in one function (`move_conversation`), under
the conversation's row lock: of two people who do the same at once one succeeds, and the other is told who was quicker.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ops.audit.acts import Act, record_act
from ops.desk.news import new_acts, new_messages
from ops.desk.roles import DeskPerson, authorise
from ops.desk.takeover import UnknownConversation
from runtime.tenants import Tenants
from schema.errors import FteError
from worker.outbound.announcing import announce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.desk.roles import Operation, Who
    from runtime.database import Database, Transaction
    from runtime.redis import Scripts
    from runtime.sealing import ConversationSealer, Sealer
    from schema.ids import ConversationKey
    from schema.messages.event import EventName

RECORDED_AS: Final[dict[str, str]] = {
    "claim": "conversation.claimed",
    "take_over": "conversation.taken_over",
    "reply": "conversation.replied",
    "note": "conversation.noted",
    "reassign": "conversation.reassigned",
    "snooze": "conversation.snoozed",
    "resolve": "conversation.resolved",
    "hand_back": "conversation.handed_back",
    "reopen": "conversation.reopened",
    "open_ticket": "ticket.opened",
}
"""How the audit log calls each act."""

TOLD_AS: Final[dict[str, EventName]] = {
    "claim": "conversation.claimed",
    "take_over": "conversation.taken_over",
    "note": "conversation.noted",
    "reassign": "conversation.reassigned",
    "snooze": "conversation.snoozed",
    "resolve": "conversation.resolved",
    "reopen": "conversation.reopened",
}
"""The events of acts that change no owner, for tenants that have every act told. A reply is told by itself."""

REASON_CHARACTERS_MAX: Final = 500
NOTE_CHARACTERS_MAX: Final = 4_000


@dataclass(frozen=True)
class DeskState:
    """How a conversation stands at the desk."""

    state: str
    """bot · waiting (for a person) · human (claimed) · resolved."""
    owner: str
    claimed_by: str | None
    claimed_until: datetime | None
    desk_version: int
    """Of the newest act: given back with a reply, it says what its writer has seen."""
    version: int
    last_position: int
    last_ordinal: int
    last_sequence: int
    answer_by: datetime | None
    snoozed_until: datetime | None
    sender_key: str | None


class HeldByAnother(FteError):
    """A conversation that somebody else has claimed: who, and until when."""

    def __init__(self, key: ConversationKey, holder: str, until: datetime | None) -> None:
        end = f" until {until:%Y-%m-%d %H:%M:%S} UTC at least" if until is not None else ""
        super().__init__(f"{holder} has conversation {key.conversation}{end}; ask them, or a supervisor to reassign it")
        self.key = key
        self.holder = holder
        self.until = until


class NotClaimed(FteError):
    """An act that only who has the conversation may do, and nobody has it."""

    def __init__(self, key: ConversationKey, state: str) -> None:
        super().__init__(f"conversation {key.conversation} is claimed by nobody (state {state}); claim it first")
        self.key = key
        self.state = state


class StateForbids(FteError):
    """An act that the conversation's state does not allow."""

    def __init__(self, key: ConversationKey, state: str, act: str) -> None:
        way = {"claim": "take it over", "reassign": "take it over"}.get(act, "look at it again")
        super().__init__(f"conversation {key.conversation} is in state {state}, which allows no {act}; {way}")
        self.key = key
        self.state = state


class SeenIsStale(FteError):
    """An act on what is no longer so: somebody else did something meanwhile, or the customer wrote.

    `news` says what is new: acts, or messages as whoever has the conversation may read them (masked).
    """

    def __init__(self, key: ConversationKey, what: str, state: DeskState, news: list[dict[str, Any]]) -> None:
        super().__init__(
            f"conversation {key.conversation}: {what} meanwhile; look at it (version {state.desk_version}, newest "
            f"message {state.last_position}) and send again"
        )
        self.key = key
        self.state = state
        self.news = news


@dataclass
class DeskAct:
    """An act under way: its transaction, who does it, and the conversation as the act leaves it."""

    transaction: Transaction
    actor: DeskPerson
    key: ConversationKey
    name: str
    state: DeskState
    outcome: str
    """done · kept: theirs already · repeated: the same request was done before."""
    now: datetime
    from_state: str = ""
    from_owner: str = ""
    from_person: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    object: str | None = None
    """What the act is about, for the audit log; None: the conversation."""
    is_told: bool = False
    """Whether an event tells of it already."""

    @property
    def names(self) -> dict[str, str]:
        """Return the parameters by which statements find the conversation."""
        return {"tenant": self.key.tenant, "conversation": self.key.conversation}

    @property
    def is_done(self) -> bool:
        """Return whether something changed."""
        return self.outcome == "done"


@dataclass(frozen=True)
class ActRequest:
    """What a person asks for, beyond who and where; what an act does not need stays empty."""

    to_person: str | None = None
    desk_version: int | None = None
    position: int | None = None
    until: datetime | None = None
    reason: str | None = None
    note: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class Desk:
    """The desk of one process: its connections, and the tenants' settings."""

    database: Database
    scripts: Scripts
    sealer: Sealer
    tenants: Tenants

    @asynccontextmanager
    async def authorised(
        self, tenant: str, who: Who, operation: Operation
    ) -> AsyncIterator[tuple[Transaction, DeskPerson]]:
        """Open a transaction for a person who may do an operation. Raises NotAtDesk, NotAllowed."""
        async with self.database.transaction(tenant) as transaction:
            yield transaction, await authorise(transaction, tenant, who, operation)

    @asynccontextmanager
    async def act(
        self, who: Who, key: ConversationKey, operation: Operation, asked: ActRequest
    ) -> AsyncIterator[DeskAct]:
        """Do an act, and give the caller its transaction for what belongs to it.

        Raises NotAtDesk, NotAllowed; UnknownConversation, HeldByAnother, NotClaimed, StateForbids, SeenIsStale.
        """
        settings = (await self.tenants.view(key.tenant)).settings.desk
        async with self.authorised(key.tenant, who, operation) as (transaction, actor):
            reason, note = await self._sealed_words(transaction, key, asked)
            [row] = await transaction.run(
                "move_conversation",
                tenant=key.tenant,
                conversation=key.conversation,
                act=operation,
                person=actor.name,
                to_person=asked.to_person,
                may_force=actor.may("override"),
                desk_version=asked.desk_version,
                position=asked.position,
                until=asked.until,
                lease_seconds=settings.lease_minutes * 60,
                reason=reason,
                note=note,
                request_id=asked.request_id,
            )
            moved = row["moved"]
            if moved["outcome"] not in {"done", "kept", "repeated"}:
                raise await self._refusal(transaction, key, asked, {**moved, "act": operation})
            act = DeskAct(
                transaction=transaction,
                actor=actor,
                key=key,
                name=operation,
                state=state_of(moved),
                outcome=moved["outcome"],
                now=datetime.now(UTC),
                from_state=moved.get("from_state", ""),
                from_owner=moved.get("from_owner", ""),
                from_person=moved.get("from_person"),
            )
            yield act
            if act.is_done:
                if settings.tells_every_act and not act.is_told and act.name in TOLD_AS:
                    await self._tell(act)
                await record_act(transaction, key.tenant, actor.on_record(), _recorded(act, asked))

    async def _tell(self, act: DeskAct) -> None:
        attributes = {"act": act.name, "by": act.actor.name}
        if act.state.claimed_by is not None:
            attributes["person"] = act.state.claimed_by
        name = TOLD_AS[act.name]
        await announce(act.transaction, self.sealer, act.key, name, now=act.now, attributes=attributes)

    async def _sealed_words(
        self, transaction: Transaction, key: ConversationKey, asked: ActRequest
    ) -> tuple[str | None, str | None]:
        """Return reason and note as they are stored."""
        reason = shorten(asked.reason)
        if reason is None and asked.note is None:
            return None, None
        own = await self.sealer_of(transaction, key)
        return reason and own.seal_text(reason), None if asked.note is None else own.seal(asked.note)

    async def sealer_of(self, transaction: Transaction, key: ConversationKey) -> ConversationSealer:
        """Return what seals for a conversation: with its own key where it has one."""
        rows = await transaction.run("find_conversation_key", **key._asdict())
        return self.sealer.with_kept_key(rows[0]["sealed_key"] if rows else None)

    async def _refusal(
        self, transaction: Transaction, key: ConversationKey, asked: ActRequest, moved: dict[str, Any]
    ) -> FteError:
        outcome = moved["outcome"]
        if outcome == "unknown":
            return UnknownConversation(key)
        state = state_of(moved)
        if outcome == "held" and state.claimed_by is not None:
            return HeldByAnother(key, state.claimed_by, state.claimed_until)
        if outcome == "unheld":
            return NotClaimed(key, state.state)
        if outcome == "stale":
            news = await new_acts(transaction, key, asked.desk_version or 0)
            return SeenIsStale(key, "somebody did something", state, news)
        if outcome == "overtaken":
            news = await new_messages(transaction, self.sealer, key, asked.position or 0)
            return SeenIsStale(key, "the customer wrote", state, news)
        return StateForbids(key, state.state, str(moved["act"]).replace("_", " "))


def _recorded(act: DeskAct, asked: ActRequest) -> Act:
    """Return how the audit log has an act."""
    return Act(
        RECORDED_AS[act.name],
        act.object or act.key.conversation,
        act.key.conversation,
        shorten(asked.reason),
        before={"state": act.from_state, "owner": act.from_owner, "person": act.from_person},
        after={"state": act.state.state, "owner": act.state.owner, "person": act.state.claimed_by},
    )


def state_of(row: dict[str, Any]) -> DeskState:
    """Read what `desk_of` gives."""
    return DeskState(
        state=row["state"],
        owner=row["owner"],
        claimed_by=row["claimed_by"],
        claimed_until=_moment(row["claimed_until"]),
        desk_version=row["desk_version"],
        version=row["version"],
        last_position=row["last_position"],
        last_ordinal=row["last_ordinal"],
        last_sequence=row["last_sequence"],
        answer_by=_moment(row["answer_by"]),
        snoozed_until=_moment(row["snoozed_until"]),
        sender_key=row["sender_key"],
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def shorten(reason: str | None) -> str | None:
    """Return a reason as it goes on record; None where nothing is said."""
    said = (reason or "").strip()
    return said[:REASON_CHARACTERS_MAX] or None
