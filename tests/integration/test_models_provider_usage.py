"""Promises about what model calls cost: recorded once, whatever becomes of the turn; below a tenant's ceiling."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ops.desk.usage import ModelUsage, read_usage, read_usage_by_part
from schema.keys import mailbox_keys
from schema.settings.models import ModelPrice
from tests.integration.model_endpoint import CACHED_TOKENS, INPUT_TOKENS, OUTPUT_TOKENS, Fail, Late, say, serving
from tests.integration.provider_harness import answered, asking, model_calls
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually

PRICES = {"gpt-x": ModelPrice(input=Decimal(1_000), cached_input=Decimal(100), output=Decimal(10_000))}
COST = Decimal("0.164")  # 60 fresh tokens, 40 cached, 10 written
MUCH_PER_TOKEN = {"gpt-x": ModelPrice(input=Decimal(0), cached_input=Decimal(0), output=Decimal(1_000))}
COST_OF_ANSWER = Decimal("0.01")  # 10 tokens written; 500 are expected, which cost 0.50


async def usage(harness: Harness) -> list[ModelUsage]:
    return await read_usage(harness.database, harness.tenant, datetime.now(UTC).date())


async def spent_usd(harness: Harness) -> Decimal:
    rows = await harness.query("SELECT cost_usd FROM usage_day")
    return sum((row["cost_usd"] for row in rows), Decimal(0))


async def test_each_call_is_recorded_with_its_tokens_its_cost_and_its_retries(worker: MakeHarness) -> None:
    async with serving(Fail(500), say("One."), say("Two.")) as endpoint:
        harness = await asking(endpoint, worker, model_prices=PRICES)
        await harness.accept("c", "first")
        await harness.accept("c", "second")

        await harness.drain("c")

        assert await usage(harness) == [
            ModelUsage("gpt-x", 2, 0, 1, 2 * INPUT_TOKENS, 2 * CACHED_TOKENS, 2 * OUTPUT_TOKENS, 2 * COST)
        ]
        assert await spent_usd(harness) == 2 * COST


async def test_a_model_without_a_price_is_counted_without_a_cost(worker: MakeHarness) -> None:
    async with serving(say("One.")) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "hello")

        await harness.drain("c")

        assert [(row.calls, row.cost_usd) for row in await usage(harness)] == [(1, None)]
        assert await harness.query("SELECT FROM usage_day") == []


async def test_a_call_of_a_turn_that_was_thrown_away_counts_once_and_its_replay_does_not(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker dies with the reply in hand, before its commit."""
    async with serving(say("Hello.")) as endpoint:
        first = await asking(endpoint, worker, model_prices=PRICES)
        second = await asking(endpoint, worker, model_prices=PRICES)
        await first.accept("c", "hello")

        async def die(*_: Any, **__: Any) -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(first.service.drainer.turn.committer, "commit", die)
        with pytest.raises(asyncio.CancelledError):
            await first.drain("c")
        await first.service.servers.redis.delete(mailbox_keys(first.key("c"), first.settings.partitions).lease)
        assert await spent_usd(first) == COST

        await second.drain("c")

        assert [(call["replayed"], call["model"]) for call in await model_calls(second)] == [(True, "gpt-x")]
        assert [row.calls for row in await usage(second)] == [1]
        assert await spent_usd(second) == COST


async def test_a_call_of_a_worker_that_lost_its_turn_to_another_counts_too(worker: MakeHarness) -> None:
    go_on = asyncio.Event()
    async with serving(Late(go_on, say("Too late.")), say("Hello.")) as endpoint:
        slow = await asking(endpoint, worker, model_prices=PRICES)
        quick = await asking(endpoint, worker, model_prices=PRICES)
        await slow.accept("c", "hello")
        under_way = asyncio.create_task(slow.drain("c"))

        async def asked() -> bool:
            return len(endpoint.asked) == 1

        await eventually(asked)
        await slow.service.servers.redis.delete(mailbox_keys(slow.key("c"), slow.settings.partitions).lease)
        await quick.drain("c")
        assert len(await quick.replies()) == 1

        go_on.set()
        await under_way

        assert [row.calls for row in await usage(quick)] == [2]
        assert await spent_usd(quick) == 2 * COST


async def test_a_tenant_at_its_ceiling_is_answered_by_the_local_model_without_a_call(worker: MakeHarness) -> None:
    async with serving(then=lambda: say("Hello.")) as endpoint:
        harness = await asking(endpoint, worker, model_prices=MUCH_PER_TOKEN, tenant_usd_per_day_max=Decimal("0.505"))
        await harness.accept("c", "hello")
        await harness.accept("c", "how much is a second bag?")
        await harness.accept("c", "thank you")

        await answered(harness, "c", replies=3)

        assert len(endpoint.asked) == 1
        assert [(call["model"], call["degraded"]) for call in await model_calls(harness)] == [
            ("gpt-x", False),
            ("local", True),
            ("local", True),
        ]
        assert [event["name"] for event in await harness.events()].count("spend.exhausted") == 1
        assert await spent_usd(harness) == COST_OF_ANSWER


async def test_what_other_processes_spent_counts_against_the_ceiling(worker: MakeHarness) -> None:
    async with serving(then=lambda: say("Hello.")) as endpoint:
        limits: dict[str, Any] = {"model_prices": MUCH_PER_TOKEN, "tenant_usd_per_day_max": Decimal("0.505")}
        first, second = await asking(endpoint, worker, **limits), await asking(endpoint, worker, **limits)
        await first.accept("a", "hello")
        await second.accept("b", "hello")

        await first.drain("a")
        await second.drain("b")

        assert len(endpoint.asked) == 1
        assert [call["model"] for call in await model_calls(second)] == ["gpt-x", "local"]


async def test_operators_hear_once_when_four_fifths_of_a_day_are_spent(worker: MakeHarness) -> None:
    async with serving(then=lambda: say("Hello.")) as endpoint:
        cheap = {"gpt-x": ModelPrice(input=Decimal(1_000), cached_input=Decimal(1_000), output=Decimal(0))}
        harness = await asking(endpoint, worker, model_prices=cheap, tenant_usd_per_day_max=Decimal("0.5"))
        for number in range(4):
            await harness.accept("c", f"message {number}")

        await answered(harness, "c", replies=4)

        events = [event for event in await harness.events() if event["name"] == "spend.warning"]
        assert [event["attributes"] for event in events] == [{"spent_usd": "0.4000", "ceiling_usd": "0.5"}]


async def test_usage_is_told_by_tenant_and_day(worker: MakeHarness, other_tenant: str) -> None:
    async with serving(say("Hello.")) as endpoint:
        harness = await asking(endpoint, worker)
        await harness.accept("c", "hello")
        await harness.drain("c")

        assert await read_usage(harness.database, other_tenant, datetime.now(UTC).date()) == []
        assert await read_usage(harness.database, harness.tenant, datetime(2020, 1, 1, tzinfo=UTC).date()) == []


@pytest.mark.parametrize("model", ["openai:gpt-x", "openai-chat:gpt-x"])
async def test_a_turns_tokens_are_told_by_what_its_requests_were_made_of(
    worker: MakeHarness, model: str, other_tenant: str
) -> None:
    async with serving(say("Hello."), Fail(500), say("Hello again.")) as endpoint:
        harness = await asking(endpoint, worker, model=model)
        await harness.accept("c", "hello")
        await harness.accept("c", "are you there, and how much is a second bag?")
        await answered(harness, "c", replies=2)

        today = datetime.now(UTC).date()
        parts, turns = await read_usage_by_part(harness.database, harness.tenant, today)

        assert turns == 2
        assert sum(part.input_tokens for part in parts) == 2 * INPUT_TOKENS
        assert {"instructions", "history"} <= {part.part for part in parts}
        assert [part.calls for part in parts if part.part == "instructions"] == [2]
        assert sum(part.tokens_per_turn for part in parts) == INPUT_TOKENS
        assert await read_usage_by_part(harness.database, other_tenant, today) == ([], 0)
        assert await read_usage_by_part(harness.database, harness.tenant, datetime(2020, 1, 1, tzinfo=UTC).date()) == (
            [],
            0,
        )


async def test_what_the_local_model_answers_has_no_parts(worker: MakeHarness) -> None:
    async with serving(then=lambda: Fail(500)) as endpoint:
        harness = await asking(endpoint, worker, model_attempts_max=1)
        await harness.accept("c", "hello")
        await answered(harness, "c")

        assert await read_usage_by_part(harness.database, harness.tenant, datetime.now(UTC).date()) == ([], 0)


async def test_records_that_are_old_enough_go_and_the_totals_of_their_days_stay(worker: MakeHarness) -> None:
    async with serving(say("Hello."), say("Hello again.")) as endpoint:
        harness = await asking(endpoint, worker, model_prices=PRICES, usage_days=30)
        await harness.accept("c", "hello")
        await harness.drain("c")
        async with harness.database.transaction(harness.tenant) as transaction:
            await transaction.connection.execute("UPDATE usage_record SET at = at - interval '31 days'")
        await harness.accept("c", "hello")
        await harness.drain("c")

        await harness.service.rescue.trimmer.trim_usage()

        assert len(await harness.query("SELECT FROM usage_record")) == 1
        assert await spent_usd(harness) == 2 * COST
