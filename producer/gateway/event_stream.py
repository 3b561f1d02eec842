"""Send server-sent events to one client, and drop a client that does not read them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Message, Receive, Scope, Send

STALL_SECONDS_MAX: Final = 20.0
"""How long a client may leave what was sent to it unread before its connection is cut."""

PING: Final = b": ping\n\n"
HANG_UP: Final = "fte.hang_up"
"""Key of the scope's `extensions`: cuts the connection without waiting for what it has not read."""

_log = structlog.get_logger("fte.gateway")


class EventStream(StreamingResponse):
    """A response of `text/event-stream`; what a client has not read waits in its socket's buffer and nowhere else."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[bytes]) -> None:
        super().__init__(events, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until there are no more, the client leaves, or it stops reading."""
        hang_up: Callable[[], None] | None = scope.get("extensions", {}).get(HANG_UP)

        async def send_in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(STALL_SECONDS_MAX):
                    await send(message)
            except TimeoutError:
                _log.warning("stream.client_stalled", seconds=STALL_SECONDS_MAX)
                if hang_up is not None:
                    hang_up()
                raise _Stalled from None

        try:
            await super().__call__(scope, receive, send_in_time)
        except _Stalled:
            pass
        finally:
            await self._events.aclose()  # type: ignore[attr-defined] # of a generator


class _Stalled(Exception):
    """The client has not read for too long."""


def encode_event(*, data: str, event: str, event_id: str) -> bytes:
    """Encode one event; `data` is JSON on one line, and neither it nor the others hold a line's end."""
    return f"event: {event}\nid: {event_id}\ndata: {data}\n\n".encode()
