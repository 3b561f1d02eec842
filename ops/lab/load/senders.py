"""Send a load test's messages from several processes, each with the conversations that fall to it."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

import uvloop

from ops.lab.load.sending import AcceptedMessage, MessagePlan, MessageSender, open_sender
from runtime.cancelling import cancel_and_wait
from runtime.garbage import expect_much
from runtime.telemetry.logs import configure_logs
from schema.errors import FteError

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from types import TracebackType

    from ops.lab.load.options import LoadOptions
    from ops.lab.load.schedule import DueMessage
    from schema.settings import Settings

TELL_SECONDS: Final = 0.05
"""How often a process tells what has been accepted."""

STOP_SECONDS_MAX: Final = 5.0
_READY: Final = "ready"
_DONE: Final = "done"


class SenderFailed(FteError):
    """A process that sends a load test's messages has ended before all were accepted."""


class SenderProcesses:
    """Processes that send, for the length of the block; open it, and then `run` it."""

    def __init__(self, settings: Settings, options: LoadOptions, tell: Callable[[AcceptedMessage], None]) -> None:
        """Take what to call with each message that is accepted."""
        self._tell = tell
        self._channels: list[Connection] = []
        self._processes: list[SpawnProcess] = []
        context = multiprocessing.get_context("spawn")  # a fork would take this process's connections along
        for index in range(options.senders):
            ours, theirs = context.Pipe()
            process = context.Process(target=_run_sender, args=(theirs, settings, options, index), daemon=True)
            process.start()
            theirs.close()  # so that the end of the process is the end of the channel
            self._channels.append(ours)
            self._processes.append(process)

    async def __aenter__(self) -> Self:
        """Wait until all are connected; raises SenderFailed."""
        try:
            for index in range(len(self._channels)):
                await self._hear(index)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes that still run."""
        await self._stop()

    async def run(self, started_at: float) -> None:
        """Send every message when it is due, counted from `started_at` (epoch seconds); return when all are accepted.

        Raises SenderFailed.
        """
        for channel in self._channels:
            channel.send(started_at)
        try:
            async with asyncio.TaskGroup() as group:
                for index in range(len(self._channels)):
                    group.create_task(self._follow(index))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from failed

    async def _follow(self, index: int) -> None:
        while True:
            told = await self._hear(index)
            if told == _DONE:
                return
            for message in told:
                self._tell(AcceptedMessage(*message))

    async def _hear(self, index: int) -> Any:
        try:
            told = await asyncio.to_thread(self._channels[index].recv)
        except (EOFError, OSError):
            process = self._processes[index]
            await asyncio.to_thread(process.join, STOP_SECONDS_MAX)
            raise SenderFailed(f"sender process {index + 1} ended with exit code {process.exitcode}") from None
        if isinstance(told, Exception):
            raise SenderFailed(f"sender process {index + 1}: {told}")
        return told

    async def _stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            await asyncio.to_thread(process.join, STOP_SECONDS_MAX)
        for channel in self._channels:
            channel.close()


def falls_to(due: DueMessage, index: int, senders: int) -> bool:
    """Check whether a message is sent by this process of so many: all of a conversation are sent by one."""
    return (due.conversation + (1 if due.is_hot else 0)) % senders == index


def _run_sender(channel: Connection, settings: Settings, options: LoadOptions, index: int) -> None:
    """Send what falls to this process; the main function of it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the first one ends us
    configure_logs(settings.model_copy(update={"log_format": "console", "log_level": "warning"}))
    expect_much()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_send(channel, settings, options, index))
    except FteError as error:
        with suppress(OSError):
            channel.send(FteError(str(error)))  # as an error that needs no more than its text to cross over
    channel.close()


async def _send(channel: Connection, settings: Settings, options: LoadOptions, index: int) -> None:
    plan = MessagePlan(options)
    ours = [planned for planned in plan.messages if falls_to(planned.due, index, options.senders)]
    accepted: list[AcceptedMessage] = []
    async with open_sender(settings, options) as producer:
        sender = MessageSender(plan, producer, accepted.append)
        channel.send(_READY)
        started_at = await asyncio.to_thread(channel.recv)
        telling = asyncio.create_task(_tell_regularly(channel, accepted))
        try:
            await sender.send_all(ours, started_at)
        finally:
            await cancel_and_wait(telling)
    _tell(channel, accepted)
    channel.send(_DONE)


async def _tell_regularly(channel: Connection, accepted: list[AcceptedMessage]) -> None:
    while True:
        await asyncio.sleep(TELL_SECONDS)
        _tell(channel, accepted)


def _tell(channel: Connection, accepted: list[AcceptedMessage]) -> None:
    if accepted:
        channel.send([tuple(message) for message in accepted])
        accepted.clear()
