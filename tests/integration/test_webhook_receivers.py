"""The receivers that docs/webhooks.md shows take what we sign, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from producer.delivery.sending import DeliveryOutcome, open_sender
from producer.delivery.signing import make_secret, signed_headers
from schema.settings.webhooks import WebhookSettings
from tests.integration.webhook_scene import LOOPBACK

DOCUMENT = Path(__file__).parents[2] / "docs" / "webhooks.md"
BODY = b'{"version":1,"type":"message.answered","data":{"conversation":"c-1"}}'
PROGRAMS = {"python": [sys.executable, "-c"], "js": ["node", "-e"]}


def example(language: str) -> str:
    """Read the one example in a language."""
    [code] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    return str(code)


@contextmanager
def receiving(language: str, secret: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run an example until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"PORT": str(port), "WEBHOOK_SECRET": secret}
    command = [*PROGRAMS[language], example(language)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", env=environment) as popen:
        try:
            wait_for_port(port)
            yield popen, port
        finally:
            popen.kill()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


async def post(port: int, headers: dict[str, str], body: bytes = BODY) -> DeliveryOutcome:
    settings = WebhookSettings(webhook_networks=[ip_network(text) for text in LOOPBACK])
    async with open_sender(settings) as sender:
        return await sender.post(f"http://localhost:{port}/", headers, body)


@pytest.mark.parametrize("language", sorted(PROGRAMS))
async def test_the_documented_receiver_takes_what_is_signed_once_and_refuses_all_else(language: str) -> None:
    if shutil.which(PROGRAMS[language][0]) is None:
        pytest.skip(f"this machine has no {PROGRAMS[language][0]}")
    secret, now = make_secret(), int(time.time())
    good = signed_headers([secret], "msg_1", now, BODY)
    rotated = signed_headers([make_secret(), secret], "msg_2", now, BODY)
    forged = {
        "another secret": signed_headers([make_secret()], "msg_3", now, BODY),
        "another id": good | {"webhook-id": "msg_4"},
        "an old time": signed_headers([secret], "msg_5", now - 3_600, BODY),
        "no time": good | {"webhook-timestamp": "soon"},
        "no signature": {name: value for name, value in good.items() if name != "webhook-signature"},
        "nonsense": good | {"webhook-signature": "v1,= v2 ,,"},
    }

    with receiving(language, secret) as (popen, port):
        taken = [await post(port, headers) for headers in (good, good, rotated)]
        refused = {why: (await post(port, headers)).status for why, headers in forged.items()}
        changed = await post(port, good, BODY.replace(b"c-1", b"c-2"))
        assert popen.stdout is not None
        told = [popen.stdout.readline() for _ in range(2)]

    assert [outcome.is_delivered for outcome in taken] == [True, True, True]
    assert refused == dict.fromkeys(forged, 401)
    assert changed.status == 401
    assert told == ["message.answered c-1\n"] * 2
