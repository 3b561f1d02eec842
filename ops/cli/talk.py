"""Conduct a conversation in the terminal: the keyboard on this thread, the product on another."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from anyio.from_thread import start_blocking_portal
from rich.text import Text

from ops.desk.outbound import listening
from ops.desk.received import ReceivedEntries, ends_in_silence
from ops.terminal import print_speech, safe_text
from producer.sending.client import AsyncProducer
from schema.errors import FteError
from schema.ids import ConversationKey, new_token
from schema.keys import escalations_stream, events_stream, replies_stream
from schema.messages.escalation import Escalation
from schema.messages.event import Event
from schema.messages.reply import Reply

if TYPE_CHECKING:
    from rich.console import Console

    from producer.collecting.entries import StreamEntry
    from schema.settings.sending import SendingSettings

REPLY_SECONDS_MAX = 60.0
"""How long to wait for a reply before the customer may write again."""

_TOGETHER_SECONDS = 0.05
"""A reply and the escalation beside it are published together; the prompt waits for both."""

_PROMPT = "you > "


class Talk:
    """One conversation in the terminal, and the replies it waits for."""

    def __init__(self, console: Console, key: ConversationKey, channel: str, sender: str) -> None:
        self.console = console
        self.key = key
        self.channel = channel
        self._sender = sender
        self._received = ReceivedEntries()

    async def listen(self, entry: StreamEntry) -> None:
        """Receive an entry of any conversation, and show it when it is of this one."""
        if entry.body.conversation != self.key.conversation:
            return
        if isinstance(entry.body, Reply) and self._received.has(entry.body.reply_id):
            return  # published twice is shown once
        self._show(entry.body)
        await self._received.add(entry)

    async def say(self, producer: AsyncProducer, text: str) -> bool:
        """Send a message and wait for its outcome; return False when there was none in time."""
        message_id = f"chat-{new_token()}"
        forwarded = len(self._received.events)
        await producer.send(
            {
                "message_id": message_id,
                "tenant": self.key.tenant,
                "conversation": self.key.conversation,
                "channel": self.channel,
                "sender": self._sender,
                "text": text,
            }
        )

        def settled() -> Reply | Event | None:
            """Return the reply, or the event that there is none: a human has the message, or a machine wrote it."""
            events = self._received.events[forwarded:]
            return self._received.reply_to(self.key.conversation, message_id) or next(
                (event for event in events if ends_in_silence(event)), None
            )

        found = await self._received.wait(settled, seconds_max=REPLY_SECONDS_MAX)
        await asyncio.sleep(_TOGETHER_SECONDS)
        return found is not None

    def _show(self, body: Reply | Escalation | Event) -> None:
        if isinstance(body, Reply):
            print_speech(self.console, body.agent or "fte", "bold green", safe_text(body.text))
        elif isinstance(body, Escalation):
            told = (
                f"ticket {body.ticket_id}, {body.category.replace('_', ' ')}, {body.priority} priority\n{body.reason}"
            )
            print_speech(self.console, "to a human", "bold yellow", safe_text(told, "yellow"))
        elif body.name == "message.refused" and ends_in_silence(body):
            told = "that reads like an automatic reply; nobody answers it"
            print_speech(self.console, "", "", Text(told, "yellow"))
        elif body.name == "message.forwarded":
            told = "a human has this conversation; your message waits for them"
            print_speech(self.console, "", "", Text(told, "yellow"))


def converse(settings: SendingSettings, talk: Talk) -> int:
    """Conduct the conversation until the input ends; return how many messages found no answer.

    The keyboard is read on this thread, which Ctrl-C interrupts; reading it on another would leave the terminal
    without echo, and the program waiting for a last line.
    """
    unanswered = 0
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(_open_line(settings, talk)) as say:
        if sys.stdin.isatty():
            talk.console.print(f"[dim]conversation {talk.key.conversation}; Ctrl-D ends[/]\n")
        for text in _typed_lines():
            try:
                answered = portal.call(say, text)
            except FteError as error:
                talk.console.print(safe_text(str(error), "red"))
                answered = False
            else:
                if not answered:
                    waited = f"no answer after {REPLY_SECONDS_MAX:.0f} s: is a worker running? (fte worker)"
                    talk.console.print(waited, style="yellow")
            unanswered += not answered
    return unanswered


@asynccontextmanager
async def _open_line(settings: SendingSettings, talk: Talk) -> AsyncIterator[Callable[[str], Awaitable[bool]]]:
    """Connect to both ends; yield a function that sends, and show meanwhile what comes out."""
    streams = [replies_stream(talk.key.tenant, talk.channel), escalations_stream(talk.key.tenant)]
    async with (
        AsyncProducer(settings) as producer,
        listening(settings, [*streams, events_stream(talk.key.tenant)], talk.listen),
    ):
        yield partial(talk.say, producer)


def _typed_lines() -> Iterator[str]:
    """Yield typed lines until the end of the input, without blank ones."""
    if not sys.stdin.isatty():
        yield from filter(str.strip, (line.rstrip("\n") for line in sys.stdin))
        return
    import readline  # noqa: F401 - gives input() its line editing and history

    while True:
        try:
            text = input(_PROMPT)
        except EOFError:
            print()  # noqa: T201 - leaves the prompt's line
            return
        except KeyboardInterrupt:
            print()  # noqa: T201 - as above
            raise
        if text.strip():
            yield text
