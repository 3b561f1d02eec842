"""What a worker of the next release left in PostgreSQL for one of this release: read, or done anew, never a failure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from agents import FunctionTool
from agents.testing import ScriptedModel, assistant_message
from agents.tool_context import ToolContext

from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import NOW, call, make_turn
from worker.conversation.context import AirlineAgentContext, Quote, TurnContext
from worker.domains.airline.tools.quotes import confirm_quote
from worker.journal.tool_calls import ToolEntry, ToolJournal, journaled
from worker.tools.airline_tool import airline_tool

QUOTE = Quote(
    quote_id="q_1",
    kind="seat_change",
    details={"request": {}, "relied_on": {}},
    price_usd=5,
    made_in_turn=1,
    expires_at=NOW,
)


def counting_tool() -> tuple[FunctionTool, list[str]]:
    """Give a tool that notes a seat, and the seats of its calls."""
    calls: list[str] = []

    @airline_tool
    async def note_seat(context: ToolContext[TurnContext], seat: str) -> str:
        """Note a seat."""
        calls.append(seat)
        context.context.airline.seat_number = seat
        return json.dumps({"seat": seat})

    return journaled(note_seat), calls


async def ask(tool: FunctionTool, recorded: dict[str, ToolEntry]) -> tuple[TurnContext, dict[str, ToolEntry]]:
    """Call the tool in a turn that is run again with these records; gives the turn and what it recorded."""
    written: dict[str, ToolEntry] = {}

    async def record(call_id: str, entry: ToolEntry) -> None:
        written[call_id] = entry

    turn = make_turn()
    turn.tools = ToolJournal(recorded, record, [None])
    text = json.dumps({"seat": "12A"})
    await tool.on_invoke_tool(ToolContext(turn, tool_name=tool.name, tool_call_id="c1", tool_arguments=text), text)
    return turn, written


@pytest.mark.parametrize(
    "more",
    [{"loyalty": "gold"}, {"airline": {"loyalty": "gold"}}, {"airline": {"issue_type": "a word of the next release"}}],
    ids=["a-kind-of-change", "a-fact", "a-word"],
)
async def test_a_tools_result_that_says_more_than_this_release_knows_is_called_for_anew(more: dict[str, Any]) -> None:
    tool, calls = counting_tool()
    _, written = await ask(tool, {})
    newer = replace(written["c1"], delta=json.dumps({**json.loads(written["c1"].delta), **more}))

    turn, rewritten = await ask(tool, {"c1": newer})

    assert isinstance(turn.tools, ToolJournal)
    assert [made.outcome for made in turn.tools.every_call] == ["called_again"]
    assert calls == ["12A", "12A"]
    assert turn.airline.seat_number == "12A"
    assert rewritten["c1"].delta == written["c1"].delta


async def test_a_models_answer_that_this_release_cannot_read_is_asked_for_anew() -> None:
    first = Talk(ScriptedModel([[assistant_message("One carry-on.")]]))
    await first.say("hello there")
    [entry] = first.recorded.values()
    unreadable = replace(entry, response=json.dumps({"answer": "in the shape of the next release"}))

    resumed = Talk(ScriptedModel([[assistant_message("Two carry-ons.")]]))
    answer = await resumed.say("hello there", recorded={0: unreadable})

    assert answer.reply == "Two carry-ons."
    assert resumed.journal is not None
    assert [made.replayed for made in resumed.journal.calls] == [False]


def test_what_is_known_in_a_conversation_is_read_without_what_only_the_next_release_knows() -> None:
    written = AirlineAgentContext(seat_number="12A", quote=QUOTE).model_dump(mode="json")
    written["loyalty"] = "gold"
    written["quote"]["held_until"] = "2026-11-01"

    assert AirlineAgentContext.model_validate(written) == AirlineAgentContext(seat_number="12A", quote=QUOTE)


async def test_a_quote_of_a_kind_that_only_the_next_release_knows_is_no_longer_open() -> None:
    turn = make_turn()
    turn.airline.turn_count = 2
    turn.airline.quote = QUOTE.model_copy(update={"kind": "upgrade"})

    assert (await call(confirm_quote, turn, quote_id="q_1"))["refusal"] == "no_such_quote"
