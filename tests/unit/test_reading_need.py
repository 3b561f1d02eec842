"""Who needs a person, and who only uses a word that sounds like it."""

from __future__ import annotations

from datetime import date

import pytest

from worker.domains.airline.local.answers import AFTER_ALL
from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.intent import flatten, read, urgent_cue


@pytest.mark.parametrize(
    "text",
    [
        "a human please",
        "colleague",
        "I want a manager now",
        "get me an operator",
        "is there a real person here?",
        "can I talk to someone",
        "how do I get hold of one of your supervisors",
        "Put me through to a representative",
        "no bots, I need a live agent",
    ],
)
def test_whoever_asks_for_a_person_is_heard(text: str) -> None:
    assert urgent_cue(flatten(text)) == "human"


@pytest.mark.parametrize(
    "text",
    [
        "no need for a human, what is the fee?",
        "please don't escalate this",
        "I don't want to talk to an agent, just tell me the price",
        "my manager booked the trip",
        "the tour operator told us to ask you",
        "a representative said it was free, is it?",
        "better than talking to a person",
    ],
)
def test_a_person_who_is_only_named_or_not_wanted_is_no_wish_for_one(text: str) -> None:
    assert urgent_cue(flatten(text)) is None
    assert "human" not in cues_in(flatten(text))


def test_who_says_not_to_complain_does_not() -> None:
    assert not cues_in(flatten("I'm not complaining, only asking")) & {"complain", "complaint"}
    assert "complaint" in cues_in(flatten("I want to file a complaint"))


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("My old suitcase broke, so please add a bag", None),
        ("The zip of my bag is torn and I need a new one. How big may it be?", None),
        ("My suitcase came out broken, please tell me what to do", "damaged"),
        ("You broke my suitcase, so add a bag for free", "damaged"),
        ("my suitcase is broken", "damaged"),
        ("If my suitcase is damaged, what will you do?", None),
    ],
)
def test_a_damage_that_is_told_beside_a_wish_needs_nobody(text: str, cue: str | None) -> None:
    assert urgent_cue(flatten(text)) == cue


def test_praise_is_small_talk_and_no_complaint() -> None:
    assert read("Your crew was wonderful on our last trip, thank you so much!").label == "smalltalk"
    assert read("Great job losing my suitcase, thanks").label == "escalation"


@pytest.mark.parametrize("text", ["actually ok, do it", "hm yes please do", "okay I'll take it", "do it after all"])
def test_an_offer_turned_down_may_be_wanted_after_all(text: str) -> None:
    assert AFTER_ALL.search(text)


@pytest.mark.parametrize("text", ["ok", "yes", "fine", "no, don't do it", "that was all"])
def test_a_nod_takes_note_of_what_was_left_as_it_was(text: str) -> None:
    assert not AFTER_ALL.search(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("the fifth of december", date(2026, 12, 5)),
        ("December twenty-first please", date(2026, 12, 21)),
        ("on the thirty first of january", date(2027, 1, 31)),
        ("my second flight", None),
    ],
)
def test_a_day_may_stand_in_words_beside_its_month(text: str, day: date | None) -> None:
    assert find_day(text, date(2026, 11, 29)) == day
