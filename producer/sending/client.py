"""Send customers' messages: `AsyncProducer` for asyncio programs, `Producer` for all others."""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from anyio.from_thread import start_blocking_portal

from producer.sending.acceptance import Acceptance, SealedMessage
from producer.sending.backlog import Backlog
from producer.sending.batching import Batching
from producer.sending.doorbell import Doorbell
from producer.sending.forwarding import Forwarding
from runtime.configuration import open_sealer
from runtime.database import Database
from runtime.failpoints import Failpoint, no_failpoint
from runtime.redis import Scripts, check_redis, make_redis
from runtime.startup import check_deployment
from schema.errors import FteError, InvalidMessage, MailboxFull, Overloaded, ServerUnreachable
from schema.messages.envelope import Envelope
from schema.messages.inbound import Inbound, check_metadata, encode_inbound, parse_inbound
from schema.messages.receipt import Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import TracebackType

    from anyio.from_thread import BlockingPortal

    from runtime.sender_keys import SenderKeys
    from schema.ids import ConversationKey
    from schema.settings.sending import SendingSettings

BATCH_MESSAGES_MAX = 500
"""Messages accepted in one transaction: it locks their conversations for as long as it takes."""

Message = Inbound | dict[str, Any] | bytes | str


class AsyncProducer:
    """Sends messages, from any number of tasks of the event loop that opened it.

    A receipt means that the message is in PostgreSQL: it will be answered, or parked where people see it. While Redis
    is away messages are accepted all the same, and answered once it is back.
    """

    def __init__(
        self, settings: SendingSettings, *, failpoint: Failpoint = no_failpoint, database: Database | None = None
    ) -> None:
        """Take the settings; `failpoint` is for tests that kill the process at a named point.

        `database` is an open one that the caller closes, and that need not be allowed to see more than one tenant at a
        time: the HTTP gateway's.
        """
        self._settings = settings
        self._database = database
        self._failpoint = failpoint
        self._sealer = open_sealer(settings)
        self._senders: SenderKeys | None = None
        self._opened = AsyncExitStack()
        self._way: _Way | None = None
        self._batching: Batching[SealedMessage, Receipt | FteError] | None = None

    @property
    def sender_keys(self) -> SenderKeys:
        """Return the deployment's sender keys; raises FteError before it is open."""
        if self._senders is None:
            raise FteError("the producer is not open yet; use `async with`")
        return self._senders

    async def __aenter__(self) -> Self:
        """Connect, and check that the servers have this release's structure and this process's keys.

        Raises ServerUnreachable, SchemaOutdated, or InvalidSettings when the vault key is not the database's.
        """
        settings = self._settings
        async with AsyncExitStack() as opening:
            database = self._database
            if database is None:
                database = Database(settings)
                await database.open()
                opening.push_async_callback(database.close)
            self._senders = await check_deployment(database, self._sealer)
            client = make_redis(settings)
            opening.push_async_callback(client.aclose)
            await check_redis(client, settings)
            doorbell = Doorbell(settings.redis_url or "")
            opening.callback(doorbell.close)
            acceptance = Acceptance(
                database, waiting_max=settings.mailbox_messages_max, seconds_max=settings.send_seconds_max
            )
            backlog = Backlog(
                database,
                messages_max=settings.backlog_messages_max,
                tenant_messages_max=settings.tenant_backlog_messages_max,
            )
            await backlog.look()
            opening.push_async_callback(backlog.finish)
            forwarding = Forwarding(Scripts(client), doorbell, settings, failpoint=self._failpoint)
            self._way = _Way(acceptance, forwarding, backlog, self._failpoint)
            self._batching = Batching(
                self._way.carry,
                in_flight_max=max(1, settings.database_connections_max // 2),
                items_max=BATCH_MESSAGES_MAX,
            )
            opening.push_async_callback(self._batching.finish)
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._opened.aclose()

    async def send(self, message: Message) -> Receipt:
        """Accept one message and return its receipt; a message id that was accepted before gets the status `duplicate`.

        Raises InvalidMessage, MailboxFull, Overloaded, UnknownTenant, TenantSuspended; ServerUnreachable when
        PostgreSQL does not answer within FTE_SEND_SECONDS_MAX: the message may or may not be accepted, and sending it
        again is safe.
        """
        if self._batching is None:
            raise _not_open()
        sealed = self._prepare(message)
        outcome = await self._batching.submit(sealed) if isinstance(sealed, SealedMessage) else sealed
        if isinstance(outcome, FteError):
            raise outcome
        return outcome

    async def send_many(self, messages: Iterable[Message]) -> list[Receipt | FteError]:
        """Accept messages in the order given; return a receipt for each, or the error that `send` would raise.

        A refused message does not affect the others, except that nothing overtakes it: later messages of a conversation
        whose mailbox is full, for which there is no room, or for which PostgreSQL does not answer, are refused with the
        same error.
        """
        if self._way is None:
            raise _not_open()
        remaining = iter(messages)
        outcomes: list[Receipt | FteError] = []
        given_up = _GivenUp()
        while batch := list(islice(remaining, BATCH_MESSAGES_MAX)):
            prepared = [given_up.filter(self._prepare(message)) for message in batch]
            sealed = [one for one in prepared if isinstance(one, SealedMessage)]
            answers = await self._way.carry(sealed)
            given_up.note(sealed, answers)
            next_answer = iter(answers)
            outcomes += [next(next_answer) if isinstance(one, SealedMessage) else one for one in prepared]
        return outcomes

    def _prepare(self, message: Message) -> SealedMessage | FteError:
        """Validate and seal one message."""
        settings = self._settings
        if self._senders is None:
            raise _not_open()
        try:
            inbound = parse_inbound(
                message,
                now=datetime.now(UTC),
                clock_skew_seconds_max=settings.clock_skew_seconds_max,
                age_seconds_max=settings.age_seconds_max,
            )
            if not settings.load_tests:
                check_metadata(inbound)
            return SealedMessage(
                inbound, self._sealer.seal(encode_inbound(inbound)), self._senders.key_of_message(inbound)
            )
        except InvalidMessage as error:
            return error


class Producer:
    """Sends messages from a program without asyncio: an `AsyncProducer` on an event loop in a thread of its own.

    Any number of threads may use it.
    """

    def __init__(self, settings: SendingSettings) -> None:
        self._producer = AsyncProducer(settings)
        self._opened = ExitStack()
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Self:
        """Connect and check, as `AsyncProducer` does."""
        with ExitStack() as opening:
            portal = opening.enter_context(start_blocking_portal("asyncio", {"use_uvloop": True}))
            opening.enter_context(portal.wrap_async_context_manager(self._producer))
            self._portal = portal
            self._opened = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._opened.close()

    def send(self, message: Message) -> Receipt:
        """Send one message, as `AsyncProducer.send` does."""
        return self._started().call(self._producer.send, message)

    def send_many(self, messages: Iterable[Message]) -> list[Receipt | FteError]:
        """Send messages, as `AsyncProducer.send_many` does."""
        return self._started().call(self._producer.send_many, messages)

    def _started(self) -> BlockingPortal:
        if self._portal is None:
            raise _not_open()
        return self._portal


class _Way:
    """The whole way of a batch: room in the backlog, acceptance, mailbox, doorbell."""

    def __init__(self, acceptance: Acceptance, forwarding: Forwarding, backlog: Backlog, failpoint: Failpoint) -> None:
        self._acceptance = acceptance
        self._forwarding = forwarding
        self._backlog = backlog
        self._failpoint = failpoint

    async def carry(self, messages: Sequence[SealedMessage]) -> list[Receipt | FteError]:
        """Return each message's receipt or error; messages that there is no room for are refused untried."""
        tenants = [message.key.tenant for message in messages]
        await self._backlog.until_known(tenants)
        with self._backlog.taken(tenants) as room:
            tried = [message for message, refusal in zip(messages, room.refusals, strict=True) if refusal is None]
            answers = await self._acceptance.accept(tried)
            accepted = [
                (message.key, Envelope(position=answer.position, message_id=answer.message_id, payload=message.payload))
                for message, answer in zip(tried, answers, strict=True)
                if isinstance(answer, Receipt) and answer.status == "accepted"
            ]
            room.accepted.update(key.tenant for key, _ in accepted)
        if accepted:
            self._failpoint("send.accepted")
            await self._forwarding.forward(accepted)
            self._failpoint("send.rung")
        next_answer = iter(answers)
        return [next(next_answer) if refusal is None else refusal for refusal in room.refusals]


class _GivenUp:
    """The messages that one call gave up, so that none overtakes an earlier one that will be sent again."""

    def __init__(self) -> None:
        self._conversations: dict[ConversationKey, FteError] = {}
        self._everything: ServerUnreachable | None = None

    def filter(self, message: SealedMessage | FteError) -> SealedMessage | FteError:
        """Return the message, or the error why it is not tried."""
        if isinstance(message, FteError):
            return message
        return self._everything or self._conversations.get(message.key) or message

    def note(self, messages: Sequence[SealedMessage], answers: Sequence[Receipt | FteError]) -> None:
        """Note what was not accepted; when nothing was, PostgreSQL is gone and the rest need not wait for it."""
        for message, answer in zip(messages, answers, strict=True):
            if isinstance(answer, MailboxFull | Overloaded | ServerUnreachable):
                self._conversations[message.key] = answer
        unreachable = [answer for answer in answers if isinstance(answer, ServerUnreachable)]
        if unreachable and len(unreachable) == len(answers):
            self._everything = unreachable[0]


def _not_open() -> RuntimeError:
    return RuntimeError(
        "the producer is not open: open it with `with Producer(settings)` or `async with AsyncProducer(…)`"
    )
