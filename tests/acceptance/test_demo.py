"""`fte demo`: the first thing anybody sees."""

from __future__ import annotations

import re
from pathlib import Path

from tests.acceptance.fte_process import Fte, Up

CLOSING_LINE = re.compile(
    r"demo: \d+ conversations, (\d+) messages, \1 replies, [1-9]\d* escalations, 0 lost, 0 duplicated, 0 out of order"
)


def test_the_demo_answers_everyone_and_leaves_nothing_behind(tmp_path: Path) -> None:
    fte = Fte(tmp_path / "state", {"TMPDIR": str(tmp_path)})

    done = fte.run("demo")

    assert done.code == 0, done.output + done.told
    assert CLOSING_LINE.fullmatch(done.output.splitlines()[-1])
    assert "✗" not in done.output
    assert "was 14C" in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_demo_uses_the_servers_it_is_given(up: Up) -> None:
    addresses = {"FTE_DATABASE_URL": up.database_url, "FTE_REDIS_URL": up.redis_url}

    done = Fte(up.fte.state_dir, addresses).run("demo")

    assert done.code == 0, done.output + done.told
    assert CLOSING_LINE.fullmatch(done.output.splitlines()[-1])


def test_a_demo_that_goes_wrong_says_so_and_keeps_its_logs(tmp_path: Path) -> None:
    """The stub answers everything alike, so the seat does not move."""
    fte = Fte(tmp_path / "state", {"TMPDIR": str(tmp_path), "FTE_MODEL": "stub"})

    done = fte.run("demo", "--workers", "1")

    assert done.code == 1
    assert "✗" in done.output
    [kept] = tmp_path.iterdir()
    assert f"kept in {kept}" in done.output
    assert (kept / "worker-0.log").exists()
