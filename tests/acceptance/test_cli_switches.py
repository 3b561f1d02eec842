"""Switches and pauses of a product that is up: what its running worker does within a few seconds."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tests.acceptance.fte_process import new_conversation
from tests.acceptance.test_cli_status import wait_for_workers

if TYPE_CHECKING:
    from tests.acceptance.fte_process import Up

KNOWN_SECONDS: Final = 5.0
"""Within which every worker knows of a switch: two seconds, and three for a busy machine."""

QUESTION: Final = "How many bags can I bring?"


def ask_until(up: Up, *, is_persons: bool) -> str:
    """Ask in conversation after conversation until a person is to answer, or the bot does; gives the reply."""
    deadline = time.monotonic() + KNOWN_SECONDS
    while True:
        began, conversation = time.monotonic(), new_conversation()
        up.say(conversation, QUESTION)
        text: str = up.wait_for("replies", conversation, 1)[0]["text"]
        if ("ticket number" in text) is is_persons:
            return text
        assert began < deadline, text


def test_an_agent_that_is_off_leaves_its_questions_to_a_person_until_it_is_on(up: Up) -> None:
    off = up.run("switches", "off", "agent:faq", "--tenant", "default", "--for", "1h", "--reason", "it invents rules")
    ask_until(up, is_persons=True)
    on = up.run("switches", "on", "agent:faq", "--tenant", "default")
    answer = ask_until(up, is_persons=False)

    assert (off.code, on.code) == (0, 0)
    assert "Source:" in answer
    acts = up.run("audit", "list", "--json", "--tenant", "default").lines
    assert [act["operation"] for act in acts[:2]] == ["switch.turned_on", "switch.turned_off"]


def test_while_all_is_paused_messages_wait_and_are_answered_afterwards(up: Up) -> None:
    conversation = new_conversation()

    paused = up.run("pause", "--reason", "maintenance")
    [worker] = wait_for_workers(up, "paused")
    up.say(conversation, QUESTION)
    status = up.run("status")
    waiting = up.run("status", "--json").lines[0]["waiting"]
    resumed = up.run("resume")

    assert (paused.code, resumed.code) == (0, 0)
    assert worker.slots_used == 0
    assert "work of every tenant is paused" in status.output
    assert waiting["messages"] == 1
    assert len(up.wait_for("replies", conversation, 1)) == 1
