from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console
from rich.text import Text

from ops.demo.conversations import SCRIPTS, SampleConversation
from ops.demo.screen import Screen
from ops.terminal import print_speech

FIRST, SECOND, THIRD = SCRIPTS[:3]


class Paper:
    """Be a console whose output can be read."""

    def __init__(self, width: int = 60) -> None:
        self._file = io.StringIO()
        self.console = Console(file=self._file, width=width)

    @property
    def lines(self) -> list[str]:
        return self._file.getvalue().splitlines()

    def shown(self, *words: str) -> list[str]:
        """Give those of the words that stand on the paper, in the order in which they do."""
        text = "\n".join(self.lines)
        return sorted((word for word in words if word in text), key=text.index)


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def say(paper: Paper) -> Callable[[SampleConversation, str], None]:
    return Screen(paper.console, [FIRST, SECOND]).asked


def test_the_first_conversation_is_shown_as_it_happens(
    paper: Paper, say: Callable[[SampleConversation, str], None]
) -> None:
    say(SECOND, "from the second")
    say(FIRST, "from the first")

    assert paper.shown("from the first", "from the second") == ["from the first"]


def test_conversations_that_interleave_are_shown_one_after_the_other(paper: Paper) -> None:
    screen = Screen(paper.console, [FIRST, SECOND, THIRD])
    for number in (1, 2):
        for script in (THIRD, SECOND, FIRST):
            screen.asked(script, f"{script.name} {number}")
    for script in (THIRD, FIRST, SECOND):
        screen.ended(script)

    order = [f"{script.name} {number}" for script in (FIRST, SECOND, THIRD) for number in (1, 2)]
    assert paper.shown(*reversed(order)) == order


def test_each_conversation_has_its_heading_once(paper: Paper, say: Callable[[SampleConversation, str], None]) -> None:
    say(FIRST, "hello")
    say(FIRST, "again")

    assert sum(FIRST.title in line for line in paper.lines) == 1
    assert not any(SECOND.title in line for line in paper.lines)


def test_speech_is_set_in_a_column_without_trailing_blanks() -> None:
    paper = Paper(width=60)

    print_speech(
        paper.console, "FAQ Agent", "", Text("one two three four five six seven eight nine ten\n\nSource: Bags")
    )

    assert paper.lines == [
        "        FAQ Agent  one two three four five six seven eight",
        "                   nine ten",
        "",
        "                   Source: Bags",
    ]
