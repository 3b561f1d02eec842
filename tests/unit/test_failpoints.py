from __future__ import annotations

import os
import signal
import threading

import pytest
from structlog.contextvars import bound_contextvars

from runtime.failpoints import VARIABLE, no_failpoint, read_failpoint


def test_without_a_word_from_the_environment_every_point_is_passed() -> None:
    assert read_failpoint({}) is no_failpoint


def test_a_process_dies_at_the_point_named_the_time_named(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append((pid, number)))
    failpoint = read_failpoint({VARIABLE: "model.journaled@2"})

    failpoint("model.journaled")
    failpoint("commit.begun")
    assert killed == []
    failpoint("model.journaled")

    assert killed == [(os.getpid(), signal.SIGKILL)]


def test_a_process_may_die_a_while_after_a_point(monkeypatch: pytest.MonkeyPatch) -> None:
    killed = threading.Event()
    monkeypatch.setattr(os, "kill", lambda _pid, _number: killed.set())
    failpoint = read_failpoint({VARIABLE: "guard.done@1+0.05"})

    failpoint("guard.done")
    assert not killed.is_set()

    assert killed.wait(5)


def test_a_point_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lunch.*commit\.begun"):
        read_failpoint({VARIABLE: "lunch"})


def test_a_point_may_be_reached_by_one_conversation_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
    failpoint = read_failpoint({VARIABLE: "guard.done=c-7"})

    with bound_contextvars(conversation="c-8"):
        failpoint("guard.done")
    assert killed == []
    with bound_contextvars(conversation="c-7"):
        failpoint("guard.done")

    assert killed == [os.getpid()]
