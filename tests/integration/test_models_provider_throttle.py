"""Promises about a provider's limits a minute, which all processes share."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from runtime.redis import Scripts, make_redis
from schema.settings import Settings
from tests.integration.model_endpoint import say, serving
from tests.integration.provider_harness import asking, attempts, parked_for_seconds
from tests.integration.worker_harness import MakeHarness
from worker.models.failures import ModelBusy
from worker.models.throttle import Throttle

MakeThrottle = Callable[..., Throttle]


@pytest.fixture
async def process(settings: Settings) -> AsyncIterator[MakeThrottle]:
    """Make the throttle of one process after another, with a connection of its own; all ask one model."""
    model = f"openai:gpt-{uuid.uuid4().hex[:8]}"
    clients: list[Redis] = []

    def make(**limits: int) -> Throttle:
        clients.append(make_redis(settings))
        return Throttle(Scripts(clients[-1]).throttle, settings.model_copy(update={"model": model, **limits}))

    yield make
    for client in clients:
        await client.aclose()


async def refused(throttle: Throttle, tokens: int) -> float:
    """Ask for room that is not there at once; gives after how many seconds to ask again."""
    with pytest.raises(ModelBusy) as busy:
        await throttle.take(tokens, seconds_max=0)
    return busy.value.retry_after_seconds


async def test_two_processes_share_the_requests_of_a_minute(process: MakeThrottle) -> None:
    first, second = process(model_requests_per_minute=60), process(model_requests_per_minute=60)

    for throttle in [first, second] * 5:  # ten seconds' worth is there from the beginning
        await throttle.take(1, seconds_max=0)

    assert 0 < await refused(first, 1) <= 1
    assert 0 < await refused(second, 1) <= 1


async def test_a_wait_that_is_short_enough_is_waited_and_nobody_overtakes(process: MakeThrottle) -> None:
    throttle = process(model_requests_per_minute=600)
    for _ in range(100):
        await throttle.take(1, seconds_max=0)
    started = time.monotonic()

    await asyncio.gather(*[throttle.take(1, seconds_max=5) for _ in range(5)])

    assert time.monotonic() - started >= 0.35  # a tenth of a second each, less what had come back meanwhile


async def test_tokens_are_shared_too_and_come_back_evenly(process: MakeThrottle) -> None:
    first, second = process(model_tokens_per_minute=6_000), process(model_tokens_per_minute=6_000)

    await first.take(900, seconds_max=0)

    assert 0.5 < await refused(second, 200) <= 1
    await second.take(50, seconds_max=0)


async def test_what_a_request_took_less_than_it_said_is_given_back(process: MakeThrottle) -> None:
    throttle = process(model_tokens_per_minute=6_000)
    await throttle.take(1_000, seconds_max=0)

    throttle.correct(-500)

    await throttle.take(450, seconds_max=0)


async def test_a_request_larger_than_all_that_is_saved_up_passes_when_that_is_full(process: MakeThrottle) -> None:
    throttle = process(model_tokens_per_minute=6_000)

    await throttle.take(3_000, seconds_max=0)

    assert 19 < await refused(throttle, 10) <= 21


async def test_what_is_refused_takes_nothing(process: MakeThrottle) -> None:
    throttle = process(model_requests_per_minute=6, model_tokens_per_minute=6_000)
    await throttle.take(10, seconds_max=0)

    for _ in range(3):
        await refused(throttle, 900)

    other = process(model_tokens_per_minute=6_000)
    await other.take(950, seconds_max=0)


async def test_without_limits_nothing_is_asked_of_redis(process: MakeThrottle) -> None:
    throttle = process()
    throttle._script = None  # type: ignore[assignment]  # noqa: SLF001 - calling it would fail

    await throttle.take(1_000_000, seconds_max=0)


async def test_a_message_over_the_limit_is_parked_until_there_is_room_without_using_up_an_attempt(
    worker: MakeHarness,
) -> None:
    async with serving(say("One."), say("Two.")) as endpoint:
        name = f"openai:gpt-{uuid.uuid4().hex[:8]}"
        harness = await asking(endpoint, worker, model=name, model_requests_per_minute=6, model_wait_seconds_max=0.05)
        await harness.accept("a", "hello")
        await harness.accept("b", "hello")

        await harness.drain("a")
        await harness.drain("b")

        assert len(endpoint.asked) == 1
        assert await attempts(harness, "b") == 0
        assert 7 < await parked_for_seconds(harness, "b") <= 12.5
