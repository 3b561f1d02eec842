"""Send made-up customers' messages at a steady rate, whatever the replies, and report the outcome."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ops.lab.load.http_gateway import GatewayAccess, HttpGateway, TryLater
from ops.lab.load.scripts import BookingAccess, Script, make_scripts
from ops.verify.tally import LoadReport, ModelWork, Sent, Tally
from producer.collecting.following import AsyncFollower
from producer.sending.client import AsyncProducer
from runtime.cancelling import cancel_and_wait
from runtime.database import Database
from schema.channels import CHANNELS
from schema.errors import MailboxFull, Overloaded, ServerUnreachable
from schema.ids import new_token
from schema.keys import escalations_stream, replies_stream
from schema.messages.escalation import Escalation
from schema.messages.inbound import MODEL_LATENCY_KEY, Inbound
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from producer.collecting.entries import StreamEntry
    from schema.channels import Channel
    from schema.settings import Settings

CALLS_CONVERSATIONS_MAX = 500
"""Conversations whose model calls are read in one statement."""

PROGRESS_SECONDS = 0.25

LINGER_SECONDS = 1.0
"""How long to wait for second answers after the last first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """What a load test sends, and how fast."""

    conversations: int = 100
    turns: int = 5
    """Messages of each conversation."""
    messages_per_second: float = 20
    seed: int = 1
    model_latency_ms: str | None = None
    """`A..B`: latency of the embedded models for each call; None: no latency."""
    bookings: tuple[BookingAccess, ...] = ()
    channels: tuple[Channel, ...] = CHANNELS
    tenant: str = "default"
    via_http: bool = False
    """Whether a gateway is started, and messages and replies go through it."""
    gateway: GatewayAccess | None = None
    """The HTTP gateway to go through; None: straight to the servers."""
    silence_seconds_max: float = 60
    """How long to wait, once all is sent, for the next reply before the run ends."""
    run: str = field(default_factory=lambda: new_token()[:8])
    """Part of every id: `load-<run>-<conversation>-<turn>`."""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """The progress of a load test."""

    messages: int
    """To be sent in all."""
    accepted: int
    answered: int
    escalations: int


async def run_load(
    settings: Settings, options: LoadOptions, progress: Callable[[LoadProgress], None] | None = None
) -> LoadReport:
    """Run one load test against running servers and workers; `progress` is called a few times a second.

    Raises ServerUnreachable, SchemaOutdated, InvalidSettings, UnknownTenant. A message that PostgreSQL does not accept
    in time is sent again under its id, as a gateway would.
    """
    tally = Tally()
    settings = settings.model_copy(update={"load_tests": True})
    async with _connected(settings, options) as (producer, follower):
        load = _Load(options, producer, follower, tally)
        await load.run(progress or (lambda _: None))
    database = Database(settings)
    await database.open()
    try:
        states = await _read_states(database, options) if tally.unanswered else {}
        return tally.report(await _read_model_work(database, options), states)
    finally:
        await database.close()


@asynccontextmanager
async def _connected(settings: Settings, options: LoadOptions) -> AsyncIterator[tuple[Sends, Reads]]:
    """Connect as the options say: through the HTTP gateway, or to the servers."""
    if options.gateway is not None:
        async with HttpGateway(options.gateway) as gateway:
            yield gateway, gateway
        return
    streams = [replies_stream(options.tenant, channel) for channel in options.channels]
    streams.append(escalations_stream(options.tenant))
    async with AsyncProducer(settings) as producer, AsyncFollower(settings, streams) as follower:
        yield producer, follower


class Sends(Protocol):
    """What takes a message in, as `AsyncProducer` does."""

    async def send(self, message: Inbound, /) -> object:
        """Accept one message, or raise."""


class Reads(Protocol):
    """What gives out replies and escalations, as `AsyncFollower` does."""

    async def read(self) -> list[StreamEntry]:
        """Return what is new, after a moment at the latest."""


class _Load:
    """The sender and the reader of one load test, which share nothing but the tally."""

    def __init__(self, options: LoadOptions, producer: Sends, follower: Reads, tally: Tally) -> None:
        self._options = options
        self._producer = producer
        self._follower = follower
        self._tally = tally
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._last_news = time.monotonic()

    async def run(self, progress: Callable[[LoadProgress], None]) -> None:
        """Send, read and show progress until all is answered, or replies have stopped."""
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(self._read())
                showing = group.create_task(self._show(progress))
                await self._send_all(group)
                await self._wait_for_answers()
                await cancel_and_wait(reading, showing)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed  # whoever failed first ended the others
        progress(self._progress())

    async def _send_all(self, group: asyncio.TaskGroup) -> None:
        """Send each message when it is due, by the clock alone; return when all are accepted."""
        started = time.time()
        for number, (place, inbound) in enumerate(plan_messages(self._options)):
            due_at = started + number / self._options.messages_per_second
            await asyncio.sleep(max(0, due_at - time.time()))
            self._tally.sent[inbound.message_id] = Sent(inbound.conversation, place, due_at)
            before = self._sending.get(inbound.conversation)
            self._sending[inbound.conversation] = group.create_task(self._send(inbound, before))
        for sending in list(self._sending.values()):
            await sending

    async def _send(self, inbound: Inbound, before: asyncio.Task[None] | None) -> None:
        """Send one message once the one before it in its conversation is accepted: a gateway keeps that order."""
        if before is not None:
            await before
        began = time.perf_counter()
        while True:
            try:
                await self._producer.send(inbound)
            except ServerUnreachable:
                continue  # it has waited for FTE_SEND_SECONDS_MAX
            except (MailboxFull, Overloaded, TryLater) as full:
                await asyncio.sleep(full.retry_after_seconds)
            else:
                break
        seconds = time.perf_counter() - began
        self._tally.take_receipt(inbound.message_id, accepted_at=time.time(), seconds=seconds)
        self._last_news = time.monotonic()

    async def _read(self) -> None:
        while True:
            entries = await self._follower.read()
            seen_at = time.time()
            for entry in entries:
                if isinstance(entry.body, Reply) and self._tally.take_reply(entry.body, seen_at):
                    self._last_news = time.monotonic()
                if isinstance(entry.body, Escalation) and entry.conversation in self._sending:
                    self._tally.escalations += 1

    async def _wait_for_answers(self) -> None:
        """Wait until all is answered, and then for second answers and the last escalation."""
        while self._tally.unanswered:
            if time.monotonic() - self._last_news > self._options.silence_seconds_max:
                return
            await asyncio.sleep(0.05)
        await asyncio.sleep(LINGER_SECONDS)

    async def _show(self, progress: Callable[[LoadProgress], None]) -> None:
        while True:
            progress(self._progress())
            await asyncio.sleep(PROGRESS_SECONDS)

    def _progress(self) -> LoadProgress:
        options, tally = self._options, self._tally
        messages = options.conversations * options.turns
        return LoadProgress(messages, tally.accepted, tally.accepted - tally.unanswered, tally.escalations)


def plan_messages(options: LoadOptions) -> Iterator[tuple[int, Inbound]]:
    """Yield all messages with their index in their conversation, in the order of sending: all their firsts first."""
    scripts = make_scripts(
        options.seed, options.conversations, options.turns, channels=options.channels, bookings=options.bookings
    )
    for place in range(options.turns):
        for number, script in enumerate(scripts):
            yield place, _message(options, number, place, script)


def _message(options: LoadOptions, number: int, place: int, script: Script) -> Inbound:
    conversation = _conversation(options, number)
    return Inbound(
        message_id=f"{conversation}-{place}",
        tenant=options.tenant,
        conversation=conversation,
        channel=script.channel,
        sender=script.sender,
        subject=script.subject,
        text=script.texts[place],
        metadata={MODEL_LATENCY_KEY: options.model_latency_ms} if options.model_latency_ms else {},
    )


def _conversation(options: LoadOptions, number: int) -> str:
    return f"load-{options.run}-{number}"


async def _read_states(database: Database, options: LoadOptions) -> dict[str, str]:
    """Read what became of this run's messages: what is only late, or was not read, is no loss."""
    rows = await database.read(options.tenant, "audit_inbox", prefix=f"load-{options.run}-")
    return {row["message_id"]: row["state"] for row in rows}


async def _read_model_work(database: Database, options: LoadOptions) -> ModelWork:
    """Sum up the model calls of this run from its turns' records."""
    names = [_conversation(options, number) for number in range(options.conversations)]
    work = ModelWork()
    for first in range(0, len(names), CALLS_CONVERSATIONS_MAX):
        some = names[first : first + CALLS_CONVERSATIONS_MAX]
        rows = await database.read(options.tenant, "find_model_calls", tenant=options.tenant, conversations=some)
        for row in rows:
            work.add_turn(row["conversation_id"], row["model_calls"])
    return work
