"""A message or a reply that repeats itself holds a worker up no longer than in proportion to its length.

The loop that reads it serves every other conversation too, so one that takes minutes costs all of them their leases.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from tests.unit.local_conversations import Conversation
from tests.unit.reviewing import NOTHING, kind_of
from worker.guardrails.pii import normalise

CHARACTERS = 5_000
SECONDS_MAX = 10.0
"""A second is usual. Where time grows with the square of the length or faster, each of these took from 4 s to hours."""

REPEATED = (
    " ",
    "\t",
    "\n",
    "\n \n",
    "A",
    "and ",
    "x.y",
    "+1 ",
    "seat 14C ",
    "a-",
    "-- \n",
    "the\n",
    "\ufdfa",
    "...",
    "no ",
)


@pytest.mark.parametrize("piece", REPEATED)
async def test_a_turn_about_a_message_that_repeats_itself_ends_soon(piece: str) -> None:
    text = f"Hello {piece * (CHARACTERS // len(piece))} x"
    started = time.process_time()

    played = await Conversation().say(text)

    assert played.reply
    assert time.process_time() - started < SECONDS_MAX


@pytest.mark.parametrize("piece", REPEATED)
def test_a_reply_that_repeats_itself_is_checked_soon(piece: str) -> None:
    text = piece * (CHARACTERS // len(piece))
    started = time.process_time()

    kind_of(f"You said: {text}", replace(NOTHING, written=[text]))

    assert time.process_time() - started < SECONDS_MAX


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("two  blanks   stay", "two  blanks   stay"),
        ("a    table     row", "a   table   row"),
        ("a paragraph\n\nand another", "a paragraph\n\nand another"),
        ("much\n\n\n\n\n\nroom", "much\n\n\nroom"),
        ("blank\n \n\t\n  \n lines", "blank\n\n\n lines"),
        (" " * 20_000 + "x" + "\n" * 20_000, "   x\n\n\n"),
        ("hidden\u200b" + "\u00a0" * 9 + "blanks", "hidden   blanks"),
    ],
)
def test_of_a_run_of_blanks_or_blank_lines_three_stay(written: str, read: str) -> None:
    assert normalise(written) == read
