"""Test what a reply may not say, and that honest replies pass."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from tests.unit.reviewing import NOTHING, VALUES, kind_of
from worker.conversation.vault import Vault
from worker.guardrails.outputs import gather_items

EMPTY_PROMISES = [
    "I have refunded $740 to your card.",
    "Good news: I've processed your refund of $120.",
    "We will refund you the full amount within a week.",
    "You'll get your money back in three days.",
    "Your refund of $89 has been approved.",
    "I'll make sure you get a full refund.",
    "I have issued a $200 voucher for your trouble.",
    "You will receive a travel certificate worth $100.",
    "As a gesture of goodwill we'll give you 5,000 bonus miles and a hotel voucher.",
    "A certificate of $100 for your cancelled flight is now among your ways to pay.",
    "Don't worry, I've waived the change fee for you.",
    "I'll waive that fee.",
    "The penalty has been waived.",
    "I can make that an exception: I have granted you an exception.",
    "I've upgraded you to business class.",
    "You have been upgraded!",
    "I'll upgrade you at the airport.",
    "I have moved you to 12A.",
    "You're now in window seat 12A.",
    "Your seat has been changed to 3C.",
    "I've cancelled your reservation.",
    "Your booking is now canceled.",
    "I have rebooked you on LF120.",
    "We have changed your flight to Friday.",
    "You are now booked on LF220 tomorrow.",
    "Done! I've added two bags to your trip.",
    "I have corrected the name on your ticket.",
    "I guarantee you a refund.",
    "Done! Anything you need, just ask.",
    "Ada Okafor now has window seat 6A on flight LF118.",
    "The booking is now in business for 2 passengers.",
    "The booking is now on LF118, departing 2026-03-08 09:05.",
    "The booking now has 3 checked bags.",
    "The passenger's name is now Adah Okafor.",
    "I promise that the fee will be dropped.",
    "I am sorry for the wait, and I have refunded the fare.",
    "I have passed this to a colleague.",
    "A supervisor will call you back today.",
    "Your ticket number is T-ABCDEFGHJK.",
    "I\u2019ve refunded you.",
    "The amount of $412 will be returned to your card within 5 days.",
    "Your money is on its way back to you.",
    "All set! 7F is yours now.",
    "As a gesture of goodwill, business class is on us this time.",
    "Somebody from our team is going to ring you within the hour.",
    "I'm transferring you to a colleague now.",
    "We are refunding your ticket.",
]

HONEST = [
    "Hello, and welcome to Larkfield Air. How can I help you today?",
    "Refunds arrive within 5 to 7 days on the original form of payment.",
    "If we cancel your flight, you will receive a full refund.",
    "You may be eligible for a refund when you cancel within 24 hours of booking.",
    "I'm sorry that your flight was cancelled.",
    "I can't refund this ticket, and I cannot promise compensation.",
    "I have not cancelled anything; your booking is as it was.",
    "Before I can do that, I need your confirmation number and the surname on the booking.",
    "You are in seat 14C on flight LF118 on 2026-03-07.",
    "Your flight LF118 departs at 09:05 from BOS and is on time.",
    "A colleague can look into it. Shall I pass this on to a colleague?",
    "Of course, I have left everything as it was. You keep seat 14C.",
    "I understand that your refund has not arrived, and I am sorry about the wait.",
    "I have found your booking, and I have checked the free seats.",
    "I've got your confirmation number, thank you. May I have the surname?",
    "Vouchers are valid for a year.",
    "Bags over 50 lbs cost $50.",
    "Your card number was removed from the message, and it is never needed here.",
    "You can change your flight up to 24 hours before departure without a fee.",
]


@pytest.mark.parametrize("reply", EMPTY_PROMISES)
def test_a_promise_without_a_deed_is_held_back(reply: str) -> None:
    assert kind_of(f"Thank you for waiting. {reply} Anything else?", NOTHING) == "unbacked_promise"


@pytest.mark.parametrize("reply", HONEST)
def test_an_honest_reply_passes(reply: str) -> None:
    assert kind_of(reply, replace(NOTHING, told=[VALUES])) is None


@pytest.mark.parametrize(
    "reply",
    [
        "Shall I move you to seat 12A for $35 extra?",
        "Would you like me to cancel your booking? You would receive a refund of $300.",
        "I can offer you seat 12A at no extra charge. Shall I go ahead?",
        "I can move you to LF120 for $35. Do you want it?",
        "Sure, you can have 12A instead of 14C.",
    ],
)
def test_an_offer_takes_a_quote(reply: str) -> None:
    assert kind_of(reply, replace(NOTHING, told=[VALUES])) == "offer_without_quote"


@pytest.mark.parametrize(
    ("reply", "change"),
    [
        ("Done: you are now in seat 12A.", "move_to_seat"),
        ("I have rebooked you on LF120.", "change_flights"),
        ("Your booking has been cancelled and I've processed your refund of $300.", "cancel_reservation"),
        ("I have added two bags to your booking.", "add_bags"),
        ("I have corrected the name.", "correct_passenger"),
        ("You have been upgraded to business.", "change_cabin"),
        ("I have issued a certificate of $100.", "issue_certificate"),
    ],
)
def test_what_was_done_may_be_told_and_nothing_beyond_it(reply: str, change: str) -> None:
    made = replace(NOTHING, told=[VALUES], changes=frozenset({change}))

    assert kind_of(reply, made) is None
    assert kind_of(reply + " I have also waived the fee.", made) == "unbacked_promise"
    assert kind_of(reply, replace(made, changes=frozenset())) == "unbacked_promise"


@pytest.mark.parametrize(
    ("reply", "change", "expected"),
    [
        ("I'm sorry, that is not possible. Shall I pass this on to a colleague?", "move_to_seat", "silent_change"),
        ("Is there anything else I can do for you?", "cancel_reservation", "silent_change"),
        ("Shall I move you to seat 12A?", "move_to_seat", "silent_change"),
        ("I have added two bags to your booking.", "move_to_seat", "silent_change"),
        ("Done: you are now in seat 12A.", "move_to_seat", None),
        ("I've moved you to 12A. Is there anything else?", "move_to_seat", None),
        ("Your booking has been cancelled.", "cancel_reservation", None),
        ("The passenger's name is now Adah Okafor.", "correct_passenger", None),
    ],
)
def test_a_change_that_is_made_now_is_told(reply: str, change: str, expected: str | None) -> None:
    made = frozenset({change, "add_bags"})  # the bags in an earlier turn

    told = replace(NOTHING, told=[VALUES], changes=made)

    assert kind_of(reply, replace(told, staged=frozenset({change}))) == expected
    assert kind_of(reply, told) in {None, "offer_without_quote"}


def test_a_person_may_be_announced_once_there_is_a_ticket() -> None:
    reply = "I have passed everything to a colleague. Your ticket number is T-ABCDEFGHJK."

    assert kind_of(reply, replace(NOTHING, tickets=frozenset({"T-ABCDEFGHJK"}))) is None
    assert kind_of(reply, replace(NOTHING, tickets=frozenset({"T-KJHGFEDCBA"}))) == "unbacked_promise"


def test_policy_may_be_told_in_other_words_with_the_sums_it_names_and_no_others() -> None:
    policy = replace(NOTHING, told=[json.dumps({"text": "A delayed bag: a refund of $50 is paid per day."})])

    assert kind_of("You will get a refund of $50 per day.", policy) is None
    assert kind_of("You will get a refund of $500 per day.", policy) == "unbacked_promise"
    assert kind_of("I'll get you a refund of $50.", policy) == "unbacked_promise"


def test_what_a_tool_says_word_for_word_may_be_passed_on() -> None:
    said = "I still cannot find that booking, so a colleague will look it up with you."

    assert kind_of(said, replace(NOTHING, told=[json.dumps({"message": said})])) is None
    assert kind_of(said, NOTHING) == "unbacked_promise"


def test_a_cancelled_flight_is_news_only_where_somebody_said_so() -> None:
    reply = "Your flight has been cancelled."

    assert kind_of(reply, replace(NOTHING, told=['{"status": "cancelled"}'])) is None
    assert kind_of(reply, replace(NOTHING, written=["my flight got cancelled, what now"])) is None
    assert kind_of(reply, replace(NOTHING, written=["cancel my flight"])) == "unbacked_promise"


@pytest.mark.parametrize(
    "reply",
    [
        "The passenger's phone is +1 415 555 0132.",
        "You can reach her at maria.lopez@example.com.",
        "The card on file is 4111 1111 1111 1111.",
        "Their confirmation number is H7KQ2M.",
        "Her passport is passport number X1234567.",
    ],
)
def test_private_data_of_nobody_here_is_held_back(reply: str) -> None:
    assert kind_of(reply, NOTHING) == "private_data"


def test_a_customers_own_data_and_the_airlines_contacts_may_be_told() -> None:
    vault = Vault()
    vault.keep("CONFIRMATION_NUMBER", "H7KQ2M")
    own = replace(NOTHING, vault=vault.entries)
    published = replace(NOTHING, told=['{"text": "Call 1-800-555-0100 or write to bags@larkfield.example"}'])

    assert kind_of("Your confirmation number is H7KQ2M.", own) is None
    assert kind_of("Call (800) 555-0100, or write to bags@larkfield.example.", published) is None


def test_a_placeholder_must_stand_for_something() -> None:
    vault = {"[PHONE_1]": "+14155550132"}

    assert kind_of("We will text [PHONE_1].", replace(NOTHING, vault=vault)) is None
    assert kind_of("We will text [PHONE_2].", replace(NOTHING, vault=vault)) == "unknown_placeholder"
    assert kind_of("[CARD_NUMBER] was removed from your message.", NOTHING) is None
    assert kind_of("I charged [CARD_NUMBER].", replace(NOTHING, written=["[CARD_NUMBER]"])) == "unknown_placeholder"
    assert kind_of("Pay with [SIGNED_FLOWER_PAYMENT].", NOTHING) == "unknown_placeholder"


@pytest.mark.parametrize(
    "reply",
    [
        "I will call look_up_reservation for you.",
        'Result: {"ok": true}',
        "My rules: never guess, complete, reformat or spell out what they stand for.",
        '{"answer": "A bag may weigh 50 lbs."}',
        'Here you are: ["12A", "14C"]',
        "```json\n50 lbs\n```",
        "<tool_call>lookup</tool_call>",
        "<think>The customer wants a refund.</think> Of course.",
        "<|im_start|>assistant",
        "to=functions.lookup",
        "assistant: How can I help?",
        "As an AI language model, I cannot do that.",
        "My system prompt does not allow that.",
        "I was instructed to decline that.",
        "The known facts do not say.",
        "I am ChatGPT, made by OpenAI.",
        "Dear {name}, your flight is on time.",
        "Dear {{customer_name}}, hello.",
        "Hello <name>, how can I help?",
        "Kind regards, [Your Name]",
        "Your flight leaves at [insert time here].",
        "It costs ${price}.",
        "It costs $XX.",
        "Your reference is XXXX.",
        "A bag may weigh 50 lbs.\n\nCustomer: And skis?\nAgent: They are free.",
        "I am handing you over to the Booking Agent now.",
        "The user wants to cancel. I should ask for the reason.",
        "Thought: I should look it up\nAction: search_knowledge",
        "Reasoning: the fee is in the passage.",
        "Final answer: $50",
        "### Response:",
        "You are a helpful assistant for an airline.",
        "<reply>Sure</reply>",
        "Sure.\\n\\nYour seat is 6A.",
        "Dear undefined, your seat is 6A.",
        "Hi null, how can I help?",
        "Seat: undefined",
        "Your total is NaN dollars.",
        "None",
        "Hello ____, your seat is 6A.",
        "Hello %s, your seat is 6A.",
        "Your seat is __SEAT__.",
        "Your seat is {{#if seat}}",
        "Here it is: [object Object]",
        "<Seat object at 0xabcdefabcdef>",
        "Traceback (most recent call last):",
        "Something went wrong: KeyError 'seat'",
        "HTTP 500 Internal Server Error",
    ],
)
def test_our_insides_are_held_back(reply: str) -> None:
    grounds = replace(NOTHING, instructions="Never guess, complete, reformat or spell out what they stand for.")

    assert kind_of(reply, grounds) == "internals"


@pytest.mark.parametrize(
    ("reply", "written"),
    [
        ("Thank you, sky_lark_9!", "my user name is sky_lark_9"),
        ("I cannot tell what XXX stands for.", "my reference is XXX"),
        ("I do not know about ChatGPT.", "are you ChatGPT?"),
    ],
)
def test_a_customers_own_odd_words_are_not_our_insides(reply: str, written: str) -> None:
    assert kind_of(reply, replace(NOTHING, written=[written])) is None


@pytest.mark.parametrize(
    "reply",
    [
        "I am a digital assistant of Larkfield Air.",
        "Seats [12A, 14C] are free.",
        "The name on the booking is Ada (first name) Okafor (surname).",
        "Your ticket number is on the confirmation, and the date is 2026-03-07.",
        "A bag may be 22 x 14 x 9 inches.",
        "We follow the rules of the airport, and the system shows your flight as on time.",
        "Mr. Claudel, your flight is on time.",
    ],
)
def test_ordinary_words_are_not_our_insides(reply: str) -> None:
    assert kind_of(reply, replace(NOTHING, told=[VALUES], written=["I am Claudel"])) is None


def test_items_are_read_as_the_sdk_shapes_them() -> None:
    items = [
        {"role": "user", "content": "hello"},
        {"type": "function_call", "name": "faq_lookup", "arguments": "{}", "call_id": "c1"},
        {"type": "function_call_output", "call_id": "c1", "output": "found"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "an answer"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "again"}]},
    ]

    assert gather_items(items) == (["hello", "again"], ["found"], [])
    assert gather_items(items[:-1]) == (["hello"], ["found"], ["found"])


def test_a_review_takes_under_a_millisecond() -> None:
    grounds = replace(NOTHING, told=["a passage of an article " * 40] * 6, instructions="one two three " * 300)
    reply = " ".join(HONEST[:5])
    kind_of(reply, grounds)

    started = time.process_time()
    for _ in range(100):
        kind_of(reply, grounds)
    milliseconds = (time.process_time() - started) / 100 * 1_000

    assert milliseconds < 5  # well under 1 on an idle core; the limit leaves room for a noisy one
