"""What a worker did stands in its metrics, in figures that a scrape reads, however it went."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runtime.telemetry.metrics_endpoint import serve_metrics
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness, MakeHarness, Think


def scraped(harness: Harness) -> dict[str, float]:
    """Scrape a worker's metrics over HTTP, as Prometheus does; by name and labels in the order of the text."""
    endpoint = serve_metrics(harness.service.metrics.registry, "127.0.0.1:0")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{endpoint.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        endpoint.close()
    return {
        f"{sample.name}{sorted(sample.labels.items()) if sample.labels else ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_turn_that_commits_is_counted_with_its_wait_its_steps_and_its_model_calls(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "hello")

    await harness.drain("c")

    figures = scraped(harness)
    labels = [("channel", "chat"), ("outcome", "answered"), ("tenant", harness.tenant)]
    assert figures[f"fte_turns_total{labels}"] == 1
    assert figures["fte_turn_wait_seconds_count"] == 1
    assert figures["fte_turn_seconds_count[('outcome', 'answered')]"] == 1
    assert {name: figures[f"fte_step_seconds_count[('step', '{name}')]"] for name in ("hydrate", "guard", "act")} == {
        "hydrate": 1,
        "guard": 1,
        "act": 1,
    }
    assert figures["fte_model_calls_total[('model', 'local'), ('result', 'ok')]"] == 1
    assert figures["fte_model_tokens_total[('direction', 'input'), ('model', 'local')]"] == 3
    assert figures["fte_slots_used"] == 0
    assert figures["fte_slots_total"] == harness.settings.concurrency


async def fail(_: str) -> str:
    raise RuntimeError("a bug")


async def time_out(_: str) -> str:
    raise TimeoutError


@pytest.mark.parametrize(("think", "kind"), [(fail, "bug"), (time_out, "transient")])
async def test_an_attempt_that_fails_is_counted_by_its_class(worker: MakeHarness, think: Think, kind: str) -> None:
    harness = await worker(think)
    await harness.accept("c", "hello")

    await harness.drain("c")

    figures = scraped(harness)
    assert figures[f"fte_attempts_failed_total[('class', '{kind}')]"] == 1
    assert figures[f"fte_turns_parked_total[('class', '{kind}')]"] == 1
    assert figures["fte_turn_wait_seconds_count"] == 0


async def test_a_message_that_is_given_up_is_counted_with_the_reason(worker: MakeHarness) -> None:
    harness = await worker(fail, attempts_max=1, backoff_seconds=0.01, backoff_seconds_max=0.01)
    await harness.accept("c", "hello")

    async def is_dead() -> bool:
        await harness.drain("c")
        return scraped(harness).get("fte_dead_letters_total[('reason', 'attempts')]") == 1

    await eventually(is_dead)
    figures = scraped(harness)
    assert figures["fte_turn_seconds_count[('outcome', 'dead')]"] == 1
    labels = [("category", "system_error"), ("tenant", harness.tenant)]
    assert figures[f"fte_escalations_total{labels}"] == 1


async def test_a_message_taken_up_from_a_worker_that_died_is_counted_once(worker: MakeHarness) -> None:
    harness = await worker(lease_seconds=0.3, renew_seconds=0.1)
    await harness.accept("c", "hello")
    await harness.mailbox.acquire(harness.key("c"))  # and never given back

    async def is_answered() -> bool:
        await harness.drain("c")
        return bool(await harness.replies())

    await eventually(is_answered)
    figures = scraped(harness)
    assert figures["fte_lease_takeovers_total"] == 1
    assert figures["fte_turn_wait_seconds_count"] == 0  # it was no first attempt


async def test_a_turn_that_a_takeover_made_void_is_counted_as_fenced(worker: MakeHarness) -> None:
    harness = await worker()

    async def interrupted(text: str) -> str:
        if not harness.model.asked[1:]:
            await harness.query("UPDATE conversation SET version = version + 1 RETURNING 1")
        return f"you said: {text}"

    harness.model._think = interrupted  # noqa: SLF001 - the worker must exist before its model can interfere
    await harness.accept("c", "hello")

    await harness.drain("c")

    figures = scraped(harness)
    assert figures["fte_turns_fenced_total"] == 1
    assert figures["fte_attempts_failed_total[('class', 'again')]"] == 1
    assert len(await harness.replies()) == 1
