"""The tools that search the articles and hand over to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.airline_stand_ins import NOW, MemoryKnowledge, call, make_turn, make_verified_turn
from worker.conversation.context import EscalationRequest
from worker.conversation.effects import LookedUp, Passage
from worker.domains.airline.agents.graph import build_graph
from worker.tools.escalation import escalate_to_human
from worker.tools.knowledge import faq_lookup

if TYPE_CHECKING:
    from worker.conversation.context import TurnContext

REQUEST = {
    "category": "customer_request",
    "reason": "asks for a person",
    "summary": "Ada Okafor wants to talk about [CONFIRMATION_NUMBER_1].",
    "priority": "high",
}


def escalated(turn: TurnContext) -> EscalationRequest:
    assert turn.escalation is not None
    return turn.escalation


async def test_passages_are_given_with_their_source_best_first() -> None:
    knowledge = MemoryKnowledge(
        Passage("Baggage", "Overweight bags", "baggage", "Over 50 lbs costs $50.", 2.0),
        Passage("Carry-on", "Size", "carry-on", "22 x 14 x 9 inches.", 1.0),
    )
    turn = replace(make_turn(), knowledge=knowledge)

    answer = await call(faq_lookup, turn, question="my bag is heavy")

    assert answer["found"]
    assert answer["results"][0] == {
        "id": "P1",
        "article": "Baggage",
        "section": "Overweight bags",
        "text": "Over 50 lbs costs $50.",
        "rank": 2.0,
    }
    assert [result["article"] for result in answer["results"]] == ["Baggage", "Carry-on"]
    assert knowledge.asked == [("acme", "my bag is heavy")]


async def test_what_was_looked_up_before_the_agents_is_not_searched_again() -> None:
    knowledge = MemoryKnowledge()
    found = Passage("Baggage", "Overweight bags", "baggage", "Over 50 lbs costs $50.", 2.0)
    turn = replace(make_turn(), knowledge=knowledge, looked_up=LookedUp("my bag\nis heavy", "", (found,)))

    again = await call(faq_lookup, turn, question="my bag is heavy")
    other = await call(faq_lookup, turn, question="my bag is heavy", about="bags")

    assert [result["section"] for result in again["results"]] == ["Overweight bags"]
    assert not other["found"]
    assert len(knowledge.asked) == 1


async def test_at_most_three_passages_are_given() -> None:
    passages = [Passage("A", str(number), "a", "text", 1.0) for number in range(9)]

    answer = await call(faq_lookup, replace(make_turn(), knowledge=MemoryKnowledge(*passages)), question="what")

    assert [result["section"] for result in answer["results"]] == ["0", "1", "2"]


async def test_nothing_found_is_said_plainly() -> None:
    assert await call(faq_lookup, make_turn(), question="the meaning of life") == {"ok": True, "found": False}


async def test_long_articles_are_cut_to_the_limit() -> None:
    passages = [Passage("A", "B", "a", '"' * 50_000, 1.0) for _ in range(3)]
    turn = replace(make_turn(), knowledge=MemoryKnowledge(*passages), tool_output_characters_max=2_000)

    answer = await call(faq_lookup, turn, question="what")

    assert len(answer["results"]) == 3
    assert all(result["text"].endswith("…") for result in answer["results"])


async def test_an_escalation_is_staged_with_its_ticket_and_time() -> None:
    turn = make_verified_turn()

    answer = await call(escalate_to_human, turn, **REQUEST)

    assert answer == {"ok": True, "ticket_id": "T-23456789AB", "answer_by": "13:00 UTC on 02 March 2026"}
    assert escalated(turn) == EscalationRequest(
        "customer_request", "asks for a person", "Ada Okafor wants to talk about [CONFIRMATION_NUMBER_1].", "high"
    )
    assert (turn.airline.ticket_id, turn.airline.escalation_reason) == ("T-23456789AB", "customer_request")
    assert NOW + timedelta(hours=1) == turn.answer_by


async def test_a_second_escalation_in_one_turn_changes_nothing() -> None:
    turn = make_turn()

    first = await call(escalate_to_human, turn, **REQUEST)
    second = await call(escalate_to_human, turn, **{**REQUEST, "category": "abuse", "priority": "urgent"})

    assert first == second
    assert escalated(turn).category == "customer_request"


async def test_what_a_person_reads_keeps_within_the_limits_of_the_message() -> None:
    turn = make_turn()

    await call(escalate_to_human, turn, **{**REQUEST, "reason": "r" * 9_000, "summary": "s" * 9_000})

    assert (len(escalated(turn).reason), len(escalated(turn).summary)) == (1_000, 4_000)


@pytest.mark.parametrize("change", [{"category": "weather"}, {"priority": "asap"}])
async def test_an_unknown_category_or_priority_is_explained_to_the_model(change: dict[str, str]) -> None:
    turn = make_turn()

    answer = await call(escalate_to_human, turn, **{**REQUEST, **change})

    assert answer["refusal"] == "bad_arguments"
    assert turn.escalation is None


def schemas() -> list[tuple[str, dict[str, Any]]]:
    graph = build_graph()
    tools = [tool for agent in (graph.triage, graph.faq, graph.booking, graph.escalation) for tool in agent.tools]
    return [(tool.name, tool.params_json_schema) for tool in tools if hasattr(tool, "params_json_schema")]


@pytest.mark.parametrize(("name", "schema"), schemas())
def test_every_schema_keeps_the_rules_of_strict_mode(name: str, schema: dict[str, Any]) -> None:
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])
    for argument in schema["properties"].values():
        assert "default" not in argument
        assert argument["description"]
