"""Test which agent a turn starts at: the one the message is for, without a model call, and the same when resumed."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from schema.settings import Settings
from tests.unit.airline_stand_ins import PLACEHOLDER, make_turn, make_verified_turn
from worker.conversation.context import AirlineAgentContext, Quote
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.agents.start import choose_start
from worker.domains.airline.local.routing import SURE_FOR_ANY_MODEL
from worker.domains.airline.local.situation import read_situation
from worker.domains.airline.local.triage import settled_intent

GRAPH = build_graph()
LOCAL = Settings()
OTHER = Settings(model="openai:some-model", OPENAI_API_KEY=SecretStr("sk-none"))
UNSURE = "ferrets in a box with my seat"


async def start(
    text: str,
    *,
    last: str | None = None,
    settings: Settings = LOCAL,
    items: list[Any] | None = None,
    airline: AirlineAgentContext | None = None,
) -> str:
    agent = await choose_start(GRAPH, make_turn(text=text, airline=airline), items or [], last, settings)
    return agent.name


@pytest.mark.parametrize("settings", [LOCAL, OTHER])
@pytest.mark.parametrize("last", [None, "Triage Agent", "FAQ Agent", "Booking Agent", "Escalation Agent"])
@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("How many bags can I check on an international flight?", "FAQ Agent"),
        ("Please rebook me on the next flight to Denver", "Booking Agent"),
        ("You lost my suitcase and nobody helps, this is unacceptable", "Escalation Agent"),
        ("Let me talk to a human", "Escalation Agent"),
    ],
)
async def test_a_sure_wish_starts_at_its_agent_wherever_the_conversation_was(
    settings: Settings, last: str | None, text: str, agent: str
) -> None:
    assert await start(text, last=last, settings=settings) == agent


@pytest.mark.parametrize("text", ["hello", "thanks a lot", "write me a poem about the sea"])
async def test_what_is_no_specialists_matter_stays_where_it_arrives(text: str) -> None:
    assert await start(text) == "Triage Agent"
    assert await start(text, last="Booking Agent") == "Booking Agent"


@pytest.mark.parametrize(
    "text", ["12A", "a window please", "Okafor", PLACEHOLDER, "the second one", "no, further forward", "Friday"]
)
async def test_an_answer_to_a_specialists_question_stays_with_it(text: str) -> None:
    airline = AirlineAgentContext(issue_type="booking")
    asked = [
        {"role": "user", "content": "I want to change my seat"},
        {"role": "assistant", "content": "May I have your confirmation number and the surname on the booking?"},
    ]

    assert await start(text, last="Booking Agent", items=asked, airline=airline) == "Booking Agent"


async def test_an_unsure_reading_leads_no_other_model_past_its_own() -> None:
    situation = read_situation("", [{"role": "user", "content": UNSURE}], frozenset())

    assert settled_intent(situation).confidence < SURE_FOR_ANY_MODEL
    assert await start(UNSURE, settings=OTHER) == "Triage Agent"


async def test_nothing_is_routed_when_the_setting_says_so() -> None:
    off = Settings(route_locally=False)

    assert await start("How many bags can I check?", settings=off) == "Triage Agent"
    assert await start("How many bags can I check?", settings=off, last="Booking Agent") == "Booking Agent"


async def test_a_yes_to_an_open_offer_goes_back_to_where_it_is_confirmed() -> None:
    turn = make_verified_turn(text="ok, yes, go ahead", turn_count=3)
    turn.airline.quote = Quote(
        quote_id="q_1", kind="seat_change", details={}, price_usd=0, made_in_turn=1, expires_at=turn.now
    )
    items = [
        {"role": "user", "content": "how many bags can I check?"},
        {"role": "assistant", "content": "One bag. Source: Baggage"},
    ]

    agent = await choose_start(GRAPH, turn, items, "FAQ Agent", LOCAL)

    assert agent.name in {"Triage Agent", "Booking Agent"}


async def test_the_context_is_prepared_as_by_the_handoff() -> None:
    faq = make_turn(text="How many bags can I check on an international flight?")
    booking = make_verified_turn(text="which seat am I in on my flight?")
    escalation = make_turn(text="Let me talk to a human")
    for turn in (faq, booking, escalation):
        await choose_start(GRAPH, turn, [], None, LOCAL)

    assert [turn.airline.issue_type for turn in (faq, booking, escalation)] == ["faq", "booking", "escalation"]
    assert booking.airline.flight_number == "LF118"
