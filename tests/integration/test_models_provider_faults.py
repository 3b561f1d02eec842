"""Promises about a provider that fails: turns of a real worker, over the true client, against a server on loopback."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from agents import function_tool

from tests.integration.model_endpoint import CUT, Fail, Late, call, say, serving
from tests.integration.provider_harness import answered, asking, attempts, model_calls, parked_for_seconds
from tests.integration.worker_harness import MakeHarness
from tests.waiting import eventually


async def test_a_hiccup_of_the_provider_is_asked_again_within_the_turn(worker: MakeHarness) -> None:
    async with serving(Fail(503), CUT, say("Good morning.")) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "good morning")

        await harness.drain("c")

        assert [reply["text"] for reply in await harness.replies()] == ["Good morning."]
        assert len(endpoint.asked) == 3
        assert [(call["model"], call["retries"], call["degraded"]) for call in await model_calls(harness)] == [
            ("gpt-x", 2, False)
        ]


async def test_a_short_wait_that_the_provider_asks_for_is_waited_in_place(worker: MakeHarness) -> None:
    async with serving(Fail(429, headers={"retry-after-ms": "400"}), say("Welcome.")) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "may I?")

        await harness.drain("c")

        assert [reply["text"] for reply in await harness.replies()] == ["Welcome."]
        assert (await model_calls(harness))[0]["milliseconds"] >= 400


async def test_a_longer_wait_that_the_provider_asks_for_parks_the_message_until_then(worker: MakeHarness) -> None:
    async with serving(Fail(429, headers={"retry-after": "20"})) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "may I?")

        await harness.drain("c")

        assert len(endpoint.asked) == 1
        assert 19 < await parked_for_seconds(harness, "c") <= 25.5
        assert await attempts(harness, "c") == 1


async def test_a_wait_that_is_longer_than_the_limit_is_cut_to_it(worker: MakeHarness) -> None:
    async with serving(Fail(429, headers={"retry-after": "86400"})) as endpoint:
        harness = await asking(endpoint, worker, model_park_seconds_max=8)
        await harness.accept("c", "may I?")

        await harness.drain("c")

        assert 7 < await parked_for_seconds(harness, "c") <= 10.5


async def test_a_provider_that_does_not_answer_costs_one_call_its_time_and_is_asked_later(worker: MakeHarness) -> None:
    silence = asyncio.Event()
    async with serving(Late(silence, []), say("At last.")) as endpoint:
        harness = await asking(endpoint, worker, model_call_seconds_max=0.2)
        await harness.accept("c", "hello?")

        await harness.drain("c")
        assert len(endpoint.asked) == 1
        assert await attempts(harness, "c") == 1
        await answered(harness, "c")
        silence.set()

        assert [reply["text"] for reply in await harness.replies()] == ["At last."]


async def test_an_outage_of_the_provider_makes_no_dead_letters_and_ends_by_itself(worker: MakeHarness) -> None:
    steps: list[Any] = [Fail(500)]
    async with serving(then=lambda: steps[-1]) as endpoint:
        harness = await asking(endpoint, worker, model_retries_max=0, breaker_failures_max=3, breaker_open_seconds=0.3)
        for number in range(8):
            await harness.accept(f"c{number}", "how much is a second bag?")
        for number in range(8):
            await answered(harness, f"c{number}", replies=number + 1)

        calls = await model_calls(harness)
        assert {(call["model"], call["degraded"]) for call in calls} == {("local", True)}
        assert len(endpoint.asked) <= 3 + 7  # those that opened the breaker, and at most one probe per message
        assert await harness.query("SELECT FROM dead_letter") == []

        steps.append(say("Good morning."))
        await harness.accept("after", "how much is a second bag?")

        async def is_back() -> bool:
            await harness.accept(f"probe{time.monotonic_ns()}", "how much is a second bag?")
            for key in await harness.query("SELECT conversation_id FROM inbox WHERE state = 'accepted'"):
                await harness.drain(key["conversation_id"])
            return any(reply["text"] == "Good morning." for reply in await harness.replies())

        await eventually(is_back)
        names = [event["name"] for event in await harness.events()]
        assert names.count("model.degraded") == 1
        assert names.count("model.recovered") == 1


async def test_one_message_is_answered_by_the_local_model_when_its_attempts_run_out(worker: MakeHarness) -> None:
    """Each of many processes may see too few failures for its breaker to open."""
    async with serving(then=lambda: Fail(500)) as endpoint:
        harness = await asking(
            endpoint, worker, model_retries_max=0, breaker_failures_max=100, model_attempts_max=3, attempts_max=5
        )
        await harness.accept("c", "how much is a second bag?")

        await answered(harness, "c")

        assert len(endpoint.asked) == 3
        assert [call["model"] for call in await model_calls(harness)] == ["local"]
        assert await harness.query("SELECT FROM dead_letter") == []


async def test_a_turn_whose_provider_fails_midway_goes_on_with_the_local_model(worker: MakeHarness) -> None:
    @function_tool
    def note() -> str:
        return "noted"

    async with serving(call("note"), then=lambda: Fail(500)) as endpoint:
        harness = await asking(
            endpoint, worker, tools=[note], model_retries_max=0, breaker_failures_max=100, model_attempts_max=2
        )
        await harness.accept("c", "thank you, goodbye")

        await answered(harness, "c")

        calls = await model_calls(harness)
        assert [(call["replayed"], call["degraded"]) for call in calls] == [(True, False), (False, True)]
        assert len(endpoint.asked) == 3  # the first call once, the second by each attempt


async def test_a_bad_request_says_nothing_against_the_provider(worker: MakeHarness) -> None:
    async with serving(Fail(400, "invalid_value"), say("Welcome.")) as endpoint:
        harness = await asking(endpoint, worker, breaker_failures_max=1)
        await harness.accept("c", "hello")
        await harness.drain("c")
        await harness.accept("d", "hello")
        await harness.drain("d")

        assert [call["model"] for call in await model_calls(harness)] == ["local", "gpt-x"]
        assert (await harness.replies())[1]["text"] == "Welcome."


async def test_a_call_that_finds_no_place_in_time_parks_its_message_without_using_up_an_attempt(
    worker: MakeHarness,
) -> None:
    silence = asyncio.Event()
    async with serving(Late(silence, say("hello"))) as endpoint:
        harness = await asking(endpoint, worker, model_concurrency_max=1, model_wait_seconds_max=0.05)
        await harness.accept("first", "hello")
        await harness.accept("second", "hello")
        under_way = asyncio.create_task(harness.drain("first"))

        async def asked() -> bool:
            return len(endpoint.asked) == 1

        await eventually(asked)

        await harness.drain("second")

        assert len(endpoint.asked) == 1
        assert await attempts(harness, "second") == 0
        assert await harness.waiting("second") == 1
        silence.set()
        await under_way


async def test_an_answer_that_leads_nowhere_is_not_replayed(worker: MakeHarness) -> None:
    async with serving(say(""), say("Welcome.")) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "hello")

        await answered(harness, "c")

        assert [reply["text"] for reply in await harness.replies()] == ["Welcome."]
        assert len(endpoint.asked) == 2


async def test_what_the_provider_will_not_answer_goes_to_a_person(worker: MakeHarness) -> None:
    async with serving(Fail(400, "context_length_exceeded")) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "hello")

        await harness.drain("c")

        assert [entry["category"] for entry in await harness.escalations()] == ["unsupported_request"]
        assert len(await harness.replies()) == 1
        assert len(endpoint.asked) == 1
