"""A reply states only what was told: nothing before any tool has answered, and then what the answers are about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.reviewing import NOTHING, kind_of
from worker.guardrails.grounds import Grounds, OpenOffer
from worker.guardrails.sentences import sentences_of

ASKED = ["Hi, I'm Ada, can I move to a window seat?"]
HANDED_OVER = '{"assistant": "Booking Agent"}'
BOOKING = (
    '{"ok": true, "reservation": {"status": "booked", "passengers": [{"name": "Helen Tran", "seats": {"LF140": "22E"}}]'
    ', "segments": [{"flight_number": "LF140", "date": "2026-12-11", "departs": "2026-12-11 13:20"}], "paid_usd": 310}}'
)
PASSAGE = (
    '{"ok": true, "found": true, "results": [{"article": "Wi-Fi", "section": "Price", "text": "Messaging is free."}]}'
)

INVENTED = [
    "You can certainly move to a window seat.",
    "Yes, you can switch to an aisle seat whenever you like.",
    "Absolutely, we can move you to a window seat.",
    "A window seat is available for you.",
    "We have a window seat for you.",
    "You will be seated by the window.",
    "I'll make sure you get a window seat.",
    "I am happy to tell you that you get a window seat.",
    "Your booking allows changes.",
    "You are eligible for an upgrade.",
    "You qualify for compensation.",
    "There is a small fee for this change.",
    "Please visit our website to change your booking.",
    "Please send us a copy of your passport.",
    "You will receive a confirmation e-mail shortly.",
    "The crew will help you at the gate.",
    "Your bag is in London.",
    "This was our fault.",
    "I spoke to my supervisor and he agreed.",
    "I can help you, and you get lounge access.",
    "I understand, but we can do that for everybody.",
    "Step 1: Find the seat. Step 2: Change it.",
    "Yes.",
    "Sure, no problem at all!",
]
HARMLESS = [
    "Hello! How can I help you today?",
    "Hi Ada, thanks for writing. What is your confirmation number?",
    "I'm happy to help with that. May I have your confirmation number and the surname on the booking?",
    "To find your seat I need your confirmation number. If you don't have it at hand, just say so.",
    "I can do that. Please send both, and I'll look right away.",
    "I can't see your booking yet, but with the surname on it I can.",
    "I'm sorry to hear that. It must be frustrating. Shall I bring in a colleague?",
    "That sounds stressful, and I understand that you want to be heard.",
    "You'd like a window seat. Which flight is it?",
    "I'm the airline's digital assistant, not a person.",
    "I'm afraid that is outside what I can help with; I look after flights and travel questions.",
    "I don't know that, and I would rather not guess. A colleague can look into it.",
    "You're welcome! I'm here if anything else comes up. Have a good trip to Miami!",
    "Let me look that up. One moment.",
    "At last.",
]


@pytest.mark.parametrize("agent", ["Triage Agent", "Booking Agent", "Escalation Agent", "FAQ Agent"])
@pytest.mark.parametrize("reply", INVENTED)
def test_before_a_tool_has_answered_nothing_is_stated(reply: str, agent: str) -> None:
    grounds = replace(NOTHING, written=ASKED, told=[HANDED_OVER], told_now=[HANDED_OVER], agent=agent)

    assert kind_of(reply, grounds) is not None


@pytest.mark.parametrize("reply", HARMLESS)
def test_before_a_tool_has_answered_one_may_greet_ask_and_offer_help(reply: str) -> None:
    assert kind_of(reply, replace(NOTHING, written=ASKED, agent="Triage Agent")) is None


def test_a_yes_is_an_answer_only_to_a_question() -> None:
    assert kind_of("Of course!", replace(NOTHING, written=["Thanks, bye"])) is None


BOOKED = replace(NOTHING, written=ASKED, told=[BOOKING], told_now=[BOOKING], agent="Booking Agent")


@pytest.mark.parametrize(
    "reply",
    [
        "You can move to a window seat.",
        "Helen, we can upgrade you at any time.",
        "You are entitled to a new seat.",
        "The crew will bring a wheelchair to the gate for your mother.",
        "Larkfield Air sponsors the ballet and owns several hotels.",
        "The price is 300.",
        "This is an offer of 1,000.",
        "Your seat number is 27.",
    ],
)
def test_what_no_tool_has_told_of_is_held_back_after_one_has_answered(reply: str) -> None:
    assert kind_of(reply, BOOKED) == "unfounded_answer"


@pytest.mark.parametrize(
    "reply",
    [
        "You fly on 11 December with LF140, departing at 13:20, in seat 22E.",
        "You paid $310, Helen.",
        "Your trip is booked. Perhaps another day suits you better?",
        "I can't find a second flight on it.",
    ],
)
def test_what_a_tool_has_told_may_be_said_in_other_words(reply: str) -> None:
    assert kind_of(reply, BOOKED) is None


def test_an_open_offer_may_be_told_as_something_the_customer_can_have() -> None:
    offer = OpenOffer("Move Helen Tran from 22E to window seat 21A at no extra charge", "move_to_seat", 0)
    offered = replace(BOOKED, told=[BOOKING, offer.summary], offered=offer)

    assert kind_of("You can move to window seat 21A at no extra charge. Shall I make this change?", offered) is None


@pytest.mark.parametrize("agent", ["Triage Agent", "FAQ Agent"])
def test_what_is_told_from_passages_is_held_to_them_whoever_tells_it(agent: str) -> None:
    found = replace(NOTHING, written=["is there wifi?"], told=[PASSAGE], told_now=[PASSAGE], agent=agent)

    assert kind_of("Messaging is free.\n\nSource: Wi-Fi \u203a Price", found) is None
    assert kind_of("Streaming movies works on every plane over the ocean.", found) == "unfounded_answer"


@pytest.mark.parametrize(
    ("told", "reply", "kind"),
    [
        ('{"seats_left": 15}', "There are 15 left.", None),
        ('{"seats_left": 15}', "There are 25 left.", "unfounded_answer"),
        ('{"price_usd": 1000}', "The price is 1,000.", None),
        ('{"limit": "50 lbs and 60 lbs"}', "That is ten over the limit.", None),
        ('{"departs": "2026-12-11 13:20"}', "The year is 2026.", None),
    ],
)
def test_a_number_without_a_unit_is_one_that_was_given(told: str, reply: str, kind: str | None) -> None:
    assert kind_of(reply, replace(BOOKED, told=[told], told_now=[told])) == kind


def test_the_handoffs_answer_tells_nothing() -> None:
    handed = Grounds(**{**vars(NOTHING), "told": [HANDED_OVER], "agent": "Booking Agent"})

    assert kind_of("The assistant says your seat is reserved by us.", handed) is not None


@pytest.mark.parametrize("brand", ["St. Elmo's Wings", "Fly! Free Bags", "Always On Time", "Dr. Jet"])
def test_the_name_of_the_airline_states_nothing(brand: str) -> None:
    grounds = replace(NOTHING, brand=brand, written=["Hello!"])

    assert kind_of(f"Hello! I'm the digital assistant of {brand}. How can I help you today?", grounds) is None
    assert kind_of(f"{brand} pays you $50.", grounds) is not None


@pytest.mark.parametrize("name", ["Dr. Okafor", "Mrs. St. John", "Capt. Prof. Lee"])
def test_a_title_ends_no_sentence(name: str) -> None:
    assert sentences_of(f"Hello {name}, good to hear from you. How can I help?") == (
        f"Hello {name}, good to hear from you.",
        "How can I help?",
    )


FACTS = (
    '{"flight_number": "LF204", "today": "2026-11-30", "weekday": "Monday", '
    '"published": {"rank": 0.4, "section": "Check-in › Online"}}'
)


@pytest.mark.parametrize(
    ("asked", "reply", "kind"),
    [
        ("what's the latest i can check in online", "The latest you can check in online is 2026-11-30.", "unfounded"),
        (
            "what's the latest i can check in online",
            "The latest i can check in online is currently Monday.",
            "unfounded",
        ),
        ("which seat do I have on LF204?", "The LF204 is a plane, and its seat is the LF-1.", "unfounded"),
        ("which seat do I have on LF204?", "LF204 is a single-seat, with no separate seats or beds.", "unfounded"),
        ("is LF204 full?", "LF204 flies with a small crew and plenty of empty rows.", "unfounded"),
        ("what gate does LF204 leave from today", 'LF204: 2026-11-30, "Boat and gate time"', "unfounded"),
        ("which day is it?", "Today is Monday, 2026-11-30.", None),
        ("my flight is LF204", "Your flight is LF204.", None),
    ],
)
def test_what_the_known_facts_hold_is_repeated_and_answers_nothing_else(
    asked: str, reply: str, kind: str | None
) -> None:
    grounds = replace(NOTHING, written=[asked], known=FACTS, agent="Triage Agent")

    assert kind_of(reply, grounds) == (f"{kind}_answer" if kind else None)
