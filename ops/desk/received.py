"""Collect received stream entries, and find the reply to each message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply
from schema.messages.unanswered import SILENT_REASONS

if TYPE_CHECKING:
    from producer.collecting.entries import StreamEntry

Found = TypeVar("Found")


def ends_in_silence(event: Event) -> bool:
    """Check whether an event tells that its message gets no reply: a human has it, or a machine wrote it."""
    reason = event.attributes.get("reason")
    return event.name == "message.forwarded" or (event.name == "message.refused" and reason in SILENT_REASONS)


@dataclass
class ReceivedEntries:
    """The entries of some conversations in the order of their streams; wakes whoever waits for one.

    Grows with every entry: for a few conversations, not for a service. Lives on one event loop.
    """

    replies: list[Reply] = field(default_factory=list)
    escalations: list[Escalation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    _arrived: dict[str, float] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, entry: StreamEntry) -> None:
        """Add one entry and wake those that wait."""
        async with self._changed:
            if isinstance(entry.body, Reply):
                self.replies.append(entry.body)
                self._arrived.setdefault(entry.body.reply_id, time.monotonic())
            elif isinstance(entry.body, Escalation):
                self.escalations.append(entry.body)
            else:
                self.events.append(entry.body)
            self._changed.notify_all()

    def has(self, reply_id: str) -> bool:
        """Check whether a reply was received already: an entry may stand in its stream twice."""
        return reply_id in self._arrived

    def reply_to(self, conversation: str, message_id: str) -> Reply | None:
        """Return the first reply to a message, or None."""
        for reply in self.replies:
            if reply.conversation == conversation and message_id in reply.in_reply_to:
                return reply
        return None

    def arrival(self, reply: Reply) -> float:
        """Return when a reply was first received, in monotonic seconds."""
        return self._arrived[reply.reply_id]

    async def wait(self, find: Callable[[], Found | None], *, seconds_max: float) -> Found | None:
        """Wait until `find` returns a value, calling it after every entry; None when it does not in time."""
        try:
            async with asyncio.timeout(seconds_max), self._changed:
                while (found := find()) is None:
                    await self._changed.wait()
                return found
        except TimeoutError:
            return None
