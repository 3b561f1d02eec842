"""Promises of traces: one per conversation, whole after a crash, nothing private in it, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from agents import flush_traces, function_tool
from agents.testing import function_call
from agents.tool_context import ToolContext
from agents.tracing.processors import BackendSpanExporter
from pydantic import SecretStr

from ops.desk.trace import ConversationTrace, Step, UnknownTurn, read_trace
from runtime.database import Database
from schema.ids import trace_id_of
from schema.keys import mailbox_keys
from tests.integration.collector import Collector, attributes_of, running_collector
from tests.integration.desk_scene import take_over
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually
from worker.conversation.context import TurnContext
from worker.conversation.run_spans import configure_tracing
from worker.journal.tool_calls import journaled
from worker.outbound.trimming import Trimmer

SECRETS = ("4111 1111 1111 1111", "4111111111111111", "ada@example.com", "QX7K2P", "078-05-1120")
TOLD = f"card {SECRETS[0]} alias {SECRETS[1]}, {SECRETS[2]}, booking {SECRETS[3]}, {SECRETS[4]}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


async def traced(harness: Harness, *, turn: int | None = None) -> ConversationTrace:
    await harness.service.tracer.flush()
    found = await read_trace(harness.database, harness.key("c"), turn=turn)
    assert found is not None
    return found


def outline(steps: list[Step]) -> list[Any]:
    """Write steps as names and nested lists."""
    return [[step.kind, outline(step.steps)] if step.steps else step.kind for step in steps]


async def test_a_turn_is_traced_from_the_wait_to_the_publishing(worker: MakeHarness) -> None:
    @function_tool
    async def look_up() -> str:
        """Look something up."""
        return "found"

    async def think(_: str) -> Any:
        return [function_call("look_up", {}, call_id="c1")] if len(harness.model.asked) == 1 else "there you are"

    harness = await worker(think, tools=[look_up])
    await harness.accept("c", "hello")
    await harness.drain("c")

    trace = await traced(harness)

    [turn] = trace.turns
    [attempt] = turn.attempts
    acted = ["act", [["agent", ["model", "tool", "model"]], "guardrail"]]
    assert outline(attempt.steps) == ["queue", "hydrate", "guard", acted, "commit", "publish"]
    assert (turn.number, turn.outcome, attempt.number, attempt.state) == (1, "answered", 1, "done")
    assert (trace.totals.model_calls, trace.totals.tool_calls) == (2, 1)
    assert (trace.totals.input_tokens, trace.totals.output_tokens) == (6, 4)
    stored = await harness.query("SELECT timings FROM turn")
    steps = {f"{step.kind}_ms": step.milliseconds for step in attempt.steps}
    assert {name: pytest.approx(steps[name], rel=1e-3) for name in stored[0]["timings"] if name in steps} == {
        name: value for name, value in stored[0]["timings"].items() if name in steps
    }


async def test_a_resumed_turn_shows_what_was_cut_off_and_what_was_replayed(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await worker(), await worker()
    await first.accept("c", "hello")
    answered, buried = asyncio.Event(), asyncio.Event()

    async def freeze(*_: Any, **__: Any) -> None:
        answered.set()
        await buried.wait()

    monkeypatch.setattr(first.service.drainer.turn.committer, "commit", freeze)
    dying = asyncio.create_task(first.drain("c"))
    await answered.wait()
    under_way = (await traced(first)).turns[0].attempts[0].state
    await first.service.servers.redis.delete(mailbox_keys(first.key("c"), first.settings.partitions).lease)

    await second.drain("c")

    trace = await traced(second)
    dying.cancel()
    buried.set()
    with pytest.raises(asyncio.CancelledError):
        await dying
    cut_off, resumed = trace.turns[0].attempts
    assert under_way == "unfinished"
    assert (cut_off.state, resumed.state, resumed.attributes["resumed_steps"]) == ("cut off", "done", 1)
    assert (trace.totals.model_calls, trace.totals.replayed_calls) == (1, 1)


async def test_a_failed_attempt_and_the_tool_it_had_called_stand_in_the_trace(worker: MakeHarness) -> None:
    @function_tool
    async def look_up(context: ToolContext[TurnContext]) -> str:
        """Look something up."""
        return "found"

    async def think(_: str) -> Any:
        if len(harness.model.asked) == 1:
            return [function_call("look_up", {}, call_id="c1")]
        if len(harness.model.asked) == 2:
            raise TimeoutError("the provider is slow")
        return "there you are"

    harness = await worker(think, tools=[journaled(look_up)], backoff_seconds=0.001)
    await harness.accept("c", "hello")

    async def answered() -> bool:
        await harness.drain("c")
        return len(await harness.replies()) == 1

    await eventually(answered)

    trace = await traced(harness)
    failed, done = trace.turns[0].attempts
    assert (failed.number, failed.state, failed.error) == (1, "failed", "TimeoutError")
    assert (done.number, done.state, done.attributes["resumed_steps"]) == (2, "done", 2)
    [tool] = [step for act in done.steps for agent in act.steps for step in agent.steps if step.kind == "tool"]
    assert (tool.name, tool.attributes["outcome"]) == ("look_up", "replayed")
    assert (trace.totals.tool_calls, trace.totals.replayed_calls) == (1, 2)


async def test_a_turn_whose_spans_are_missing_is_told_from_its_record(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "hello")
    await harness.drain("c")
    await harness.service.tracer.flush()
    await harness.query("DELETE FROM span RETURNING 1 AS gone")

    [attempt] = (await traced(harness)).turns[0].attempts

    assert attempt.state == "recorded"
    assert outline(attempt.steps) == ["queue", "hydrate", "guard", ["act", ["model"]]]


async def test_a_message_that_waits_and_a_takeover_have_their_place(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    await take_over(harness)
    await harness.accept("c", "two")

    trace = await traced(harness)
    only = await traced(harness, turn=1)

    assert [(turn.position, turn.number, turn.state) for turn in trace.turns] == [
        (1, 1, "answered"),
        (2, None, "accepted"),
    ]
    assert [event.name for event in trace.events] == ["conversation.taken_over"]
    assert [turn.number for turn in only.turns] == [1]
    with pytest.raises(UnknownTurn, match="no turn 7; there are 1 to 1"):
        await traced(harness, turn=7)


async def test_no_secret_of_a_tools_or_a_models_error_reaches_a_span(worker: MakeHarness, collector: Collector) -> None:
    @function_tool
    async def soft(reason: str) -> str:
        """Fail, so that the model hears of it."""
        raise ValueError(TOLD)

    @function_tool(failure_error_function=None)
    async def hard(reason: str) -> str:
        """Fail, so that the turn does."""
        raise ValueError(TOLD)

    called = [
        function_call("soft", {"reason": TOLD}, call_id="c1"),
        function_call(SECRETS[3], {"x": TOLD}, call_id="c2"),  # no such tool
    ]
    script: list[Any] = [called, RuntimeError(f"the model says {TOLD}"), TOLD]

    async def think(text: str) -> Any:
        step = [function_call("hard", {"reason": TOLD}, call_id="c3")] if "hard" in text else script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    harness = await worker(
        think, tools=[soft, hard], otlp_endpoint=collector.url, attempts_max=2, backoff_seconds=0.001
    )
    await harness.accept("c", f"my data: {TOLD}")
    await harness.accept("d", f"a hard one: {TOLD}")

    async def done() -> bool:
        await harness.drain("c")
        await harness.drain("d")
        return len(await harness.replies()) == 2

    await eventually(done)
    await harness.close()

    rows = await Rows(harness.settings, harness.tenant).read()
    assert {"turn", "model", "tool", "agent"} <= {row["kind"] for row in rows}
    assert {"RuntimeError", "UserError", "tool_failed"} <= {row["error"] for row in rows}
    assert len(collector.spans()) == len(rows)
    for secret in SECRETS:
        assert secret not in str(rows)
        assert secret not in collector.payloads()


class Rows:
    """Read a tenant's spans, by a connection of its own."""

    def __init__(self, settings: Any, tenant: str) -> None:
        self.database, self.tenant = Database(settings), tenant

    async def read(self) -> list[dict[str, Any]]:
        await self.database.open()
        async with self.database.transaction(self.tenant) as transaction:
            rows = await (await transaction.connection.execute("SELECT * FROM span")).fetchall()
        await self.database.close()
        return rows


async def test_spans_go_out_by_otlp_under_the_conversations_trace(worker: MakeHarness, collector: Collector) -> None:
    harness = await worker(otlp_endpoint=collector.url + "/")
    for text in ("one", "two"):
        await harness.accept("c", text)
    await harness.drain("c")
    await harness.close()

    spans = {span.span_id.hex(): span for span in collector.spans()}
    rows = {row["span_id"]: row for row in await Rows(harness.settings, harness.tenant).read()}
    assert set(collector.paths) == {"/v1/traces"}
    assert {span.trace_id.hex() for span in spans.values()} == {trace_id_of(harness.key("c")).removeprefix("trace_")}
    assert {id_: span.parent_span_id.hex() or None for id_, span in spans.items()} == {
        id_: row["parent_id"] for id_, row in rows.items()
    }
    [model, _] = [span for span in spans.values() if span.name.startswith("chat")]
    assert attributes_of(model)["gen_ai.operation.name"] == "chat"
    assert attributes_of(model)["gen_ai.usage.input_tokens"] == 3
    assert attributes_of(model)["gen_ai.conversation.id"] == "c"
    agents = [span.name for span in spans.values() if attributes_of(span)["fte.kind"] == "agent"]
    assert agents == ["invoke_agent Triage Agent"] * 2
    for id_, span in spans.items():
        assert (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6 == pytest.approx(
            rows[id_]["milliseconds"], abs=0.01
        )


@pytest.mark.parametrize("trouble", ["refuses", "hangs", "is away"])
async def test_a_collector_in_trouble_holds_nothing_up_and_what_it_missed_is_counted(
    worker: MakeHarness, collector: Collector, capsys: pytest.CaptureFixture[str], trouble: str
) -> None:
    collector.answers = 400 if trouble == "refuses" else 200
    if trouble == "hangs":
        collector.holds.clear()
    harness = await worker(otlp_endpoint="http://127.0.0.1:9" if trouble == "is away" else collector.url)
    await harness.accept("c", "hello")

    await asyncio.wait_for(harness.drain("c"), 5)
    assert len((await traced(harness)).turns[0].attempts) == 1
    await asyncio.wait_for(harness.close(), 10)

    rows = await Rows(harness.settings, harness.tenant).read()
    told = [line for line in capsys.readouterr().err.splitlines() if "spans.dropped" in line]
    assert len(told) == 1
    assert f'"where":"otlp","spans":{len(rows)}' in told[0]


async def test_traces_that_are_off_leave_no_span(worker: MakeHarness) -> None:
    harness = await worker(trace=False)
    await harness.accept("c", "hello")

    await harness.drain("c")

    assert [attempt.state for attempt in (await traced(harness)).turns[0].attempts] == ["recorded"]


async def test_old_spans_are_removed_and_young_ones_stay(worker: MakeHarness) -> None:
    harness = await worker(spans_days=14)
    await harness.accept("c", "hello")
    await harness.drain("c")
    await harness.service.tracer.flush()
    await harness.query(
        "UPDATE span SET started_at = %s WHERE kind IN ('queue', 'act') RETURNING 1 AS aged",
        datetime.now(UTC) - timedelta(days=14, minutes=1),
    )
    before = {row["kind"] for row in await harness.query("SELECT kind FROM span")}

    trimmer: Trimmer = harness.service.rescue.trimmer
    removed = await trimmer.trim_spans()

    after = {row["kind"] for row in await harness.query("SELECT kind FROM span")}
    assert before - after == {"queue", "act"}
    assert removed >= 2  # of every tenant: other tests leave old ones


async def test_the_sdks_own_exporter_runs_only_when_asked_for(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []

    def keep(_: BackendSpanExporter, items: list[Any], *__: Any, **___: Any) -> None:
        sent.extend(items)

    monkeypatch.setattr(BackendSpanExporter, "_export_with_deadline", keep)
    monkeypatch.setattr(BackendSpanExporter, "export", keep)
    harness = await worker()
    await harness.accept("c", "hello")
    await harness.drain("c")
    flush_traces()
    unasked = list(sent)

    asked = harness.settings.model_copy(update={"openai_traces": True, "openai_api_key": SecretStr("sk-made-up")})
    configure_tracing(asked)
    await harness.accept("c", "again")
    await harness.drain("c")
    flush_traces()
    configure_tracing(harness.settings)

    assert unasked == []
    assert {item.trace_id for item in sent} == {trace_id_of(harness.key("c"))}
