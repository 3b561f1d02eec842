"""Test the learned judges: shipped weights are of today's sentences, and find what the rules do not know."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ops.lab.evaluate.abuse import is_abuse
from ops.lab.evaluate.sets import OUR_SETS, AbuseRow, EmergencyRow
from tests.unit.consent_samples import NO, YES
from worker.domains.airline.local.train import ordinary_sentences
from worker.guardrails import train
from worker.guardrails.abuse import assess_abuse
from worker.guardrails.emergency import assess_emergency
from worker.guardrails.learned import features_of, load_judge, meaning_of, pieces_of, read_shipped, read_words
from worker.guardrails.pii import normalise

JUDGES = list(train.JUDGES)
SHORT = ["asap", "urgent", "up to you", "as you like", "as you wish", "I do", "Works for me", "injured"]
RUDE = {"go to hell", "I'll get back to you"}
"""Answers that are rude, or taken for it."""


@pytest.mark.parametrize("judge", JUDGES)
def test_the_shipped_weights_are_of_the_sentences_and_features_of_today(judge: str) -> None:
    sentences = train.load_sentences(judge, ordinary_sentences())

    stale = read_shipped(judge)["fingerprint"] != train.fingerprint_of(judge, sentences)

    assert not stale, "run `python -m worker.domains.airline.local.train` and commit the weights"


@pytest.mark.parametrize("judge", JUDGES)
def test_nothing_that_is_held_out_is_learned(judge: str) -> None:
    learned = {sentence.words for sentence in train.load_sentences(judge, [])}
    files = [f"{judge}.{kind}.jsonl" for kind in ("heldout", "otherhand", "fresh", "fresh2")]
    rows = [json.loads(line)["text"] for file in files for line in _lines(file)]

    found = [text for text in rows if tuple(read_words(normalise(text))) in learned]

    assert found == []


def test_held_out_abuse_is_mostly_found_and_few_complaints_are_taken_for_it() -> None:
    rows = [AbuseRow.model_validate_json(line) for line in _lines("abuse.heldout.jsonl")]

    found = [is_abuse(row.text) for row in rows if row.abusive]
    flagged = [is_abuse(row.text) for row in rows if not row.abusive]

    assert sum(found) >= len(found) * FOUND_MIN
    assert sum(flagged) <= len(flagged) * FLAGGED_MAX


def test_held_out_emergencies_are_mostly_found() -> None:
    rows = [EmergencyRow.model_validate_json(line) for line in _lines("emergency.heldout.jsonl")]

    found = [assess_emergency(normalise(row.text)).kind for row in rows if row.kind]

    assert sum(kind is not None for kind in found) >= len(found) * EMERGENCIES_MIN


FOUND_MIN, FLAGGED_MAX, EMERGENCIES_MIN = 0.82, 0.04, 0.87
"""Below the figures in docs/evaluation.md by what a few rows weigh."""


@pytest.mark.parametrize(
    "text",
    [
        "someone here swallowed bleach",
        "I want to end my life tonight",
        "there is a man with a gun at gate 5 and he is shooting",
    ],
)
def test_an_emergency_is_found_before_it_could_be_called_abusive(text: str) -> None:
    assert assess_emergency(text).kind is not None


def test_what_is_quoted_is_not_the_writers() -> None:
    told = 'your driver texted "go fuck yourself, you old cow" when I asked'
    own = '"go fuck yourself, you old cow"'

    assert not assess_abuse(told).is_abusive
    assert assess_abuse(own).is_abusive


def test_a_long_text_is_judged_by_its_sentences_too() -> None:
    first, second = [*"abcdefgh", "."], [*"ijklmnopqrstuv", "!"]

    assert pieces_of(first) == [first]
    assert pieces_of([*first, *second]) == [[*first, *second], first, second]


def test_features_tell_words_neighbours_and_families() -> None:
    found = features_of(read_words("You absolute m0r0ns"))

    assert {"w:morons", "b:absolute morons", "f:strong_insult"} <= found
    assert {"p:you strong_insult", "g:absolute strong_insult"} <= found


def test_us_is_nobody_else_and_is_is_nobody() -> None:
    found = features_of(["us", "is"])

    assert {"f:me", "f:may_i"} <= found
    assert "f:you" not in found
    assert "p:me me" not in found


def test_the_meaning_is_the_mean_and_the_peaks_of_the_words_each_of_length_one() -> None:
    mean, peaks = np.split(meaning_of(["a", "heavy", "bag"]), 2)
    again = np.split(meaning_of(["bag", "heavy", "a", "bag", "bag"]), 2)

    assert [np.linalg.norm(half) for half in (mean, peaks)] == pytest.approx([1, 1])
    assert peaks == pytest.approx(again[1])
    assert mean != pytest.approx(again[0])
    assert meaning_of([]).tolist() == [0] * (len(mean) + len(peaks))


def test_a_judge_gives_each_text_a_probability_and_a_label_of_its_own() -> None:
    judge = load_judge("abuse")

    calm, grave = judge.judge("may I bring a second bag"), judge.judge("you are a worthless idiot, drop dead")

    assert 0 <= calm.probability < judge.threshold < grave.probability <= 1
    assert {calm.label, grave.label} <= set(judge.labels)
    assert judge.judge("").probability < judge.threshold


def _lines(file: str) -> list[str]:
    return (OUR_SETS / file).read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", list(dict.fromkeys([text for _, text in (*YES, *NO) if text] + SHORT)))
def test_a_short_answer_is_neither_abuse_nor_an_emergency(text: str) -> None:
    assert (is_abuse(text), assess_emergency(normalise(text)).kind) == (text in RUDE, None)


@pytest.mark.parametrize(
    "text",
    [
        (
            "Dear Sir or Madam,\n\nI hope this finds you well. I should be most grateful if you could advise "
            "whether one "
            "might bring a small violin aboard without incurring a charge.\n\nYours faithfully,\nEdmund Grey"
        ),
        (
            "Dear team,\n\nI trust you are well. Would you be so kind as to tell me what a second checked bag "
            "costs?\n\n"
            "Warm regards,\nDr. Helen Cox"
        ),
        (
            "Good afternoon,\nmy wife and I are celebrating our golden wedding and would dearly like to sit "
            "together. Is "
            "there anything you can do for two old people?\nBest wishes, Harold"
        ),
        "Sir, with the greatest respect, your rules are hard to follow. May I bring two bags or one? Regards",
        "Dear Ms Lopez, you were so kind to my mother at the gate. She still talks of you. Please thank your team.",
    ],
)
def test_a_polite_letter_is_neither_abuse_nor_an_emergency(text: str) -> None:
    assert (is_abuse(text), assess_emergency(normalise(text)).kind) == (False, None)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Larkfield team, I hope this finds you well",
        "I hope this message finds you and your colleagues well.",
        "Dear Mr Aldous, I trust that you had a good weekend. I write about my seat.",
        "To whom it may concern: we look forward to your reply. Yours faithfully, Edith Crane",
        (
            "Dear Sirs,\n\nIn March we flew with you to Geneva, and our skis came home without their bindings. I have "
            "written three times and have had no answer, which I find most disappointing after so many years. I "
            "should be glad to learn whom I may address.\n\nYours sincerely,\nWalter Pym"
        ),
    ],
)
def test_a_formal_letter_is_neither_abuse_nor_an_emergency(text: str) -> None:
    assert (is_abuse(text), assess_emergency(normalise(text)).kind) == (False, None)


@pytest.mark.parametrize(
    "text",
    [
        "add my baby",
        "please put our little boy on the ticket",
        "my daughter travels with me",
        "our twins fly with us, they are six",
        "my grandson comes along, he is three",
        "I broke my leg",
        "I broke my leg and can't travel",
        "my wife broke her wrist skiing, can we cancel",
    ],
)
def test_a_child_at_hand_and_a_bone_that_is_cared_for_are_no_emergency(text: str) -> None:
    assert assess_emergency(normalise(text)).kind is None


@pytest.mark.parametrize(
    "text",
    [
        "we were denied boarding in Oslo, my husband and I, what compensation do we get",
        "they would not let my parents on the flight because it was oversold",
        "my sister and I had seats and the crew sent both of us away from the gate",
        "two of us were bumped from LF20 yesterday and nobody told us why",
    ],
)
def test_who_was_not_let_on_board_is_in_no_danger(text: str) -> None:
    assert assess_emergency(normalise(text)).kind is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("he fell on the stairs and broke his leg, he can't get up", "medical"),
        ("our son broke his arm at gate 9 just now, we need a doctor", "medical"),
        ("my daughter is gone, she was with me a minute ago", "lost_child"),
    ],
)
def test_a_child_that_is_gone_and_a_bone_that_just_broke_are_emergencies(text: str, kind: str) -> None:
    assert assess_emergency(normalise(text)).kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "I'm driving to your counter with a shotgun",
        "next time I come armed",
        "I will walk into that office with a knife",
    ],
)
def test_who_says_to_come_armed_threatens(text: str) -> None:
    assert assess_abuse(text).reason == "threat"


@pytest.mark.parametrize("text", ["call 911", "Call 911!", "please call 911 now"])
def test_a_bare_call_for_help_is_an_emergency(text: str) -> None:
    assert assess_emergency(normalise(text)).kind == "medical"


def test_what_people_begin_with_makes_hardly_anybody_abusive() -> None:
    questions = [json.loads(line)["text"] for line in _lines("triage.jsonl")]
    openers = ("hmm", "um", "uh", "well", "oh", "ok", "so", "but", "also", "wow", "right", "one more thing:", "gotcha")
    calm = [text for text in questions if not is_abuse(text)]

    flagged = [f"{opener} {text}" for text in calm for opener in openers if is_abuse(f"{opener} {text}")]

    assert len(flagged) <= len(calm) * len(openers) * 0.002, flagged
