"""Read JSON lines in chunks, as soon as they are there, and never more than fits."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import typer

from schema.errors import FteError, InvalidMessage

CHUNK_LINES_MAX = 500
"""Messages sent at once: one round trip to PostgreSQL."""

LINE_BYTES_MAX = 1_000_000
"""Longest line: a message whose every character is escaped stays below it."""

READ_BYTES = 1 << 20
"""Bytes read at once; bounds a chunk's bytes too, together with the unfinished line before it."""


@dataclass(frozen=True)
class InputLine:
    """One line of the input, or the reason why it was not sent."""

    number: int
    content: bytes | dict[str, Any]
    refused: FteError | None


@contextmanager
def open_input(file: str) -> Iterator[BinaryIO]:
    """Open a file of JSON lines, or standard input for `-`; raises typer.BadParameter when it cannot be read."""
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        with open(file, "rb") as stream:  # noqa: PTH123 - a path or a device, such as /dev/fd/63
            yield stream
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}") from None


async def read_chunks(stream: BinaryIO) -> AsyncIterator[list[InputLine]]:
    """Yield the lines of a stream, at most CHUNK_LINES_MAX at once, as soon as they are there, without blank lines.

    A line that arrives through a pipe is passed on without waiting for a chunk to fill.
    """
    number = 0
    rest = b""
    too_long = False
    while True:
        block = await _read(stream)
        *lines, rest = (rest + block).split(b"\n") if block else (rest, b"")
        chunk = []
        for line in lines:
            number += 1
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line  # noqa: PLW2901 - Windows writes one
            if too_long or len(line) > LINE_BYTES_MAX:
                chunk.append(InputLine(number, b"", _too_long()))
                too_long = False
            elif line.strip():
                chunk.append(InputLine(number, line, None))
        if len(rest) > LINE_BYTES_MAX:
            too_long, rest = True, b""
        for at in range(0, len(chunk), CHUNK_LINES_MAX):
            yield chunk[at : at + CHUNK_LINES_MAX]
        if not block:
            return


async def _read(stream: BinaryIO) -> bytes:
    """Read the available bytes, waiting for at least one; b"" at the end.

    Waits on the event loop and not in a thread: a thread that reads a terminal outlives a Ctrl-C until the next line.
    """
    try:
        descriptor = stream.fileno()
    except OSError:  # a stream without a file behind it
        return stream.read(READ_BYTES)
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    try:
        loop.add_reader(descriptor, readable.set)
    except PermissionError:  # a regular file, which is always readable
        return os.read(descriptor, READ_BYTES)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(descriptor)
    return os.read(descriptor, READ_BYTES)


def _too_long() -> InvalidMessage:
    return InvalidMessage("message", f"over {LINE_BYTES_MAX} bytes", f"a line has at most {LINE_BYTES_MAX} bytes")
