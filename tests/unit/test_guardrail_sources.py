"""An answer from articles says what they say: the source it cites was given, and so were its figures."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.test_guardrail_outputs import NOTHING
from worker.guardrails.outputs import REMEDIES, find_breach
from worker.guardrails.sources import is_unfounded

PETS = (
    '{"ok": true, "found": true, "results": [{"article": "Pets", "section": "In the cabin", "text": "Small dogs and '
    'cats may travel in a carrier of up to 18 x 11 x 11 inches. It costs $95 each way.", "slug": "pets"}]}'
)
NOT_FOUND = '{"ok": true, "found": false}'
ASKED = ["My dog weighs 12 lbs. May she come?"]
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
    assert not is_unfounded(reply, [PETS], ASKED)


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
    assert is_unfounded(reply, [PETS], ASKED)


def test_a_figure_after_a_search_without_a_result_is_held_back() -> None:
    assert is_unfounded("Most airlines charge $30 for that.", [PETS, NOT_FOUND], ASKED)
    assert not is_unfounded("I have no published answer to that. Shall I ask a colleague?", [PETS, NOT_FOUND], ASKED)


def test_figures_that_rest_on_other_tools_are_not_looked_at() -> None:
    quote = '{"ok": true, "quote": {"price_usd": 50, "bags": 2}}'

    assert not is_unfounded("Two bags at $50 make $100 in all.", [PETS, quote], ASKED)


def test_the_review_names_an_unfounded_answer() -> None:
    grounds = replace(NOTHING, told=[PETS], written=ASKED)

    assert find_breach(f"Yes, for $125 each way.{SOURCE}", grounds) == "unfounded_answer"
    assert find_breach(f"Yes, for $95 each way.{SOURCE}", grounds) is None
    assert "figure" in REMEDIES["unfounded_answer"]
