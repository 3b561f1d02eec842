"""Dialogues of the evaluation with a model behind an HTTP API: the true client, SDK, prompts and tool schemas."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ops.lab.evaluate.judging import judge
from ops.lab.evaluate.playing import play_all
from ops.lab.evaluate.sets import OUR_SETS, read_sets
from ops.lab.llm_sim.child import run_simulator
from ops.lab.tokens import simulated

PLAYED = {"openai": {"our-dlg-01", "our-dlg-07"}, "openai-chat": {"our-dlg-03", "our-dlg-05", "our-dlg-12"}}
"""Which dialogues are played over which API: seats, bags, questions, an escalation at once and one after a question."""

TOKENS_PER_CALL_MAX = 3_000
"""Bound on the instructions and definitions of tools in one call, as the simulator counts: four characters a token."""


@pytest.mark.parametrize("api", PLAYED)
def test_dialogues_go_as_they_should(api: str) -> None:
    ours = read_sets(OUR_SETS, "ours")
    dialogues = tuple(one for one in ours.dialogues if one.id in PLAYED[api])
    chosen = replace(ours, faq=(), conversations=(), dialogues=dialogues)

    with run_simulator([]) as url:
        played = play_all([chosen], say=print, **simulated(api, url))["ours"].dialogues

    assert [one.dialogue.id for one in played] == sorted(PLAYED[api])
    judged = judge(played)
    assert [figure.name for figure in judged.figures if figure.is_missed] == [], judged.misses
    for turn in (turn for one in played for turn in one.turns):
        assert {"instructions", "tools", "history"} <= turn.input_parts.keys()
        assert turn.input_parts["instructions"] + turn.input_parts["tools"] <= turn.model_calls * TOKENS_PER_CALL_MAX
