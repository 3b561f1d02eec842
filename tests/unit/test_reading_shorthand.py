"""Read what customers type on a phone or put right: shorthand, names spelled otherwise, doubts, calls, asides."""

from __future__ import annotations

from datetime import date

import pytest

from worker.domains.airline.local.amending import corrects_a_name
from worker.domains.airline.local.answers import agrees_on_condition
from worker.domains.airline.local.journeys import leg_meant
from worker.domains.airline.local.reading.asides import without_asides
from worker.domains.airline.local.reading.clauses import clauses_in, own_text
from worker.domains.airline.local.reading.dates import find_day
from worker.domains.airline.local.reading.intent import praises_us, urgent_cue
from worker.domains.airline.local.reading.meta import speaks_of
from worker.domains.airline.local.reading.names import find_names
from worker.domains.airline.local.reading.own_questions import find_own_questions
from worker.domains.airline.local.reading.places import asks_where_we_fly
from worker.domains.airline.local.reading.slots import find_corrected_name, pick_by_ordinal
from worker.domains.airline.local.reading.travellers import names_nobody_of_several
from worker.domains.airline.local.reading.wishes import find_wishes

CODE = "[CONFIRMATION_NUMBER_1]"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("wat time do i fly", "what time do i fly"),
        ("pls cxl it", "pls cancel it"),
        ("Wen is my flt", "when is my flight"),
        ("swat team, flted", "swat team, flted"),
        ("wat@example.com", "what@example.com"),
    ],
)
def test_shorthand_is_read_as_the_words_it_stands_for(text: str, read: str) -> None:
    assert own_text(text) == read


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"{CODE} Price", "Price"),
        (f"{CODE} Bell.", "Bell"),
        (f"Moreau. I have {CODE}, add a bag", "Moreau"),
        (f"Please add a bag to {CODE}. Lena Moreau.", "Lena Moreau"),
        (f"{CODE}, May 24 please", None),
        (f"Hello. {CODE}, a window", None),
    ],
)
def test_a_surname_that_is_a_word_or_a_sentence_of_its_own_is_tried(text: str, name: str | None) -> None:
    assert (name in [found.text for found in find_names(text)]) if name else not find_names(text)


@pytest.mark.parametrize("text", ["typo, Moreau", "oops, it should be Moreau", "misspelled: Moreau", "*Moreau"])
def test_a_name_is_read_behind_the_word_for_the_slip(text: str) -> None:
    assert find_names(text, asked=True)[0].text == "Moreau"


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("Jonh -> John", "Jonh", "John"),
        ('"Jonh" \u2192 "John"', "Jonh", "John"),
        ("It says Jonh, it should say John", "Jonh", "John"),
        ("you wrote Jonh, it's John", "Jonh", "John"),
        ("u typed Jonh its John", "Jonh", "John"),
    ],
)
def test_two_spellings_are_told_apart(text: str, before: str, after: str) -> None:
    assert find_corrected_name(text, asked=False) == (after, before)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("Jonh instead of John please", True),
        ("John not Jonh", True),
        ("Jonh -> Peter", False),
        ("window -> aisle", False),
        ("John, not Paul", False),
    ],
)
def test_a_spelling_is_corrected_only_against_one_that_is_booked(text: str, *, is_one: bool) -> None:
    booking = {"passengers": [{"name": "Jonh Carter"}, {"name": "Amy Carter"}]}

    assert corrects_a_name(text, booking) is is_one


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("prove it", "challenge"), ("are you sure?", "challenge"), ("says who", "challenge"),
        ("ok but how do you know that?", "challenge"), ("so?", "so_what"), ("what does that mean?", "so_what"),
        ("hello??", "presence"), ("are you still there?", "presence"), ("anyone?", "presence"),
        ("can you call me back?", "call_me"), ("please give me a call", "call_me"),
        ("what number?", "where_number"), ("the one on my boarding pass?", "where_number"),
        ("has it been found?", "ticket_status"), ("did you find my bag yet", "ticket_status"),
        ("at the arrival too", "adds_on"), ("and for my mother as well", "adds_on"),
        ("it has my name on it", "describes"), ("what happens now?", "ticket_status"),
        ("can you speak Spanish?", "language"), ("i'm back", "presence"),
    ],
)  # fmt: skip
def test_what_is_said_about_the_talk_is_heard(text: str, section: str) -> None:
    assert speaks_of(text, section)


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("hello", "presence"), ("is anyone allowed in the lounge?", "presence"), ("call me Ada", "call_me"),
        ("I will call my husband", "call_me"), ("are you sure that skis are free?", "challenge"),
        ("what number of bags is free?", "where_number"), ("how much for a bag as well?", "adds_on"),
        ("is it found?", "describes"), ("I speak Spanish", "language"), ("I'm back on Sunday", "presence"),
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_is_not(text: str, section: str) -> None:
    assert not speaks_of(text, section)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("how long do I have in chicago", "stop"), ("where do I change planes?", "stop"),
        ("is my flight direct?", "stop"), ("how long is my layover", "stop"),
        ("how many bags can I take without paying?", "bags_included"),
        ("how much is left on my gift card?", "payment_methods"), ("I want to know when it lands", "arrival"),
        ("what time does it leave now?", "departure"), ("from which airport?", "departure"),
        ("what did the whole thing cost?", "paid"), ("I change planes in Denver, right?", "stop"),
    ],
)  # fmt: skip
def test_more_facts_of_the_own_booking_are_asked_for(text: str, fact: str) -> None:
    assert find_own_questions(text) == (fact,)


@pytest.mark.parametrize(
    "text",
    ["how long do I have in advance to book?", "where do I change my seat?", "do I need it now or when I arrive?"],
)
def test_no_fact_is_heard_where_none_is_asked_about(text: str) -> None:
    assert find_own_questions(text) == ()


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        ("too expensive. a bag then", ("bags",)), ("1 bag + seat 21A", ("bags", "seat_change")),
        ("is my booking still valid?", ("booking_status",)), ("how late is my plane", ("booking_status",)),
        ("It says Jonh, it should say John", ("name",)), ("which is my seat?", ("seat_status",)),
        ("a bag of nuts", ()), ("a bag on the first one", ("bags",)), ("where do we all sit?", ("seat_status",)),
        ("Cancel? No: change to Tuesday", ("change_flight",)),
        ("my seat belt was broken. Please add a bag", ("bags",)),
    ],
)  # fmt: skip
def test_a_wish_is_heard_in_few_words(text: str, wishes: tuple[str, ...]) -> None:
    assert find_wishes(text) == wishes


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("this is my first flight, I'm a bit nervous, how early should I come?", "how early should I come?"),
        ("It's our first trip, what may we bring?", "what may we bring?"),
        ("I'm worried about my connection, how long is it?", "I'm worried about my connection, how long is it?"),
    ],
)
def test_what_opens_a_question_is_left_out_of_it(text: str, question: str) -> None:
    assert without_asides(text) == question


def test_a_question_behind_a_comma_is_a_clause() -> None:
    assert clauses_in("that is pricey, is there a cheaper way?") == ("that is pricey", "is there a cheaper way?")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("do you fly to Tokyo?", "Tokyo"), ("can I fly to New York with you", "New York"),
        ("do you fly to Tokyo on Sunday?", None), ("can you move me to Sunday?", None), ("do I fly to him", None),
    ],
)  # fmt: skip
def test_a_place_is_read_that_is_only_asked_about(text: str, place: str | None) -> None:
    assert asks_where_we_fly(text) == place


@pytest.mark.parametrize(
    ("text", "near", "day"),
    [
        ("what about Tuesday", date(2026, 12, 7), date(2026, 12, 8)),
        ("not Sunday, Saturday", date(2026, 12, 6), date(2026, 12, 5)),
        ("Tuesday", date(2026, 12, 2), date(2026, 12, 1)),
        ("Monday", date(2026, 12, 1), date(2026, 12, 7)),
        ("December 15", date(2026, 12, 7), date(2026, 12, 15)),
    ],
)
def test_a_weekday_is_the_one_near_the_day_just_spoken_of(text: str, near: date, day: date) -> None:
    assert find_day(text, date(2026, 11, 30), None, near) == day


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("a bag on the first one", "A"), ("add it to the second booking", "B"), ("for the latter", "B"),
        ("the first class one", None), ("first of all, hello", None),
    ],
)  # fmt: skip
def test_one_of_two_numbers_is_picked_by_its_place(text: str, number: str | None) -> None:
    assert pick_by_ordinal(text, ["A", "B"]) == number


@pytest.mark.parametrize(
    ("text", "leg"),
    [("not on that flight, the second one", "LF2"), ("the first flight please", "LF1"), ("any seat", None)],
)
def test_one_of_two_flights_that_follow_each_other_is_meant_by_its_place(text: str, leg: str | None) -> None:
    journey = [{"flight_number": "LF1", "origin": "A"}, {"flight_number": "LF2", "destination": "C"}]

    meant = leg_meant([journey], text)

    assert (meant[0]["flight_number"] if meant else None) == leg


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("my husband needs an aisle seat", ["Oskar Lind", "Mia Lind"]),
        ("my husband Oskar needs an aisle seat", []),
        ("an aisle seat please", []),
    ],
)
def test_it_is_open_which_of_several_a_relation_means(text: str, others: list[str]) -> None:
    assert names_nobody_of_several(text, ["Grace Lind", "Oskar Lind", "Mia Lind"], "Grace Lind") == others


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("my laptop died, are there sockets on board?", None), ("the window blind is stuck at my seat", None),
        ("my dog died", "bereavement"), ("my grandmother is blind", "medical"),
    ],
)  # fmt: skip
def test_things_that_die_and_blinds_call_for_nobody(text: str, cue: str | None) -> None:
    assert urgent_cue(text) == cue


@pytest.mark.parametrize(
    ("text", "is_praise"),
    [
        ("your crew was lovely yesterday, please tell them", True), ("great staff on my flight", False),
        ("the staff was wonderful", True), ("the staff was not great", False),
        ("your crew was lovely, but late again", False), ("lovely weather", False),
    ],
)  # fmt: skip
def test_a_kind_word_for_our_people_is_no_complaint(text: str, *, is_praise: bool) -> None:
    assert praises_us(text) is is_praise


@pytest.mark.parametrize(
    "text", ["yes, if it is free", "ok but only if I can pay later", "fine, provided it is direct"]
)
def test_a_yes_with_a_condition_is_told_from_a_yes(text: str) -> None:
    assert agrees_on_condition(text)
    assert not agrees_on_condition(text.partition(" ")[0])
