"""What the local model says of itself, before any tool has told it anything, stands before the review of replies."""

from __future__ import annotations

import pytest

from tests.unit.reviewing import NOTHING, kind_of
from worker.domains.airline.local import phrases

OF_NOTHING = (
    phrases.greet("Larkfield Air"),
    phrases.close(None, None),
    phrases.acknowledge(),
    *phrases.other_courtesies(phrases.acknowledge()),
    phrases.decline_off_topic(booking_open=False),
    phrases.ask_to_clarify(),
    phrases.find_without_code(),
    phrases.still_not_found(),
)


@pytest.mark.parametrize("phrase", OF_NOTHING)
def test_a_phrase_that_needs_no_fact_is_not_held_back(phrase: str) -> None:
    assert kind_of(phrase, NOTHING) is None
