"""A gateway's sender process: reads messages from a connection, and answers with their receipts."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import uvloop

from ops.lab.chaos.http_sender import SENDER, open_http_sender
from producer.sending.client import AsyncProducer
from runtime.encoding import dump_json, parse_json
from runtime.failpoints import read_failpoint
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from schema.settings.gateway import GatewaySettings

    Send = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
    """Sends a message; returns its receipt, or the refusal and when to try again."""


def run_sender(settings: GatewaySettings, port: int, on_ready: Callable[[], None]) -> int:
    """Serve the gateway that listens on a loopback port until it hangs up; return the exit code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, port, on_ready))
    return 0


async def _serve(settings: GatewaySettings, port: int, on_ready: Callable[[], None]) -> None:
    async with _open_sender(settings) as send:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        on_ready()
        async with asyncio.TaskGroup() as sending:
            async for line in reader:
                sending.create_task(_answer(send, parse_json(line), writer))
        writer.close()


@asynccontextmanager
async def _open_sender(settings: GatewaySettings) -> AsyncIterator[Send]:
    """Open what sends messages: the library, or what the environment names."""
    failpoint = read_failpoint(os.environ)
    kind = os.environ.get(SENDER, "library")
    if kind != "library":
        async with open_http_sender(settings, failpoint, stalled=kind == "http-stalled") as sender:
            yield sender.send
        return
    async with AsyncProducer(settings, failpoint=failpoint) as producer:
        yield partial(_send, producer)


async def _answer(send: Send, order: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    """Send one message and write the outcome: a receipt, or the name of the refusal and when to try again."""
    answer = {"number": order["number"], **await send(order["message"])}
    writer.write(dump_json(answer).encode() + b"\n")


async def _send(producer: AsyncProducer, message: dict[str, Any]) -> dict[str, Any]:
    try:
        receipt = await producer.send(message)
    except FteError as error:
        return {"refused": type(error).__name__, "after_seconds": getattr(error, "retry_after_seconds", 0)}
    return {"receipt": {"position": receipt.position, "status": receipt.status}}
