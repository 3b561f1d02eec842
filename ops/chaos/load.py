"""Put load on the product and write down, outside of it, what was accepted and what came out."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ops.runtime.encoding import dump_json
from ops.runtime.ending import end_task
from producer.client import AsyncProducer
from producer.following import AsyncFollower
from producer.load.scripts import make_scripts
from producer.streams import AsyncSubscription
from schema.errors import MailboxFull, ServerUnreachable
from schema.keys import escalations_stream, replies_stream
from schema.messages import Inbound, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    from producer.entries import StreamEntry
    from producer.load.scripts import Booking
    from schema.messages import Channel, Receipt
    from schema.settings import Settings

    Send = Callable[[Inbound], Awaitable[Receipt]]

TENANT = "default"
CHANNELS: tuple[Channel, ...] = ("chat", "email", "sms")
LINGER_SECONDS = 0.5
"""How long to look for second answers after the last first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Say what one run sends."""

    run: str
    """Begins the name of each of its conversations, and of no other's."""
    conversations: int
    turns: int
    messages_per_second: float
    seed: int
    bookings: tuple[Booking, ...]
    """One for each conversation that changes seats."""
    copies: int = 0
    """How often each message is sent again once it is accepted, with one from before."""
    silence_seconds_max: float = 40.0
    """How long to wait for the next reply before the rest counts as lost."""

    @property
    def messages(self) -> int:
        """Count what will be sent."""
        return self.conversations * self.turns


class Logs:
    """Append facts to a file as JSON lines; each is on the disk before this goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("a")

    def write(self, **fact: Any) -> None:
        """Write one fact."""
        self._stream.write(dump_json(fact) + "\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class Gateway:
    """Be what stands on the other side of the product: one that sends, one that collects, and one that only looks.

    `ledger.jsonl` holds what was accepted, `outbound.jsonl` what a consumer of the streams was handed, `raw.jsonl`
    every entry of the streams, twice if it was published twice.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._ledger = Logs(folder / "ledger.jsonl")
        self._outbound = Logs(folder / "outbound.jsonl")
        self._raw = Logs(folder / "raw.jsonl")
        self._opened = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []
        self._open: set[str] = set()
        self._answered: set[str] = set()
        self.senders: list[Send] = []
        """What hands messages in: each message of a conversation goes by the next of them."""
        self.last_news = time.monotonic()

    @property
    def answered(self) -> int:
        """Count the messages answered so far, of all runs."""
        return len(self._answered)

    @property
    def unanswered(self) -> int:
        """Count the messages accepted and not answered so far."""
        return len(self._open)

    async def __aenter__(self) -> Self:
        """Connect, and collect from now on."""
        streams = [*(replies_stream(TENANT, channel) for channel in CHANNELS), escalations_stream(TENANT)]
        async with AsyncExitStack() as opening:
            for log in (self._ledger, self._outbound, self._raw):
                opening.callback(log.close)
            producer = await opening.enter_async_context(AsyncProducer(self._settings))
            self.senders = [producer.send]
            follower = await opening.enter_async_context(AsyncFollower(self._settings, streams))
            self._tasks = [asyncio.create_task(self._look(follower))]
            for stream in streams:
                subscription = AsyncSubscription(self._settings, stream, "chaos", "one", start="$")
                await opening.enter_async_context(subscription)
                self._tasks.append(asyncio.create_task(self._collect(subscription)))
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop collecting, and disconnect."""
        await end_task(*self._tasks)
        await self._opened.aclose()

    async def play(self, plan: Plan, enough: asyncio.Event) -> None:
        """Send a plan's messages as they are due, by the clock alone, until it is `enough`; return once all are in."""
        started = time.monotonic()
        sending: dict[str, asyncio.Task[None]] = {}
        sent: dict[str, list[Inbound]] = {}
        async with asyncio.TaskGroup() as group:
            for number, inbound in enumerate(plan_messages(plan)):
                await asyncio.sleep(max(0.0, started + number / plan.messages_per_second - time.monotonic()))
                if enough.is_set():
                    break
                before = sending.get(inbound.conversation)
                earlier = sent.setdefault(inbound.conversation, [])
                again = [inbound] * plan.copies + (earlier[:1] if plan.copies else [])
                by = sum(divmod(number, plan.conversations))
                if before is not None and number % plan.conversations < len(plan.bookings):
                    answered = self._until_answered(before, earlier[-1].message_id, plan.silence_seconds_max)
                    before = group.create_task(answered)
                sending[inbound.conversation] = group.create_task(self._send(inbound, before, again, by))
                earlier.append(inbound)

    async def wait_for_answers(self, silence_seconds_max: float) -> bool:
        """Wait until all is answered, or nothing comes any more; gives whether all is."""
        self.last_news = time.monotonic()
        while self._open:
            if time.monotonic() - self.last_news > silence_seconds_max:
                self._open.clear()  # a later run shall not wait for them again
                return False
            await asyncio.sleep(0.05)
        await asyncio.sleep(LINGER_SECONDS)
        return True

    async def _until_answered(self, before: asyncio.Task[None], message_id: str, seconds_max: float) -> None:
        """Wait as a customer does who is asked for a yes: it says nothing unless it comes after the question."""
        await before
        deadline = time.monotonic() + seconds_max
        while message_id not in self._answered and time.monotonic() < deadline:  # noqa: ASYNC110 - with a deadline
            await asyncio.sleep(0.05)

    async def _send(self, inbound: Inbound, before: asyncio.Task[None] | None, again: list[Inbound], by: int) -> None:
        """Send one message once the one before it in its conversation is accepted: a gateway keeps that order."""
        if before is not None:
            await before
        await self._accept(inbound, by)
        await asyncio.gather(*(self._accept(message, by) for message in again))

    async def _accept(self, inbound: Inbound, by: int) -> None:
        receipt = None
        by %= len(self.senders)
        while receipt is None:
            try:
                receipt = await self.senders[by](inbound)
            except ServerUnreachable:
                continue  # it has waited as long as FTE_SEND_SECONDS_MAX says
            except MailboxFull as full:
                await asyncio.sleep(full.retry_after_seconds)
        self._ledger.write(
            at=time.time(),
            message_id=inbound.message_id,
            conversation=inbound.conversation,
            position=receipt.position,
            status=receipt.status,
            by=by,
        )
        if inbound.message_id not in self._answered:
            self._open.add(inbound.message_id)
        self.last_news = time.monotonic()

    async def _collect(self, subscription: AsyncSubscription) -> None:
        async for entry in subscription:
            self._outbound.write(**_fact_of(entry))
            if isinstance(entry.body, Reply):
                self._answered.update(entry.body.in_reply_to)
                self._open.difference_update(entry.body.in_reply_to)
                self.last_news = time.monotonic()
            await subscription.ack(entry)

    async def _look(self, follower: AsyncFollower) -> None:
        async for entry in follower:
            self._raw.write(**_fact_of(entry))


def plan_messages(plan: Plan) -> Iterator[Inbound]:
    """Give all messages of a plan in the order of sending: all first ones, all second ones, and so on."""
    scripts = make_scripts(plan.seed, plan.conversations, plan.turns, channels=CHANNELS, bookings=plan.bookings)
    texts = [script.texts for script in scripts]
    for number, booking in enumerate(plan.bookings[: plan.conversations]):
        texts[number] = tuple((_seat_changes(booking) * plan.turns)[: plan.turns])
    for place in range(plan.turns):
        for number, script in enumerate(scripts):
            conversation = f"{plan.run}-{number}"
            yield Inbound(
                message_id=f"{conversation}-{place}",
                tenant=TENANT,
                conversation=conversation,
                channel=script.channel,
                sender=script.sender,
                subject=script.subject,
                text=texts[number][place],
            )


def _seat_changes(booking: Booking) -> tuple[str, ...]:
    """Write what moves a passenger back and forth: each yes is one effect, and must be one row."""
    named = f"{booking.first_name} {booking.surname}, {booking.confirmation_number}."
    return (
        f"{named} Please move me to a window seat",
        "yes please",
        f"{named} Now move me to an aisle seat",
        "yes please",
    )


def _fact_of(entry: StreamEntry) -> dict[str, Any]:
    """Give what an auditor needs of an entry: nobody's words."""
    reply = entry.body if isinstance(entry.body, Reply) else None
    return {
        "at": time.time(),
        "kind": "reply" if reply else "escalation",
        "id": entry.id,
        "conversation": entry.conversation,
        "sequence": entry.sequence,
        "in_reply_to": list(reply.in_reply_to) if reply else [],
        "reports_change": bool(reply and reply.text.startswith("Done")),
    }
