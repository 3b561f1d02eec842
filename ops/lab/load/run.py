"""Send made-up customers' messages as a profile says, whatever the replies, and report the outcome."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Protocol

from ops.lab.load.http_gateway import HttpGateway
from ops.lab.load.measured import measure
from ops.lab.load.options import LoadProgress
from ops.lab.load.senders import SenderProcesses
from ops.lab.load.sending import AcceptedMessage, MessagePlan, MessageSender, open_sender
from ops.verify.tally import ModelWork, Sent, Tally
from producer.collecting.following import AsyncFollower
from runtime.cancelling import cancel_and_wait
from runtime.database import Database
from schema.keys import escalations_stream, replies_stream
from schema.messages.escalation import Escalation
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ops.lab.load.measured import MeasuredLoad
    from ops.lab.load.options import LoadOptions
    from producer.collecting.entries import StreamEntry
    from schema.settings import Settings

CALLS_CONVERSATIONS_MAX: Final = 500
"""Conversations whose model calls are read in one statement."""

PROGRESS_SECONDS: Final = 0.25
PROBE_SECONDS: Final = 0.05
"""How often the reader looks how late it is itself."""

START_SECONDS: Final = 0.1
"""From when everything is connected to when the first message is due: sender processes learn it meanwhile."""

LINGER_SECONDS: Final = 1.0
"""How long to wait for second answers after the last first one."""


async def run_load(
    settings: Settings, options: LoadOptions, progress: Callable[[LoadProgress], None] | None = None
) -> MeasuredLoad:
    """Run one load test against running servers and workers; `progress` is called a few times a second.

    Raises ServerUnreachable, SchemaOutdated, InvalidSettings, UnknownTenant, and SenderFailed where several processes
    send. A message that PostgreSQL does not accept in time is sent again under its id, as a gateway would.
    """
    settings = settings.model_copy(update={"load_tests": True})
    load = _Load(options)
    async with AsyncExitStack() as opened:
        await load.run(*await _connect(opened, settings, options, load), progress or (lambda _: None))
    database = Database(settings)
    await database.open()
    try:
        states = await _read_states(database, options) if load.tally.unanswered else {}
        work = await _read_model_work(database, options, load.tally)
        return measure(load.tally, work, states, options, load.reader_lags)
    finally:
        await database.close()


class Reads(Protocol):
    """What gives out replies and escalations, as `AsyncFollower` does."""

    async def read(self) -> list[StreamEntry]:
        """Return what is new, after a moment at the latest."""


async def _connect(
    opened: AsyncExitStack, settings: Settings, options: LoadOptions, load: _Load
) -> tuple[Callable[[float], Awaitable[None]], Reads]:
    """Connect as the options say; return what sends all messages from a moment on, and what reads."""
    reader: HttpGateway | AsyncFollower
    if options.gateway is not None:
        reader = HttpGateway(options.gateway)
    else:
        streams = [replies_stream(options.tenant, channel) for channel in options.channels]
        reader = AsyncFollower(settings, [*streams, escalations_stream(options.tenant)])
    await opened.enter_async_context(reader)
    if options.senders > 1:
        processes = await opened.enter_async_context(SenderProcesses(settings, options, load.take_accepted))
        return processes.run, reader
    same = (
        reader if isinstance(reader, HttpGateway) else await opened.enter_async_context(open_sender(settings, options))
    )
    sender = MessageSender(load.plan, same, load.take_accepted)

    async def send_all(started_at: float) -> None:
        await sender.send_all(load.plan.messages, started_at)

    return send_all, reader


class _Load:
    """One load test: what sends and what reads share nothing but the tally."""

    def __init__(self, options: LoadOptions) -> None:
        self.plan = MessagePlan(options)
        self.tally = Tally()
        self.reader_lags: list[float] = []
        self._options = options
        self._last_news = time.monotonic()
        self._conversations = {planned.conversation for planned in self.plan.messages}

    def take_accepted(self, accepted: AcceptedMessage) -> None:
        """Record that a message is accepted."""
        sent = self.tally.sent[accepted.message_id]
        sent.lag_seconds, sent.refused = accepted.lag_seconds, accepted.refused
        self.tally.take_receipt(accepted.message_id, accepted_at=accepted.accepted_at, seconds=accepted.seconds)
        self._last_news = time.monotonic()

    async def run(
        self, send_all: Callable[[float], Awaitable[None]], reader: Reads, progress: Callable[[LoadProgress], None]
    ) -> None:
        """Send, read and show progress until all is answered, or replies have stopped."""
        started_at = self._begin()
        try:
            async with asyncio.TaskGroup() as group:
                beside = [self._read(reader), self._show(progress), self._probe()]
                tasks = [group.create_task(work) for work in beside]
                await send_all(started_at)
                await self._wait_for_answers()
                await cancel_and_wait(*tasks)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed  # whoever failed first ended the others
        progress(self._progress())

    def _begin(self) -> float:
        """Enter all messages in the tally, as due from a moment on that is returned: a reply may outrun its receipt."""
        entered = [
            (planned.message_id, Sent(planned.conversation, planned.due.place, 0.0, phase=planned.due.phase))
            for planned in self.plan.messages
        ]
        started_at = time.time() + START_SECONDS
        for planned, (message_id, sent) in zip(self.plan.messages, entered, strict=True):
            sent.due_at = started_at + planned.due.due_seconds
            self.tally.sent[message_id] = sent
        return started_at

    async def _read(self, reader: Reads) -> None:
        while True:
            entries = await reader.read()
            seen_at = time.time()
            for entry in entries:
                if isinstance(entry.body, Reply) and self.tally.take_reply(entry.body, seen_at):
                    self._last_news = time.monotonic()
                if isinstance(entry.body, Escalation) and entry.conversation in self._conversations:
                    self.tally.escalations += 1

    async def _wait_for_answers(self) -> None:
        """Wait until all is answered, and then for second answers and the last escalation."""
        while self.tally.unanswered:
            if time.monotonic() - self._last_news > self._options.silence_seconds_max:
                return
            await asyncio.sleep(0.05)
        await asyncio.sleep(LINGER_SECONDS)

    async def _probe(self) -> None:
        """Measure how late this process is: a reply that waits to be read here would count as the product's latency."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(PROBE_SECONDS)
            self.reader_lags.append(max(0.0, time.perf_counter() - began - PROBE_SECONDS))

    async def _show(self, progress: Callable[[LoadProgress], None]) -> None:
        while True:
            progress(self._progress())
            await asyncio.sleep(PROGRESS_SECONDS)

    def _progress(self) -> LoadProgress:
        tally = self.tally
        return LoadProgress(
            len(self.plan.messages), tally.accepted, tally.accepted - tally.unanswered, tally.escalations
        )


async def _read_states(database: Database, options: LoadOptions) -> dict[str, str]:
    """Read what became of this run's messages: what is only late, or was not read, is no loss."""
    rows = await database.read(options.tenant, "audit_inbox", prefix=f"load-{options.run}-")
    return {row["message_id"]: row["state"] for row in rows}


async def _read_model_work(database: Database, options: LoadOptions, tally: Tally) -> ModelWork:
    """Sum up the model calls of this run from its turns' records."""
    names = list(dict.fromkeys(sent.conversation for sent in tally.sent.values()))
    work = ModelWork()
    for first in range(0, len(names), CALLS_CONVERSATIONS_MAX):
        some = names[first : first + CALLS_CONVERSATIONS_MAX]
        rows = await database.read(options.tenant, "find_model_calls", tenant=options.tenant, conversations=some)
        for row in rows:
            work.add_turn(row["conversation_id"], row["model_calls"])
    return work
