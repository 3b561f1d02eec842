"""Tools of turns that are run again, on real drains and a real journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents import FunctionTool, function_tool
from agents.testing import function_call
from agents.tool_context import ToolContext

from tests.waiting import eventually
from worker.conversation.context import TurnContext
from worker.conversation.effects import Effect
from worker.journal.tool_calls import ToolEntry, journaled

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness, MakeHarness

PHONE = "+14155550132"


class Desk:
    """Hold a model that calls one tool and then speaks of its answer, and the tool; both count."""

    def __init__(self) -> None:
        self.called = 0
        self.asked = 0
        self.fails_at: set[int] = set()

        @function_tool
        async def book(context: ToolContext[TurnContext]) -> str:
            """Book it."""
            turn = context.context
            self.called += 1
            turn.airline.seat_number = f"{self.called}A"
            turn.vault.keep("PHONE", PHONE)
            turn.effects.append(Effect("book", {"seat": turn.airline.seat_number}, "a seat"))
            return json.dumps({"ok": True, "seat": turn.airline.seat_number})

        self.tool: FunctionTool = journaled(book)

    async def think(self, _text: str) -> Any:
        self.asked += 1
        if self.asked in self.fails_at:
            raise TimeoutError("the provider is slow")
        if self.asked == 1:
            return [function_call("book", {}, call_id="c1")]
        return "Done! Have a good flight."


class Airline:
    """Take effects, each as many rows as the test says."""

    def __init__(self, *rows: int) -> None:
        self.rows = list(rows)
        self.applied: list[str] = []

    async def apply(self, _tenant: str, effect: Effect, _transaction: Any) -> int:
        touched = self.rows.pop(0)
        if touched:
            self.applied.append(effect.parameters["seat"])
        return touched


async def drained(harness: Harness, conversation: str) -> None:
    async def is_answered() -> bool:
        await harness.drain(conversation)
        return not await harness.waiting(conversation)

    await eventually(is_answered)


async def test_a_turn_that_is_run_again_calls_no_finished_tool_and_commits_what_it_staged_once(
    worker: MakeHarness,
) -> None:
    desk, airline = Desk(), Airline(1)
    desk.fails_at = {2}
    harness = await worker(desk.think, tools=[desk.tool], backend=airline, backoff_seconds=0.01)
    await harness.accept("c", "book a seat")

    await harness.drain("c")
    kept = await harness.query("SELECT tool, delta FROM tool_journal")
    await drained(harness, "c")

    assert [row["tool"] for row in kept] == ["book"]
    assert PHONE in harness.service.servers.sealer.open(kept[0]["delta"])
    assert (desk.called, airline.applied) == (1, ["1A"])
    turns = await harness.query("SELECT tool_calls, attempts FROM turn")
    assert [(call["tool"], call["call_id"], call["outcome"]) for call in turns[0]["tool_calls"]] == [
        ("book", "c1", "replayed")
    ]
    assert turns[0]["attempts"] == 2
    conversation = (await harness.query("SELECT context, vault FROM conversation"))[0]
    assert conversation["context"]["seat_number"] == "1A"
    assert PHONE in harness.service.servers.sealer.open(conversation["vault"])
    assert await harness.query("SELECT FROM tool_journal") == []


async def test_a_tool_looks_again_when_what_it_staged_is_no_longer_possible(worker: MakeHarness) -> None:
    desk, airline = Desk(), Airline(0, 1)
    harness = await worker(desk.think, tools=[desk.tool], backend=airline)
    await harness.accept("c", "book a seat")

    await drained(harness, "c")

    assert (desk.called, airline.applied) == (2, ["2A"])
    assert [reply["text"] for reply in await harness.replies()] == ["Done! Have a good flight."]


async def test_an_answered_message_gets_no_tool_results_of_a_worker_that_woke_late(worker: MakeHarness) -> None:
    desk = Desk()
    harness = await worker(desk.think, tools=[desk.tool], backend=Airline(1))
    message_id = await harness.accept("c", "book a seat")
    await drained(harness, "c")

    own = harness.service.servers.sealer.with_kept_key(None)
    await harness.service.drainer.turn.tools.record(
        harness.key("c"), message_id, "c9", ToolEntry("book", "h", "{}"), own
    )

    assert await harness.query("SELECT FROM tool_journal") == []
