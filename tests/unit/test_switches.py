"""What is switched off: how operators name it, for whom it is off, and what models and their calls meet then."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from agents import FunctionTool, RunContextWrapper
from agents.testing import ScriptedModel, assistant_message, function_call
from agents.tool_context import ToolContext

from ops.desk.switches import UnknownName, check_known
from runtime.database import EVERY_TENANT
from runtime.switches import Switch, Switches
from schema.switches import InvalidTarget, SwitchTarget, parse_target
from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import TENANT, make_turn, make_verified_turn
from worker.conversation.context import TurnContext
from worker.conversation.out_of_service import switch_name_of
from worker.domains.airline.agents.graph import build_graph, switchable_names
from worker.domains.airline.local.model import LocalModel
from worker.journal.tool_calls import ToolEntry, ToolJournal, journaled
from worker.tools.airline_tool import airline_tool
from worker.tools.switching import switchable

SINCE = datetime(2026, 1, 31, 12, tzinfo=UTC)


def off(*named: str, tenant: str = TENANT) -> Switches:
    switches = Switches()
    switches.take([Switch(tenant, *parse_target(name), "ada", "it answers nonsense", SINCE, None) for name in named])
    return switches


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("tool:confirm_quote", ("tool", "confirm_quote")),
        ("agent:booking", ("agent", "booking")),
        ("channel:sms", ("channel", "sms")),
        ("tenant:acme", ("tenant", "acme")),
        ("provider:openai", ("provider", "openai")),
        ("provider:openai-chat:gpt-5:mini", ("provider", "openai-chat:gpt-5:mini")),
    ],
)
def test_what_is_switched_is_named_by_kind_and_name(text: str, target: tuple[str, str]) -> None:
    assert parse_target(text) == target
    assert str(parse_target(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "tool", "tool:", "tools:confirm_quote", "turns:*", "channel:fax", "provider:acme", "provider:local", "tool: x",
     "tool:a\nb", "agent:" + "a" * 101],
)  # fmt: skip
def test_what_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidTarget):
        parse_target(text)


def test_a_misspelt_tool_is_refused_with_those_that_there_are() -> None:
    known = switchable_names()

    check_known(SwitchTarget("tool", "confirm_quote"), known["tool"])
    check_known(SwitchTarget("agent", "faq"), known["agent"])
    with pytest.raises(UnknownName, match="confirm_quote"):
        check_known(SwitchTarget("tool", "confirm_qoute"), known["tool"])
    assert known["agent"] == {"triage", "faq", "booking", "escalation"}


def test_every_agent_is_switched_by_the_name_in_its_handoff() -> None:
    graph = build_graph()
    handoffs = {handoff.tool_name for agent in graph.by_name.values() for handoff in agent.handoffs}  # type: ignore[union-attr]

    assert handoffs == {f"transfer_to_{switch_name_of(name)}_agent" for name in graph.by_name}


def test_a_switch_of_one_tenant_is_nothing_to_another_and_one_of_all_is_everybodys() -> None:
    own, everyones = off("tool:confirm_quote"), off("tool:confirm_quote", tenant=EVERY_TENANT)

    assert own.find("tool", TENANT, "confirm_quote") is not None
    assert own.find("tool", "other", "confirm_quote") is None
    assert own.find("agent", TENANT, "confirm_quote") is None
    assert everyones.find("tool", "other", "confirm_quote") is not None
    assert own.names_off("tool", TENANT) == everyones.names_off("tool", "other") == ["confirm_quote"]
    assert own.names_off("tool", "other") == []
    assert own.find("tool", EVERY_TENANT, "confirm_quote") is None


async def test_what_is_off_is_not_offered_and_a_tool_to_call_a_person_is() -> None:
    turn = make_verified_turn()
    graph = build_graph()
    turn.switches = off("tool:confirm_quote", "agent:booking")

    tools = {tool.name for tool in await graph.triage.get_all_tools(RunContextWrapper(turn))}
    offered = [
        handoff.tool_name  # type: ignore[union-attr]
        for handoff in graph.triage.handoffs
        if await handoff.is_enabled(RunContextWrapper(turn), graph.triage)  # type: ignore[operator, misc, union-attr]
    ]

    assert tools == {"faq_lookup", "quote_seat_change", "escalate_to_human"}
    assert offered == ["transfer_to_faq_agent", "transfer_to_escalation_agent"]


class Bell:
    """A tool that counts its calls."""

    def __init__(self) -> None:
        self.rung = 0

        @airline_tool
        async def ring(context: ToolContext[TurnContext]) -> str:
            """Ring."""
            self.rung += 1
            return json.dumps({"ok": True})

        self.tool = ring


async def call(tool: FunctionTool, turn: TurnContext) -> dict[str, Any]:
    context = ToolContext(turn, tool_name=tool.name, tool_call_id="c1", tool_arguments="{}")
    answer: dict[str, Any] = json.loads(await tool.on_invoke_tool(context, "{}"))
    return answer


async def test_a_call_of_a_tool_that_was_switched_off_since_it_was_offered_is_refused() -> None:
    bell, turn = Bell(), make_turn()
    tool = switchable(bell.tool)

    before = await call(tool, turn)
    turn.switches = off("tool:ring")
    answer = await call(tool, turn)

    assert before == {"ok": True}
    assert bell.rung == 1
    assert (answer["ok"], answer["refusal"]) == (False, "out_of_service")
    assert "escalate_to_human" in answer["instead"]
    assert turn.wanted == "ring"


async def test_what_a_tool_answered_before_it_was_switched_off_is_not_replayed() -> None:
    bell, first, second = Bell(), make_turn(), make_turn()
    written: dict[str, ToolEntry] = {}

    async def record(call_id: str, entry: ToolEntry) -> None:
        written[call_id] = entry

    tool = switchable(journaled(bell.tool))
    first.tools = ToolJournal({}, record, [None])
    await call(tool, first)
    second.tools = ToolJournal(written, record, [None])
    second.switches = off("tool:ring")

    answer = await call(tool, second)

    assert list(written) == ["c1"]
    assert answer["refusal"] == "out_of_service"


async def test_a_model_that_calls_what_is_off_and_opens_no_ticket_still_brings_in_a_person() -> None:
    model = ScriptedModel(
        [
            [function_call("confirm_quote", {"quote_id": "q1"}, call_id="c1")],
            [assistant_message("I am sorry, I cannot do this here at the moment.")],
        ]
    )
    talk = Talk(model, switches=off("tool:confirm_quote"))

    answer = await talk.say("Yes, please.")

    assert answer.outcome == "escalated"
    assert answer.escalation is not None
    assert answer.escalation.reason == "confirm_quote is switched off"
    assert "Your ticket number is" in str(answer.reply)
    model.assert_complete()


@pytest.mark.parametrize("called", ["transfer_to_booking_agent", "transfer_to_nowhere_agent"])
async def test_a_handoff_to_an_agent_that_is_off_is_answered_and_a_made_up_one_is_not_taken_for_it(called: str) -> None:
    model = ScriptedModel(
        [[function_call(called, {}, call_id="c1")], [assistant_message("What can I do for you today?")]]
    )
    talk = Talk(model, switches=off("agent:booking"))

    answer = await talk.say("Hello there")

    assert (answer.outcome == "escalated") is (called == "transfer_to_booking_agent")


async def test_agents_are_told_what_is_out_of_service_and_only_then() -> None:
    told = []
    for switches in (off("tool:confirm_quote"), off("tool:confirm_quote", tenant="other")):
        model = ScriptedModel([[assistant_message("What can I do for you today?")]])
        await Talk(model, switches=switches).say("Hello there")
        told.append(str(model.calls[0].system_instructions))

    assert "## Out of service\nconfirm_quote" in told[0]
    assert "Out of service" not in told[1]
    assert "out_of_service" not in told[1]


@pytest.mark.parametrize("named", ["agent:booking", "agent:escalation", "agent:triage", "tool:escalate_to_human"])
async def test_the_local_model_hands_to_a_person_whatever_of_the_way_there_is_off(named: str) -> None:
    talk = Talk(LocalModel(), switches=off(named))

    answer = await talk.say("I want to talk to a human" if named != "agent:booking" else "Change my seat to 12A please")

    assert answer.outcome == "escalated"
    assert answer.escalation is not None
    assert "ticket" in str(answer.reply).lower()
