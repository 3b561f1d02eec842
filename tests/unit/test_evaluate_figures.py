"""Test that figures are counted as docs/evaluation.md says, on texts whose judgement is known."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ops.lab.evaluate.abuse import measure_abuse
from ops.lab.evaluate.figures import Figure, Target
from ops.lab.evaluate.picture import draw_confusion
from ops.lab.evaluate.pii import measure_pii
from ops.lab.evaluate.sets import OUR_SETS, AbuseRow, PiiRow, SecretSpan, TriageRow, UnreadableSet, read_sets
from ops.lab.evaluate.triage import ASKED, COLUMNS, LABELS, measure_triage, route_of

PNG = b"\x89PNG\r\n\x1a\n"


def row(text: str, *spans: tuple[str, str], neg_type: str = "") -> PiiRow:
    found = [SecretSpan(start=text.index(v), end=text.index(v) + len(v), type=kind, value=v) for kind, v in spans]  # type: ignore[arg-type]
    return PiiRow(id="x", text=text, spans=found, neg_type=neg_type)


def figures_of(rows: list[PiiRow]) -> dict[str, Figure]:
    return {figure.name: figure for figure in measure_pii(rows).figures}


def test_a_secret_counts_as_masked_when_all_of_it_is() -> None:
    found = figures_of(
        [row("conf# R4MXT8", ("PNR", "R4MXT8")), row("the word is tea and the secret coffee", ("PNR", "coffee"))]
    )

    assert (found["PNR masked"].value, found["PNR masked"].out_of) == (0.5, 2)
    assert found["PNR masked"].is_missed


def test_a_card_counts_only_when_it_is_not_kept() -> None:
    found = figures_of([row("+1 415 555 0132", ("CREDIT_CARD", "+1 415 555 0132"))])

    assert found["CREDIT_CARD masked"].value == 0


def test_a_secret_with_invisible_characters_in_it_is_found_at_its_place() -> None:
    found = figures_of([row("ﬁrst: PNR R4\u200bMX\u200bT8!", ("PNR", "R4\u200bMX\u200bT8"))])

    assert found["PNR masked"].value == 1


def test_debatable_negatives_are_counted_apart() -> None:
    found = figures_of([row("seat 12A"), row("it is 310-555-0171"), row("310-555-0171", neg_type="tracking")])

    assert found["negatives masked"].value == 0.5
    assert (found["debatable negatives masked"].value, found["debatable negatives masked"].target) == (1, None)


def test_a_span_that_does_not_hold_its_value_is_refused() -> None:
    with pytest.raises(ValueError, match="is not 'B'"):
        PiiRow(id="x", text="A", spans=[SecretSpan(start=0, end=1, type="PNR", value="B")])


def test_abuse_is_measured_by_precision_recall_and_what_happens_to_the_angry() -> None:
    measured = measure_abuse(
        [
            AbuseRow(id="1", text="fuck you, you moron", abusive=True),
            AbuseRow(id="2", text="what a lovely flight", abusive=True),
            AbuseRow(id="3", text="fuck you all", abusive=False, note="angry complaint, says the label"),
            AbuseRow(id="4", text="this is a disgrace", abusive=False, angry=True),
        ]
    )

    assert {figure.name: figure.value for figure in measured.figures} == {
        "precision": 0.5,
        "recall": 0.5,
        "angry complaints flagged": 0.5,
    }
    assert [miss.row for miss in measured.misses] == ["2", "3"]


@pytest.mark.parametrize(
    ("text", "route"),
    [
        ("How much is a second checked bag?", "faq"),
        ("Please change my seat, my confirmation number is R4MXT8", "booking"),
        ("I want to speak to a human", "escalation"),
        ("I will kill you all, you idiots", "escalation"),
        ("write me a poem about autumn", "off_topic"),
        ("hello", "off_topic"),
    ],
)
def test_a_first_message_is_routed_as_the_product_does(text: str, route: str) -> None:
    assert route_of(text) == route


def test_triage_counts_every_message_once() -> None:
    triaged = measure_triage(
        [
            TriageRow(id="1", text="How much is a second checked bag?", label="faq"),
            TriageRow(id="2", text="I want to speak to a human", label="booking"),
        ]
    )

    assert triaged.confusion == Counter({("faq", "faq"): 1, ("booking", "escalation"): 1})
    assert triaged.measured.figures[0].value == 0.5
    assert sum(triaged.confusion.values()) == 2
    assert {*LABELS, ASKED} == set(COLUMNS)


@pytest.mark.parametrize(
    ("target", "value", "missed"),
    [(Target("≥", 0.9), 0.9, False), (Target("≥", 0.9), 0.89, True), (Target("≤", 0.1), 0.11, True), (None, 0, False)],
)
def test_a_target_decides_whether_a_figure_is_missed(target: Target | None, value: float, missed: bool) -> None:  # noqa: FBT001
    assert Figure("g", "n", value, 10, target).is_missed is missed


def test_our_own_sets_are_large_enough_to_mean_something() -> None:
    ours = read_sets(OUR_SETS, "ours")

    negatives = [one for one in ours.pii if not one.spans]
    assert len(ours.pii) >= 250
    assert len(negatives) >= 100
    assert {span.type for one in ours.pii for span in one.spans} == {
        "PNR",
        "PHONE",
        "CREDIT_CARD",
        "EMAIL",
        "SSN",
        "PASSPORT",
    }
    assert len({one.text for one in ours.pii}) == len(ours.pii)


def test_no_sentence_the_model_learnt_from_is_in_our_sets() -> None:
    folder = Path(__file__).parents[2] / "worker" / "domains" / "airline" / "local" / "training"
    learnt = {line.strip().lower() for path in folder.glob("*.txt") for line in path.read_text().splitlines()}

    assert [one.id for one in read_sets(OUR_SETS, "ours").triage if one.text.lower() in learnt] == []


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    tmp_path.joinpath("triage.jsonl").write_text('{"id": "1", "text": "x", "label": "faq"}\n{"id": "2", "text": "x"}\n')

    with pytest.raises(UnreadableSet, match=r"triage\.jsonl:2: label"):
        read_sets(tmp_path, "broken")


def test_a_folder_without_sets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSet, match="holds no"):
        read_sets(tmp_path, "empty")


def test_the_confusion_matrix_is_drawn(tmp_path: Path) -> None:
    draw_confusion(Counter({("faq", "faq"): 3}), LABELS, COLUMNS, "title", tmp_path / "matrix.png")

    assert (tmp_path / "matrix.png").read_bytes().startswith(PNG)
