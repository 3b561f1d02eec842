"""Stand between a client and a server, and do to the wire what networks do."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Wire:
    """Pass bytes both ways until told otherwise."""

    def __init__(self) -> None:
        self.swallows_answer_to: bytes | None = None
        """Cut a connection when the server answers after the client sent this; the answer is lost."""
        self.asked = asyncio.Event()
        """Set when the client has sent it."""
        self.cuts = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def carry(self, host: str, port: int, client: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
        """Carry one connection to its end."""
        server = await asyncio.open_connection(host, port)
        state = {"doomed": False}
        self._writers |= {client[1], server[1]}

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_client: bool) -> None:
            while data := await reader.read(65_536):
                if from_client and self.swallows_answer_to is not None and self.swallows_answer_to in data:
                    state["doomed"] = True
                    self.swallows_answer_to = None
                    self.asked.set()
                if not from_client and state["doomed"]:
                    self.cuts += 1
                    break
                writer.write(data)
                await writer.drain()
            for end in (client[1], server[1]):
                end.close()

        await asyncio.gather(
            pump(client[0], server[1], from_client=True),
            pump(server[0], client[1], from_client=False),
            return_exceptions=True,
        )
        self._writers -= {client[1], server[1]}

    def cut_all(self) -> None:
        """Cut every connection there is."""
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[tuple[str, Wire]]:
    """Give the server's URL by way of a wire, and the wire."""
    parts = urlsplit(url)
    wire = Wire()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await wire.carry(parts.hostname or "", parts.port or 0, (reader, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    try:
        yield urlunsplit(parts._replace(netloc=f"{credentials}@127.0.0.1:{port}")), wire
    finally:
        wire.cut_all()
        server.close()
