"""The agents, their handoffs and hooks, played through the SDK's runner with a scripted model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from agents import RunConfig, RunContextWrapper, Runner
from agents.testing import ScriptedModel, assistant_message, function_call

from tests.unit.airline_stand_ins import (
    NUMBER,
    PLACEHOLDER,
    MemoryAirline,
    MemoryKnowledge,
    make_turn,
    make_verified_turn,
    next_turn,
)
from worker.agents.hooks import TurnHooks
from worker.conversation.effects import Passage
from worker.conversation.vault import Vault
from worker.domains.airline.agents.facts import note_message
from worker.domains.airline.agents.graph import AgentGraph, build_graph
from worker.domains.airline.agents.instructions import write_known_facts

if TYPE_CHECKING:
    from agents import Agent, RunResult

    from worker.conversation.context import TurnContext

KNOWN_FACTS = (
    "passenger_name", "confirmation_number", "verified", "flight_number", "flight_date", "seat_number",
    "seat_preference", "issue_type", "ticket_id", "quote", "published",
    "agrees", "agrees_to_person", "turn_count", "sender_verified", "today", "weekday",
)  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> AgentGraph:
    return build_graph()


async def play(agent: Agent[TurnContext], turn: TurnContext, *script: Any) -> tuple[RunResult, ScriptedModel]:
    """Run one turn; each part of the script is one model call: a message, or (tool, arguments)."""
    steps = [
        [assistant_message(step)]
        if isinstance(step, str)
        else [function_call(step[0], step[1], call_id=f"call_{number}")]
        for number, step in enumerate(script)
    ]
    model = ScriptedModel(steps)
    result = await Runner.run(
        agent, turn.text, context=turn, hooks=TurnHooks(), run_config=RunConfig(model=model, tracing_disabled=True)
    )
    model.assert_complete()
    return result, model


def outputs(result: RunResult) -> list[dict[str, Any]]:
    return [json.loads(str(item.output)) for item in result.new_items if item.type == "tool_call_output_item"]


def test_agents_are_named_as_customers_engineers_know_them(graph: AgentGraph) -> None:
    names = [agent.name for agent in (graph.triage, graph.faq, graph.booking, graph.escalation)]

    assert names == ["Triage Agent", "FAQ Agent", "Booking Agent", "Escalation Agent"]


def test_agents_hand_off_as_the_airline_lays_down(graph: AgentGraph) -> None:
    handoffs = {
        agent.name: [getattr(handoff, "tool_name", None) for handoff in agent.handoffs]
        for agent in (graph.triage, graph.faq, graph.booking, graph.escalation)
    }

    assert handoffs == {
        "Triage Agent": ["transfer_to_faq_agent", "transfer_to_booking_agent", "transfer_to_escalation_agent"],
        "FAQ Agent": ["transfer_to_triage_agent"],
        "Booking Agent": ["transfer_to_triage_agent"],
        "Escalation Agent": [],
    }


async def test_agents_have_the_tools_of_their_part_and_no_others(graph: AgentGraph) -> None:
    tools = {
        agent.name: {tool.name for tool in await agent.get_all_tools(RunContextWrapper(make_verified_turn()))}
        for agent in (graph.triage, graph.faq, graph.booking, graph.escalation)
    }

    assert tools == {
        "Triage Agent": {"faq_lookup", "quote_seat_change", "confirm_quote"},
        "FAQ Agent": {"faq_lookup"},
        "Booking Agent": {
            "look_up_reservation",
            "find_my_reservations",
            "search_flights",
            "flight_status",
            "find_free_seats",
            "quote_seat_change",
            "quote_flight_change",
            "quote_cancellation",
            "quote_bags",
            "quote_passenger_correction",
            "quote_cabin_change",
            "quote_compensation",
            "confirm_quote",
            "faq_lookup",
        },
        "Escalation Agent": {"escalate_to_human", "faq_lookup"},
    }


@pytest.mark.parametrize(
    ("last", "start"),
    [
        (None, "Triage Agent"),
        ("Triage Agent", "Triage Agent"),
        ("FAQ Agent", "FAQ Agent"),
        ("Booking Agent", "Booking Agent"),
        ("Escalation Agent", "Triage Agent"),
        ("An Agent of Another Release", "Triage Agent"),
    ],
)
def test_a_conversation_goes_on_at_its_last_agent(graph: AgentGraph, last: str | None, start: str) -> None:
    assert graph.start(last).name == start


async def test_instructions_name_the_agent_first_and_the_known_facts_last(graph: AgentGraph) -> None:
    turn = make_verified_turn()
    for agent in (graph.triage, graph.faq, graph.booking, graph.escalation):
        _, model = await play(agent, turn, "Hello.")
        instructions = model.calls[0].system_instructions or ""

        assert instructions.startswith(f"You are the {agent.name} of Larkfield Air")
        block, _, line = instructions.rstrip("\n").rpartition("\n")
        assert block.endswith("\n## Known facts")
        known = json.loads(line)
        assert list(known) == [name for name in KNOWN_FACTS if name in known]
        assert known.keys() >= {"verified", "turn_count", "today"}
        assert None not in known.values()
        assert False not in [value for value in known.values() if isinstance(value, bool)]


def test_known_facts_are_one_line_and_hold_no_secret() -> None:
    turn = make_verified_turn()
    turn.airline.passenger_name = "Ada\nOkafor"

    line = write_known_facts(turn)

    assert "\n" not in line
    assert NUMBER not in line
    assert json.loads(line)["confirmation_number"] == PLACEHOLDER
    assert "quote" not in json.loads(line)


async def test_a_question_is_answered_by_the_faq_agent_with_its_source(graph: AgentGraph) -> None:
    knowledge = MemoryKnowledge(Passage("Baggage", "Overweight bags", "baggage", "Over 50 lbs costs $50.", 2.0))
    turn = replace(make_turn(text="my bag is heavy"), knowledge=knowledge)

    result, model = await play(
        graph.start(None),
        turn,
        ("transfer_to_faq_agent", {}),
        ("faq_lookup", {"question": "my bag is heavy"}),
        "Over 50 lbs it costs $50.",
    )

    assert result.last_agent.name == "FAQ Agent"
    assert turn.airline.issue_type == "faq"
    assert outputs(result)[-1]["results"][0]["section"] == "Overweight bags"
    assert (model.calls[1].system_instructions or "").startswith("You are the FAQ Agent")


async def test_a_seat_is_changed_over_two_turns_with_the_customers_yes(graph: AgentGraph) -> None:
    turn = make_turn(text=f"{PLACEHOLDER}, Okafor. I'd like a window seat")
    first, _ = await play(
        graph.start(None),
        turn,
        ("transfer_to_booking_agent", {"passenger_name": "Okafor", "confirmation_number": PLACEHOLDER}),
        ("look_up_reservation", {"confirmation_number": PLACEHOLDER, "surname": "Okafor"}),
        ("find_free_seats", {"preference": "window", "flight_number": None}),
        ("quote_seat_change", {"seat_number": "7A", "flight_number": None}),
        "7A is free at no extra charge. Shall I move you there?",
    )
    assert turn.effects == []
    quote = turn.airline.quote
    assert quote is not None

    turn = next_turn(turn, "yes please")
    second, model = await play(
        graph.start(first.last_agent.name), turn, ("confirm_quote", {"quote_id": quote.quote_id}), "Done: 7A."
    )

    assert json.loads((model.calls[0].system_instructions or "").rsplit("\n", 2)[-2])["quote"] == {
        "quote_id": quote.quote_id,
        "kind": "seat_change",
        "summary": "Move Ada Okafor from 14C to window seat 7A on flight LF118 on 2026-03-07 at no extra charge",
        "price_usd": 0,
        "was_just_offered": True,
        "said_yes": True,
    }
    assert outputs(second) == [
        {
            "ok": True,
            "kind": "seat_change",
            "summary": "Ada Okafor now has window seat 7A on flight LF118 on 2026-03-07 at no extra charge.",
            "seat_number": "7A",
            "flight_number": "LF118",
            "price_usd": 0,
        }
    ]
    assert [effect.parameters["to_seat"] for effect in turn.effects] == ["7A"]
    assert second.last_agent.name == "Booking Agent"


async def test_a_handoff_to_booking_without_facts_is_as_good(graph: AgentGraph) -> None:
    turn = make_turn(text=f"window seat on LF 118 please, {PLACEHOLDER}")

    await play(graph.triage, turn, ("transfer_to_booking_agent", {}), "What is your surname?")

    assert turn.airline.issue_type == "booking"
    assert turn.airline.confirmation_number == PLACEHOLDER
    assert turn.airline.flight_number == "LF118"
    assert turn.airline.seat_preference == "window"
    assert not turn.airline.verified


async def test_a_handoff_to_booking_brings_the_flight_on_file_of_a_verified_customer(graph: AgentGraph) -> None:
    turn = make_verified_turn(text="what seat do I have?")

    await play(graph.triage, turn, ("transfer_to_booking_agent", {}), "You have 14C.")

    assert (turn.airline.flight_number, turn.airline.flight_date) == ("LF118", "2026-03-07")
    assert turn.airline.seat_number == "14C"


async def test_a_handoff_to_booking_reads_no_booking_before_the_customer_is_verified(graph: AgentGraph) -> None:
    turn = make_turn(text=f"my seat, {PLACEHOLDER}")

    await play(graph.triage, turn, ("transfer_to_booking_agent", {}), "What is your surname?")

    assert isinstance(turn.backend, MemoryAirline)
    assert turn.backend.asked == []


async def test_an_escalation_ends_with_a_ticket(graph: AgentGraph) -> None:
    turn = make_turn(text="I want a person")
    request = {"category": "customer_request", "reason": "wants a person", "summary": "-", "priority": "normal"}

    result, _ = await play(
        graph.triage, turn, ("transfer_to_escalation_agent", {}), ("escalate_to_human", request), "A colleague follows."
    )

    assert turn.airline.issue_type == "escalation"
    assert turn.escalation is not None
    assert outputs(result)[-1]["ticket_id"] == turn.ticket_id
    assert graph.start(result.last_agent.name) is graph.triage


async def test_a_complaint_stays_one_when_it_is_escalated(graph: AgentGraph) -> None:
    turn = make_turn(text="this is a disgrace")
    turn.airline.issue_type = "complaint"

    await play(graph.triage, turn, ("transfer_to_escalation_agent", {}), "I am sorry.")

    assert turn.airline.issue_type == "complaint"


def test_stated_facts_need_a_number_of_this_conversation() -> None:
    turn = replace(make_turn(text="[CONFIRMATION_NUMBER_7] is mine"), vault=Vault())

    note_message(turn)

    assert turn.airline.confirmation_number is None


@pytest.mark.parametrize(
    ("text", "preference"),
    [
        ("a window seat please", "window"),
        ("not a window, an aisle seat", "aisle"),
        ("I don't want the middle", None),
        ("change me from aisle to window", "window"),
        ("windowless rooms", None),
    ],
)
def test_a_seat_preference_is_taken_down_when_it_is_wanted(text: str, preference: str | None) -> None:
    turn = make_turn(text=text)

    note_message(turn)

    assert turn.airline.seat_preference == preference


async def test_a_name_passed_on_does_not_replace_the_name_a_verified_booking_has(graph: AgentGraph) -> None:
    stated, verified = make_turn(), make_verified_turn()

    for turn in (stated, verified):
        await play(graph.triage, turn, ("transfer_to_booking_agent", {"passenger_name": " Eve Adams "}), "Hello.")

    assert stated.airline.passenger_name == "Eve Adams"
    assert verified.airline.passenger_name == "Ada Okafor"


async def test_another_number_in_a_message_ends_what_was_verified(graph: AgentGraph) -> None:
    turn = replace(
        make_verified_turn(text="and now [CONFIRMATION_NUMBER_2]: what seat is it?"),
        vault=Vault({PLACEHOLDER: NUMBER, "[CONFIRMATION_NUMBER_2]": "OTHER1"}),
    )

    result, _ = await play(
        graph.triage,
        turn,
        ("transfer_to_booking_agent", {"confirmation_number": "[CONFIRMATION_NUMBER_2]"}),
        ("find_free_seats", {"preference": "any", "flight_number": None}),
        "What is the surname?",
    )

    assert outputs(result)[-1]["refusal"] == "not_verified"


@pytest.fixture
def every_level() -> Iterator[None]:
    """Let debug facts through, whatever another test has configured."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("every_level")
async def test_hooks_log_facts_and_no_text(graph: AgentGraph) -> None:
    turn = make_turn(text=f"secret words {PLACEHOLDER}")

    with structlog.testing.capture_logs() as logged:
        await play(
            graph.triage,
            turn,
            ("transfer_to_booking_agent", {}),
            ("look_up_reservation", {"confirmation_number": PLACEHOLDER, "surname": "Okafor"}),
            "secret answer",
        )

    assert [entry["event"] for entry in logged] == [
        "agent.started", "model.called", "handoff.made", "agent.started", "model.called", "tool.called", "model.called",
    ]  # fmt: skip
    assert all((entry["tenant"], entry["conversation"]) == ("acme", "c1") for entry in logged)
    tool = logged[5]
    assert (tool["tool"], tool["agent"]) == ("look_up_reservation", "Booking Agent")
    assert tool["milliseconds"] >= 0
    assert not any(word in json.dumps(logged) for word in ("secret", "Okafor", "CONFIRMATION", NUMBER))


async def test_tools_for_a_verified_customer_are_offered_to_nobody_else(graph: AgentGraph) -> None:
    """They could only refuse; a model that does not see them asks for number and surname first."""
    offered = {}
    for name, turn in (("unknown", make_turn(text="my seat")), ("verified", make_verified_turn())):
        tools = await graph.booking.get_all_tools(RunContextWrapper(turn))
        offered[name] = {tool.name for tool in tools}

    kept = offered["verified"] - offered["unknown"]
    assert kept == {
        "find_free_seats",
        *(tool.name for tool in graph.booking.tools if tool.name.startswith("quote_")),
    }
    assert offered["unknown"] < offered["verified"]
    while_all_is_on = {tool.name for tool in graph.booking.tools} - {"escalate_to_human"}
    assert offered["verified"] == while_all_is_on
