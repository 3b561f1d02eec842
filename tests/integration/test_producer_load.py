from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

import pytest

from ops.lab.growth import LIMITS, GrowthWatch
from ops.lab.load import sending
from ops.lab.load.options import LoadOptions, LoadProgress
from ops.lab.load.profile import Phase, Profile
from ops.lab.load.run import run_load
from ops.lab.load.senders import SenderFailed
from ops.lab.load.sending import MessagePlan
from producer.sending.client import AsyncProducer, Message
from runtime.cancelling import cancel_and_wait
from runtime.database import connect
from schema.errors import UnknownTenant
from schema.messages.inbound import Inbound
from schema.messages.receipt import Receipt
from tests.integration.producing import inbox, message
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings import Settings
    from tests.integration.worker_harness import Harness, MakeHarness

BELL_SECONDS = 0.02
_NUMBERS = count(1)


async def ask(_text: str) -> str:
    """Ask something else each time: a model that states anything before a tool has answered is held back."""
    return f"Could you tell me more{', please' * next(_NUMBERS)}?"


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Let the agenda fall due at once: these workers look there, and hear no bells."""
    return settings.model_copy(update={"bell_seconds": BELL_SECONDS})


@asynccontextmanager
async def answering(harness: Harness) -> AsyncIterator[None]:
    """Drain whatever is due, as a worker process does."""

    async def answer() -> None:
        while True:
            due = [key.conversation for key in await harness.mailbox.sweep(500) if key.tenant == harness.tenant]
            await asyncio.gather(*(harness.drain(conversation) for conversation in due))
            await asyncio.sleep(0.01)

    task = asyncio.create_task(answer())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_run_reports_every_message_answered_once_and_in_order(
    quick: Settings, worker: MakeHarness, tenant: str
) -> None:
    options = LoadOptions(conversations=8, turns=3, messages_per_second=100, tenant=tenant, silence_seconds_max=10)
    shown: list[LoadProgress] = []

    async with answering(await worker(ask, bell_seconds=BELL_SECONDS)):
        report = await run_load(quick, options, shown.append)

    assert (report["messages"], report["replies"]) == (24, 24)
    assert (report["lost"], report["duplicated"], report["out_of_order"]) == (0, 0, 0)
    assert shown[-1] == LoadProgress(messages=24, accepted=24, answered=24, escalations=0)
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["max"]
    assert report["messages_per_s"] > 0
    assert report["model_calls_per_turn"] == 1
    assert (report["input_tokens_per_turn"], report["output_tokens_per_turn"]) == (3, 2)


async def test_the_time_of_the_models_is_no_overhead(quick: Settings, worker: MakeHarness, tenant: str) -> None:
    async def ponder(text: str) -> str:
        await asyncio.sleep(0.3)
        return await ask(text)

    options = LoadOptions(conversations=3, turns=2, messages_per_second=100, tenant=tenant, silence_seconds_max=10)
    async with answering(await worker(ponder, bell_seconds=BELL_SECONDS)):
        report = await run_load(quick, options)

    assert report["latency_ms"]["max"] >= 550, "the second message waits for two model calls"
    assert report["overhead_ms"]["max"] <= report["latency_ms"]["max"] - 550


async def test_a_message_that_is_accepted_late_is_waited_for(quick: Settings, worker: MakeHarness, tenant: str) -> None:
    options = LoadOptions(conversations=2, turns=2, messages_per_second=100, tenant=tenant, silence_seconds_max=0.5)
    async with answering(await worker(ask, bell_seconds=BELL_SECONDS)), AsyncProducer(quick) as producer:
        await producer.send(message(tenant, conversation=f"load-{options.run}-1", message_id="before"))
        with connect(quick.database_url or "") as other, other.transaction():
            other.execute("SELECT FROM conversation WHERE tenant_id = %s FOR UPDATE", [tenant])
            running = asyncio.create_task(run_load(quick, options))
            ended, _ = await asyncio.wait([running], timeout=3 * options.silence_seconds_max)
            assert not ended, "the run gave up on a message that was not accepted yet"
        report = await running

    assert (report["messages"], report["lost"]) == (4, 0)


async def test_a_conversations_messages_are_handed_in_one_after_the_other(
    quick: Settings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SlowToStart(AsyncProducer):
        async def send(self, message: Message) -> Receipt:
            if isinstance(message, Inbound) and message.message_id.endswith("-0"):
                await asyncio.sleep(0.2)
            return await super().send(message)

    monkeypatch.setattr(sending, "AsyncProducer", SlowToStart)
    options = LoadOptions(conversations=2, turns=3, messages_per_second=100, tenant=tenant, silence_seconds_max=0.1)

    await run_load(quick, options)

    places = [int(row["message_id"][-1]) + 1 for row in inbox(quick, tenant)]
    assert places == [row["position"] for row in inbox(quick, tenant)] == [1, 2, 3, 1, 2, 3]


async def test_messages_nobody_answers_are_sent_at_their_rate_and_reported_unanswered(
    quick: Settings, tenant: str
) -> None:
    options = LoadOptions(conversations=10, turns=4, messages_per_second=40, tenant=tenant, silence_seconds_max=0.5)
    started = time.monotonic()

    report = await run_load(quick, options)

    assert (report["messages"], report["replies"], report["lost"], report["unanswered"]) == (40, 0, 0, 40)
    assert 1.4 < time.monotonic() - started < 8, "39 messages after the first, one each 25 ms, and the silence"


async def test_a_run_for_a_tenant_nobody_set_up_ends_at_once(quick: Settings) -> None:
    with pytest.raises(UnknownTenant, match="nobody"):
        await run_load(quick, LoadOptions(conversations=2, turns=2, tenant="nobody"))


async def test_a_profile_sent_by_several_processes_is_reported_by_phase(
    quick: Settings, worker: MakeHarness, tenant: str
) -> None:
    phases = (Phase(name="up", seconds=1, rate=4, rate_end=20), Phase(name="hot", seconds=1, rate=10, hot_share=0.5))
    profile = Profile(name="short", phases=phases, conversations=6, turns=2, arrivals="random")
    options = LoadOptions(profile=profile, senders=2, tenant=tenant, silence_seconds_max=10)

    async with answering(await worker(ask, bell_seconds=BELL_SECONDS)):
        report = await run_load(quick, options)

    up, hot = report["phases"]
    assert up["messages"] + hot["messages"] == report["messages"] == len(MessagePlan(options).messages)
    assert (up["answered"], hot["answered"]) == (up["messages"], hot["messages"])
    assert (report["lost"], report["duplicated"], report["out_of_order"]) == (0, 0, 0)
    assert sum(report["timeline"]["answered_per_s"]) > 0
    assert report["timeline"]["backlog"][-1] == 0
    assert list(report["curve"][-1]) == [100, report["latency_ms"]["max"]]
    assert report["setup"]["senders"] == 2


async def test_sender_processes_that_cannot_send_end_the_run(quick: Settings) -> None:
    with pytest.raises(SenderFailed, match="nobody"):
        await run_load(quick, LoadOptions(conversations=2, turns=2, senders=2, tenant="nobody"))


async def test_a_generator_that_is_late_makes_its_run_invalid_and_latency_counts_from_when_it_was_due(
    quick: Settings, worker: MakeHarness, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(AsyncProducer):
        async def send(self, message: Message) -> Receipt:
            time.sleep(0.15)  # noqa: ASYNC251 - what a generator's process does that has too much to do
            return await super().send(message)

    monkeypatch.setattr(sending, "AsyncProducer", Slow)
    options = LoadOptions(conversations=10, turns=1, messages_per_second=100, tenant=tenant, silence_seconds_max=10)
    async with answering(await worker(ask, bell_seconds=BELL_SECONDS)):
        report = await run_load(quick, options)

    assert not report["is_valid"]
    assert report["lag_ms"]["max"] >= 1_000, "the tenth is taken up when the nine before it have blocked the process"
    assert report["latency_ms"]["max"] >= report["lag_ms"]["max"]


async def test_growth_is_watched_on_servers_and_workers(settings: Settings) -> None:
    watch = GrowthWatch(settings, lambda: [os.getpid(), 2**22 + 1])
    watching = asyncio.create_task(watch.run())

    async def has_looked() -> bool:
        return bool(watch.samples)

    await eventually(has_looked)
    await cancel_and_wait(watching)

    (_, found), *_ = watch.samples
    assert found.keys() == LIMITS.keys()
    assert min(found["worker memory, MB"], found["worker file descriptors"], found["PostgreSQL connections"]) >= 1
