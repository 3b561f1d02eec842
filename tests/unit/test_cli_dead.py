"""How `fte dead` reads its options."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import typer

from ops.cli.dead import since_of

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("45s", NOW - timedelta(seconds=45)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-01-30", datetime(2026, 1, 30, tzinfo=UTC)),
        ("2026-01-30T08:00Z", datetime(2026, 1, 30, 8, tzinfo=UTC)),
        ("2026-01-30T08:00+02:00", datetime(2026, 1, 30, 6, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_a_span_before_now_or_as_a_moment(text: str, expected: datetime) -> None:
    assert since_of(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2w", "-2h", "9999999d", "2026-13-01"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="a time such as 90m, 2h, 7d"):
        since_of(text, NOW)
