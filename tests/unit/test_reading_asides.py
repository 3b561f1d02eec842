"""What stands beside a question and is no part of it, and what only asks for another side of one."""

from __future__ import annotations

import pytest

from worker.domains.airline.local.asking import is_facet, subject_before
from worker.domains.airline.local.narrowing import narrow
from worker.domains.airline.local.reading.asides import without_asides
from worker.domains.airline.local.reading.meta import speaks_of
from worker.domains.airline.local.reading.own_questions import asks_what_if
from worker.domains.airline.local.reading.seats import find_preference
from worker.domains.airline.local.reading.sums import sums_in
from worker.domains.airline.local.reading.wishes import find_wishes

PETS = (
    "Small dogs may come in a carrier of up to 18 x 11 x 11 inches. It costs $95 each way. "
    "There are at most 4 pets on a flight.\n\nSource: Pets \u203a In the cabin"
)


@pytest.mark.parametrize(
    "text",
    [
        "who built you?", "what's your name?", "which company developed this bot", "who is behind this chat?",
        "do you have feelings", "how old are you", "are you alive or just a program?", "what are you exactly",
        "who do you work for", "is it a computer that writes this?", "which AI are you",
    ],
)  # fmt: skip
def test_a_question_about_the_assistant_is_told_as_one(text: str) -> None:
    assert speaks_of(text, "robot")


@pytest.mark.parametrize(
    "text",
    [
        "who made this rule?", "how old are your planes", "what is the name on my booking", "who is on my booking",
        "is there a person at the gate", "change my name please",
    ],
)  # fmt: skip
def test_a_question_about_the_airline_is_none_about_the_assistant(text: str) -> None:
    assert not speaks_of(text, "robot")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I'm fine with a bot. What does a locker cost?", "What does a locker cost?"),
        ("I don't mind a robot, how big may a harp be?", "how big may a harp be?"),
        ("No hurry, but how big may a harp be?", "how big may a harp be?"),
        ("Sorry for the late message, can I bring a harp along?", "can I bring a harp along?"),
        ("hope you are well! may I bring a harp?", "may I bring a harp?"),
        ("I don't want to bother anybody, but what does a harp cost?", "what does a harp cost?"),
        ("Just a quick question: when does the desk open?", "when does the desk open?"),
        ("It's my first time here. Where do I leave my harp?", "Where do I leave my harp?"),
        ("I missed the bus, how early must I be there?", "how early must I be there?"),
        ("my phone broke, can I check in at the desk?", "can I check in at the desk?"),
        ("lost my charger, are there sockets on board?", "are there sockets on board?"),
        ("my train was late and I am annoyed. until when can I check in?", "until when can I check in?"),
        ("I forgot my umbrella at home, do you sell any on board?", "do you sell any on board?"),
        ("Somebody dropped my camera. What may I carry on board?", "What may I carry on board?"),
    ],
)
def test_an_aside_is_left_out_of_the_question(text: str, question: str) -> None:
    assert without_asides(text) == question


@pytest.mark.parametrize(
    "text",
    [
        "I missed my flight, what can I do now?",
        "You lost my suitcase. How do I report that?",
        "We fly with a harp. May it come on board?",
        "my phone broke, can I bring it along?",
        "my father died, can I change my flight?",
        "I broke my leg, do you have a wheelchair for me?",
        "I'm fine with a bot.",
        "Sorry, I meant Friday",
    ],
)
def test_what_the_question_needs_stays_with_it(text: str) -> None:
    assert without_asides(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "in which cities", "how much then", "and for children?", "how long does that take", "from what age",
        "until when are they open", "and the price?", "for how much", "how many per flight", "is it free",
    ],
)  # fmt: skip
def test_a_question_for_another_side_takes_its_subject_from_before(text: str) -> None:
    assert is_facet(text)
    assert subject_before(["do you have lounges?", "and for kids?"], text) == "do you have lounges?"


@pytest.mark.parametrize("text", ["thanks", "ok good", "yes please", "and my cat?", "how heavy may a harp be?", "12A"])
def test_what_names_a_subject_or_asks_nothing_is_no_other_side(text: str) -> None:
    assert not is_facet(text)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("and the price?", "It costs $95 each way."),
        ("how many per flight", "There are at most 4 pets on a flight."),
        ("what size of carrier", "Small dogs may come in a carrier of up to 18 x 11 x 11 inches."),
    ],
)
def test_a_follow_up_to_a_passage_is_answered_with_its_sentence(question: str, told: str) -> None:
    assert narrow(PETS, question, [PETS]).startswith(told)


def test_a_follow_up_that_a_passage_does_not_answer_is_told_so() -> None:
    assert "I find no more on this" in narrow(PETS, "at which weight", [PETS])


@pytest.mark.parametrize(
    "text",
    [
        "I'm sitting at a window right now and the light is broken", "I already have an aisle",
        "we already sit at the aisle, all good", "I was given a middle seat", "my husband has the window seat",
        "They gave me a middle seat", "I already have an aisle, do I need to pay for it?",
    ],
)  # fmt: skip
def test_where_somebody_sits_is_no_wish(text: str) -> None:
    assert find_preference(text) is None
    assert "seat_change" not in find_wishes(text)


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("I am at the window but want the aisle", "aisle"), ("I'm in the middle and would like an aisle", "aisle"),
        ("currently I have the middle seat, I want a window", "window"), ("we both want the window", "window"),
        ("can I have a window", "window"), ("my wife is pregnant, aisle please", "aisle"),
    ],
)  # fmt: skip
def test_a_wish_beside_where_somebody_sits_is_heard(text: str, preference: str) -> None:
    assert find_preference(text) == preference
    assert "seat_change" in find_wishes(text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("what would I get back if I cancelled?", "cancel"),
        ("suppose I cancel, how much money comes back to me?", "cancel"),
        ("If I added two bags, what would I pay?", "bags"),
        ("how much would it be to move to Sunday?", "change_flight"),
        ("what would it cost me to upgrade to business?", "upgrade"),
        ("would I get my money back if we cancelled", "cancel"),
    ],
)
def test_what_a_change_would_come_to_is_asked_and_not_wished(text: str, wish: str) -> None:
    assert asks_what_if(text)
    assert find_wishes(text)[0] == wish


@pytest.mark.parametrize(
    "text",
    [
        "cancel my booking", "I want to cancel, how much do I get back if I cancel?", "what if I miss my flight",
        "please add a bag, how much is it?", "how much is a bag?", "if you cancel my flight, what do I get?",
    ],
)  # fmt: skip
def test_a_plain_wish_or_a_rule_is_no_what_if(text: str) -> None:
    assert not asks_what_if(text)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("the four hundred dollar one", 400), ("four hundred and eight dollars", 408), ("the one sixty one one", 161),
        ("the four hundred one", 400),
        ("the one for a hundred sixty-one", 161), ("a thousand bucks", 1000), ("the 400-dollar flight", 400),
        ("$1,200 please", 1200), ("twenty dollars", 20),
    ],
)  # fmt: skip
def test_a_sum_is_read_in_words_as_in_digits(text: str, amount: int) -> None:
    assert amount in sums_in(text)


@pytest.mark.parametrize("text", ["the second one", "two bags", "one hundred percent sure", "a thousand thanks"])
def test_other_numbers_are_no_sums(text: str) -> None:
    assert not sums_in(text)
