"""List dead letters, open one on record, drop them. `ops.desk.redrive` submits them again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from ops.audit.acts import Act, By, actor_of, record_act
from schema.errors import FteError, Unsealable
from schema.ids import ConversationKey
from schema.messages.envelope import Envelope
from schema.messages.inbound import Inbound
from schema.messages.wire import VERSION, newer_version_in
from worker.conversation.vault import Vault
from worker.guardrails.pii import mask_text, normalise
from worker.outbound.announcing import announce

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from runtime.database import Database, Row, Transaction
    from runtime.sealing import Sealer
    from schema.messages.event import EventName

LetterState = Literal["kept", "redriven", "dropped"]

BECAUSE_CHARACTERS_MAX = 500
PAGE_LETTERS = 200


class UnknownLetter(FteError):
    """A dead letter that its tenant does not have."""

    def __init__(self, tenant: str, letter_id: int) -> None:
        super().__init__(f"no dead letter {letter_id} of tenant {tenant}; see --tenant, and `fte dead list --all`")
        self.tenant = tenant
        self.letter_id = letter_id


class UnreadableLetter(FteError):
    """A dead letter without a message that can be submitted again."""


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter, with its words sealed."""

    dead_letter_id: int
    tenant: str
    conversation: str
    message_id: str | None
    """None: a mailbox entry that the inbox does not know."""
    reason: str
    attempts: int
    state: LetterState
    created_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    settled_because: str | None
    redriven_as: str | None
    """The new message's id."""

    @property
    def key(self) -> ConversationKey:
        """Return the conversation in which the message died."""
        return ConversationKey(self.tenant, self.conversation)


@dataclass(frozen=True)
class Selection:
    """A selection of a tenant's dead letters; a field that is None does not narrow it."""

    tenant: str
    ids: tuple[int, ...] | None = None
    conversation: str | None = None
    reason: str | None = None
    """A part of the reason, in upper or lower case."""
    since: datetime | None = None
    states: tuple[LetterState, ...] = ("kept",)


@dataclass(frozen=True)
class Operator:
    """Who acts on a dead letter, when, and why. Raises ValueError for texts that cannot go on record."""

    by: By
    now: datetime
    because: str | None = None

    def __post_init__(self) -> None:
        """Check the texts that go on record."""
        actor_of(self.by)
        if self.because is not None and len(self.because) > BECAUSE_CHARACTERS_MAX:
            raise ValueError(f"a reason has at most {BECAUSE_CHARACTERS_MAX} characters, not {len(self.because)}")

    @property
    def name(self) -> str:
        """Return the name that goes on record."""
        return actor_of(self.by).name


@dataclass(frozen=True)
class OpenedLetter:
    """A dead letter with its words readable, card and social security numbers still masked. Not to be stored."""

    letter: DeadLetter
    channel: str | None
    sender: str | None
    text: str = field(repr=False)


async def select_letters(database: Database, selection: Selection) -> AsyncIterator[DeadLetter]:
    """Yield the letters of a selection, in the order in which they died. Raises UnknownLetter for a missing id."""
    missing = set(selection.ids or ())
    after_id = 0
    while True:
        rows = await database.read(
            selection.tenant,
            "list_letters",
            tenant=selection.tenant,
            conversation=selection.conversation,
            reason=selection.reason,
            since=selection.since,
            ids=None if selection.ids is None else list(selection.ids),
            states=["kept", "redriven", "dropped"] if selection.ids else list(selection.states),
            after_id=after_id,
            letters_max=PAGE_LETTERS,
        )
        for row in rows:
            missing.discard(row["dead_letter_id"])
            yield letter_of(row)
        if len(rows) < PAGE_LETTERS:
            break
        after_id = rows[-1]["dead_letter_id"]
    if missing:
        raise UnknownLetter(selection.tenant, min(missing))


async def open_letter(
    database: Database, sealer: Sealer, tenant: str, letter_id: int, operator: Operator
) -> OpenedLetter:
    """Open a dead letter and record the reader: the event `letter.opened`, written before anything is shown.

    The caller has checked the operator's rights; the product itself asks only for the vault's key. Card and
    social security numbers stay masked, here as everywhere. Raises UnknownLetter, Unsealable without the key,
    UnreadableLetter when it was dropped.
    """
    async with database.transaction(tenant) as transaction:
        row = await lock_letter(transaction, tenant, letter_id)
        if row["payload"] is None:
            raise UnreadableLetter(f"dead letter {letter_id} was dropped: its words are gone")
        words = sealer.open(row["payload"])
        letter = letter_of(row)
        await record(transaction, sealer, letter, "letter.opened", operator)
    try:
        inbound = inbound_in(letter, words, sealer)
    except UnreadableLetter:
        return OpenedLetter(letter, None, None, _shown(words))
    text = "\n\n".join(part for part in (inbound.subject, inbound.text) if part)
    return OpenedLetter(letter, inbound.channel, inbound.sender, _shown(text))


async def drop_letter(
    database: Database, sealer: Sealer, tenant: str, letter_id: int, operator: Operator
) -> DeadLetter | None:
    """Erase a dead letter's words, in the inbox too, and record the operator: the event `letter.dropped`.

    None when it was dropped already. Raises UnknownLetter.
    """
    async with database.transaction(tenant) as transaction:
        letter = letter_of(await lock_letter(transaction, tenant, letter_id))
        if letter.state == "dropped":
            return None
        await settle(transaction, letter, "dropped", operator)
        if letter.message_id is not None:
            await transaction.run("erase_message", tenant=tenant, message_id=letter.message_id)
        await record(transaction, sealer, letter, "letter.dropped", operator)
    return letter


async def lock_letter(transaction: Transaction, tenant: str, letter_id: int) -> Row:
    """Read one dead letter's row and lock it until the transaction ends. Raises UnknownLetter."""
    rows = await transaction.run("lock_letter", tenant=tenant, letter_id=letter_id)
    if not rows:
        raise UnknownLetter(tenant, letter_id)
    return rows[0]


async def settle(
    transaction: Transaction,
    letter: DeadLetter,
    state: LetterState,
    operator: Operator,
    *,
    redriven_as: str | None = None,
) -> None:
    """Write the new state of a letter."""
    await transaction.run(
        "settle_letter",
        tenant=letter.tenant,
        letter_id=letter.dead_letter_id,
        state=state,
        operator=operator.name,
        because=operator.because,
        now=operator.now,
        redriven_as=redriven_as,
    )


async def record(
    transaction: Transaction,
    sealer: Sealer,
    letter: DeadLetter,
    name: EventName,
    operator: Operator,
    **attributes: str,
) -> None:
    """Record an operator's act as an event, by the same transaction, as for opened tickets."""
    # An entry that the inbox does not know may have died in a conversation without a row of its own.
    await transaction.run("add_conversation", **letter.key._asdict())
    await transaction.run("advance_version", **letter.key._asdict())
    told = {"dead_letter_id": str(letter.dead_letter_id), "operator": operator.name, **attributes}
    if letter.message_id is not None:
        told["message_id"] = letter.message_id
    if operator.because:
        told["because"] = operator.because
    await announce(transaction, sealer, letter.key, name, now=operator.now, attributes=told)
    act = Act(name, str(letter.dead_letter_id), letter.conversation, operator.because, before=letter.state)
    await record_act(transaction, letter.tenant, operator.by, act)


def letter_of(row: Row) -> DeadLetter:
    """Convert a row of `list_letters` or `lock_letter`."""
    known: dict[str, Any] = {name: value for name, value in row.items() if name != "payload"}
    return DeadLetter(tenant=known.pop("tenant_id"), conversation=known.pop("conversation_id"), **known)


def inbound_in(letter: DeadLetter, words: str, sealer: Sealer) -> Inbound:
    """Parse the customer's message in a letter's opened payload: a message, or a whole mailbox entry.

    Raises UnreadableLetter, whose text holds nothing of the content.
    """
    about = f"dead letter {letter.dead_letter_id}"
    try:
        if letter.message_id is None:
            words = sealer.open(Envelope.model_validate_json(words).payload)
        inbound = Inbound.model_validate_json(words, extra="ignore")
    except ValidationError as error:
        version = newer_version_in(error)
        if version is not None:
            which = f"a message of version {version}, and this release reads up to {VERSION}"
            raise UnreadableLetter(f"{about} holds {which}: use the release that wrote it") from None
        raise UnreadableLetter(f"{about} holds no message that can be read ({letter.reason})") from None
    except Unsealable:
        raise UnreadableLetter(f"{about} holds no message that can be read ({letter.reason})") from None
    if (inbound.tenant, inbound.conversation) != letter.key:
        raise UnreadableLetter(f"{about} holds a message of another conversation, {inbound.conversation}")
    return inbound


def _shown(words: str) -> str:
    vault = Vault()
    return vault.render(mask_text(normalise(words), vault).text)
