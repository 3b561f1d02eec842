"""The product's environment in chaos tests: sends messages, records replies, and outlives the killed processes."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from ops.lab.chaos.load import STREAMS, plan_messages
from ops.lab.chaos.logs import Log, Tail, fact_of
from producer.collecting.following import AsyncFollower
from runtime.cancelling import cancel_and_wait
from runtime.encoding import dump_json, parse_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from types import TracebackType

    from ops.lab.chaos.load import Plan
    from schema.messages.inbound import Inbound
    from schema.settings.servers import ServerSettings

    Send = Callable[[Inbound], Awaitable[dict[str, Any]]]
    """Sends a message; returns its `receipt` (position, status), or `after_seconds` to send it again."""

LINGER_SECONDS = 0.5
"""How long to wait for second answers after the last first one."""

LOOK_SECONDS = 0.05


class Orders:
    """Passes messages to the current sender process, and those without an answer to the next one as well."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: dict[int, tuple[bytes, asyncio.Future[dict[str, Any]]]] = {}
        self._sender: asyncio.StreamWriter | None = None

    async def ask(self, inbound: Inbound) -> dict[str, Any]:
        """Send one message through a sender process; return the answer, however many senders die meanwhile."""
        number = next(self._numbers)
        order = {"number": number, "message": inbound.model_dump(mode="json")}
        line = dump_json(order).encode() + b"\n"
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._open[number] = (line, answer)
        if self._sender is not None:
            self._sender.write(line)
        try:
            return await answer
        finally:
            del self._open[number]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one sender until its connection ends."""
        self._sender = writer
        writer.writelines(line for line, _ in self._open.values())
        try:
            async for line in reader:
                answer = parse_json(line)
                if answer["number"] in self._open:
                    self._open[answer["number"]][1].set_result(answer)
        except ConnectionError:
            pass  # it was killed
        finally:
            writer.close()
            if self._sender is writer:
                self._sender = None


class Gateway:
    """Sends by a process that may be killed, and reads what another one has collected.

    `ledger.jsonl` holds the receipts, `outbound.jsonl` what consumers of the streams passed on, and `raw.jsonl` every
    entry of the streams, twice if it was published twice.
    """

    def __init__(self, settings: ServerSettings, folder: Path) -> None:
        self._settings = settings
        self._ledger = Log(folder / "ledger.jsonl")
        self._raw = Log(folder / "raw.jsonl")
        self.outbound = folder / "outbound.jsonl"
        self.outbound.touch(mode=0o600)
        self._orders = Orders()
        self.senders: list[Send] = [self._orders.ask]
        """Functions that send messages: each message of a conversation goes by the next of them."""
        self._opened = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._open: set[str] = set()
        self._answered: set[str] = set()
        self.last_news = time.monotonic()
        self.port = 0
        """The loopback port on which it waits for its sender."""

    @property
    def answered(self) -> int:
        """Return the number of messages answered so far, of all runs."""
        return len(self._answered)

    @property
    def unanswered(self) -> int:
        """Return the number of messages accepted and not answered so far."""
        return len(self._open)

    async def __aenter__(self) -> Self:
        """Listen for a sender, and follow the streams from now on."""
        async with AsyncExitStack() as opening:
            for log in (self._ledger, self._raw):
                opening.callback(log.close)
            server = await asyncio.start_server(self._orders.serve, "127.0.0.1", 0)
            opening.callback(server.close)
            self.port = server.sockets[0].getsockname()[1]
            follower = await opening.enter_async_context(AsyncFollower(self._settings, STREAMS))
            self._tasks = [asyncio.create_task(self._look(follower)), asyncio.create_task(self._count())]
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop following, and disconnect."""
        await cancel_and_wait(*self._tasks)
        await self._opened.aclose()

    async def play(self, plan: Plan, goes_on: Callable[[], bool]) -> None:
        """Send the messages of a plan when they are due, by the clock alone; return when all are accepted.

        A customer who changes seats also waits for the answer. Sending goes on after the plan's last message while
        `goes_on` returns True, up to `messages_max`.
        """
        started = time.monotonic()
        sending: dict[str, asyncio.Task[None]] = {}
        first: dict[str, Inbound] = {}
        newest: dict[str, str] = {}
        async with asyncio.TaskGroup() as group:
            for number, inbound in enumerate(plan_messages(plan)):
                if number >= plan.messages and (number >= plan.messages_max or not goes_on()):
                    return
                await asyncio.sleep(max(0.0, started + number / plan.messages_per_second - time.monotonic()))
                before = sending.get(inbound.conversation)
                again = [inbound] * plan.copies
                if plan.copies and inbound.conversation in first:
                    again.append(first[inbound.conversation])
                first.setdefault(inbound.conversation, inbound)
                if before is not None and number % plan.conversations < len(plan.bookings):
                    answered = self._like_a_customer(before, newest[inbound.conversation], plan.silence_seconds_max)
                    before = group.create_task(answered)
                newest[inbound.conversation] = inbound.message_id
                by = sum(divmod(number, plan.conversations))
                sending[inbound.conversation] = group.create_task(self._send(inbound, before, again, by))

    async def ask(self, inbound: Inbound, seconds_max: float) -> bool:
        """Send a message that no plan has, and wait for its answer; return whether one came in time."""
        await self._accept(inbound, 0)
        return await self._until_answered(inbound.message_id, seconds_max)

    async def wait_for_answers(self, silence_seconds_max: float) -> bool:
        """Wait until all is answered, or replies have stopped for `silence_seconds_max`; return whether all is."""
        self.last_news = time.monotonic()
        while self._open:
            if time.monotonic() - self.last_news > silence_seconds_max:
                self._open.clear()  # a later run must not wait for them again
                return False
            await asyncio.sleep(LOOK_SECONDS)
        await asyncio.sleep(LINGER_SECONDS)
        return True

    async def _like_a_customer(self, before: asyncio.Task[None], message_id: str, seconds_max: float) -> None:
        """Wait like a customer who is asked for a yes, which means nothing before the question."""
        await before
        await self._until_answered(message_id, seconds_max)

    async def _until_answered(self, message_id: str, seconds_max: float) -> bool:
        deadline = time.monotonic() + seconds_max
        while message_id not in self._answered and time.monotonic() < deadline:  # noqa: ASYNC110 - with a deadline
            await asyncio.sleep(LOOK_SECONDS)
        return message_id in self._answered

    async def _send(self, inbound: Inbound, before: asyncio.Task[None] | None, again: list[Inbound], by: int) -> None:
        """Send one message once the one before it in its conversation is accepted: a gateway keeps that order."""
        if before is not None:
            await before
        await self._accept(inbound, by)
        await asyncio.gather(*(self._accept(message, by) for message in again))

    async def _accept(self, inbound: Inbound, by: int) -> None:
        by %= len(self.senders)
        answer = await self.senders[by](inbound)
        while "receipt" not in answer:
            await asyncio.sleep(answer["after_seconds"])
            answer = await self.senders[by](inbound)
        names = {"message_id": inbound.message_id, "conversation": inbound.conversation}
        self._ledger.write(**names, by=by, **answer["receipt"])
        if inbound.message_id not in self._answered:
            self._open.add(inbound.message_id)
        self.last_news = time.monotonic()

    async def _count(self) -> None:
        """Count answered messages from the consumers' log as it grows."""
        tail = Tail(self.outbound)
        while True:
            for line in tail.read():
                self._answered.update(line["in_reply_to"])
                self._open.difference_update(line["in_reply_to"])
                self.last_news = time.monotonic()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, follower: AsyncFollower) -> None:
        async for entry in follower:
            self._raw.write(**fact_of(entry))
