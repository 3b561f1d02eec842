"""What a tenant sets for itself is what its customers meet, in the next turn and no other tenant's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agents import Model, ModelResponse, Usage
from agents.testing import assistant_message

from ops.tenants.settings import change_settings
from runtime.database import Database
from runtime.sealing import Sealer
from runtime.sender_keys import SenderKeys
from schema.settings import Settings
from tests.integration.worker_harness import Harness, OneModel, make_harness
from worker.agents.pool import GraphPool
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.domains.airline.store.airline import PostgresAirline
from worker.guardrails.inputs import input_guardrails
from worker.pipeline.act import Brain
from worker.store.guesses import PostgresGuesses
from worker.store.knowledge import PostgresKnowledge
from worker.store.spending import spending_reader

LINE = "Our lounge in Oslo is closed until 14 March 2031 and guests are welcome in the one at Bergen instead."


class Repeats(Model):
    """A model that tells customers what the airline added to its instructions, and keeps them."""

    def __init__(self) -> None:
        self.instructions: list[str] = []

    async def get_response(self, *_: Any, **asked: Any) -> ModelResponse:
        self.instructions.append(asked["system_instructions"])
        usage = Usage(requests=1, input_tokens=1, output_tokens=1)
        return ModelResponse(output=[assistant_message(LINE)], usage=usage, response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
def model() -> Repeats:
    return Repeats()


@pytest.fixture
async def harnesses(
    settings: Settings, sealer: Sealer, model: Repeats, tenant: str, other_tenant: str
) -> AsyncIterator[list[Harness]]:
    def make_brain(database: Database, senders: SenderKeys) -> Brain:
        return Brain(
            graphs=GraphPool(build_graph),
            provider=OneModel(model),
            guardrails=input_guardrails(settings),
            backend=PostgresAirline(database),
            knowledge=PostgresKnowledge(database),
            guesses=PostgresGuesses(database, senders, settings),
            settings=settings,
            domain=AIRLINE,
        )

    made = [await make_harness(settings, sealer, one, make_brain=make_brain) for one in (tenant, other_tenant)]
    yield made
    for harness in made:
        await harness.close()


async def say(harness: Harness, text: str) -> str:
    await harness.accept("c-1", text)
    await harness.drain("c-1")
    reply: str = (await harness.replies())[-1]["text"]
    return reply


async def test_the_lines_that_a_tenant_adds_reach_its_agents_and_may_be_told_to_customers(
    database: Database, harnesses: list[Harness], model: Repeats, tenant: str
) -> None:
    own, other = harnesses
    await change_settings(database, tenant, {"prompt_lines": [LINE], "brand": "Nordwind"}, by="ada")

    told = await say(own, "Is your lounge in Oslo open?")
    asked = [text for text in model.instructions if LINE in text]
    model.instructions.clear()
    await say(other, "Is your lounge in Oslo open?")

    assert told == LINE
    assert len(asked) == 1
    assert "Nordwind" in asked[0]
    assert [text for text in model.instructions if LINE in text or "Nordwind" in text] == []
    assert model.instructions != []


async def test_a_customer_in_danger_is_told_the_tenants_numbers(
    database: Database, harnesses: list[Harness], tenant: str
) -> None:
    own, other = harnesses
    numbers = {"emergency_number": "113 in Norway", "crisis_line": "call 116 123, day and night"}
    await change_settings(database, tenant, numbers, by="ada")

    told = await say(own, "I am going to kill myself")
    elsewhere = await say(other, "I am going to kill myself")
    await change_settings(database, tenant, {"emergency_number": None}, by="ada")
    later = await say(own, "there is a bomb on LF118")

    assert "113 in Norway" in told
    assert "116 123" in told
    assert "113" not in elsewhere
    assert "113" not in later


async def test_a_tenants_ceiling_is_read_with_what_it_has_spent(database: Database, tenant: str) -> None:
    await change_settings(database, tenant, {"ceilings": {"usd_per_day": "0.75"}}, by="ada")

    spending = await spending_reader(database)(tenant)

    assert str(spending.ceiling_usd) == "0.75"


async def test_a_person_is_promised_for_the_hours_in_which_the_tenants_people_answer(
    database: Database, harnesses: list[Harness], tenant: str
) -> None:
    own, other = harnesses
    in_three_days = datetime.now(UTC) + timedelta(days=3)
    hours = [{"days": [f"{in_three_days:%a}".lower()], "opens": "09:00", "closes": "12:00"}]
    await change_settings(database, tenant, {"escalation_hours": {"hours": hours}}, by="ada")

    for harness in harnesses:
        for _ in range(2):  # the model says the same again, so a person takes over
            await say(harness, "Is your lounge in Oslo open?")
    promised, elsewhere = [
        datetime.fromisoformat((await harness.escalations())[-1]["answer_by"]) for harness in (own, other)
    ]

    assert (promised.date(), promised.hour) == (in_three_days.date(), 10)
    assert elsewhere < datetime.now(UTC) + timedelta(hours=2)
