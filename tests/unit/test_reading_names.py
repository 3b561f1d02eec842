"""Read whose booking it is: names as customers write them, beside a number, in signatures, spelt, in any order."""

from __future__ import annotations

import pytest

from tests.unit.local_conversations import Conversation
from worker.domains.airline.local.reading.names import find_names

CODE = "[CONFIRMATION_NUMBER_1]"


def likeliest(text: str, *, asked: bool = False) -> str | None:
    return next((name.text for name in find_names(text, asked=asked) if name.is_told), None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"my trip {CODE}, Okafor", "Okafor"),
        (f"please rebook {CODE} okafor", "okafor"),
        (f"booking ref {CODE}\nAda Okafor", "Ada Okafor"),
        (f"OKAFOR/ADA MRS {CODE}", "ADA OKAFOR"),
        (f"Dr. Okafor, {CODE}", "Okafor"),
        (f"Ada N. Okafor {CODE}", "Ada N Okafor"),
        (f"surname St. John, {CODE}", "St John"),
        (f"Last name: van der Berg. Number {CODE}", "van der Berg"),
        (f"{CODE} / Nguyễn", "Nguyễn"),
        (f"Move me to the aisle, {CODE}.\n\nBest wishes,\nAda Okafor\nTel. [PHONE_1]", "Ada Okafor"),
        (f"hello\n\nI need another seat\n\n{CODE}\n\nokafor", "okafor"),
        (f"my husband Tom Becker has {CODE} and wants a window", "Tom Becker"),
        (f"[CONFIRMATION_NUMBER_2] and {CODE}, Nilsen. Add a bag", "Nilsen"),
        ("my surname is Will.", "Will"),
        ("my last name is O-K-A-F-O-R", "OKAFOR"),
        ("surname: O k a f o r, thanks", "Okafor"),
        (f"{CODE}, last name spelt K-O-W-A-L-C-Z-Y-K", "KOWALCZYK"),
        ("my name is Ada O-K-A-F-O-R", "Ada OKAFOR"),
        (f"our first name: Jonh should be John, Carter, {CODE}", "Carter"),
    ],
)
def test_a_name_is_read_wherever_it_stands(text: str, name: str) -> None:
    assert name in [found.text for found in find_names(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("okafor pls", "okafor"),
        ("It is Okafor", "Okafor"),
        ("O-K-A-F-O-R", "OKAFOR"),
        ("Okafor, O as in Oscar", "Okafor"),
        ("okafor with an f", "okafor"),
        ("this is Ada okafor", "Ada okafor"),
        ("Surname = OKAFOR", "OKAFOR"),
        ("in the name of Dr Ada Okafor", "Ada Okafor"),
        ("family name Okafor given name Ada", "Okafor"),
        ("Do", "Do"),
        ("it's Silver", "Silver"),
        ("Good", "Good"),
        ("Okafor, Ada", "Okafor"),
    ],
)
def test_the_answer_to_a_question_for_the_surname_is_one(text: str, name: str) -> None:
    assert likeliest(text, asked=True) == name


@pytest.mark.parametrize(
    "text",
    [
        "I'm so angry", "this is ridiculous", "my name is wrong on the ticket", f"cancel {CODE}", f"no, I meant {CODE}",
        f"an aisle seat {CODE}", f"its {CODE}", "I'm flying to Rome", f"my old booking was {CODE}", "window",
        "it's about my seat", f"please look at {CODE} again", "my middle name is missing",
    ],
)  # fmt: skip
def test_what_is_no_name_is_not_taken_for_one(text: str) -> None:
    assert likeliest(text) is None


@pytest.mark.parametrize(
    "text", ["yes", "no", "window please", "I don't have it", "12A", "why do you need it?", "later", "hm", "idk"]
)
def test_what_is_no_name_is_none_where_one_was_asked_for_either(text: str) -> None:
    assert likeliest(text, asked=True) is None


async def test_names_are_tried_in_turn_until_one_opens_the_booking() -> None:
    talk = Conversation()

    opened = await talk.say("Hi, Robin here for Ada Okafor. Window seat please, DEMO42 Robin\n\nRegards,\nAda Okafor")

    assert opened.path == ["look_up_reservation", "look_up_reservation", "quote_seat_change"]
    assert "window seat" in opened.reply


async def test_two_wrong_names_of_one_message_are_one_refusal() -> None:
    talk = Conversation()

    refused = await talk.say("window seat please, DEMO42 Miller\n\nRegards,\nJo Smith")

    assert refused.path == ["look_up_reservation", "look_up_reservation"]
    assert refused.escalation is None
    assert "check both" in refused.reply
