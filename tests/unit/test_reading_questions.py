"""The questions of a message that asks several things."""

from __future__ import annotations

import pytest

from worker.domains.airline.local.reading.questions import Question, split_questions


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("1. How big is a trunk?\n2. Is tea free?", ("How big is a trunk?", "Is tea free?")),
        ("- trunk size\n- tea on board\n- knitting", ("trunk size", "tea on board", "knitting")),
        ("a) trunk size b) tea on board", ("trunk size", "tea on board")),
        ("I need to know: (1) trunk size (2) tea (3) knitting", ("trunk size", "tea", "knitting")),
        ("How big is a trunk? Also, is tea free?", ("How big is a trunk?", "is tea free?")),
        ("what does a trunk cost, until when may we add one, and do you serve tea", (
            "what does a trunk cost", "until when may we add one", "do you serve tea",
        )),
        ("Tell me what a trunk costs? plus whether tea is free, plus when it is served", (
            "Tell me what a trunk costs?", "whether tea is free", "when it is served",
        )),
        ("price of a trunk, price of tea", ("price of a trunk", "price of tea")),
        ("is tea free and can i knit", ("is tea free", "can i knit")),
        ("is tea free and do you also serve cake?", ("is tea free", "do you serve cake?")),
    ],
)  # fmt: skip
def test_each_question_of_a_message_is_found_in_its_order(text: str, questions: tuple[str, ...]) -> None:
    assert tuple(one.text for one in split_questions(text)) == questions


@pytest.mark.parametrize(
    "text",
    [
        "How big may a trunk be?",
        "May I bring a trunk and a violin?",
        "Do you pay me back when you cancel the flight?",
        "do you also take trunks?",
        "so can I also bring a violin?",
        "I fly in May and want to know if I may knit",
        "",
        "???",
    ],
)
def test_a_message_that_asks_one_thing_stays_whole(text: str) -> None:
    assert split_questions(text) == ()


def test_a_question_that_points_back_takes_along_what_it_leans_on() -> None:
    found = split_questions("We travel with a harp. May it come on board? What does it cost? Is tea free?")

    assert found == (
        Question("May it come on board?", "We travel with a harp."),
        Question("What does it cost?", "We travel with a harp."),
        Question("Is tea free?"),
    )
