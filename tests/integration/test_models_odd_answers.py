"""Promises about answers that are valid and odd: several calls at once, tools that there are not, loops without end."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.airline_worker import add_airline_with_articles
from tests.integration.model_endpoint import Fail, call, say, serving
from tests.integration.wire_harness import CHAT, a_worker, answered_by, both, no_dead_letter, raw_call, turn_of

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings

HELLO = say("Hello! How can I help you today?")
LOOK = call("faq_lookup", question="how much is a second bag")


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline_with_articles(settings)


def ids_of(asked: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Give the ids of the calls in a request, and those of their outputs."""
    items = asked.get("input", [])
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    for message in asked.get("messages", []):
        calls += [one["id"] for one in message.get("tool_calls") or []]
        outputs += [message["tool_call_id"]] if message["role"] == "tool" else []
    return calls, outputs


ODD: dict[str, Any] = {
    "three calls at once": LOOK * 3,
    "two handoffs at once": call("transfer_to_faq_agent") + call("transfer_to_booking_agent"),
    "a handoff and a tool": call("transfer_to_faq_agent") + LOOK,
    "a text beside a call": say("Your seat is 7F now.") + LOOK,
    "a tool of another agent": call("escalate_to_human", category="x", reason="r", summary="s", priority="high"),
    "a tool with a prefix": call("functions.faq_lookup", question="bags"),
    "no such tool": call("look_up_the_weather"),
    "no such agent": call("transfer_to_weather_agent"),
    "arguments besides": call("faq_lookup", question="bags", language="en", limit=5),
    "arguments of wrong types": call("faq_lookup", question=["bags"]),
}


@both
@pytest.mark.parametrize("odd", ODD)
async def test_an_odd_answer_is_one_step_of_a_turn_and_its_history_stays_whole(
    settings: Settings, sealer: Sealer, airline: str, model: str, odd: str
) -> None:
    async with (
        serving(ODD[odd], HELLO, say("You are welcome.")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"odd-{id(endpoint)}"
        turn, reply = await turn_of(harness, conversation, "hello there")
        _, after = await turn_of(harness, conversation, "thank you")

        assert (turn["attempts"], reply, after) == (1, "Hello! How can I help you today?", "You are welcome.")
        for asked in endpoint.asked:
            calls, outputs = ids_of(asked)
            assert sorted(calls) == sorted(outputs)
            assert len(set(calls)) == len(calls)
        assert await no_dead_letter(harness)


@both
@pytest.mark.parametrize(
    "steps",
    [[LOOK], [call("transfer_to_faq_agent"), call("transfer_to_booking_agent")]],
    ids=["a tool", "handoffs"],
)
async def test_a_model_that_goes_round_in_circles_ends_with_a_person(
    settings: Settings, sealer: Sealer, airline: str, model: str, steps: list[Any]
) -> None:
    endless = itertools.cycle(steps)
    async with (
        serving(then=lambda: next(endless)) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        turn, _ = await turn_of(harness, f"circle-{id(endpoint)}", "how much is a second bag?")

        assert turn["outcome"] == "escalated"
        assert len(endpoint.asked) == settings.model_calls_max
        assert await no_dead_letter(harness)


@both
@pytest.mark.parametrize(
    ("fault", "outcome", "by"),
    [
        (Fail(400, "content_filter"), "escalated", []),
        (Fail(400, "context_length_exceeded"), "escalated", []),
        (Fail(404, "model_not_found"), "answered", ["local"]),
        (Fail(401, "invalid_api_key"), "answered", ["local"]),
    ],
    ids=["filter", "too long", "no model", "no key"],
)
async def test_a_refusal_for_good_ends_with_a_person_or_with_local(
    settings: Settings, sealer: Sealer, airline: str, model: str, fault: Fail, outcome: str, by: list[str]
) -> None:
    async with (
        serving(then=lambda: fault) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        turn, _ = await turn_of(harness, f"refused-{id(endpoint)}", "how much is a second bag?")

        assert (turn["outcome"], sorted(set(answered_by(turn)))) == (outcome, by)
        assert await no_dead_letter(harness)


async def test_the_older_form_of_a_call_is_a_call(settings: Settings, sealer: Sealer, airline: str) -> None:
    older = raw_call(CHAT, "faq_lookup", '{"question": "second bag"}')
    assert isinstance(older.body, dict)
    message = older.body["choices"][0]["message"]
    message["function_call"] = message.pop("tool_calls")[0]["function"]
    async with (
        serving(older, HELLO) as endpoint,
        a_worker(settings, sealer, airline, endpoint, CHAT) as harness,
    ):
        turn, reply = await turn_of(harness, f"older-{id(endpoint)}", "hello there")

        assert (turn["attempts"], reply) == (1, "Hello! How can I help you today?")
        assert len(endpoint.asked[1]["messages"]) > len(endpoint.asked[0]["messages"])
