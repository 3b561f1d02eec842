"""HTTP/1.1 on one connection: uvicorn's, with limits on how long and how large the head of a request may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from producer.gateway.event_stream import HANG_UP

if TYPE_CHECKING:
    import asyncio

HEAD_BYTES_MAX: Final = 32_768
"""Size of a request's line and headers together."""
HEAD_SECONDS_MAX: Final = 10.0
"""How long they may take to come, from connecting or from the first byte after the request before."""


LINGER_SECONDS: Final = 5.0
"""How long the rest of a refused body is read and thrown away: a client that still sends would not see its answer."""


class GatewayProtocol(HttpToolsProtocol):
    """Ends connections whose request's head is too slow or too large, and lets a response cut its own connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Begin to wait for the first request's head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._end_wait()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; a head that is too large is answered with 431."""
        if self._in_head:
            if self._timer is None:
                self._await_head()
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES_MAX:
            self.transport.write(
                b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
            self.transport.close()

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: self.transport.abort}  # type: ignore[dict-item] # an extension of ours

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._in_head, self._head_bytes = False, 0
        self._end_wait()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the next request's head."""
        self._in_head = True
        self._end_wait()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the end of a body that nobody reads any more."""
        super().on_response_complete()
        if not self._in_head and not self.transport.is_closing():
            self._end_wait()
            self._timer = self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS_MAX, self.transport.abort)

    def _end_wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
