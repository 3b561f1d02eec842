"""Test which agent a turn starts at: the one the message is for, without a model call, and the same when resumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from schema.settings import Settings
from tests.unit.airline_stand_ins import PLACEHOLDER, MemoryKnowledge, make_turn, make_verified_turn
from tests.unit.local_conversations import BAGS
from worker.conversation.context import AirlineAgentContext, Quote
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.agents.start import choose_start
from worker.domains.airline.local.asking import leans_on_last
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
    rank: float = 0.0,
) -> str:
    """Name the agent that a turn starts at; `rank` is that of the passage that a search finds, if it finds one."""
    turn = make_turn(text=text, airline=airline)
    if rank:
        turn.knowledge = MemoryKnowledge(replace(BAGS, rank=rank))
    return (await choose_start(GRAPH, turn, items or [], last, settings)).name


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


ARTICLE_WORDS = [
    "travelling with my harmonica",
    "i am in week 29, am i still welcome on board",
    "is the cover something I can add once I have paid",
    "do the seats have somewhere to plug in a shaver",
    "any halal options",
    "how many hours late before I get a meal",
    "Can I wear my VR headset from Sony on board?",
]


@pytest.mark.parametrize("text", ARTICLE_WORDS)
async def test_a_question_that_articles_answer_starts_at_the_faq_agent_whatever_it_was_taken_for(text: str) -> None:
    assert await start(text, rank=1.8) == "FAQ Agent"


@pytest.mark.parametrize(
    ("text", "agent"),
    [
        ("please cancel my flight tomorrow", "Booking Agent"),
        ("could you put my husband and me next to each other", "Booking Agent"),
        ("let me talk to a human about my bag", "Escalation Agent"),
        ("my wheelchair came back broken", "Escalation Agent"),
        ("you people lost my stroller and nobody cares", "Escalation Agent"),
        ("thanks a lot", "Triage Agent"),
    ],
)
async def test_a_wish_and_what_must_reach_a_person_go_where_they_belong_whatever_articles_say(
    text: str, agent: str
) -> None:
    assert await start(text, rank=2.2) == agent


@pytest.mark.parametrize("text", ["12A", "a window please", "Okafor", "Friday"])
async def test_an_answer_within_a_booking_is_no_question_whatever_articles_say(text: str) -> None:
    asked = [
        {"role": "user", "content": "I want to change my seat"},
        {"role": "assistant", "content": "Which seat would you like, or do you prefer a window or an aisle?"},
    ]
    airline = AirlineAgentContext(issue_type="booking")

    assert await start(text, last="Booking Agent", items=asked, airline=airline, rank=1.8) == "Booking Agent"


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("and in the hold?", True),
        ("what about halal", True),
        ("ok and my cat?", True),
        ("how much is that", True),
        ("vegan?", True),
        ("or a bike", True),
        ("perfect, that helps", False),
        ("great", False),
        ("yes please", False),
        ("how many bags may each of us bring on the way to Boston", False),
    ],
)
def test_a_message_that_continues_a_question_leans_on_it(text: str, leans: bool) -> None:  # noqa: FBT001
    assert leans_on_last(text) is leans


async def test_a_follow_up_is_searched_with_the_question_before() -> None:
    turn = make_turn(text="and in the hold?")
    turn.knowledge = knowledge = MemoryKnowledge(BAGS)
    items = [{"role": "user", "content": "can I bring my cat"}, {"role": "assistant", "content": "Yes, in a carrier."}]

    agent = await choose_start(GRAPH, turn, items, "FAQ Agent", LOCAL)

    assert agent.name == "FAQ Agent"
    assert knowledge.asked == [("acme", "can I bring my cat / and in the hold?")]
    assert turn.looked_up.passages == (BAGS,)


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
