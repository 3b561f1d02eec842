"""Waits are drawn within their bounds, and not all alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.jitter import jitter_above, jitter_below

SECONDS = st.floats(min_value=0, max_value=1e6)
SHARES = st.floats(min_value=0, max_value=1)


@given(SECONDS, SHARES)
def test_a_wait_is_shorter_or_longer_by_at_most_its_share(seconds: float, share: float) -> None:
    tolerance = seconds * 1e-9

    assert seconds * (1 - share) - tolerance <= jitter_below(seconds, share) <= seconds + tolerance
    assert seconds - tolerance <= jitter_above(seconds, share) <= seconds * (1 + share) + tolerance


@pytest.mark.parametrize("jitter", [jitter_below, jitter_above])
def test_waits_of_many_differ(jitter: object) -> None:
    assert callable(jitter)

    assert len({jitter(10.0, 0.3) for _ in range(20)}) > 10
