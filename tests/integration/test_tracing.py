"""Promises of traces: one trace per conversation, nothing private in it, and nobody waits for it."""

from __future__ import annotations

from tests.integration.worker_harness import MakeHarness


async def test_a_turn_leaves_its_steps_as_spans_under_one_root(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "hello")

    await harness.drain("c")
    await harness.service.tracer.flush()

    spans = await harness.query("SELECT * FROM span ORDER BY started_at, span_id")
    [root] = [span for span in spans if span["kind"] == "turn"]
    kinds = {span["kind"] for span in spans}
    assert kinds == {"turn", "queue", "hydrate", "guard", "act", "agent", "model", "commit", "publish"}
    assert {span["turn_id"] for span in spans} == {root["span_id"]}
    assert root["attributes"]["outcome"] == "answered"
