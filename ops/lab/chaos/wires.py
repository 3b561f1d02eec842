"""A TCP proxy between a client and a server that delays, drops and cuts as networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from runtime.cancelling import cancel_and_wait

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK_BYTES_MAX = 65_536
CHUNKS_MAX = 64
"""How many chunks may be on their way in one direction; then the sender waits, as on a real wire."""

# SO_LINGER of no seconds: closing sends RST, as a machine does that has no memory of a connection.
_RESET = struct.pack("ii", 1, 0)


class Wire:
    """Passes bytes both ways, with the faults set on it; they apply to all connections of this wire."""

    def __init__(self, seed: int | str = 1) -> None:
        self.swallows_answer_to: bytes | None = None
        """When the client has sent this, cut its connection at the server's answer; the answer is lost."""
        self.asked = asyncio.Event()
        """Set when the client has sent those bytes."""
        self.loses_answers = 0.0
        """The share of requests whose answer is lost: the server has received them, and the connection is cut."""
        self.resets = 0.0
        """The share of chunks, either way, that are lost together with their connection."""
        self.latency_seconds = 0.0
        """Delay of each chunk; up to half as long again, at random."""
        self.is_apart = False
        """Whether new connections are silent too."""
        self.cuts = 0
        self._random = Random(seed)  # noqa: S311 - draws faults
        self._connections: set[_Connection] = set()

    async def carry(self, host: str, port: int, client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Serve one connection to its end."""
        try:
            server = await asyncio.open_connection(host, port)
        except OSError:
            client[1].transport.abort()
            return
        connection = _Connection(self, client, server)
        connection.is_deaf = self.is_apart
        self._connections.add(connection)
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)

    def cut_all(self) -> None:
        """Reset every open connection."""
        for connection in list(self._connections):
            connection.cut()

    def swallow(self) -> None:
        """Make the open connections half-open: nothing arrives any more, either way, and no end is told."""
        for connection in self._connections:
            connection.is_deaf = True

    def part(self) -> None:
        """Cut client and server off: nothing passes, also on new connections, until `heal`."""
        self.is_apart = True
        self.swallow()

    def heal(self) -> None:
        """Pass bytes without faults again; silenced connections are reset."""
        self.is_apart = False
        for connection in list(self._connections):
            if connection.is_deaf:
                connection.cut()
        self.loses_answers = self.resets = self.latency_seconds = 0.0
        self.swallows_answer_to = None

    def draw(self, share: float) -> bool:
        """Draw whether a fault of this probability happens."""
        return share > 0 and self._random.random() < share

    def draw_latency_seconds(self) -> float:
        """Draw the delay of a chunk."""
        return self.latency_seconds * self._random.uniform(1.0, 1.5)


class _Connection:
    """One proxied connection: in each direction one task reads, and one writes what is due."""

    def __init__(
        self,
        wire: Wire,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._wire = wire
        self._client = client
        self._server = server
        self.is_deaf = False
        self._is_doomed = False

    async def run(self) -> None:
        """Pass bytes until one end closes."""
        there: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_MAX)
        back: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_MAX)
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._read(self._client[0], there, from_client=True),
                self._write(there, self._server[1]),
                self._read(self._server[0], back, from_client=False),
                self._write(back, self._client[1]),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.exception()  # why an end closed is not the wire's business
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            for _, writer in (self._client, self._server):
                writer.close()

    def cut(self) -> None:
        """Reset both ends."""
        for _, writer in (self._client, self._server):
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    async def _read(
        self, reader: asyncio.StreamReader, queue: asyncio.Queue[tuple[float, bytes]], *, from_client: bool
    ) -> None:
        loop, wire = asyncio.get_running_loop(), self._wire
        while data := await reader.read(CHUNK_BYTES_MAX):
            if self.is_deaf:
                continue
            if from_client and wire.swallows_answer_to is not None and wire.swallows_answer_to in data:
                self._is_doomed = True
                wire.swallows_answer_to = None
                wire.asked.set()
            if from_client and wire.draw(wire.loses_answers):
                self._is_doomed = True
            if (self._is_doomed and not from_client) or wire.draw(wire.resets):
                wire.cuts += 1
                self.cut()
                return
            await queue.put((loop.time() + wire.draw_latency_seconds(), data))
        if self.is_deaf:  # the end that closed is not noticed at the other
            await asyncio.Event().wait()
        await queue.join()  # bytes sent before closing arrive

    async def _write(self, queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due_at, data = await queue.get()
            await asyncio.sleep(max(0.0, due_at - loop.time()))
            if not self.is_deaf:
                writer.write(data)
                await writer.drain()
            queue.task_done()


@asynccontextmanager
async def wire_to(url: str, seed: int | str = 1) -> AsyncIterator[tuple[str, Wire]]:
    """Yield the server's URL by way of a wire, and the wire."""
    parts = urlsplit(url)
    wire = Wire(seed)

    carrying: set[asyncio.Task[None]] = set()

    def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(wire.carry(parts.hostname or "", parts.port or 0, (reader, writer)))
        carrying.add(task)
        task.add_done_callback(carrying.discard)

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    try:
        yield urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}")), wire
    finally:
        server.close()
        wire.cut_all()
        await cancel_and_wait(*carrying)
