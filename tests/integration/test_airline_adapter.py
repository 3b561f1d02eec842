"""An adapter of another reservation system: when a turn's commit asks it to make a change, and with which key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from agents import function_tool
from agents.testing import function_call
from agents.tool_context import ToolContext
from psycopg import errors

from tests.waiting import eventually
from worker.conversation.context import TurnContext
from worker.conversation.effects import Effect
from worker.journal.tool_calls import journaled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from runtime.database import Database, Transaction
    from runtime.sealing import Sealer
from tests.integration.desk_scene import take_over
from tests.integration.worker_harness import Harness, MakeHarness


@function_tool
async def book(context: ToolContext[TurnContext]) -> str:
    """Book it."""
    turn = context.context
    key = {"conversation_id": turn.key.conversation, "tool_call_id": context.tool_call_id}
    turn.effects.append(Effect("add_bags", {**key, "bags": 1}, "a bag"))
    return "booked"


class OtherSystem:
    """Stand in for a reservation system that no transaction of ours holds: what it did, it has done.

    After its first changes it fails as told.
    """

    def __init__(self, *fails: Exception) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self._fails = list(fails)

    async def apply(self, tenant: str, effect: Effect, transaction: Transaction) -> int:
        self.asked.append((tenant, effect.parameters["conversation_id"], effect.parameters["tool_call_id"]))
        if self._fails:
            raise self._fails.pop(0)
        return effect.rows

    @property
    def made(self) -> set[tuple[str, str, str]]:
        """Give the changes as such a system counts them: by their idempotency key."""
        return set(self.asked)


def book_once() -> Callable[[str], Awaitable[Any]]:
    """Think as a model that calls the tool and then says so; each of its calls has an id of its own."""
    asked = 0

    async def think(text: str) -> Any:
        nonlocal asked
        asked += 1
        return f"done: {text}" if asked % 2 == 0 else [function_call("book", {}, call_id=f"call_{asked}")]

    return think


async def answered(harness: Harness) -> bool:
    await harness.drain("c1")
    return bool(await harness.replies())


async def test_a_change_is_asked_for_once_with_its_key(worker: MakeHarness) -> None:
    system = OtherSystem()
    harness = await worker(book_once(), tools=[journaled(book)], backend=system)
    await harness.accept("c1", "a bag please")

    await harness.drain("c1")

    assert system.asked == [(harness.tenant, "c1", "call_1")]
    assert [reply["text"] for reply in await harness.replies()] == ["done: a bag please"]


async def test_a_commit_that_fails_afterwards_asks_again_with_the_same_key(worker: MakeHarness) -> None:
    system = OtherSystem(psycopg.OperationalError("the connection is gone"))
    harness = await worker(book_once(), tools=[journaled(book)], backend=system, backoff_seconds=0.01)
    await harness.accept("c1", "a bag please")

    await eventually(lambda: answered(harness))

    assert len(system.asked) == 2
    assert system.made == {(harness.tenant, "c1", "call_1")}
    assert len(await harness.replies()) == 1


async def test_a_change_that_a_takeover_made_void_is_never_asked_for(
    worker: MakeHarness, database: Database, sealer: Sealer
) -> None:
    system = OtherSystem()
    think = book_once()

    async def taken_over_meanwhile(text: str) -> Any:
        said = await think(text)
        if isinstance(said, str):
            await take_over(harness, "c1")
        return said

    harness = await worker(taken_over_meanwhile, tools=[journaled(book)], backend=system)
    await harness.accept("c1", "a bag please")

    await harness.drain("c1")

    assert system.asked == []
    assert await harness.replies() == []


async def test_a_deadlock_starts_the_turn_anew_at_once(worker: MakeHarness) -> None:
    system = OtherSystem(errors.DeadlockDetected("deadlock detected"))
    harness = await worker(book_once(), tools=[journaled(book)], backend=system, backoff_seconds=600)
    await harness.accept("c1", "a bag please")

    await harness.drain("c1")

    assert len(system.asked) == 2
    assert len(await harness.replies()) == 1
