"""An answer from articles says what they say: the source it cites was given, and so were its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.reviewing import NOTHING, kind_of
from worker.guardrails.outputs import REMEDIES

PETS = (
    '{"ok": true, "found": true, "results": [{"article": "Pets", "section": "In the cabin", "text": "Small dogs and '
    'cats may travel in a carrier of up to 18 x 11 x 11 inches. It costs $95 each way.", "slug": "pets"}]}'
)
NOT_FOUND = '{"ok": true, "found": false}'
ASKED = ["My dog weighs 12 lbs. May she come?"]
FOUND = replace(NOTHING, told=[PETS], told_now=[PETS], written=ASKED, agent="FAQ Agent")
SOURCE = "\n\nSource: Pets \u203a In the cabin"


@pytest.mark.parametrize(
    "reply",
    [
        f"Yes, in a carrier under the seat, for $95 each way.{SOURCE}",
        f"With 12 lbs she fits. It is $95.00 each way.{SOURCE}",
        "It costs $95.\nsource: pets > in the cabin.",
        f"Up to 18 by 11 by 11 inches.{SOURCE}",
        "Shall I pass this on to a colleague?",
        "Hello! How can I help you?",
    ],
)
def test_an_answer_that_says_what_was_given_goes_out(reply: str) -> None:
    assert kind_of(reply, FOUND) is None


@pytest.mark.parametrize(
    "reply",
    [
        f"Yes, for $125 each way.{SOURCE}",
        f"Tell us 48 hours ahead.{SOURCE}",
        f"Dogs up to 20 lbs are fine.{SOURCE}",
        "Yes, for $95.\n\nSource: Pets \u203a Fees",
        "Yes, for $95.\n\nSource: Animals on board \u203a In the cabin",
        f"It costs $95.{SOURCE}\nSource: Baggage \u203a Size",
    ],
)
def test_an_answer_with_a_source_or_figure_of_its_own_is_held_back(reply: str) -> None:
    assert kind_of(reply, FOUND) == "unfounded_answer"


def test_a_statement_after_a_search_without_a_result_is_held_back() -> None:
    nothing = replace(FOUND, told=[PETS, NOT_FOUND], told_now=[NOT_FOUND])

    assert kind_of("Most airlines charge $30 for that.", nothing) == "unfounded_answer"
    assert kind_of("Dogs may sit on your lap.", nothing) == "unfounded_answer"
    assert kind_of("I have no published answer to that. Shall I ask a colleague?", nothing) is None


def test_policy_takes_a_search_in_the_same_turn() -> None:
    reply = "Small dogs and cats may travel in the cabin."

    assert kind_of(f"{reply} Really.", replace(FOUND, told_now=[], told=[])) == "unfounded_answer"
    assert kind_of(f"{reply} Really.", FOUND) is None


def test_sums_that_follow_from_known_ones_are_known() -> None:
    quote = '{"ok": true, "quote": {"price_usd": 50, "bags": 2}}'
    told = replace(NOTHING, told=[PETS, quote])

    assert kind_of("Two bags at $50 make $100 in all.", told) is None
    assert kind_of("Two bags at $50 make $120 in all.", told) == "unfounded_answer"


def test_the_review_names_an_unfounded_answer() -> None:
    grounds = replace(NOTHING, told=[PETS], written=ASKED)

    assert kind_of(f"Yes, for $125 each way.{SOURCE}", grounds) == "unfounded_answer"
    assert kind_of(f"Yes, for $95 each way.{SOURCE}", grounds) is None
    assert "figure" in REMEDIES["unfounded_answer"]
