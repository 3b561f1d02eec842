"""Hand in a load test's messages when they are due, whatever the replies, and tell how late that was."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ops.lab.load.http_gateway import HttpGateway, TryLater
from ops.lab.load.schedule import make_schedule
from ops.lab.load.scripts import make_hot_scripts, make_scripts
from producer.sending.client import AsyncProducer
from schema.errors import MailboxFull, Overloaded, ServerUnreachable
from schema.messages.inbound import MODEL_LATENCY_KEY, Inbound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from ops.lab.load.options import LoadOptions
    from ops.lab.load.schedule import DueMessage
    from ops.lab.load.scripts import Script
    from schema.settings import Settings


class Sends(Protocol):
    """What takes a message in, as `AsyncProducer` does."""

    async def send(self, message: Inbound, /) -> object:
        """Accept one message, or raise."""


class AcceptedMessage(NamedTuple):
    """An accepted message."""

    message_id: str
    accepted_at: float
    """Epoch seconds."""
    seconds: float
    """From its first try to its receipt."""
    lag_seconds: float
    """How late the generator took it up; waiting for the receipt of the one before it is not the generator's."""
    refused: int
    """Tries that were refused for the moment."""


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message with the time it is due."""

    due: DueMessage
    conversation: str
    """Its conversation's id."""

    @property
    def message_id(self) -> str:
        """Return the id of the message."""
        return f"{self.conversation}-{self.due.place}"


class MessagePlan:
    """All messages of a load test by the time they are due, and their texts."""

    def __init__(self, options: LoadOptions) -> None:
        self._options = options
        profile = options.phases
        self.messages: Sequence[PlannedMessage] = [
            PlannedMessage(due, f"load-{options.run}-{due.name}") for due in make_schedule(profile)
        ]
        self._latency_ms = profile.model_latency_ms
        dues = [planned.due for planned in self.messages]
        customers = max((due.conversation + 1 for due in dues if not due.is_hot), default=0)
        most = max((due.place + 1 for due in dues if due.is_hot), default=0)
        self._scripts = make_scripts(
            profile.seed, customers, profile.turns, channels=options.channels, bookings=options.bookings
        )
        self._hot = make_hot_scripts(profile.seed, profile.hot_conversations, most, channels=options.channels)

    def write(self, planned: PlannedMessage) -> Inbound:
        """Return the message as a gateway hands it in."""
        due = planned.due
        script: Script = (self._hot if due.is_hot else self._scripts)[due.conversation]
        return Inbound(
            message_id=planned.message_id,
            tenant=self._options.tenant,
            conversation=planned.conversation,
            channel=script.channel,
            sender=script.sender,
            subject=script.subject,
            text=script.texts[due.place],
            metadata={MODEL_LATENCY_KEY: self._latency_ms} if self._latency_ms else {},
        )


class MessageSender:
    """Sends messages by the clock alone, those of one conversation in their order."""

    def __init__(self, plan: MessagePlan, producer: Sends, tell: Callable[[AcceptedMessage], None]) -> None:
        """Take what to call with each message that is accepted."""
        self._plan = plan
        self._producer = producer
        self._tell = tell
        self._sending: dict[str, asyncio.Task[None]] = {}

    async def send_all(self, messages: Iterable[PlannedMessage], started_at: float) -> None:
        """Send each message when it is due; return when all are accepted. `started_at`: epoch seconds."""
        try:
            async with asyncio.TaskGroup() as group:
                for planned in messages:
                    due_at = started_at + planned.due.due_seconds
                    await asyncio.sleep(max(0, due_at - time.time()))
                    before = self._sending.get(planned.conversation)
                    task = group.create_task(self._send(planned, due_at, before))
                    self._sending[planned.conversation] = task
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed  # whoever failed first ended the others

    async def _send(self, planned: PlannedMessage, due_at: float, before: asyncio.Task[None] | None) -> None:
        """Send one message once the one before it in its conversation is accepted: a gateway keeps that order."""
        inbound = self._plan.write(planned)
        lag_seconds = max(0.0, time.time() - due_at)
        if before is not None:
            await before
        began = time.perf_counter()
        refused = 0
        while True:
            try:
                await self._producer.send(inbound)
            except ServerUnreachable:
                refused += 1  # it has waited for FTE_SEND_SECONDS_MAX
            except (MailboxFull, Overloaded, TryLater) as full:
                refused += 1
                await asyncio.sleep(full.retry_after_seconds)
            else:
                break
        seconds = time.perf_counter() - began
        self._tell(AcceptedMessage(planned.message_id, time.time(), seconds, lag_seconds, refused))


@asynccontextmanager
async def open_sender(settings: Settings, options: LoadOptions) -> AsyncIterator[Sends]:
    """Connect what sends, as the options say: to the HTTP gateway, or to the servers."""
    if options.gateway is not None:
        async with HttpGateway(options.gateway, follows=False) as gateway:
            yield gateway
        return
    async with AsyncProducer(settings) as producer:
        yield producer
