"""Test the classifier: reproducible, general, and sure to send to a human what must reach one."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

import pytest

from worker.domains.airline.local.reading.cues import cues_in
from worker.domains.airline.local.reading.intent import LABELS, classify, flatten, read, read_shipped
from worker.domains.airline.local.reading.wishes import current_wish, find_wish
from worker.models.templates import VARIANTS_MAX, expand

SEEN_NOWHERE = [
    ("what's the weight limit for hold luggage on transatlantic routes?", "faq"),
    ("may a toddler sit on my knees during take-off", "faq"),
    ("do you let people bring parrots on the aircraft", "faq"),
    ("how soon before take-off must I be at the gate?", "faq"),
    ("could you put me in a window seat on LF118", "booking"),
    ("I have to be in Boston one day sooner, please move my ticket", "booking"),
    ("kindly cancel the trip I purchased last Tuesday", "booking"),
    ("need to fly Denver to Miami on the 3rd of May", "booking"),
    ("my luggage never showed up at the carousel in Denver", "escalation"),
    ("I demand to talk with a supervisor right now", "escalation"),
    ("your crew treated my grandmother horribly, this is outrageous", "escalation"),
    ("five hours of delay and nobody bothered to tell us anything", "escalation"),
    ("how do I repot a cactus", "off_topic"),
    ("my microwave stopped heating, how can I repair it", "off_topic"),
    ("compose a song for my sister's wedding", "off_topic"),
    ("thanks a million, you've been lovely", "smalltalk"),
    ("good afternoon!", "smalltalk"),
]

MUST_REACH_A_HUMAN = [
    "let me speak to a human",
    "my father passed away and I have to fly to the funeral",
    "my bag is lost",
    "you broke my suitcase",
    "my uncle uses a wheelchair, we need someone at the gate",
    "I still have not got my refund, it has been two months",
    "I left my laptop on the plane",
    "a death in the family means nobody can be on that flight, please help",
    "stranded overnight and no hotel from you, unbelievable",
]

ONLY_ASKED_ABOUT = [
    "what happens if a bag is lost?",
    "what is the policy for wheelchairs?",
    "do you offer bereavement fares?",
    "what is your policy for a death in the family?",
]


@pytest.fixture(scope="module")
def train() -> ModuleType:
    """Import what trains, with scikit-learn, for these tests alone: every process of a run collects this file."""
    return import_module("worker.domains.airline.local.train")


def test_the_shipped_weights_are_of_the_sentences_and_features_of_today(train: ModuleType) -> None:
    stale = read_shipped()["fingerprint"] != train.fingerprint_of(train.load_sentences())

    assert not stale, "run `python -m worker.domains.airline.local.train` and commit weights.json"


def test_training_learns_what_tells_labels_apart_and_ships_what_weighs(train: ModuleType) -> None:
    taught = [
        ("how many bags may I bring", "faq"),
        ("move me to seat 4A", "booking"),
        ("thanks a lot", "smalltalk"),
    ] * 5

    weights = train.train(taught)

    booking, faq = LABELS.index("booking"), LABELS.index("faq")
    assert weights["w:seat"][booking] > 0 > weights["w:seat"][faq]
    assert all(max(map(abs, row)) >= train.WEIGHT_MIN for row in weights.values())


def test_no_training_sentence_is_in_two_classes(train: ModuleType) -> None:
    labels: dict[str, set[str]] = {}
    for text, label in train.load_sentences():
        labels.setdefault(flatten(text), set()).add(label)

    assert [text for text, found in labels.items() if len(found) > 1] == []


def test_every_choice_of_a_line_is_written_out() -> None:
    assert expand("a [b|c] d [CONFIRMATION_NUMBER_1]") == [
        "a b d [CONFIRMATION_NUMBER_1]",
        "a c d [CONFIRMATION_NUMBER_1]",
    ]
    assert len(expand("[a|b|c|d] [e|f|g|h]")) == VARIANTS_MAX


@pytest.mark.parametrize(("text", "label"), SEEN_NOWHERE)
def test_sentences_never_trained_on_are_classified(text: str, label: str, train: ModuleType) -> None:
    assert text not in {sentence for sentence, _ in train.load_sentences()}
    assert read(text).label == label


@pytest.mark.parametrize("text", MUST_REACH_A_HUMAN)
def test_what_must_reach_a_human_reaches_one(text: str) -> None:
    assert read(text).label == "escalation"


@pytest.mark.parametrize("text", ONLY_ASKED_ABOUT)
def test_a_question_about_it_does_not(text: str) -> None:
    assert read(text).label == "faq"


def test_confidence_is_a_probability() -> None:
    for text in ("how many bags", "zzz qqq", "", "seat", "\n\t"):
        label, confidence = classify(text)

        assert label in LABELS
        assert 1 / len(LABELS) <= confidence <= 1


def test_flattening_names_placeholders_and_drops_handles() -> None:
    assert (
        flatten("@AirLark  My code is [CONFIRMATION_NUMBER_2]\nhttps://x.example [CARD_NUMBER]")
        == "my code is <confirmation> <card>"
    )


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("get me a supervisor", "human"),
        ("my suitcase did not arrive", "lost_bag"),
        ("this is ridiculous", "angry"),
        ("i have been on hold for 40 minutes", "waiting"),
        ("what is your policy on pets", "policy"),
    ],
)
def test_a_cue_is_found(text: str, cue: str) -> None:
    assert cue in cues_in(text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("I want to change my seat", "seat_change"),
        ("which seat am I in?", "seat_status"),
        ("check my seat assignment please", "seat_status"),
        ("cancel my flight", "cancel"),
        ("put me on an earlier flight", "change_flight"),
        ("find me a flight from Denver to Boston", "new_booking"),
        ("add a checked bag", "bags"),
        ("my name is misspelled on the ticket", "name"),
        ("upgrade us to business", "upgrade"),
        ("email me my boarding pass", "documents"),
        ("is my flight on time", "booking_status"),
        ("add a vegan meal", "extras"),
        ("I would like some changes made to our reservation", None),
        ("Okafor", None),
    ],
)
def test_a_wish_is_told(text: str, wish: str | None) -> None:
    assert find_wish(text) == wish


def test_the_newest_wish_counts() -> None:
    assert current_wish(["cancel my flight", "no, change my seat", "Okafor"]) == "seat_change"
    assert current_wish(["hello", "Okafor"]) is None
