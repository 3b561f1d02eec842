"""Test what counts as an emergency: plain statements of danger do; questions, idioms, stories and the past do not."""

from __future__ import annotations

import json
import time

import pytest

from ops.lab.evaluate.sets import OUR_SETS, EmergencyRow
from worker.guardrails.emergency import assess_emergency
from worker.guardrails.pii import normalise

ROWS = [
    EmergencyRow.model_validate(json.loads(line))
    for line in (OUR_SETS / "emergency.tuning.jsonl").read_text(encoding="utf-8").splitlines()
]

# The same words, once as a danger and once harmless: what decides is the sentence, not the word.
PAIRS = [
    ("he had a stroke just now at gate 5", "he had a stroke last year"),
    ("there is a bomb on LF118", "that movie about a bomb on a plane was great"),
    ("my son is missing at the gate", "my son is missing from the reservation"),
    ("she collapsed in row 9", "what do you do if a passenger collapsed in row 9"),
    ("my battery is on fire", "my battery is dead"),
    ("someone swallowed bleach", "is bleach allowed in checked bags"),
    ("my husband says he will kill me", "my husband will kill me if we miss this flight"),
    ("i want to die", "i want to die of boredom in here"),
    ("a man with a gun is in the terminal", "may a man with a gun permit fly with it"),
    ("he took our passports and we cannot leave", "your agent took our passports to check them"),
    ("I don't want to be here any more", "I don't want to be here for four more hours"),
    ("the engine is on fire", "fire the agent who did that"),
]


def kind_of(text: str) -> str | None:
    return assess_emergency(normalise(text)).kind


@pytest.mark.parametrize(("danger", "harmless"), PAIRS)
def test_what_the_sentence_says_decides_and_not_the_word(danger: str, harmless: str) -> None:
    assert kind_of(danger) is not None
    assert kind_of(harmless) is None


def test_our_set_is_found_with_hardly_a_false_alarm() -> None:
    grave = [row for row in ROWS if row.kind is not None]
    calm = [row for row in ROWS if row.kind is None]

    missed = [row.text for row in grave if kind_of(row.text) is None]
    alarmed = [row.text for row in calm if kind_of(row.text) is not None]

    assert len(grave) >= 125
    assert len(calm) >= 125
    assert len(missed) <= len(grave) * 0.03, missed
    assert len(alarmed) <= len(calm) * 0.02, alarmed


@pytest.mark.parametrize("kind", ["poisoning", "medical", "self_harm", "security", "violence", "trafficking"])
def test_every_kind_is_told_apart(kind: str) -> None:
    found = [kind_of(row.text) for row in ROWS if row.kind == kind]

    assert found.count(kind) >= len(found) * 0.9


@pytest.mark.parametrize(
    "text",
    [
        "my fa\u0301ther is unconscious",
        "MY FATHER IS UNCONSCIOUS!!!",
        "Hello,\n\nI booked LF118. My father is unconscious. Please help.\n\nKind regards\nAda",
        "my father\u2019s unconscious",
    ],
)
def test_spelling_length_and_other_sentences_hide_nothing(text: str) -> None:
    assert kind_of(text) == "medical"


def test_two_weak_signs_of_a_crisis_count_and_one_does_not() -> None:
    assert kind_of("I can't go on. I hate myself.") == "self_harm"
    assert kind_of("I can't go on like this, third mail and no answer") is None


def test_a_long_message_is_judged_quickly() -> None:
    text = "my son and my daughter are at the gate with the man, and there is a bag. " * 250

    started = time.process_time()
    assess_emergency(text)

    assert time.process_time() - started < 1
