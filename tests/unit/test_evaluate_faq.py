"""How replies to questions are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.lab.evaluate.faq import as_dialogue, measure_faq, verdict_on
from ops.lab.evaluate.judging import Played, PlayedTurn
from ops.lab.evaluate.sets import OUR_SETS, FaqRow, UnreadableSet, read_sets

if TYPE_CHECKING:
    from pathlib import Path

BAGS = "A checked bag may weigh up to 50 lbs.\n\nSource: Baggage \u203a Size"
SIZE = FaqRow(id="1", text="how big", sources=["Baggage \u203a Size"])
BOTH = FaqRow(
    id="2", text="how big and how heavy", sources=["Baggage \u203a Size"], must_contain=["62 inches", "50 lbs"]
)
NONE = FaqRow(id="3", text="do you sell bags")
EITHER = FaqRow(id="4", text="bags of gold", sources=["Baggage \u203a Size"], either=True)
NOT_FOUND = "I could not find that in our published policies. Shall I pass this on to a colleague?"
BOOKING = "May I have your confirmation number and surname?"


@pytest.mark.parametrize(
    ("row", "reply", "verdict"),
    [
        (SIZE, BAGS, "right"),
        (SIZE, BAGS.upper(), "right"),
        (SIZE, "Up to 62 inches.\n\nSource: Baggage \u203a Fees", "other section of the article"),
        (SIZE, "No smoking.\n\nSource: Conduct \u203a What we ask", "other article"),
        (SIZE, "No smoking.\n\nSource: Conduct \u203a What we ask\n\nSource: Baggage \u203a Size", "right"),
        (SIZE, NOT_FOUND, "not found though covered"),
        (SIZE, BOOKING, "not looked up"),
        (SIZE, "", "not looked up"),
        (BOTH, BAGS, "only a part answered"),
        (BOTH, f"It may add up to 62 inches. {BAGS}", "right"),
        (NONE, NOT_FOUND, "rightly not answered"),
        (NONE, BAGS, "answered though nothing covers it"),
        (NONE, BOOKING, "answered though nothing covers it"),
        (EITHER, NOT_FOUND, "rightly not answered"),
        (EITHER, BAGS, "right"),
        (EITHER, BOOKING, "not looked up"),
    ],
)
def test_a_reply_is_judged_by_what_it_cites_or_holds(row: FaqRow, reply: str, verdict: str) -> None:
    assert verdict_on(row, reply) == verdict


def played(row: FaqRow, *replies: str) -> Played:
    turns = tuple(
        PlayedTurn(said, reply, "answered", "FAQ Agent", 2, (), abuse_tripped=False, has_ticket=False)
        for said, reply in zip(row.asked, replies, strict=False)
    )
    return Played(as_dialogue(row), turns)


def test_figures_count_what_is_good_and_what_is_wrong() -> None:
    rows = [SIZE, NONE, NONE]

    measured = measure_faq(rows, [played(SIZE, BAGS), played(NONE, NOT_FOUND), played(NONE, BAGS)])

    figures = {figure.name: figure for figure in measured.figures}
    assert figures["answered well"].value == pytest.approx(2 / 3)
    assert figures["answered well"].out_of == 3
    assert (figures["answered well"].is_missed, figures["answered wrongly"].is_missed) == (True, True)
    assert figures["answered though nothing covers it"].value == pytest.approx(1 / 3)
    assert [miss.row for miss in measured.misses] == ["3"]


def test_the_reply_to_the_last_turn_counts() -> None:
    row = FaqRow(id="5", turns=["how heavy", "and how big"], sources=["Baggage \u203a Size"])

    answered = measure_faq([row], [played(row, NOT_FOUND, BAGS)])
    cut_off = measure_faq([row], [played(row, BAGS)])

    assert answered.figures[0].value == 1
    assert cut_off.figures[0].value == 0


def test_what_something_was_tuned_on_is_not_measured() -> None:
    rows = read_sets(OUR_SETS, "ours").faq
    tuned_on = (OUR_SETS / "faq.tuning.jsonl").read_text(encoding="utf-8")

    assert len(rows) > 200
    assert not any(f'"id": "{row.id}"' in tuned_on for row in rows)


def test_a_question_without_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faq.jsonl").write_text('{"id": "1", "sources": []}\n')

    with pytest.raises(UnreadableSet, match=r"faq\.jsonl:1: .*has a text, or turns"):
        read_sets(tmp_path, "x")
