"""A model that promises what no tool did: its words never leave, and what its tools did reaches the customer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call

from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from worker.models.provider import OneModelProvider

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

HONEST = "I cannot grant a refund myself. Shall I bring in a person?"
PROMISE = "The amount of $412 will be returned to your card within 5 days."


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline_with_articles(settings)


@pytest.fixture
async def desk(settings: Settings, sealer: Sealer, airline: str) -> AsyncIterator[Harness]:
    harness = await make_airline_worker(settings.model_copy(update={"model": "local"}), sealer, airline)
    yield harness
    await harness.close()


def script(harness: Harness, *steps: Any) -> ScriptedModel:
    """Let the worker's agents say these words and make these calls, one by one."""
    model = ScriptedModel([[assistant_message(step)] if isinstance(step, str) else [step] for step in steps])
    service = harness.service
    service.brain = replace(service.brain, provider=OneModelProvider(model))
    service.drainer.turn = replace(service.drainer.turn, brain=service.brain)
    return model


async def say(harness: Harness, conversation: str, text: str) -> dict[str, Any]:
    """Have a message answered; returns the reply as it went out."""
    await harness.accept(conversation, text)
    await harness.drain(conversation)
    return [reply for reply in await harness.replies() if reply["conversation"] == conversation][-1]


async def test_a_promise_is_written_again_and_the_honest_words_go_out(desk: Harness) -> None:
    model = script(desk, PROMISE, HONEST)

    reply = await say(desk, "rewritten", "where is my money?")

    assert reply["text"] == HONEST
    assert "$412" in model.calls[1].input[-1]["content"]


async def test_twice_a_promise_is_a_person_where_no_tool_has_told_anything(desk: Harness) -> None:
    script(desk, PROMISE, PROMISE)

    reply = await say(desk, "promised", "where is my money?")

    tickets = [one for one in await desk.escalations() if one["conversation"] == "promised"]
    assert "$412" not in reply["text"]
    assert [ticket["category"] for ticket in tickets] == ["system_error"]
    assert tickets[0]["ticket_id"] in reply["text"]


async def test_twice_a_wrong_figure_is_the_article_word_for_word(desk: Harness) -> None:
    look_up = function_call("faq_lookup", {"question": "how much is an overweight bag"}, call_id="c1")
    wrong = "A checked bag may weigh 500 lbs.\n\nSource: Baggage \u203a Overweight bags"
    script(desk, function_call("transfer_to_faq_agent", {}, call_id="c0"), look_up, wrong, wrong)

    reply = await say(desk, "figures", "what do you charge for a suitcase that is too heavy?")

    assert "A checked bag over 50 lbs costs $50." in reply["text"]
    assert reply["text"].endswith("Source: Baggage \u203a Overweight bags")
    assert [one for one in await desk.escalations() if one["conversation"] == "figures"] == []


async def test_twice_a_promise_keeps_the_ticket_that_was_opened(desk: Harness) -> None:
    asked = {
        "category": "policy_restriction",
        "reason": "disputes the refund",
        "summary": "Wants the fare back.",
        "priority": "high",
    }
    escalate = function_call("escalate_to_human", asked, call_id="c1")
    script(desk, function_call("transfer_to_escalation_agent", {}, call_id="c0"), escalate, PROMISE, PROMISE)

    reply = await say(desk, "ticket", "I demand my money back")

    tickets = [one for one in await desk.escalations() if one["conversation"] == "ticket"]
    assert [(ticket["category"], ticket["priority"]) for ticket in tickets] == [("policy_restriction", "high")]
    assert tickets[0]["ticket_id"] in reply["text"]
    assert "$412" not in reply["text"]


async def test_thoughts_and_markup_do_not_reach_the_customer(desk: Harness) -> None:
    script(desk, "<think>They greet me.</think>\n\n**Hello!** How can I help?")

    reply = await say(desk, "thoughts", "good morning")

    assert reply["text"] == "Hello! How can I help?"
