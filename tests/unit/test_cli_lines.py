from __future__ import annotations

import asyncio
import io
import os
from pathlib import Path

import pytest
import typer

from ops.cli.lines import CHUNK_LINES_MAX, LINE_BYTES_MAX, READ_BYTES, InputLine, open_input, read_chunks
from schema.errors import InvalidMessage


async def chunks_of(content: bytes) -> list[list[InputLine]]:
    return [chunk async for chunk in read_chunks(io.BytesIO(content))]


async def lines_of(content: bytes) -> list[InputLine]:
    return [line for chunk in await chunks_of(content) for line in chunk]


async def test_lines_are_numbered_as_in_the_file_and_blank_ones_left_out() -> None:
    lines = await lines_of(b'{"a": 1}\n\n  \n{"b": 2}')

    assert [(line.number, line.content) for line in lines] == [(1, b'{"a": 1}'), (4, b'{"b": 2}')]


async def test_a_byte_order_mark_is_no_part_of_the_first_message() -> None:
    lines = await lines_of(b'\xef\xbb\xbf{"a": 1}\n\xef\xbb\xbf{"b": 2}')

    assert [line.content for line in lines] == [b'{"a": 1}', b'\xef\xbb\xbf{"b": 2}']


async def test_a_chunk_is_never_larger_than_one_round_trip() -> None:
    chunks = await chunks_of(b"{}\n" * (2 * CHUNK_LINES_MAX + 1))

    assert [len(chunk) for chunk in chunks] == [CHUNK_LINES_MAX, CHUNK_LINES_MAX, 1]


async def test_a_line_that_spans_several_reads_is_whole() -> None:
    long = b"x" * (LINE_BYTES_MAX - 1)

    lines = await lines_of(b"first\n" * 20 + long + b"\n" + long + b"\nlast\n")

    assert [line.content for line in lines[-3:]] == [long, long, b"last"]
    assert all(line.refused is None for line in lines)


@pytest.mark.parametrize("size", [LINE_BYTES_MAX + 1, READ_BYTES * 3 + 7], ids=["just", "by-far"])
@pytest.mark.parametrize("ending", [b"\nnext\n", b"\nnext"], ids=["newline", "no-newline"])
async def test_a_line_that_is_too_long_is_refused_and_the_next_one_read(size: int, ending: bytes) -> None:
    lines = await lines_of(b"x" * size + ending)

    assert [line.number for line in lines] == [1, 2]
    assert isinstance(lines[0].refused, InvalidMessage)
    assert lines[1].content == b"next"


async def test_a_line_that_is_too_long_at_the_end_is_refused_once() -> None:
    lines = await lines_of(b"x" * (READ_BYTES * 2))

    assert [(line.number, line.refused is None) for line in lines] == [(1, False)]


async def test_a_line_that_comes_through_a_pipe_does_not_wait_for_others() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        chunks = read_chunks(stream)
        os.write(writing, b"one\n")

        first = await asyncio.wait_for(anext(chunks), 5)
        os.close(writing)

        assert [line.content for line in first] == [b"one"]
        assert [chunk async for chunk in chunks] == []


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="No such file"), open_input(str(tmp_path / "none")):
        pass
