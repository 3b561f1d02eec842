"""Test when a provider is left alone and when it is asked again, on a clock that the test moves."""

from __future__ import annotations

from worker.models.breaker import Breaker


def a_breaker() -> Breaker:
    return Breaker(failures_max=3, window_seconds=60, open_seconds=10)


def fail(breaker: Breaker, now: float) -> str | None:
    """Let a request pass and fail."""
    assert breaker.admit(now) == "call"
    return breaker.failed("call", now)


def an_open_breaker() -> Breaker:
    breaker = a_breaker()
    assert [fail(breaker, now) for now in (0, 1, 2)] == [None, None, "opened"]
    return breaker


def test_it_opens_at_the_failure_that_reaches_the_limit_within_the_window() -> None:
    breaker = an_open_breaker()

    assert breaker.is_open
    assert breaker.admit(3) is None


def test_failures_that_are_long_past_do_not_count() -> None:
    breaker = a_breaker()

    assert [fail(breaker, now) for now in (0, 50, 100, 150)] == [None] * 4
    assert breaker.admit(150) == "call"


def test_a_few_failures_among_many_answers_do_not_open_it() -> None:
    breaker = a_breaker()
    for now in range(10):
        breaker.admit(now)
        breaker.succeeded("call", now)

    assert [fail(breaker, 10) for _ in range(9)] == [None] * 9
    assert fail(breaker, 10) == "opened"


def test_a_burst_whose_refusals_come_before_its_answers_does_not_open_it() -> None:
    breaker = a_breaker()
    for _ in range(20):
        breaker.admit(0)

    assert [breaker.failed("call", 0) for _ in range(8)] == [None] * 8
    assert [breaker.succeeded("call", 1) for _ in range(12)] == [None] * 12
    assert not breaker.is_open


def test_a_burst_that_hangs_opens_it_when_half_of_it_has_timed_out() -> None:
    breaker = a_breaker()
    for _ in range(20):
        breaker.admit(0)

    assert [breaker.failed("call", 30) for _ in range(10)] == [None] * 9 + ["opened"]


def test_requests_that_came_to_nothing_do_not_stand_against_opening_for_ever() -> None:
    breaker = a_breaker()
    for _ in range(20):
        breaker.admit(0)
        breaker.dropped("call")

    assert [fail(breaker, now) for now in (0, 1, 2)] == [None, None, "opened"]


def test_one_probe_at_a_time_passes_once_its_rest_is_over() -> None:
    breaker = an_open_breaker()

    assert breaker.admit(11.9) is None
    assert [breaker.admit(12), breaker.admit(12), breaker.admit(500)] == ["probe", None, None]


def test_a_probe_that_is_answered_closes_it() -> None:
    breaker = an_open_breaker()
    breaker.admit(12)

    assert breaker.succeeded("probe", 13) == "closed"

    assert not breaker.is_open
    assert [fail(breaker, now) for now in (13, 14)] == [None, None]  # it counts anew


def test_a_probe_that_fails_begins_the_rest_anew() -> None:
    breaker = an_open_breaker()
    breaker.admit(12)

    assert breaker.failed("probe", 20) is None

    assert breaker.admit(29.9) is None
    assert breaker.admit(30) == "probe"


def test_a_probe_that_came_to_nothing_makes_room_for_the_next() -> None:
    breaker = an_open_breaker()
    breaker.admit(12)

    breaker.dropped("probe")

    assert breaker.admit(12) == "probe"


def test_what_was_asked_before_it_opened_neither_closes_nor_prolongs_it() -> None:
    breaker = a_breaker()
    for _ in range(5):
        breaker.admit(0)
    assert [breaker.failed("call", 2) for _ in range(3)] == [None, None, "opened"]

    assert breaker.succeeded("call", 5) is None
    assert breaker.failed("call", 9) is None

    assert breaker.admit(12) == "probe"


def test_a_longer_wait_that_the_provider_asks_for_is_kept() -> None:
    breaker = a_breaker()
    for _ in range(3):
        breaker.admit(0)
        breaker.failed("call", 0, retry_after_seconds=40)

    assert breaker.admit(39) is None
    assert breaker.admit(40) == "probe"
