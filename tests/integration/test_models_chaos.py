"""Promises about a provider in chaos: every message is answered once and in order, and none dies."""

from __future__ import annotations

import asyncio
import io
import json
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from ops.lab.llm_sim.faults import FaultKind, Faults, FaultShare, ProviderFault
from ops.lab.llm_sim.record import Record
from ops.lab.llm_sim.server import Simulator, serving
from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from tests.waiting import eventually

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

QUESTIONS = ("Hello there", "How much is a second bag?", "Is there wifi on board?")
CONVERSATIONS = 6
KINDS: tuple[FaultKind, ...] = ("500", "malformed", "cut", "429")
both = pytest.mark.parametrize("model", ["openai:sim", "openai-chat:sim"])


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline_with_articles(settings)


async def play(harness: Harness, mark: str) -> None:
    """Send the questions in each conversation, and drain until all are answered."""
    names = [f"{mark}-{number}" for number in range(CONVERSATIONS)]
    for question in QUESTIONS:
        for name in names:
            await harness.accept(name, question)

    async def is_answered() -> bool:
        await asyncio.gather(*(harness.drain(name) for name in names))
        return not any([await harness.waiting(name) for name in names])

    await eventually(is_answered, within_seconds=100)


async def check(harness: Harness, mark: str) -> None:
    """Check that each message has one reply, in the order in which the messages came, and that none died."""
    rows = await harness.query(
        "SELECT conversation_id, message_id FROM inbox WHERE conversation_id LIKE %s ORDER BY position", f"{mark}-%"
    )
    asked: dict[str, list[str]] = defaultdict(list)
    answered: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        asked[row["conversation_id"]].append(row["message_id"])
    for reply in await harness.replies():
        if reply["conversation"].startswith(f"{mark}-"):
            answered[reply["conversation"]] += reply["in_reply_to"]

    assert len(asked) == CONVERSATIONS
    assert answered == asked
    assert await harness.query("SELECT FROM dead_letter") == []


@both
@pytest.mark.parametrize(
    "shares", [dict.fromkeys(KINDS, 0.2), *({kind: 1.0} for kind in KINDS)], ids=["20 % each", *KINDS]
)
async def test_whatever_the_provider_does_each_message_is_answered_once_and_in_order(
    settings: Settings, sealer: Sealer, airline: str, model: str, shares: dict[FaultKind, float]
) -> None:
    log = io.StringIO()
    faults = Faults([FaultShare(ProviderFault(kind, 0.1), share) for kind, share in shares.items()])
    mark = f"chaos-{model[:-4].rstrip(':')}-{len(shares)}-{next(iter(shares))}"
    async with serving(Simulator(faults=faults, record=Record(log))) as url:
        changed = {
            "model": model,
            "openai_api_key": SecretStr("any"),
            "openai_base_url": url,
            "backoff_seconds": 0.02,
            "backoff_seconds_max": 0.1,
            "breaker_open_seconds": 0.3,
        }
        harness = await make_airline_worker(settings.model_copy(update=changed), sealer, airline)
        try:
            await play(harness, mark)
            await check(harness, mark)
            lines = [json.loads(line) for line in log.getvalue().splitlines()]
            if len(shares) == 1:
                told = [event["name"] for event in await harness.events() if event["conversation"].startswith(mark)]
                assert told.count("model.degraded") == 1
                assert len(lines) < CONVERSATIONS * len(QUESTIONS) * 3  # most were not even asked
            else:
                assert {line["fault"] for line in lines} >= set(KINDS)
        finally:
            await harness.close()
