"""People and customers at the desk at once, while workers and desk processes are killed: nobody is talked over."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.lab.desk_trial.run import TrialOptions, run_trial
from schema.settings import Settings


@pytest.mark.parametrize("seed", [7])
def test_no_conversation_has_two_owners_and_no_reply_is_lost_or_said_twice(tmp_path: Path, seed: int) -> None:
    options = TrialOptions(seconds=20, agents=4, customers=10, workers=2, desks=2, kill_seconds=3, seed=seed)

    trial, counts = run_trial(Settings(), options, tmp_path)

    assert counts.broken == []
    assert trial.kills >= 2
    assert counts.hand_replies > 0
    assert counts.claims > 0
