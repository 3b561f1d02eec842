"""Play what one message asks for besides one wish: passengers, legs, several things at once, corrections, facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.airline_stand_ins import NOW, NUMBER, OUT, RESERVATION, MemoryAirline, MemoryKnowledge, flight_of, later
from tests.unit.local_conversations import Conversation
from worker.conversation.effects import Passage

ADA_SAYS = f"Okafor {NUMBER}."
MORNING = later(flight_of(OUT), 21, flight_number="LF110")
DAY_AFTER = later(flight_of(OUT))
EVENING = later(flight_of(OUT), 32, flight_number="LF120")


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def talk_about(**changes: Any) -> Conversation:
    booked = replace(RESERVATION, created_at=NOW - timedelta(hours=2), **changes)
    return Conversation(backend=MemoryAirline(booked, flights=(MORNING, DAY_AFTER, EVENING)))


@pytest.mark.parametrize(
    ("wish", "offered"),
    [
        ("Seat 20C for Ben please", "Move Ben Okafor from 14D to aisle seat 20C on flight LF118"),
        ("My husband would like a window", "Move Ben Okafor from 14D to window seat"),
        ("Seat 20C please", "Move Ada Okafor from 14C to aisle seat 20C on flight LF118"),
        ("A window on the way back", "on flight LF119"),
        ("An aisle seat on LF119", "on flight LF119"),
        ("Ben keeps his. 20A on the flight home for me", "20A on flight LF119"),
    ],
)
async def test_a_seat_is_offered_for_whom_and_where_it_is_wanted(talk: Conversation, wish: str, offered: str) -> None:
    offer = await talk.say(f"{ADA_SAYS} {wish}")

    assert offered in offer.reply


async def test_seats_for_several_are_offered_one_after_the_other(talk: Conversation) -> None:
    first = await talk.say(f"{ADA_SAYS} Ada to 20A and Ben to 20B please")
    done = await talk.say("yes")
    second = await talk.say("yes")
    both = await talk.say("yes")

    assert "Move Ada Okafor from 14C to window seat 20A" in first.reply
    assert "Shall I go on with seat 20B for Ben Okafor?" in done.reply
    assert "Move Ben Okafor from 14D to middle seat 20B" in second.reply
    assert [len(turn.effects) for turn in (done, both)] == [1, 1]


async def test_seats_side_by_side_are_left_to_a_person(talk: Conversation) -> None:
    offered = await talk.say(f"{ADA_SAYS} We want to sit together on the way back")

    assert "pass this on to a colleague?" in offered.reply


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How many bags are free for me?", "2 checked bags are free on your booking for all 2 passengers together"),
        ("Am I insured?", "has no travel insurance"),
        ("What did I pay?", "$800 has been paid"),
        ("What's my membership level?", "regular"),
        ("When do I fly?", "LF118 from BOS leaves on 2026-03-07 at 09:05"),
        ("When do I land?", "LF118 reaches SEA on 2026-03-07 at 12:20"),
        ("Which cabin am I in?", "booked in economy"),
        ("Who is on my booking?", "Ada Okafor and Ben Okafor"),
        ("Which cards do you have on file?", "the card ending in 4242"),
        ("How many bags have I booked?", "has 1 checked bag at the moment"),
        ("Is 21D a window seat?", "21D is an aisle seat"),
    ],
)
async def test_facts_of_ones_own_booking_are_told(talk: Conversation, question: str, told: str) -> None:
    answer = await talk.say(f"{ADA_SAYS} {question}")

    assert told in answer.reply
    assert "What can I do for you" not in answer.reply


async def test_a_change_and_questions_of_one_message_are_all_answered(talk: Conversation) -> None:
    answer = await talk.say(f"{ADA_SAYS} Am I insured? How much is wifi on board? And seat 20A please.")

    assert answer.path == ["look_up_reservation", "faq_lookup", "quote_seat_change"]
    parts = ["no travel insurance", "Source: Baggage", "window seat 20A"]
    assert sorted(parts, key=answer.reply.index) == parts


async def test_a_question_without_an_answer_is_named_beside_the_offer(talk: Conversation) -> None:
    talk.knowledge = MemoryKnowledge()

    answer = await talk.say(f"{ADA_SAYS} How much is a surfboard? And seat 20A please.")

    assert "I could not find that in our published policies: \u201cHow much is a surfboard?\u201d" in answer.reply
    assert "window seat 20A" in answer.reply


async def test_several_wishes_are_named_in_the_customers_order() -> None:
    offer = await talk_about().say(f"{ADA_SAYS} An aisle seat and one more bag, please.")

    assert "first the seat, then the bags" in offer.reply
    assert offer.path == ["look_up_reservation", "quote_seat_change"]


async def test_what_was_not_understood_is_asked_about_in_its_own_words(talk: Conversation) -> None:
    asked = await talk.say(f"{ADA_SAYS} Something about the blue one.")

    assert "\u201cSomething about the blue one\u201d" in asked.reply


@pytest.mark.parametrize(
    ("first", "correction", "offered"),
    [
        ("add two bags", "sorry, one bag not two", "Add 1 checked bag"),
        ("add two bags", "make that three", "Add 3 checked bags"),
        ("add two bags", "wait, I want one", "Add 1 checked bag"),
        ("seat 20A", "oops, 20C I mean", "seat 20C"),
        ("a window seat", "actually, make it an aisle", "aisle seat"),
        ("add four bags", "pay with my gift card", "gift card"),
    ],
)
async def test_a_correction_is_a_new_offer_and_no_complaint(first: str, correction: str, offered: str) -> None:
    talk = talk_about()
    await talk.say(f"{ADA_SAYS} {first}")

    offer = await talk.say(correction)

    assert offered in offer.reply
    assert offer.escalation is None


@pytest.mark.parametrize(
    ("choice", "flight"),
    [("the second one", "LF118"), ("the evening one", "LF120"), ("the 6:05 one", "LF110"), ("the last one", "LF120")],
)
async def test_options_are_numbered_without_gaps_and_chosen_by_what_tells_them_apart(choice: str, flight: str) -> None:
    talk = talk_about(segments=(OUT,), trip_type="one_way")

    listed = await talk.say(f"{ADA_SAYS} change my flight to the next day please")
    offer = await talk.say(choice)

    numbers = [line.partition(":")[0] for line in listed.reply.splitlines() if line.startswith("Option")]
    assert numbers == ["Option 1", "Option 2", "Option 3"]
    assert f"to {flight}, departing 2026-03-08" in offer.reply


@pytest.mark.parametrize(
    ("choice", "flight"),
    [
        ("what's the cheapest?", "LF110"), ("hmm, the second", "LF118"), ("which is fastest?", "LF110"),
        ("the latest then", "LF120"), ("hmm not sure. what do you recommend?", "LF110"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "asked", ["are those prices per person?", "is there wifi on board?", "what's the cheapest seat?"]
)
async def test_a_flight_is_taken_from_the_list_after_a_question_between(asked: str, choice: str, flight: str) -> None:
    talk = talk_about(segments=(OUT,), trip_type="one_way")

    await talk.say(f"{ADA_SAYS} change my flight to the next day please")
    await talk.say(asked)
    offer = await talk.say(choice)

    assert f"to {flight}, departing 2026-03-08" in offer.reply


@pytest.mark.parametrize(
    "asked", ["how much would that be in total?", "hmm, is that per person?", "do I have to pay a fee on top?"]
)
async def test_what_the_listed_prices_mean_is_explained(asked: str) -> None:
    talk = talk_about(segments=(OUT,), trip_type="one_way")

    await talk.say(f"{ADA_SAYS} change my flight to the next day please")
    explained = await talk.say(asked)

    assert "difference in fare" in explained.reply
    assert "which option" in explained.reply


@pytest.mark.parametrize("other", ["ok then what about the day after?", "and a day later?"])
async def test_a_day_beside_the_offered_one_is_looked_for(other: str) -> None:
    talk = talk_about(segments=(OUT,), trip_type="one_way")

    await talk.say(f"{ADA_SAYS} change my flight to the next day please")
    await talk.say("the cheapest")
    looked = await talk.say(other)

    assert "search_flights" in looked.path
    assert "Is that a yes?" not in looked.reply


async def test_a_time_of_day_without_a_flight_is_said_and_the_others_listed() -> None:
    booked = replace(RESERVATION, segments=(OUT,), trip_type="one_way")
    talk = Conversation(backend=MemoryAirline(booked, flights=(MORNING, DAY_AFTER)))

    listed = await talk.say(f"{ADA_SAYS} change my flight to the next day in the evening please")

    assert "I find none in the evening of 2026-03-08" in listed.reply
    assert "Option 1" in listed.reply


async def test_who_has_no_number_is_led_to_a_person_at_the_first_no(talk: Conversation) -> None:
    await talk.say("I want a window seat")
    where = await talk.say("where do I find that?")
    offered = await talk.say("no idea, I deleted the mail")
    handed = await talk.say("yes please")

    assert "e-mail" in where.reply
    assert "colleague?" in offered.reply
    assert handed.escalation is not None


async def test_no_reply_is_given_twice_and_a_third_offers_a_person(talk: Conversation) -> None:
    first, again, offered = [(await talk.say(text)).reply for text in ("I want a window seat", "window", "hm")]

    assert again == f"I have noted that. {first}"
    assert "pass this on to a colleague?" in offered


@pytest.mark.parametrize("name", ["Okafor", "okafor", "Ada Okafor", "it's Okafor"])
async def test_a_name_that_a_published_answer_asked_for_is_none_to_nod_at(name: str) -> None:
    policy = Passage("Seats", "Choosing", "seats", "Tell us your confirmation number, your surname and the seat.", 2.0)
    talk = Conversation(knowledge=MemoryKnowledge(policy))
    answer = await talk.say("how do I choose a seat?")

    told = await talk.say(name)
    offer = await talk.say(f"{NUMBER}, a window please")

    assert "Source: Seats" in answer.reply
    assert "confirmation number" in told.reply
    assert "Move Ada Okafor" in offer.reply


async def test_a_change_back_and_forth_is_reported_as_done_each_time(talk: Conversation) -> None:
    replies = []
    for seat in ("20A", "21F", "20A", "21F"):
        await talk.say(f"{ADA_SAYS} Seat {seat} please")
        replies.append((await talk.say("yes")).reply)

    assert all(reply.startswith("Done") for reply in replies)
