"""Keep an offer, and hear what else its answer says: another wish, a question, another passenger, a doubt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.airline_stand_ins import NOW, NUMBER, OUT, RESERVATION, MemoryAirline, MemoryKnowledge, flight_of, later
from tests.unit.local_conversations import Conversation
from worker.conversation.effects import Passage

ONE_WAY: dict[str, Any] = {"segments": (OUT,), "trip_type": "one_way"}
DAY_AFTER, EVENING = later(flight_of(OUT)), later(flight_of(OUT), 32, flight_number="LF120")
SKIS = Passage("Sports equipment", "As a checked bag", "sports", "Skis count as one checked bag.", 2.0)
SOURCE = f"\u201c{SKIS.source}\u201d"


def talk_about(**changes: Any) -> Conversation:
    booked = replace(RESERVATION, created_at=NOW - timedelta(days=2), **changes)
    return Conversation(backend=MemoryAirline(booked, flights=(DAY_AFTER, EVENING)), knowledge=MemoryKnowledge(SKIS))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("too expensive. a bag then", "Add 1 checked bag"),
        ("no, a window seat instead", "window seat"),
        ("nah that is pricey, is there a cheaper way to bring skis?", "left everything as it was"),
        ("yes but first tell me what skis cost", SKIS.text),
        ("is it free?", "Is that a yes?"),
        ("hello??", "Is that a yes?"),
        ("yes, if it is refunded to my card", "Is that a yes?"),
    ],
)
async def test_the_answer_to_an_offer_is_heard_to_its_end(answer: str, told: str) -> None:
    talk = talk_about()

    await talk.say(f"upgrade us to business, Okafor {NUMBER}")
    answered = await talk.say(answer)

    assert told in answered.reply
    assert answered.effects == []


@pytest.mark.parametrize("answer", ["nah, is there a cheaper way to bring skis?", "ok but tell me what skis cost"])
async def test_a_question_beside_the_answer_to_an_offer_is_answered(answer: str) -> None:
    talk = talk_about()

    await talk.say(f"upgrade us to business, Okafor {NUMBER}")
    answered = await talk.say(answer)

    assert answered.path == ["faq_lookup"]
    assert SKIS.text in answered.reply


async def test_an_offer_for_the_wrong_passenger_is_made_for_the_right_one() -> None:
    talk = talk_about()

    await talk.say(f"seat 12A for me, Ada Okafor {NUMBER}, on the way out")
    offer = await talk.say("for Ben I mean")

    assert offer.path == ["quote_seat_change"]
    assert "Move Ben Okafor" in offer.reply
    assert "12A" in offer.reply


@pytest.mark.parametrize("choice", ["the cheapest", "the one at 9", "which of these leaves earliest?", "LF118"])
async def test_a_listed_flight_is_taken_also_where_nobody_spoke_of_a_change(choice: str) -> None:
    talk = talk_about(**ONE_WAY)

    await talk.say(f"Okafor {NUMBER}")
    listed = await talk.say("March 8")
    offer = await talk.say(choice)

    assert "Option 1: LF118" in listed.reply
    assert offer.path == ["quote_flight_change"]
    assert "LF118" in offer.reply


async def test_a_booking_keeps_its_route_and_the_reply_says_so() -> None:
    elsewhere = await talk_about(**ONE_WAY).say(f"can I fly to Denver instead? Okafor {NUMBER}")
    unknown = await talk_about(**ONE_WAY).say(f"Okafor {NUMBER}, can I fly to Gotham instead")

    assert "from BOS to SEA" in elsewhere.reply
    assert "do not fly to or from Gotham" in unknown.reply


async def test_who_asks_where_we_fly_is_told_at_once() -> None:
    talk = talk_about()

    served, unknown = await talk.say("do you fly to Denver?"), await talk.say("do you fly to Tokyo?")

    assert "we fly to Denver" in served.reply
    assert "do not fly to or from Tokyo" in unknown.reply


async def test_a_basic_economy_ticket_is_refused_before_a_day_is_asked_for() -> None:
    refused = await talk_about(cabin="basic_economy").say(f"can I change my flight? Okafor {NUMBER}")

    assert refused.path[-1] == "quote_flight_change"
    assert "basic economy" in refused.reply


async def test_a_flight_that_we_cancelled_is_spoken_of_first() -> None:
    talk = talk_about(segments=(replace(OUT, status="cancelled"),), trip_type="one_way")

    asked = await talk.say(f"Okafor {NUMBER}, what now?")
    listed = await talk.say("another flight on March 8")

    assert "had to cancel LF118" in asked.reply
    assert "Option 1" in listed.reply


async def test_a_stop_is_told_with_its_time() -> None:
    on = replace(
        OUT, number=2, flight_number="LF300", origin="SEA", destination="PDX", departs_local="2026-03-07 14:05",
        arrives_local="2026-03-07 15:05", departs_at=OUT.arrives_at + timedelta(minutes=105),
        arrives_at=OUT.arrives_at + timedelta(minutes=165),
    )  # fmt: skip
    stops = await talk_about(segments=(OUT, on), trip_type="one_way").say(f"Okafor {NUMBER}, where do I change planes?")
    direct = await talk_about(**ONE_WAY).say(f"Okafor {NUMBER}, is my flight direct?")

    assert "change at SEA: LF118 arrives there on 2026-03-07 at 12:20, and LF300 leaves" in stops.reply
    assert "You change nowhere" in direct.reply


async def test_a_doubt_gets_the_ground_and_a_call_for_somebody_an_answer() -> None:
    talk = talk_about()

    await talk.say("how are skis carried?")
    doubted, asked, here = await talk.say("prove it"), await talk.say("so?"), await talk.say("are you there?")

    assert SOURCE in doubted.reply
    assert asked.reply != doubted.reply
    assert "I'm here" in here.reply


async def test_after_a_ticket_more_is_added_to_it_and_news_are_told() -> None:
    talk = talk_about()
    talk.knowledge = MemoryKnowledge()

    await talk.say("you lost my suitcase yesterday")
    news = await talk.say("has it been found?")
    here = await talk.say("hello??")
    added = await talk.say("and from my wife as well")

    assert "ticket number is T-23456789AB" in news.reply
    assert "T-23456789AB" in here.reply
    assert "added this to your ticket" in added.reply
