"""`fte up --sandbox` and `fte channels …` as an operator uses them: both ways through processes, without an account."""

from __future__ import annotations

import json
import re
import shutil
import smtplib
import socket
import subprocess
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.fte_process import Fte

WAIT_SECONDS_MAX = 60.0
CUSTOMER = "+14155550101"


def until_answered(url: str, count: int) -> list[dict[str, Any]]:
    """Wait until the customer got so many messages."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        messages = httpx2.get(f"{url}/sandbox/messages").json()["messages"]
        got = [each for each in messages if each["to"] == CUSTOMER]
        if len(got) >= count:
            return got
        assert time.monotonic() < deadline, messages
        time.sleep(0.1)


def until_logged(fte: Fte, what: str) -> list[dict[str, Any]]:
    """Wait until the log of replies tells of something."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        rows = fte.run("channels", "log", "--json").lines
        if any(what in json.dumps(row) for row in rows):
            return rows
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)


@pytest.mark.timeout(300)  # a dozen commands and a stack of its own, each a process
def test_a_text_message_goes_both_ways_in_the_sandbox_and_all_of_it_can_be_looked_up(tmp_path: Path) -> None:
    fte = Fte(tmp_path / "state")

    with fte.up("--sandbox") as up:
        command = next(each for each in up.told["sandbox"] if "sandbox/inbound" in each)
        url = re.findall(r"http://[^/]+", command)[0]
        answered = httpx2.post(
            f"{url}/sandbox/inbound", content=json.dumps({"from": CUSTOMER, "text": "How much is a second bag?"})
        ).json()
        [reply] = until_answered(url, 1)
        [listed] = [row for row in fte.run("channels", "list", "--json").lines if row["channel"] == "sms"]
        account = listed["account_id"]
        checked = fte.run("channels", "check", account)
        tried = fte.run("channels", "test", account, "--to", CUSTOMER)
        logged = until_logged(fte, '"status": "delivered"')
        httpx2.post(f"{url}/sandbox/inbound", content=json.dumps({"from": CUSTOMER, "text": "STOP"}))
        refused = fte.run("channels", "test", account, "--to", CUSTOMER)
        suppressed = fte.run("channels", "suppressions", "--json").lines
        missed = {"from": CUSTOMER, "text": "START", "deliver": False}
        httpx2.post(f"{url}/sandbox/inbound", content=json.dumps(missed))
        reconciled = fte.run("channels", "reconcile", "sms", "--since", "1h")
        set_wrong = fte.run("channels", "set", account, "segments_max=0")
        set_right = fte.run("channels", "set", account, "segments_max=4", "validity_seconds=")
        added = fte.run(
            "channels",
            "add",
            "sms",
            "account_sid=AC" + "1" * 32,
            "numbers=+14155550177,384387",
            "public_url=https://gate.example",
            "--secrets",
            "-",
            "--json",
            stdin="auth_token=a-token\nshared_keys.rule-1=a-key\n",
        )
        removed = fte.run("channels", "remove", added.lines[0]["account_id"])

    assert (answered["answered"], reply["from"]) == (200, answered["to"])
    assert "$50" in reply["body"]
    assert (checked.code, tried.code, removed.code) == (0, 0, 0), (checked.told, tried.told, removed.told)
    assert logged[0]["state"] == "sent"
    assert (refused.code, "suppressed" in refused.told) == (1, True)
    assert [row["reason"] for row in suppressed] == ["keyword"]
    assert "1 had been missed, 1 of them commands" in reconciled.output
    assert (set_wrong.code, "segments_max" in set_wrong.told, set_right.code) == (1, True, 0)
    assert added.lines[0]["settings"]["numbers"] == ["+14155550177", "384387"]
    assert added.lines[0]["secrets"] == ["auth_token", "shared_keys.rule-1"]
    assert "a-token" not in added.output + added.told


def until_mailed(folder: Path, count: int) -> list[EmailMessage]:
    """Wait until so many mails have been sent."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while len(found := sorted(folder.glob("*.eml"))) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in found]


def until_listening(address: tuple[str, int]) -> None:
    """Wait until mails are taken."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while True:
        try:
            socket.create_connection(address, 1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl, which the sandbox's hint is for")
@pytest.mark.timeout(300)
def test_a_mail_goes_both_ways_in_the_sandbox_and_an_answer_to_it_stays_in_the_conversation(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        door = ("127.0.0.1", probe.getsockname()[1])
    fte = Fte(tmp_path / "state", {"FTE_MAIL_DOOR_LISTEN": f"{door[0]}:{door[1]}"})
    folder = fte.state_dir / "sandbox-mail"

    with fte.up("--sandbox") as up:
        command = next(each for each in up.told["sandbox"] if "curl smtp:" in each)
        until_listening(door)
        subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, timeout=30)
        [first] = until_mailed(folder, 1)
        answer = EmailMessage()
        answer["From"] = first["To"]
        answer["To"] = first["Reply-To"]
        answer["In-Reply-To"] = first["Message-ID"]
        answer["Subject"] = first["Subject"]
        answer.set_content("And may I bring skis?")
        with smtplib.SMTP(*door, timeout=30) as client:
            client.send_message(answer)
        mails = until_mailed(folder, 2)
        account = next(row for row in fte.run("channels", "list", "--json").lines if row["channel"] == "email")
        checked = fte.run("channels", "check", account["account_id"])
        tried = fte.run("channels", "test", account["account_id"], "--to", "ops@example.org")
        logged = fte.run("channels", "log", "--account", account["account_id"], "--json").lines

    assert first["Subject"] == "Re: Bags"
    assert "$50" in first.as_string()
    assert mails[1]["To"] == "maya@example.org"
    assert len({row["conversation_id"] for row in logged}) == 1
    assert [row["state"] for row in logged] == ["sent", "sent"]
    assert (checked.code, tried.code) == (0, 0), (checked.told, tried.told)
