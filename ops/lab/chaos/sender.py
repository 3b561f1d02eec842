"""A gateway's sender process: reads messages from a connection, and answers with their receipts."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import uvloop

from producer.sending.client import AsyncProducer
from runtime.encoding import dump_json, parse_json
from runtime.failpoints import read_failpoint
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from schema.settings.sending import SendingSettings


def run_sender(settings: SendingSettings, port: int, on_ready: Callable[[], None]) -> int:
    """Serve the gateway that listens on a loopback port until it hangs up; return the exit code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, port, on_ready))
    return 0


async def _serve(settings: SendingSettings, port: int, on_ready: Callable[[], None]) -> None:
    async with AsyncProducer(settings, failpoint=read_failpoint(os.environ)) as producer:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        on_ready()
        async with asyncio.TaskGroup() as sending:
            async for line in reader:
                sending.create_task(_send(producer, parse_json(line), writer))
        writer.close()


async def _send(producer: AsyncProducer, order: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    """Send one message and write the outcome: a receipt, or the name of the refusal and when to try again."""
    answer: dict[str, Any] = {"number": order["number"]}
    try:
        receipt = await producer.send(order["message"])
    except FteError as error:
        answer |= {"refused": type(error).__name__, "after_seconds": getattr(error, "retry_after_seconds", 0)}
    else:
        answer["receipt"] = {"position": receipt.position, "status": receipt.status}
    writer.write(dump_json(answer).encode() + b"\n")
