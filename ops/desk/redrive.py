"""Submit dead letters again: as new messages at the end of their conversations, in their old order, each once."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ops.desk.dead_letters import UnreadableLetter, inbound_in, letter_of, lock_letter, record, settle
from producer.sending.doorbell import Doorbell
from producer.sending.forwarding import Forwarding
from runtime.redis import Scripts, make_redis
from schema.errors import Unsealable
from schema.ids import redriven_id_of
from schema.messages.envelope import Envelope
from schema.messages.inbound import encode_inbound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.desk.dead_letters import DeadLetter, Operator
    from runtime.database import Database, Row, Transaction
    from runtime.sealing import Sealer
    from schema.ids import ConversationKey
    from schema.messages.inbound import Inbound
    from schema.settings.sending import SendingSettings

Status = Literal[
    "redriven",
    "would be redriven",
    "redriven before",
    "known",
    "unreadable",
    "full",
    "held up",
    "dropped",
    "would be dropped",
    "dropped before",
]
"""known: the inbox has this message under its own id · full: its conversation has too many unanswered messages · held
up: an earlier letter of its conversation was not redriven."""

GOOD: frozenset[Status] = frozenset({"redriven", "would be redriven", "redriven before"})


@dataclass(frozen=True)
class RedriveOutcome:
    """What became of one letter: as which message it was submitted, or why it was not."""

    letter: DeadLetter
    status: Status
    message_id: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class Redrive:
    """Submits letters again, one transaction each: its new message, its state and the record of who did it.

    A run that is broken off or repeated therefore submits nothing twice. When the process dies after a commit and
    before the mailbox has the message, rescue puts it there, as for any accepted message.
    """

    settings: SendingSettings
    database: Database
    sealer: Sealer
    operator: Operator
    dry_run: bool = False

    async def run(self, letters: Iterable[DeadLetter]) -> list[RedriveOutcome]:
        """Redrive letters in the order in which they died. Within a conversation none overtakes one that failed."""
        outcomes: list[RedriveOutcome] = []
        envelopes: list[tuple[ConversationKey, Envelope]] = []
        stopped: set[ConversationKey] = set()
        for letter in sorted(letters, key=lambda letter: letter.dead_letter_id):
            if letter.key in stopped:
                outcomes.append(
                    RedriveOutcome(letter, "held up", detail="an earlier letter of its conversation was not")
                )
                continue
            outcome, envelope = await self._redrive(letter)
            outcomes.append(outcome)
            if outcome.status == "full":
                stopped.add(letter.key)
            if envelope is not None:
                envelopes.append((letter.key, envelope))
        await self._forward(envelopes)
        return outcomes

    async def _redrive(self, letter: DeadLetter) -> tuple[RedriveOutcome, Envelope | None]:
        async with self.database.transaction(letter.tenant) as transaction:
            row = await lock_letter(transaction, letter.tenant, letter.dead_letter_id)
            letter = letter_of(row)
            if letter.state == "redriven":
                return RedriveOutcome(letter, "redriven before", letter.redriven_as), None
            if letter.state == "dropped":
                return RedriveOutcome(letter, "dropped before", detail="its words are gone"), None
            try:
                old = inbound_in(letter, self.sealer.open(row["payload"]), self.sealer)
            except (UnreadableLetter, Unsealable) as error:
                return RedriveOutcome(letter, "unreadable", detail=str(error)), None
            # A message that the inbox never knew keeps its own id: a gateway that sends it again is answered once.
            new_id = old.message_id if letter.message_id is None else redriven_id_of(letter.key, letter.message_id)
            if self.dry_run:
                return RedriveOutcome(letter, "would be redriven", new_id), None
            return await self._hand_in(transaction, letter, old.model_copy(update={"message_id": new_id}))

    async def _hand_in(
        self, transaction: Transaction, letter: DeadLetter, inbound: Inbound
    ) -> tuple[RedriveOutcome, Envelope | None]:
        payload = self.sealer.seal(encode_inbound(inbound))
        answer = await self._accept(transaction, letter, inbound, payload)
        if answer["status"] == "full":
            waiting = f"its conversation has {answer['waiting']} unanswered messages (FTE_MAILBOX_MESSAGES_MAX)"
            return RedriveOutcome(letter, "full", detail=waiting), None
        if answer["status"] != "accepted":
            return RedriveOutcome(
                letter, "known", inbound.message_id, "the inbox has this message already; drop the letter"
            ), None
        await settle(transaction, letter, "redriven", self.operator, redriven_as=inbound.message_id)
        await record(transaction, self.sealer, letter, "letter.redriven", self.operator, redriven_as=inbound.message_id)
        envelope = Envelope(position=answer["at_position"], message_id=inbound.message_id, payload=payload)
        return RedriveOutcome(letter, "redriven", inbound.message_id), envelope

    async def _accept(self, transaction: Transaction, letter: DeadLetter, inbound: Inbound, payload: str) -> Row:
        rows = await transaction.run(
            "accept_message",
            tenant=letter.tenant,
            conversation=letter.conversation,
            message_id=inbound.message_id,
            channel=inbound.channel,
            payload=payload,
            sender_key=None,  # the turn that answers it fills it in
            waiting_max=self.settings.mailbox_messages_max,
        )
        return rows[0]

    async def _forward(self, envelopes: list[tuple[ConversationKey, Envelope]]) -> None:
        """Append accepted messages to their mailboxes; a failure here fails no letter, for rescue makes up for it."""
        if not envelopes:
            return
        client = make_redis(self.settings)
        doorbell = Doorbell(self.settings.redis_url or "")
        with ExitStack() as closing:
            closing.callback(doorbell.close)
            try:
                await Forwarding(Scripts(client), doorbell, self.settings).forward(envelopes)
            finally:
                await client.aclose()
