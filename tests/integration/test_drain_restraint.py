"""Promises of a drain: silent after a takeover, private, and a stop that gives back; on real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from agents import Trace, TracingProcessor, set_trace_processors

from schema.ids import trace_id_of
from tests.integration.desk_scene import hand_back, take_over
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually
from worker.conversation.vault import Vault
from worker.guardrails import pii
from worker.guardrails.found import Found


async def test_after_a_takeover_the_bot_is_silent_until_handed_back(worker: MakeHarness) -> None:
    harness = await worker()
    await harness.accept("c", "one")
    await harness.drain("c")
    await take_over(harness)

    await harness.accept("c", "two")
    await harness.drain("c")
    assert len(await harness.replies()) == 1
    assert [event["name"] for event in await harness.events()] == ["conversation.taken_over", "message.forwarded"]

    await hand_back(harness)
    await harness.accept("c", "three")
    await harness.drain("c")
    assert [reply["text"] for reply in await harness.replies()] == ["you said: one", "you said: three"]


async def test_a_takeover_silences_the_turn_under_way(worker: MakeHarness) -> None:
    thinking, go_on = asyncio.Event(), asyncio.Event()

    async def think(text: str) -> str:
        thinking.set()
        await go_on.wait()
        return text

    harness = await worker(think)
    await harness.accept("c", "hello")
    under_way = asyncio.create_task(harness.drain("c"))
    await thinking.wait()

    await take_over(harness)
    go_on.set()
    await under_way

    assert await harness.replies() == []
    assert [row["outcome"] for row in await harness.query("SELECT outcome FROM turn")] == ["forwarded"]


async def test_a_card_number_stands_nowhere_outside_the_process(
    worker: MakeHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    async def think(text: str) -> str:
        raise RuntimeError(f"a bug that tells {text}")

    harness = await worker(think, attempts_max=1, backoff_seconds=0.001, backoff_seconds_max=0.002)
    secret = "4111 1111 1111 1111"
    await harness.accept("c", f"my card is {secret}, charge it")

    async def buried() -> bool:
        await harness.drain("c")
        return len(await harness.replies()) == 1

    await eventually(buried)
    assert len(harness.model.asked) == 1
    logs = capsys.readouterr()
    found = [*await _everything(harness), *harness.model.asked, logs.out, logs.err]
    for form in (secret, secret.replace(" ", "")):
        assert not [text for text in found if form in text]


class _Traces(TracingProcessor):
    """Collect the traces the SDK starts."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    def on_trace_start(self, trace: Trace) -> None:
        exported = trace.export() or {}
        self.seen.append((trace.trace_id, exported.get("group_id")))

    def on_trace_end(self, trace: Trace) -> None: ...

    def on_span_start(self, span: Any) -> None: ...

    def on_span_end(self, span: Any) -> None: ...

    def shutdown(self) -> None: ...

    def force_flush(self) -> None: ...


async def test_a_fault_that_quotes_a_private_value_is_logged_without_it(
    worker: MakeHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    async def think(_: str) -> str:
        raise LookupError("no booking QX7K2P of ada")

    bot = await worker(think, attempts_max=1)
    await bot.accept("c1", "My confirmation number is QX7K2P, please find my booking.")

    await bot.drain("c1")

    told = capsys.readouterr().err
    assert "no booking [private] of ada" in told
    assert "QX7K2P" not in told


async def test_every_turn_of_a_conversation_runs_under_one_trace(worker: MakeHarness) -> None:
    harness = await worker()
    traces = _Traces()
    set_trace_processors([traces])
    for conversation, text in (("c", "one"), ("c", "two"), ("other", "three")):
        await harness.accept(conversation, text)

    await harness.drain("c")
    await harness.drain("other")
    set_trace_processors([])

    own, other = trace_id_of(harness.key("c")), trace_id_of(harness.key("other"))
    assert traces.seen == [(own, "c"), (own, "c"), (other, "other")]
    assert [reply["trace_id"] for reply in await harness.replies()] == [own, own, other]


async def test_a_stopping_worker_gives_back_what_it_cannot_finish(worker: MakeHarness) -> None:
    thinking = asyncio.Event()

    async def think(_: str) -> str:
        thinking.set()
        await asyncio.Event().wait()
        return ""

    stopping, other = await worker(think, stop_seconds_max=0.01), await worker()
    await stopping.accept("c", "hello")
    under_way = asyncio.create_task(stopping.drain("c"))
    await thinking.wait()

    stopping.service.begin_stop()
    await under_way
    assert stopping.rung == [stopping.key("c")]
    await other.drain("c")

    assert [reply["text"] for reply in await other.replies()] == ["you said: hello"]
    assert [row["attempts"] for row in await other.query("SELECT attempts FROM turn")] == [1]


async def _everything(harness: Harness) -> list[str]:
    """Read every row of every table, and every key of Redis, as text."""
    found = []
    tables = await harness.query(
        "SELECT relname AS tablename FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND has_table_privilege(oid, 'SELECT')"
    )
    for table in tables:
        rows = await harness.query(f'SELECT t::text AS row FROM "{table["tablename"]}" t')  # noqa: S608 - own names
        found += [row["row"] for row in rows]
    redis = harness.service.servers.redis
    readers: dict[Any, Callable[[Any], Awaitable[Any]]] = {
        b"list": lambda name: redis.lrange(name, 0, -1),
        b"hash": redis.hgetall,
        b"stream": redis.xrange,
        b"zset": lambda name: redis.zrange(name, 0, -1),
        b"string": redis.get,
        b"set": redis.smembers,
    }
    async for name in redis.scan_iter():
        found.append(f"{name!r} {await readers[await redis.type(name)](name)!r}")
    return found


async def test_a_turn_whose_secrets_cannot_be_looked_for_asks_no_model_and_ends_as_a_dead_letter(
    worker: MakeHarness, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def break_down(text: str, _vault: Vault) -> list[Found]:
        raise RuntimeError(f"cannot look into {text!r}")

    harness = await worker(attempts_max=2, backoff_seconds=0.001, backoff_seconds_max=0.002)
    monkeypatch.setattr(pii, "find_secrets", break_down)
    secret = await harness.accept("c", "my card is 4111 1111 1111 1111")

    await harness.drain("c")
    assert await harness.waiting("c") == 1
    assert await harness.replies() == []

    async def given_up() -> bool:
        await harness.drain("c")
        return await harness.waiting("c") == 0

    await eventually(given_up)
    assert harness.model.asked == []
    letters = await harness.query("SELECT message_id, reason, payload FROM dead_letter")
    assert [letter["message_id"] for letter in letters] == [secret]
    assert "4111" not in letters[0]["reason"]
    assert "4111 1111" in harness.service.servers.sealer.open(letters[0]["payload"])
    assert [entry["category"] for entry in await harness.escalations()] == ["system_error"]
    assert "4111 1111" not in "".join(capfd.readouterr())
    monkeypatch.undo()
    await harness.accept("c", "and now?")
    await harness.drain("c")
    assert harness.model.asked == ["and now?"]


async def test_an_emergency_opens_an_urgent_ticket_also_while_a_human_owns_the_conversation(
    worker: MakeHarness,
) -> None:
    harness = await worker(emergency_answer_by_minutes=3)
    await harness.accept("c", "one")
    await harness.drain("c")
    await take_over(harness)

    await harness.accept("c", "my father is unconscious")
    await harness.drain("c")

    assert len(await harness.replies()) == 1
    (ticket,) = await harness.query("SELECT category, priority, answer_by - opened_at AS within FROM ticket")
    assert (ticket["category"], ticket["priority"]) == ("emergency", "urgent")
    assert ticket["within"].total_seconds() == pytest.approx(180, abs=30)
    assert [event["name"] for event in await harness.events()] == [
        "conversation.taken_over",
        "message.forwarded",
        "message.emergency",
    ]
