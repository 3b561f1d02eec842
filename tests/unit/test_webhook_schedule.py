"""What follows an attempt: the schedule of retries, who is given up and who is disabled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from producer.delivery.schedule import RETRY_FOR, RETRY_SECONDS, Tried, judge
from producer.delivery.sending import DeliveryOutcome

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FAILED = DeliveryOutcome("status", 500)


def tried(tries: int = 1, *, age: timedelta = timedelta(0), failing: timedelta | None = None) -> Tried:
    return Tried(tries, NOW - age, NOW - failing if failing is not None else None, NOW)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_receipt(status: int) -> None:
    assert judge(tried(), DeliveryOutcome("status", status)).state == "delivered"


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 401, 404, 409, 429, 500, 503])
def test_anything_else_is_tried_again(status: int) -> None:
    assert judge(tried(), DeliveryOutcome("status", status)).state == "waiting"


@pytest.mark.parametrize("tries", range(1, 10))
def test_the_pauses_are_those_of_the_specification_and_a_fifth_shorter_at_most(tries: int) -> None:
    drawn = [judge(tried(tries), FAILED).after_seconds for _ in range(200)]

    longest = min(RETRY_SECONDS[tries - 1], RETRY_FOR.total_seconds())
    assert 0.8 * longest <= min(drawn) < max(drawn) <= longest


def test_a_delivery_is_tried_for_three_days_and_never_later() -> None:
    age = timedelta(days=3) - timedelta(minutes=10)

    assert judge(tried(8, age=age), FAILED).after_seconds == 600
    assert judge(tried(9, age=timedelta(days=3)), FAILED).state == "dead"
    assert judge(tried(10), FAILED).state == "dead"


def test_a_whole_failing_delivery_ends_dead_within_ten_attempts_and_three_days() -> None:
    age, tries = timedelta(0), 1
    while (verdict := judge(tried(tries, age=age), FAILED)).state == "waiting":
        age, tries = age + timedelta(seconds=verdict.after_seconds), tries + 1

    assert tries <= 10
    assert timedelta(days=2) < age <= timedelta(days=3)


def test_what_is_older_than_three_days_when_its_turn_comes_is_tried_once() -> None:
    assert judge(tried(1, age=timedelta(days=4)), FAILED).state == "dead"
    assert judge(tried(1, age=timedelta(days=4)), DeliveryOutcome("status", 204)).state == "delivered"


def test_a_receiver_that_is_gone_disables_its_target_and_nothing_is_given_up() -> None:
    verdict = judge(tried(), DeliveryOutcome("status", 410))

    assert (verdict.state, verdict.disabled_reason) == ("waiting", "its receiver answered 410 Gone")


def test_a_target_that_failed_for_five_days_is_disabled() -> None:
    assert judge(tried(failing=timedelta(days=5)), FAILED).disabled_reason is not None
    assert judge(tried(failing=timedelta(days=4, hours=23)), FAILED).disabled_reason is None


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_an_overloaded_receiver_is_left_alone_for_as_long_as_it_asks(status: int) -> None:
    asked = judge(tried(), DeliveryOutcome("status", status, retry_after_seconds=120))
    silent = judge(tried(), DeliveryOutcome("status", status))

    assert (asked.pause_seconds, asked.after_seconds) == (120, 120)
    assert 24 <= silent.pause_seconds <= 30


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_error_that_says_nothing_of_load_pauses_nobody(status: int) -> None:
    assert judge(tried(), DeliveryOutcome("status", status, retry_after_seconds=120)).pause_seconds == 0
