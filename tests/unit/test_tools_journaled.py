"""A turn that is run again ends as its first attempt would have, and calls no tool twice."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from agents import FunctionTool, UserError, function_tool
from agents.tool_context import ToolContext

from tests.unit.airline_stand_ins import NOW, PLACEHOLDER, make_turn
from worker.conversation.context import EscalationRequest, Quote, TurnContext, call_human
from worker.conversation.effects import Effect
from worker.journal.tool_calls import RESULT_SECONDS_MAX, ToolEntry, ToolJournal, journaled
from worker.tools.airline_tool import airline_tool

EFFECT = Effect("move_to_seat", {"reservation_id": 1, "version": 4, "details": {"to_seat": "12A"}}, "seat 12A")


class Work:
    """Hold a tool that does everything a tool may do, and count how often it does."""

    def __init__(self) -> None:
        self.calls: list[str] = []

        @airline_tool
        async def work(context: ToolContext[TurnContext], seat: str) -> str:
            """Do it all."""
            turn = context.context
            self.calls.append(seat)
            turn.airline.seat_number = seat
            turn.airline.lookups_failed += 1
            turn.vault.keep("PHONE", "+14155550132")
            turn.effects.append(EFFECT)
            call_human(turn, EscalationRequest("customer_request", "why", "what"))
            turn.airline.quote = Quote(
                quote_id="q1", kind="k", details={}, price_usd=5, made_in_turn=1, expires_at=turn.now
            )
            return json.dumps({"ok": True, "seat": seat})

        self.tool = work


def a_turn(recorded: dict[str, ToolEntry] | None = None, *, model_calls: int = 1) -> tuple[TurnContext, dict[str, Any]]:
    """Give a turn and what it records, with what an earlier attempt has."""
    written: dict[str, ToolEntry] = {}

    async def record(call_id: str, entry: ToolEntry) -> None:
        written[call_id] = entry

    turn = make_turn()
    turn.tools = ToolJournal(recorded or {}, record, [None] * model_calls)
    return turn, written


async def ask(tool: FunctionTool, turn: TurnContext, call_id: str = "c1", **arguments: Any) -> str:
    text = json.dumps(arguments)
    context = ToolContext(turn, tool_name=tool.name, tool_call_id=call_id, tool_arguments=text)
    answer = await tool.on_invoke_tool(context, text)
    assert isinstance(answer, str)
    return answer


def outcomes(turn: TurnContext) -> list[tuple[str, str]]:
    assert isinstance(turn.tools, ToolJournal)
    return [(call.call_id, call.outcome) for call in turn.tools.every_call]


def remembered(turn: TurnContext) -> dict[str, Any]:
    """Give all that a commit would write of a turn."""
    return {
        "airline": turn.airline.model_dump(),
        "vault": turn.vault.entries,
        "effects": turn.effects,
        "escalation": turn.escalation,
    }


async def test_a_replayed_call_changes_the_turn_as_the_first_did_and_is_not_made() -> None:
    work = Work()
    tool = journaled(work.tool)
    first, written = a_turn()
    answer = await ask(tool, first, seat="12A")

    second, rewritten = a_turn(written)
    again = await ask(tool, second, seat="12A")

    assert again == answer
    assert remembered(second) == remembered(first)
    assert (second.airline.seat_number, second.effects) == ("12A", [EFFECT])
    assert work.calls == ["12A"]
    assert rewritten == {}
    assert (outcomes(first), outcomes(second)) == ([("c1", "called")], [("c1", "replayed")])


async def test_what_a_call_did_before_it_is_no_part_of_it() -> None:
    work = Work()
    first, written = a_turn()
    first.effects.append(EFFECT)
    first.vault.keep("EMAIL", "ada@example.com")
    await ask(journaled(work.tool), first, seat="12A")

    delta = json.loads(written["c1"].delta)

    assert len(delta["effects"]) == 1
    assert list(delta["vault"]) == ["[PHONE_1]"]
    assert set(delta["airline"]) == {"seat_number", "lookups_failed", "quote", "escalation_reason", "ticket_id"}


@pytest.mark.parametrize(
    "change",
    [
        lambda turn: setattr(turn, "text", "another message"),
        lambda turn: setattr(turn.airline, "verified", True),
        lambda turn: turn.vault.keep("EMAIL", "ada@example.com"),
        lambda turn: turn.effects.append(EFFECT),
        lambda turn: setattr(turn, "escalation", EscalationRequest("customer_request", "a", "b")),
    ],
    ids=["text", "facts", "vault", "effects", "escalation"],
)
async def test_a_call_on_another_state_of_the_turn_is_made_again(change: Any) -> None:
    work = Work()
    tool = journaled(work.tool)
    first, written = a_turn()
    await ask(tool, first, seat="12A")
    second, rewritten = a_turn(written)
    change(second)

    await ask(tool, second, seat="12A")

    assert work.calls == ["12A", "12A"]
    assert rewritten["c1"].input_hash != written["c1"].input_hash
    assert outcomes(second) == [("c1", "called_again")]


async def test_other_arguments_or_an_old_result_are_no_replay() -> None:
    work = Work()
    tool = journaled(work.tool)
    first, written = a_turn()
    await ask(tool, first, seat="12A")

    other, _ = a_turn(written)
    await ask(tool, other, seat="14C")
    late, _ = a_turn({"c1": replace(written["c1"], age_seconds=RESULT_SECONDS_MAX)})
    await ask(tool, late, seat="12A")

    assert work.calls == ["12A", "14C", "12A"]
    assert outcomes(late) == [("c1", "called_again")]


async def test_a_later_time_is_no_other_input() -> None:
    work = Work()
    tool = journaled(work.tool)
    first, written = a_turn()
    await ask(tool, first, seat="12A")
    second, _ = a_turn(written)
    second.now = NOW.replace(year=NOW.year + 1)

    await ask(tool, second, seat="12A")

    assert work.calls == ["12A"]


async def test_results_that_nobody_asks_for_again_are_accounted_for() -> None:
    work = Work()
    tool = journaled(work.tool)
    first, written = a_turn()
    await ask(tool, first, "c1", seat="12A")
    second, _ = a_turn(written)

    await ask(tool, second, "c2", seat="14C")

    assert outcomes(second) == [("c2", "called"), ("c1", "thrown_away")]


async def test_a_tool_that_does_not_look_at_the_turn_is_replayed_whatever_has_changed() -> None:
    work = Work()
    tool = journaled(work.tool, looks_at_turn=False)
    first, written = a_turn()
    await ask(tool, first, seat="12A")
    second, _ = a_turn(written)
    second.airline.verified = True

    await ask(tool, second, seat="12A")

    assert work.calls == ["12A"]
    assert outcomes(second) == [("c1", "replayed")]


async def test_tools_of_one_response_run_one_after_the_other_and_replay_in_any_order() -> None:
    at_work = most = 0

    @function_tool
    async def count(context: ToolContext[TurnContext], name: str) -> str:
        """Count with a pause in the middle, where another tool could come between."""
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        seen = context.context.airline.lookups_failed
        await asyncio.sleep(0)
        context.context.airline.lookups_failed = seen + 1
        at_work -= 1
        return name

    tool = journaled(count)
    first, written = a_turn()
    await asyncio.gather(ask(tool, first, "c1", name="a"), ask(tool, first, "c2", name="b"))
    second, _ = a_turn(written)
    await asyncio.gather(ask(tool, second, "c2", name="b"), ask(tool, second, "c1", name="a"))

    assert most == 1
    assert first.airline.lookups_failed == 2
    assert {outcome for _, outcome in outcomes(second)} == {"replayed"}


async def test_a_call_of_a_later_step_depends_on_what_was_done_before_it() -> None:
    work = Work()
    tool = journaled(work.tool)
    first, written = a_turn(model_calls=1)
    assert isinstance(first.tools, ToolJournal)
    await ask(tool, first, "c1", seat="12A")
    first.tools.model_calls = [None, None]
    await ask(tool, first, "c2", seat="14C")
    second, _ = a_turn({"c2": written["c2"]}, model_calls=2)

    await ask(tool, second, "c2", seat="14C")

    assert outcomes(second) == [("c2", "called_again")]


async def test_a_tool_that_fails_leaves_no_result() -> None:
    @function_tool(failure_error_function=None)
    async def fail(context: ToolContext[TurnContext]) -> str:
        """Fail."""
        raise ConnectionError("away")

    turn, written = a_turn()

    with pytest.raises((UserError, ConnectionError)):
        await ask(journaled(fail), turn)

    assert written == {}
    assert outcomes(turn) == []


async def test_bad_arguments_are_explained_by_the_tool_itself() -> None:
    work = Work()
    turn, written = a_turn()

    answer = await ask(journaled(work.tool), turn, seat=None)

    assert json.loads(answer)["refusal"] == "bad_arguments"
    assert work.calls == []
    assert list(written) == ["c1"]


async def test_parameters_that_json_would_change_are_changed_at_once() -> None:
    @function_tool
    async def stage(context: ToolContext[TurnContext]) -> str:
        """Stage something with a date."""
        context.context.effects.append(Effect("q", {"day": NOW.date()}, "w"))
        return PLACEHOLDER

    turn, _ = a_turn()

    await ask(journaled(stage), turn)

    assert turn.effects[0].parameters == {"day": NOW.date().isoformat()}


async def test_without_a_journal_a_tool_is_just_called() -> None:
    work = Work()
    turn = make_turn()

    await ask(journaled(work.tool), turn, seat="12A")

    assert work.calls == ["12A"]
    assert turn.effects == [EFFECT]
