"""No tool answers more than a model may be given, whatever it found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.airline_stand_ins import make_turn
from worker.conversation.refusal import Refusal
from worker.tools.results import give, refuse

texts = st.one_of(st.text(max_size=300), st.sampled_from(['"' * 90, "\\" * 90, "\n" * 90, "\x00" * 90, "🛫" * 90]))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts)
values = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=30), st.dictionaries(texts, inner, max_size=8))
)
payloads = st.dictionaries(st.sampled_from(["found", "flights", "seats", "note", "message"]), values)


@given(payload=payloads, characters_max=st.integers(min_value=200, max_value=2_000))
def test_an_answer_is_json_and_never_longer_than_its_limit(payload: dict[str, Any], characters_max: int) -> None:
    turn = replace(make_turn(), tool_output_characters_max=characters_max)

    for written, ok in (
        (give(turn, **payload), True),
        (refuse(turn, Refusal("closed", "It is closed. " * 100), **{**payload, "message": "x"}), False),
    ):
        assert len(written) <= characters_max
        assert json.loads(written)["ok"] is ok


def test_a_long_list_keeps_its_beginning() -> None:
    turn = replace(make_turn(), tool_output_characters_max=200)

    written = json.loads(give(turn, seats=[f"{row}{letter}" for row in range(1, 31) for letter in "ABCDEF"]))

    assert written["seats"][:3] == ["1A", "1B", "1C"]
    assert len(written["seats"]) > 10


def test_an_answer_that_fits_is_given_as_it_is() -> None:
    assert json.loads(give(make_turn(), seats=["1A", "1B"], note="n")) == {
        "ok": True,
        "seats": ["1A", "1B"],
        "note": "n",
    }
