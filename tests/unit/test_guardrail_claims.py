"""A reply's claims are held to what the conversation knows, kind by kind, and the labelled replies as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops.lab.evaluate.replies import PASSED_MIN, STOPPED_MIN, measure_replies
from ops.lab.evaluate.sets import OUR_SETS, read_sets
from tests.unit.reviewing import NOTHING, VALUES, kind_of
from worker.guardrails.grounds import OpenOffer
from worker.guardrails.outputs import find_breach

FLIGHT = '{"ok": true, "flight": {"flight_number": "LF118", "date": "2026-12-04", "status": "%s"}}'
SEAT = OpenOffer("Move Ada Okafor from 14C to window seat 6A on flight LF118 at no extra charge", "move_to_seat", 0)


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("The price is $412.", "$412"),
        ("The price is four hundred and twelve dollars.", "$412"),
        ("It may weigh 99 lbs.", "99 lb"),
        ("You fly on December 24.", "12-24"),
        ("You leave at 11:30.", "11:30"),
        ("You sit in 29F.", "seat 29F"),
        ("You are on LF999.", "flight LF999"),
        ("See larkfield-claims.example for more.", "larkfield-claims.example"),
        ("We are at 400 Harbor Boulevard.", "400 harbor boulevard"),
        ("Please ask for Denise at the desk.", "Denise"),
        ("You travel with Marcus Webb.", "Marcus Webb"),
        ("It leaves from gate B12.", "gate B12"),
        ("It is there tomorrow.", "tomorrow"),
    ],
)
def test_a_value_that_nobody_gave_is_shown_to_the_model(reply: str, shown: str) -> None:
    breach = find_breach(reply, replace(NOTHING, told=[VALUES]))

    assert breach is not None
    assert breach.kind == "unfounded_answer"
    assert shown in breach.shown


@pytest.mark.parametrize(
    ("source", "reply"),
    [
        ({"told": ['{"price_usd": 412}']}, "The price is four hundred and twelve dollars."),
        ({"written": ["my seat is 29F"]}, "You wrote 29F."),
        ({"known": '{"today": "2026-12-03"} 2026-12-04'}, "That is tomorrow."),
        ({"known": "12:25 UTC on 29 November 2026"}, "You hear from us by 12:25 UTC on November 29."),
        ({"written": ["I am Denise"]}, "Hello Denise, how can I help?"),
        ({"told": ["see claims.larkfield.example"]}, "It stands at https://claims.larkfield.example/x."),
        ({"told": ['"departs": "2026-12-05 16:15"']}, "It leaves on Saturday, December 5 at 4:15 pm."),
    ],
)
def test_a_value_that_somebody_gave_passes(source: dict[str, object], reply: str) -> None:
    assert kind_of(reply, replace(NOTHING, **source)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reply", "status", "kind"),
    [
        ("LF118 is on time.", "on_time", None),
        ("LF118 is on time.", "delayed", "unfounded_answer"),
        ("LF118 is delayed.", "delayed", None),
        ("LF118 is running late.", "on_time", "unfounded_answer"),
        ("LF118 has landed.", "landed", None),
        ("LF118 has landed.", "on_time", "unfounded_answer"),
        ("LF118 has been cancelled.", "cancelled", None),
        ("LF118 has been cancelled.", "on_time", "unbacked_promise"),
        ("LF118 is delayed because of a storm.", "delayed", "unfounded_answer"),
    ],
)
def test_a_status_is_that_of_the_tool(reply: str, status: str, kind: str | None) -> None:
    assert kind_of(reply, replace(NOTHING, told=[FLIGHT % status])) == kind


@pytest.mark.parametrize(
    "reply",
    [
        "Please send me your card number, expiry date and the security code.",
        "What is the CVV of the card?",
        "I just need the 16 digits of your card.",
        "Where should it go? Your bank account number, please.",
        "Could you confirm your social security number?",
    ],
)
def test_nobody_is_asked_for_a_card(reply: str) -> None:
    assert kind_of(reply, NOTHING) == "asks_for_secret"


@pytest.mark.parametrize(
    "reply", ["Please never send card details here; your number was deleted.", "I can't take card numbers here."]
)
def test_a_card_may_be_declined(reply: str) -> None:
    assert kind_of(reply, NOTHING) is None


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("A manager will call you shortly.", "unfounded_answer"),
        ("My supervisor is calling you.", "unfounded_answer"),
        ("A colleague will get back to you.", None),
    ],
)
def test_a_ticket_promises_an_answer_and_no_call(reply: str, kind: str | None) -> None:
    assert kind_of(reply, replace(NOTHING, tickets=frozenset({"T-ABCDEFGHJK"}))) == kind


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("I can move you to 6A at no extra charge. Shall I?", None),
        ("I can cancel the booking as well. Shall I go ahead?", "offer_without_quote"),
        ("Shall I upgrade you to business while I am at it?", "offer_without_quote"),
        ("I can move you to 6A, with lounge access. Shall I?", "offer_without_quote"),
    ],
)
def test_an_offer_is_that_of_the_open_quote(reply: str, kind: str | None) -> None:
    assert kind_of(reply, replace(NOTHING, told=[SEAT.summary], offered=SEAT)) == kind


def test_another_language_is_held_back() -> None:
    assert kind_of("De rien, je vous souhaite un excellent voyage avec nous !", NOTHING) == "foreign_language"


def test_the_labelled_replies_are_judged_as_they_are_labelled() -> None:
    ours = read_sets(OUR_SETS, "ours")
    passed, stopped = measure_replies(ours.replies, (), ours.reply_contexts).figures[:2]

    assert passed.out_of >= 200
    assert stopped.out_of >= 200
    assert passed.value >= PASSED_MIN
    assert stopped.value >= STOPPED_MIN
