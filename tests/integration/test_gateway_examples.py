"""The examples of docs/gateway.md do what they say: from a key to a reply."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from pathlib import Path

import pytest

from runtime.cancelling import cancel_and_wait
from runtime.database import Database
from schema.settings import Settings
from tests.integration.http_gateway import make_key, serve_here
from tests.integration.worker_harness import Harness, MakeHarness

PAGE = Path(__file__).parents[2] / "docs" / "gateway.md"
SECONDS_MAX = 60


def example(language: str, containing: str) -> str:
    """Give the one example in a language that holds a text."""
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    [one] = [text for text in found if containing in text]
    return one


async def answer_all(harness: Harness, conversation: str) -> None:
    while True:
        await harness.drain(conversation)
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("program", "language", "containing", "conversation", "expected"),
    [
        (sys.executable, "python", "httpx2.Client", "sms-15550100", "+1 555 0100 you said: Can I move"),
        ("node", "js", "text/event-stream", "chat-77", "session-77 you said: How much"),
    ],
    ids=["python", "node"],
)
async def test_an_example_sends_a_message_and_prints_its_reply(
    settings: Settings,
    database: Database,
    tenant: str,
    worker: MakeHarness,
    tmp_path: Path,
    program: str,
    language: str,
    containing: str,
    conversation: str,
    expected: str,
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    file = tmp_path / f"example.{'mjs' if language == 'js' else 'py'}"
    file.write_text(example(language, containing), encoding="utf-8")
    answering = asyncio.create_task(answer_all(await worker(), conversation))
    async with serve_here(settings) as here:
        environment = {"FTE_URL": here.url, "FTE_KEY": await make_key(database, tenant), "PATH": "/usr/bin:/bin"}
        running = await asyncio.create_subprocess_exec(
            shutil.which(program) or program,
            str(file),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(SECONDS_MAX):
            told, complaint = await running.communicate()
    await cancel_and_wait(answering)

    assert (running.returncode, complaint.decode()) == (0, "")
    assert told.decode().startswith(expected)
