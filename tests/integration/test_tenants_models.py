"""A tenant's own model is asked for its customers and for no others, and its failure is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from ops.tenants.settings import change_settings
from runtime.sealing import Sealer
from tests.integration.model_endpoint import Endpoint, Fail, Step, say, serving
from tests.integration.provider_harness import answered, asking, model_calls
from tests.integration.worker_harness import Harness, MakeHarness, make_harness

Both = Callable[..., Awaitable[tuple[Harness, Harness]]]


@pytest.fixture
async def both(worker: MakeHarness, sealer: Sealer, other_tenant: str) -> AsyncIterator[Both]:
    """Make two tenants that one brain answers for: their models share its provider."""
    made: list[Harness] = []

    async def make(endpoint: Endpoint, **changes: Any) -> tuple[Harness, Harness]:
        own = await asking(endpoint, worker, **{"abuse_asks_model": False, **changes})
        other = await make_harness(own.settings, sealer, other_tenant)
        other.service.brain = own.service.brain
        other.service.drainer.turn = replace(other.service.drainer.turn, brain=own.service.brain)
        made.append(other)
        return own, other

    yield make
    for harness in made:
        await harness.close()


async def set_model(harness: Harness, model: str) -> None:
    await change_settings(harness.database, harness.tenant, {"model": model}, by="ada")


async def turn_of_each(*harnesses: Harness) -> None:
    for harness in harnesses:
        await harness.accept("c", "Where is the moon?")
    await asyncio.gather(*(answered(harness, "c") for harness in harnesses))


def fails_for(model: str) -> tuple[list[Endpoint], Callable[[], Step]]:
    """Fail what is asked of one model, and answer what is asked of another."""
    endpoints: list[Endpoint] = []
    return endpoints, lambda: Fail(500) if endpoints[0].asked[-1]["model"] == model else say("Above.")


@pytest.mark.parametrize("model", ["openai:gpt-y", "openai-chat:gpt-y"])
async def test_two_tenants_ask_two_models_at_the_same_time(both: Both, model: str) -> None:
    async with serving(then=lambda: say("Above.")) as endpoint:
        own, other = await both(endpoint)
        await set_model(own, model)

        await turn_of_each(own, other)

        assert sorted(asked["model"] for asked in endpoint.asked) == ["gpt-x", "gpt-y"]
        is_chat = [asked["model"] for asked in endpoint.asked if "messages" in asked]
        assert is_chat == (["gpt-y"] if model.startswith("openai-chat") else [])
        assert [call["model"] for call in await model_calls(own)] == ["gpt-y"]
        assert [call["model"] for call in await model_calls(other)] == ["gpt-x"]


async def test_a_model_that_fails_is_left_alone_for_its_own_tenants_only(both: Both) -> None:
    endpoints, then = fails_for("gpt-y")
    async with serving(then=then) as endpoint:
        endpoints.append(endpoint)
        own, other = await both(endpoint, model_retries_max=0, model_attempts_max=1, breaker_failures_max=1)
        await set_model(own, "openai:gpt-y")

        await turn_of_each(own, other)

        assert [(call["model"], call["degraded"]) for call in await model_calls(own)] == [("local", True)]
        assert [(call["model"], call["degraded"]) for call in await model_calls(other)] == [("gpt-x", False)]


async def test_a_tenant_that_chooses_the_local_model_sends_nothing_to_the_endpoint(both: Both) -> None:
    async with serving(then=lambda: say("Above.")) as endpoint:
        own, other = await both(endpoint, abuse_asks_model=True)
        await set_model(own, "local")

        await turn_of_each(own, other)

        assert {call["model"] for call in await model_calls(own)} == {"local"}
        assert {asked["model"] for asked in endpoint.asked} == {"gpt-x"}
        assert len(endpoint.asked) == len(await model_calls(other))


async def test_a_tenant_may_ask_an_endpoint_where_the_deployment_has_the_local_model(both: Both) -> None:
    async with serving(then=lambda: say("Above.")) as endpoint:
        own, other = await both(endpoint, model="local")
        await set_model(own, "openai:gpt-y")

        await turn_of_each(own, other)

        assert [asked["model"] for asked in endpoint.asked] == ["gpt-y"]
        assert {call["model"] for call in await model_calls(other)} == {"local"}


async def test_a_model_that_can_be_asked_no_more_gives_way_to_the_deployments_and_the_log_says_so(both: Both) -> None:
    async with serving(then=lambda: say("Above.")) as endpoint:
        own, other = await both(endpoint, tenant_usd_per_day_max=None, model_reasoning_effort="high")
        await set_model(own, "openai:gpt-4o")  # does not reason

        with capture_logs() as logs:
            await turn_of_each(own, other)
            await own.accept("c", "And the sun?")
            await answered(own, "c", replies=2)

        told = [line for line in logs if line["event"] == "tenant.model_not_asked"]
        assert {asked["model"] for asked in endpoint.asked} == {"gpt-x"}
        assert [(line["tenant"], line["model"]) for line in told] == [(own.tenant, "openai:gpt-4o")]
        assert "does not reason" in told[0]["problems"][0]
