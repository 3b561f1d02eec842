"""Accept messages in PostgreSQL: many in one round trip, retried where that is safe."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout
from tenacity import AsyncRetrying, retry_if_exception, wait_exponential_jitter

from runtime.database import Database, Row
from runtime.outage import POSTGRESQL_AWAY, Outage
from runtime.server_addresses import first_line
from schema.errors import FteError, MailboxFull, ServerUnreachable, TenantSuspended, UnknownTenant
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


Answer = Row | ServerUnreachable | UnknownTenant | TenantSuspended
"""A row of `accept_message`, or the error in its place."""


@dataclass(slots=True)
class SealedMessage:
    """A sealed message ready to be accepted, and PostgreSQL's answer to it."""

    inbound: Inbound
    payload: str
    sender_key: str
    key: ConversationKey = field(init=False)
    uncertain: bool = False
    """An earlier try of this call may have accepted it, but the connection was lost before the answer."""
    answer: Answer | None = None
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
        """Accept messages and return a receipt or an error for each, usually in one round trip and one transaction.

        Within a conversation messages are accepted in the order given. Conversations are taken in the order of their
        keys, so that two senders with the same conversations wait for each other instead of deadlocking.
        """
        if not messages:
            return []
        conversations: dict[ConversationKey, list[SealedMessage]] = {}
        for message in sorted(messages, key=lambda message: message.key):
            conversations.setdefault(message.key, []).append(message)
        try:
            await self._accept_together(*conversations.values())
        except _CONFLICTS:  # another transaction holds one of these conversations; the others must not wait for it
            await asyncio.gather(*(self._accept_together(one) for one in conversations.values()))
        await self._tell_suspended(messages)
        return [_conclude(message, self._waiting_max) for message in messages]

    async def _tell_suspended(self, messages: Sequence[SealedMessage]) -> None:
        """Find out which of the unknown tenants are suspended ones: the answer has one word for both."""
        refused = [message for message in messages if _status_of(message) == "unknown_tenant"]
        for tenant in {message.key.tenant for message in refused}:
            try:
                rows = await self._database.read(tenant, "read_tenant", tenant=tenant)
            except POSTGRESQL_AWAY as error:
                answer: Answer = self._unreachable(first_line(error))
            else:
                answer = TenantSuspended(tenant) if rows and rows[0]["suspended_at"] else UnknownTenant(tenant)
            for message in refused:
                if message.key.tenant == tenant:
                    message.answer = answer

    def _unreachable(self, reason: str) -> ServerUnreachable:
        return ServerUnreachable("PostgreSQL", self._database.address, "FTE_DATABASE_URL", reason)

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
            unreachable = self._unreachable(reason)
            for message in messages:
                message.answer = unreachable

    async def _try_once(self, messages: Sequence[SealedMessage], *, lock_wait: str | None) -> None:
        accept = "accept_proven_messages" if self._database.is_fenced else "accept_messages"
        statements: list[tuple[str, dict[str, Any]]] = []
        if lock_wait:
            statements.append(("set_lock_wait", {"lock_wait": lock_wait}))
        first = messages[0].key.tenant
        for tenant, of_tenant in groupby(messages, key=lambda message: message.key.tenant):
            if tenant != first:
                statements.append(("set_tenant", self._database.scope_of(tenant)))
            statements.append((accept, self._parameters(tenant, list(of_tenant))))
        results = await self._database.run_all(first, statements)
        self._outage.ends()
        answers = [row for (query, _), rows in zip(statements, results, strict=True) if query == accept for row in rows]
        for message, answer in zip(messages, answers, strict=True):
            message.answer = answer

    def _note_failure(self, messages: Sequence[SealedMessage], error: Exception) -> None:
        if isinstance(error, _CONFLICTS):
            return
        self._outage.begins(error)
        if not isinstance(error, PoolTimeout):
            for message in messages:
                message.uncertain = True

    def _parameters(self, tenant: str, messages: Sequence[SealedMessage]) -> dict[str, Any]:
        return {
            "tenant": tenant,
            "conversations": [message.key.conversation for message in messages],
            "message_ids": [message.inbound.message_id for message in messages],
            "channels": [message.inbound.channel for message in messages],
            "payloads": [message.payload for message in messages],
            "sender_keys": [message.sender_key for message in messages],
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


def _status_of(message: SealedMessage) -> str | None:
    return message.answer["status"] if isinstance(message.answer, dict) else None


def _conclude(message: SealedMessage, waiting_max: int) -> Receipt | FteError:
    """Turn PostgreSQL's answer to a message into a receipt, or into the error that explains why there is none.

    A duplicate after a lost connection is most likely this call's own work: it is reported as accepted, and then
    appended to its mailbox, which is harmless for a message that is there or answered already.
    """
    answer = message.answer
    if answer is None:
        raise LookupError("the message was not handed to `accept`")
    if isinstance(answer, FteError):
        return answer
    status = answer["status"]
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
