"""Play what customers want done to bookings: flights, cancelling, bags, names, cabins, and bookings found otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.airline_stand_ins import (
    ADA,
    ADDRESS,
    BACK,
    NOW,
    NUMBER,
    OUT,
    RESERVATION,
    MemoryAirline,
    flight_of,
    later,
)
from tests.unit.local_conversations import BOOKING_STEP_CALLS_MAX, Conversation, Played

DAY_AFTER = later(flight_of(OUT))
EVENING = later(flight_of(OUT), 32, flight_number="LF120")


def talk_about(**changes: Any) -> Conversation:
    """Begin a conversation; the flights of the booking leave on the next day too, once more in the evening."""
    booked = replace(RESERVATION, created_at=NOW - timedelta(hours=2), **changes)
    return Conversation(backend=MemoryAirline(booked, flights=(DAY_AFTER, EVENING)))


async def say_all(talk: Conversation, *texts: str) -> list[Played]:
    played = [await talk.say(text) for text in texts]
    assert all(turn.calls <= BOOKING_STEP_CALLS_MAX for turn in played)
    return played


async def test_a_flight_is_changed_by_choosing_an_option() -> None:
    talk = talk_about()

    which, listed, offer, done = await say_all(
        talk, f"I want to change my flight to March 8. Okafor, {NUMBER}", "the one to Seattle, LF118", "option 2", "yes"
    )

    assert "Which of your flights" in which.reply
    assert listed.path == ["search_flights"]
    assert "Option 1: LF118" in listed.reply
    assert "Option 2: LF120" in listed.reply
    assert offer.path == ["quote_flight_change"]
    assert offer.effects == []
    assert "LF120" in offer.reply
    assert done.path == ["confirm_quote"]
    assert len(done.effects) == 1


@pytest.mark.parametrize(
    ("wish", "flight"), [("the cheapest", "LF118"), ("the earlier one please", "LF118"), ("the latest one", "LF120")]
)
async def test_an_option_is_understood_by_what_is_best_about_it(wish: str, flight: str) -> None:
    talk = talk_about(segments=(OUT,), trip_type="one_way")

    listed, offer = await say_all(talk, f"change my flight to the next day please, Okafor {NUMBER}", wish)

    assert listed.path == ["look_up_reservation", "search_flights"]
    assert offer.path == ["quote_flight_change"]
    assert f"to {flight}, departing 2026-03-08" in offer.reply


async def test_the_day_of_a_flight_change_is_asked_for_once() -> None:
    talk = talk_about(segments=(OUT,), trip_type="one_way")

    asked, listed = await say_all(talk, f"I need to change my flight, Okafor {NUMBER}", "a day later")

    assert "Which day" in asked.reply
    assert "2026-03-08" in listed.reply


async def test_a_booking_is_cancelled_after_the_reason_and_a_yes() -> None:
    talk = talk_about()

    asked, offer, done = await say_all(talk, f"please cancel my booking, Okafor {NUMBER}", "my plans changed", "yes")

    assert "why you would like to cancel" in asked.reply
    assert offer.path == ["quote_cancellation"]
    assert "refund of $800" in offer.reply
    assert done.path == ["confirm_quote"]
    assert done.reply.startswith("Done: The booking")


async def test_a_reason_that_was_said_is_not_asked_for() -> None:
    (offer,) = await say_all(talk_about(), f"I am sick and have to cancel my flight, Okafor {NUMBER}")

    assert offer.path == ["look_up_reservation", "quote_cancellation"]


async def test_what_policy_refuses_twice_goes_to_a_person() -> None:
    talk = talk_about()
    talk.backend.change(created_at=NOW - timedelta(days=9))

    refused = (await say_all(talk, f"cancel my booking, my plans changed, Okafor {NUMBER}"))[0]
    again = await talk.say("please cancel my booking anyway")

    assert refused.path == ["look_up_reservation", "quote_cancellation"]
    assert "Shall I pass this on to a colleague?" in refused.reply
    assert again.path[-1] == "escalate_to_human"
    assert again.escalation is not None
    assert again.escalation.category == "policy_restriction"


async def test_bags_are_added_and_their_number_asked_for_when_unsaid() -> None:
    talk = talk_about()

    asked, offer, done = await say_all(talk, f"add bags to my booking please, Okafor {NUMBER}", "two", "yes please")

    assert "How many" in asked.reply
    assert offer.path == ["quote_bags"]
    assert done.path == ["confirm_quote"]


async def test_a_way_to_pay_is_taken_from_what_is_on_file() -> None:
    talk = talk_about()

    _, offer = await say_all(talk, f"Okafor {NUMBER}, hello", "add 3 bags to my booking and pay with my gift card")

    assert "gift card" in offer.reply


async def test_a_name_is_corrected() -> None:
    talk = talk_about(passengers=(ADA,))

    asked, offer = await say_all(talk, f"my name is misspelled on the booking, Okafor {NUMBER}", "Adah Okafor")

    assert "How should the name read" in asked.reply
    assert offer.path == ["quote_passenger_correction"]
    assert "Ada Okafor to Adah Okafor" in offer.reply


async def test_two_wishes_of_one_message_are_served_one_after_the_other() -> None:
    talk = talk_about()

    offer, done, bags, both = await say_all(
        talk, f"upgrade us to business, and also add 2 checked bags. Okafor {NUMBER}", "yes", "yes", "yes"
    )

    assert offer.path == ["look_up_reservation", "quote_cabin_change"]
    assert done.path == ["confirm_quote"]
    assert "go on with the bags?" in done.reply
    assert bags.path == ["look_up_reservation", "quote_bags"]
    assert both.path == ["confirm_quote"]


@pytest.mark.parametrize("taken_up", ["and the bags?", "the bag", "bags please", "ok, and the bag"])
async def test_the_next_wish_is_taken_up_by_its_name(taken_up: str) -> None:
    talk = talk_about()

    _, _, bags = await say_all(
        talk, f"upgrade us to business, and also add 2 checked bags. Okafor {NUMBER}", "yes", taken_up
    )

    assert bags.path[-1] == "quote_bags"


async def test_the_status_of_a_flight_needs_nobody_verified() -> None:
    (told,) = await say_all(talk_about(), "is flight LF118 on March 7 on time?")

    assert told.path == ["flight_status"]
    assert "LF118 on 2026-03-07 from BOS to SEA" in told.reply


async def test_a_trip_is_searched_with_what_was_said_over_several_turns() -> None:
    talk = talk_about()

    asked, where, listed = await say_all(talk, "find me a flight for next Sunday", "from Boston", "Seattle")

    assert "fly from" in asked.reply
    assert "fly to" in where.reply
    assert listed.path == ["search_flights"]
    assert listed.reply.endswith("Shall I pass this on to a colleague?")


async def test_a_customer_whose_address_is_verified_is_asked_for_nothing() -> None:
    talk = talk_about()
    talk.sender = ADDRESS

    (offer,) = await say_all(talk, "I'd like a window seat on my flight")

    assert offer.path == ["find_my_reservations", "quote_seat_change"]


async def test_of_several_bookings_of_an_address_the_one_named_is_opened() -> None:
    other = replace(RESERVATION, reservation_id=8, confirmation_number="DEMO43", segments=(BACK,), trip_type="one_way")
    talk = Conversation(backend=MemoryAirline(RESERVATION, other), sender=ADDRESS)

    which, offer = await say_all(talk, "I'd like an aisle seat", "option 1")

    assert which.path == ["find_my_reservations"]
    assert "Which one is it about?" in which.reply
    assert offer.path == ["look_up_reservation", "quote_seat_change"]


async def test_a_name_read_from_a_user_id_is_tried_once_and_never_the_number_asked_again() -> None:
    talk = talk_about()

    _, tried, opened = await say_all(
        talk, "I need to change my seat", f"my user id is mia_jones_3412 and the reservation is {NUMBER}", "Okafor"
    )

    assert tried.path == ["look_up_reservation"]
    assert "surname" in tried.reply
    assert "confirmation number" not in tried.reply
    assert opened.path == ["look_up_reservation"]
    assert "window, aisle or middle" in opened.reply


async def test_documents_are_offered_to_be_sent_by_a_person() -> None:
    talk = talk_about()

    offered, handed = await say_all(talk, f"please email me my boarding pass, Okafor {NUMBER}", "yes please")

    assert "pass this on to a colleague?" in offered.reply
    assert handed.path == ["escalate_to_human"]


async def test_a_yes_after_an_offer_was_turned_down_is_no_yes_to_it() -> None:
    talk = talk_about()

    offer, dropped, later_yes, seat, done = await say_all(
        talk, f"upgrade us to business, Okafor {NUMBER}", "no, too expensive", "yes", "then just an aisle seat", "yes"
    )

    assert "$1200" in offer.reply
    assert "left everything as it was" in dropped.reply
    assert later_yes.effects == []
    assert seat.path == ["quote_seat_change"]
    assert [effect.split()[0] for effect in done.effects] == ["seat_change"]


async def test_details_for_an_open_ticket_go_to_it() -> None:
    talk = talk_about()

    handed, added = await say_all(talk, "you lost my suitcase in Denver", "it's a red hard shell, flight LF204")

    assert handed.path == ["escalate_to_human"]
    assert added.path == []
    assert added.agent == "Escalation Agent"
    assert "added this to your ticket" in added.reply
