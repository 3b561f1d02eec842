"""`fte webhooks …` as an operator uses it: add, test, see what was delivered, rotate, replay, remove."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from ops.lab.webhook_receiver import run_receiver
from tests.acceptance.fte_process import Fte, new_conversation

WAIT_SECONDS_MAX = 60.0
LOOPBACK = {"FTE_WEBHOOK_NETWORKS": "127.0.0.0/8,::1/128"}


def wait_for(log: Path, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while len(lines := log.read_text().splitlines()) < count:
        assert time.monotonic() < deadline, lines
        time.sleep(0.1)
    return [json.loads(line) for line in lines]


@pytest.mark.timeout(300)  # ten commands and a stack of its own, each a process
def test_a_target_is_added_and_told_while_up_runs_and_all_can_be_looked_up_and_repeated(tmp_path: Path) -> None:
    fte = Fte(tmp_path / "state", LOOPBACK)
    log = tmp_path / "received.jsonl"
    conversation = new_conversation()

    with run_receiver(log) as url, fte.up() as up:
        [made] = fte.run("webhooks", "add", f"{url}/hook", "--event", "message.answered", "--json").lines
        tried = fte.run("webhooks", "test", made["target_id"])
        up.say(conversation, "How many bags can I bring?")
        test, answered = wait_for(log, 2)
        [attempt] = fte.run("webhooks", "log", "--json").lines
        [rotated] = fte.run("webhooks", "rotate", made["target_id"], "--json").lines
        replayed = fte.run("webhooks", "replay", made["target_id"], attempt["event_id"])
        again = wait_for(log, 3)[2]
        [listed] = fte.run("webhooks", "list", "--json").lines
        removed = fte.run("webhooks", "remove", made["target_id"])
        gone = fte.run("webhooks", "test", made["target_id"])

    assert (tried.code, replayed.code, removed.code) == (0, 0, 0), (tried.told, replayed.told, removed.told)
    assert json.loads(test["body"])["type"] == "webhook.test"
    assert json.loads(answered["body"])["data"]["conversation"] == conversation
    assert attempt["event_id"] == answered["headers"]["webhook-id"] == again["headers"]["webhook-id"]
    assert Webhook(made["secret"]).verify(answered["body"], answered["headers"])
    assert Webhook(rotated["secret"]).verify(again["body"], again["headers"])
    assert Webhook(made["secret"]).verify(again["body"], again["headers"])
    assert listed["event_types"] == ["message.answered"]
    assert "secret" not in json.dumps(listed).replace("old_secret_until", "")
    assert (gone.code, "no webhook target" in gone.told) == (1, True)


def test_a_target_that_is_inside_is_refused_when_it_is_added_or_tried(tmp_path: Path) -> None:
    fte = Fte(tmp_path / "state")

    with fte.up():
        literal = fte.run("webhooks", "add", "https://169.254.169.254/latest")
        [made] = fte.run("webhooks", "add", "https://localhost/hook", "--json").lines
        tried = fte.run("webhooks", "test", made["target_id"])

    assert literal.code != 0
    assert "a host's name is needed, not an address" in literal.told
    assert tried.code == 1
    assert "refused_address" in tried.output
