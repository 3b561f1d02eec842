"""Read what each clause of a message is: a wish, a question about one's booking, one of policy, or nothing known."""

from __future__ import annotations

import pytest

from worker.domains.airline.local.reading.meta import has_no_words, is_other_language, speaks_of
from worker.domains.airline.local.reading.reading import read_message
from worker.domains.airline.local.reading.slots import says_no_code
from worker.domains.airline.local.reading.wishes import find_wishes

CODE = "[CONFIRMATION_NUMBER_1]"


@pytest.mark.parametrize(
    ("text", "wishes"),
    [
        (f"I need to move my flight to Monday. My name is Okafor, {CODE}", ("change_flight",)),
        (f"change my return flight, booked under the name Santos {CODE}", ("change_flight",)),
        (f"{CODE} Okafor. Move me to December 6", ("change_flight",)),
        ("I can't make it on Friday, could I come on Sunday?", ("change_flight",)),
        ("please don't cancel, I only want another seat", ("seat_change",)),
        ("rather than cancelling I'd like to move to Monday", ("change_flight",)),
        ("I don't want to change my flight, only add one bag", ("bags",)),
        ("don't upgrade me, but do add a bag", ("bags",)),
        ("an aisle seat and one more bag please", ("seat_change", "bags")),
        ("upgrade us to business, also add two bags", ("upgrade", "bags")),
        ("1) another seat 2) one bag", ("seat_change", "bags")),
        ("a typo in my first name: Jonh should be John", ("name",)),
        ("my middle name is missing", ("name",)),
        ("I'd like to go down to economy", ("upgrade",)),
        ("in business I can't say more, just add a bag", ("bags",)),
        ("12 more bags please", ("bags",)),
        ("don't cancel anything", ()),
    ],
)
def test_wishes_are_read_clause_by_clause_in_their_order(text: str, wishes: tuple[str, ...]) -> None:
    assert find_wishes(text) == wishes


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("how many bags are included for me?", ("bags_included",)),
        ("is my bag free?", ("bags_included",)),
        ("how many bags have we booked?", ("bags_booked",)),
        ("am I insured?", ("insured",)),
        ("did I take out travel insurance", ("insured",)),
        ("what did I pay?", ("paid",)),
        ("what does my booking cost in total?", ("paid",)),
        ("what's my status with you?", ("membership",)),
        ("which card do you have on file?", ("payment_methods",)),
        ("just tell me when I fly", ("departure",)),
        ("when do I land in Minneapolis?", ("arrival",)),
        ("which cabin am I in?", ("cabin",)),
        ("what's my confirmation number?", ("number",)),
        ("which bookings do I have?", ("bookings",)),
        ("who is on my booking?", ("passengers",)),
        ("is 21D a window seat?", ("seat_kind",)),
        ("how much is a second bag?", ()),
        ("when I check in tomorrow, can I add it to my phone?", ()),
        ("is there wifi on the plane?", ()),
    ],
)
def test_facts_of_ones_own_booking_are_told_from_questions_of_policy(text: str, facts: tuple[str, ...]) -> None:
    assert read_message(text).own_questions == facts


def test_a_change_and_a_question_are_two_clauses() -> None:
    reading = read_message(f"Okafor {CODE}. Please add one bag. And how much is wifi on board?")

    assert [clause.kind for clause in reading.clauses] == ["wish", "policy_question"]
    assert reading.wishes == ("bags",)
    assert reading.confirmation_number == CODE
    assert [name.text for name in reading.names] == ["Okafor"]


def test_what_is_understood_of_nothing_stays_as_it_was_written() -> None:
    reading = read_message(f"Okafor {CODE}. Something about the blue one")

    assert reading.asides == ("Something about the blue one",)


@pytest.mark.parametrize(
    "granted",
    [
        "I understand there won't be refunds for some of them", "I know I won't get my money back",
        "Even though there is no refund", "We are aware that bags cost extra", "ok, I see that seat changes cost a fee",
        "I accept that I lose the upgrade",
    ],
)  # fmt: skip
def test_what_is_granted_beside_a_wish_is_no_wish(granted: str) -> None:
    reading = read_message(f"{granted}, but please cancel my flight")

    assert [clause.wish for clause in reading.clauses] == [None, "cancel"]


@pytest.mark.parametrize(
    "meant",
    ["I know that I am owed a refund", "I understand I can get a refund", "We know that we want no window seat"],
)
def test_knowing_what_one_wants_is_a_wish(meant: str) -> None:
    assert read_message(f"{meant}, but please cancel my flight").clauses[0].kind == "wish"


def test_numbered_questions_are_clauses_without_their_numbers() -> None:
    reading = read_message("Hello,\n\n1. What does a bag cost?\n2. How early must I be there?\n\nThanks,\nPaul")

    assert [clause.text for clause in reading.clauses[1:]] == ["What does a bag cost?", "How early must I be there?"]


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("robot", "are you a real person?"), ("robot", "is this a bot"), ("robot", "am I talking to a machine?"),
        ("robot", "do I speak with a robot?"), ("robot", "who am I chatting with"),
        ("attachment", "please see the attached photo"), ("attachment", "I've attached my ticket"),
        ("attachment", "here: https://example.com/x.jpg"),
        ("auto_reply", "Automatic reply: I am on annual leave until 12 January"),
        ("auto_reply", "I'm out of the office and have no access to e-mail"),
        ("ticket_status", "any news?"), ("ticket_status", "when will somebody call me?"),
        ("ticket_status", "what was the ticket number?"), ("decided_by_person", "how much will you pay?"),
        ("where_number", "where can I see that?"), ("undo", "undo that"), ("legal", "see you in court"),
    ],
)  # fmt: skip
def test_words_about_the_conversation_itself_are_known(section: str, text: str) -> None:
    assert speaks_of(text, section)


@pytest.mark.parametrize(
    "text",
    ["can a person change the name?", "I sat on the window", "is there a human size limit", "where is gate 4"],
)
def test_words_about_a_trip_are_not(text: str) -> None:
    assert not any(speaks_of(text, section) for section in ("robot", "attachment", "auto_reply", "undo", "legal"))


@pytest.mark.parametrize(
    "text",
    [
        "Guten Tag, wie viel kostet ein Koffer?", "Je voudrais changer mon vol s'il vous plaît", "Привет, где багаж?",
        "¿Puedo llevar mi perro en el vuelo?", "Buongiorno, vorrei un posto", "我的行李丢了",
        "olá, quanto custa a mala?",
    ],
)  # fmt: skip
def test_another_language_is_told_from_english(text: str) -> None:
    assert is_other_language(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour! I would like to cancel my flight, merci",
        "seat in la premiere row",
        "Zoë Lindqvist",
        "ok",
        "window",
        "12A",
    ],
)
def test_english_with_a_foreign_word_is_english(text: str) -> None:
    assert not is_other_language(text)


def test_signs_alone_are_no_words() -> None:
    assert all(has_no_words(text) for text in ("🧳❓", "...", "??"))
    assert not has_no_words("ok")


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("I have no number", False), ("I deleted that mail", False), ("never got a confirmation", False),
        ("I haven't a number, I booked by phone", False), ("I don't remember the reservation ID", False),
        ("no idea", True), ("no clue", True), ("don't have it", True), ("haven't got one", True), ("none", True),
        ("can't find it anywhere", True), ("not at hand", True),
    ],
)  # fmt: skip
def test_who_has_no_number_is_heard(text: str, *, asked: bool) -> None:
    assert says_no_code(text, asked=asked)


@pytest.mark.parametrize("text", ["okafor", f"{CODE}", "window please", "my number is below", "sure"])
def test_who_does_not_say_so_has_one(text: str) -> None:
    assert not says_no_code(text, asked=True)
