"""`fte up` and what is left when it ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.acceptance.fte_process import Fte, Up, new_conversation


def test_up_keeps_what_it_was_told_and_leaves_no_process_behind(tmp_path: Path) -> None:
    fte = Fte(tmp_path / "state")
    conversation = new_conversation()

    with fte.up() as first:
        first.say(conversation, "How many bags can I bring?")
        first.wait_for("replies", conversation, 1)
        family = first.running.family()
        code = first.running.stop(signal.SIGTERM)
    gone = fte.run("replies")
    with fte.up() as second:
        replies = second.wait_for("replies", conversation, 1)

    assert code == 0
    assert len(family) >= 4  # itself, PostgreSQL, Redis, a worker
    assert [process for process in family if process.is_running()] == []
    assert (gone.code, gone.told) == (2, "fte: no servers: start fte up, or set FTE_DATABASE_URL and FTE_REDIS_URL\n")
    assert [reply["sequence"] for reply in replies] == [1]


def test_a_killed_worker_is_replaced(up: Up) -> None:
    conversation = new_conversation()
    [pid] = [child.pid for child in psutil.Process(up.running.popen.pid).children() if "worker" in child.cmdline()]

    os.kill(pid, signal.SIGKILL)
    up.say(conversation, "How many bags can I bring?")

    assert len(up.wait_for("replies", conversation, 1)) == 1


def test_a_second_up_on_the_same_folder_names_who_holds_it(up: Up) -> None:
    done = up.run("up")

    assert done.code == 2
    assert f"held by pid {up.running.popen.pid}" in done.told


@pytest.mark.parametrize("setting", [{"FTE_MODEL": "gpt"}, {"FTE_VAULT_KEYS": "short"}], ids=["model", "key"])
def test_up_with_wrong_settings_starts_nothing(setting: dict[str, str], tmp_path: Path) -> None:
    done = Fte(tmp_path / "state", setting).run("up")

    assert done.code == 2
    assert next(iter(setting)) in done.told
    assert not (tmp_path / "state").exists()


def test_a_worker_that_cannot_start_ends_the_start_with_its_own_words(up: Up, tmp_path: Path) -> None:
    """A worker with another key than the database's would not be able to open a message."""
    addresses = {"FTE_DATABASE_URL": up.database_url, "FTE_REDIS_URL": up.redis_url}

    done = Fte(tmp_path / "other-key", addresses).run("up")

    assert done.code == 2
    assert "ended before it was ready" in done.told
    assert "give every process the same keys" in done.told
