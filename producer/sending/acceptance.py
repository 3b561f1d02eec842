"""Accept messages in PostgreSQL: many in one round trip, retried where that is safe."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from tenacity import AsyncRetrying, retry_if_exception, wait_exponential_jitter

from runtime.database import Database, Row
from runtime.outage import POSTGRESQL_AWAY, Outage
from runtime.server_addresses import first_line
from schema.errors import FteError, MailboxFull, ServerUnreachable, UnknownTenant
from schema.ids import ConversationKey
from schema.messages.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schema.messages.inbound import Inbound

RETRY_SECONDS = 0.05
"""The first wait before another try; doubles, with jitter."""

RETRY_SECONDS_MAX = 1.0

SEVERAL_LOCK_WAIT = "250ms"
"""How long a transaction for several conversations waits for one of them; one alone waits as long as any statement."""

FULL_RETRY_SECONDS = 30
"""When to try again after a full mailbox; a guess: how long its messages take depends on the model."""

# Errors that certainly rolled the transaction back, because of another transaction.
_CONFLICTS = (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure, errors.QueryCanceled)


@dataclass(slots=True)
class SealedMessage:
    """A sealed message ready to be accepted, and PostgreSQL's answer to it."""

    inbound: Inbound
    payload: str
    sender_key: str
    key: ConversationKey = field(init=False)
    uncertain: bool = False
    """An earlier try of this call may have accepted it, but the connection was lost before the answer."""
    answer: Row | ServerUnreachable | None = None
    """status, at_conversation, at_position, waiting; or the error in place of an answer."""

    def __post_init__(self) -> None:
        self.key = ConversationKey(self.inbound.tenant, self.inbound.conversation)


class Acceptance:
    """Writes messages to the inbox; owns no connection."""

    def __init__(self, database: Database, *, waiting_max: int, seconds_max: float) -> None:
        self._database = database
        self._waiting_max = waiting_max
        self._seconds_max = seconds_max
        self._outage = Outage("postgresql", database.address)

    async def accept(self, messages: Sequence[SealedMessage]) -> list[Receipt | FteError]:
        """Accept messages and return a receipt or an error for each, usually in one round trip and transaction a tenant.

        Within a conversation messages are accepted in the order given. Conversations are taken in the order of their
        keys, so that two senders with the same conversations wait for each other instead of deadlocking.
        """
        if not messages:
            return []
        conversations: dict[ConversationKey, list[SealedMessage]] = {}
        for message in sorted(messages, key=lambda message: message.key):
            conversations.setdefault(message.key, []).append(message)
        tenants: dict[str, list[list[SealedMessage]]] = {}
        for key, ones in conversations.items():
            tenants.setdefault(key.tenant, []).append(ones)
        await asyncio.gather(*(self._accept_of_tenant(ones) for ones in tenants.values()))
        return [_conclude(message, self._waiting_max) for message in messages]

    async def _accept_of_tenant(self, conversations: list[list[SealedMessage]]) -> None:
        try:
            await self._accept_together(*conversations)
        except _CONFLICTS:  # another transaction holds one of these conversations; the others must not wait for it
            await asyncio.gather(*(self._accept_together(one) for one in conversations))

    async def _accept_together(self, *conversations: list[SealedMessage]) -> None:
        """Accept all messages or none, trying again until the time is up; several conversations raise a conflict."""
        messages = [message for conversation in conversations for message in conversation]
        several = len(conversations) > 1
        last: Exception | None = None
        try:
            async with asyncio.timeout(self._seconds_max):
                async for attempt in _retrying(conflicts_too=not several):
                    with attempt:
                        try:
                            await self._try_once(messages, lock_wait=SEVERAL_LOCK_WAIT if several else None)
                        except POSTGRESQL_AWAY as error:
                            last = error
                            self._note_failure(messages, error)
                            raise
        except TimeoutError:
            reason = f"no answer within {self._seconds_max:g} s" + (f", {first_line(last)}" if last else "")
            unreachable = ServerUnreachable("PostgreSQL", self._database.address, "FTE_DATABASE_URL", reason)
            for message in messages:
                message.answer = unreachable

    async def _try_once(self, messages: Sequence[SealedMessage], *, lock_wait: str | None) -> None:
        statements = [("set_lock_wait", {"lock_wait": lock_wait})] if lock_wait else []
        statements += [("accept_message", self._parameters(message)) for message in messages]
        results = await self._database.run_all(messages[0].key.tenant, statements)
        self._outage.ends()
        for message, rows in zip(messages, results[-len(messages) :], strict=True):
            message.answer = rows[0]

    def _note_failure(self, messages: Sequence[SealedMessage], error: Exception) -> None:
        if isinstance(error, _CONFLICTS):
            return
        self._outage.begins(error)
        if not isinstance(error, PoolTimeout):
            for message in messages:
                message.uncertain = True

    def _parameters(self, message: SealedMessage) -> dict[str, Any]:
        return {
            "tenant": message.key.tenant,
            "conversation": message.key.conversation,
            "message_id": message.inbound.message_id,
            "channel": message.inbound.channel,
            "payload": message.payload,
            "sender_key": message.sender_key,
            "waiting_max": self._waiting_max,
        }


def _retrying(*, conflicts_too: bool) -> AsyncRetrying:
    """Return a retry policy for errors that may pass; the caller's time limit ends it."""

    def may_pass(error: BaseException) -> bool:
        if isinstance(error, _CONFLICTS):
            return conflicts_too
        return isinstance(error, POSTGRESQL_AWAY) and not isinstance(error, PoolClosed)

    wait = wait_exponential_jitter(multiplier=RETRY_SECONDS, max=RETRY_SECONDS_MAX, jitter=RETRY_SECONDS)
    return AsyncRetrying(retry=retry_if_exception(may_pass), wait=wait, reraise=True)


def _conclude(message: SealedMessage, waiting_max: int) -> Receipt | FteError:
    """Turn PostgreSQL's answer to a message into a receipt, or into the error that explains why there is none.

    A duplicate after a lost connection is most likely this call's own work: it is reported as accepted, and then
    appended to its mailbox, which is harmless for a message that is there or answered already.
    """
    answer = message.answer
    if answer is None:
        raise LookupError("the message was not handed to `accept`")
    if isinstance(answer, ServerUnreachable):
        return answer
    status = answer["status"]
    if status == "unknown_tenant":
        return UnknownTenant(message.key.tenant)
    if status == "full":
        return MailboxFull(message.key.conversation, answer["waiting"], waiting_max, FULL_RETRY_SECONDS)
    if status == "duplicate" and message.uncertain and answer["at_conversation"] == message.key.conversation:
        status = "accepted"
    return Receipt(
        status=status,
        message_id=message.inbound.message_id,
        tenant=message.key.tenant,
        conversation=answer["at_conversation"],
        position=answer["at_position"],
    )
