"""Promises about answers that are none: turns of a real worker over the true client, on both of a provider's APIs."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.airline_worker import add_airline_with_articles
from tests.integration.model_endpoint import Fail, Raw, call, say, serving
from tests.integration.wire_harness import (
    CHAT,
    RESPONSES,
    a_worker,
    answered_by,
    both,
    no_dead_letter,
    raw_call,
    shaped,
    turn_of,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings

PAGE = Raw(b"<html>We are back soon</html>", "text/html")
HALF = Raw(b'{"id": "x", "output": [{"ty')
INSIDE = Raw({"error": {"message": "Provider returned error", "code": 502}})
STREAM = Raw(b'data: {"choices": []}\n\n', "text/event-stream")
NOTHING = Raw({})


@pytest.fixture(scope="module")
def airline(settings: Settings) -> str:
    return add_airline_with_articles(settings)


CUT_OFF = {
    RESPONSES: {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    CHAT: {"finish_reason": "length", "message": {"role": "assistant", "content": "A bag may weigh 50 lbs, and wh"}},
}
FILTERED = {
    RESPONSES: {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
    CHAT: {"finish_reason": "content_filter", "message": {"role": "assistant", "content": "A bag may"}},
}


def written(model: str, text: str) -> Raw:
    return shaped(model, {"output": say(text)}, {"message": {"role": "assistant", "content": text}})


@both
@pytest.mark.parametrize("fault", [PAGE, HALF, INSIDE, STREAM, NOTHING], ids=["page", "half", "error", "stream", "{}"])
async def test_one_answer_that_is_none_is_asked_for_again(
    settings: Settings, sealer: Sealer, airline: str, model: str, fault: Raw
) -> None:
    async with (
        serving(fault, say("Welcome.")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        turn, reply = await turn_of(harness, f"once-{id(endpoint)}", "hello there")

        assert reply == "Welcome."
        assert [call["retries"] for call in turn["model_calls"]] == [1]


@both
@pytest.mark.parametrize("fault", [PAGE, HALF, INSIDE, STREAM, NOTHING], ids=["page", "half", "error", "stream", "{}"])
async def test_an_outage_with_status_200_opens_the_circuit_and_makes_no_dead_letter(
    settings: Settings, sealer: Sealer, airline: str, model: str, fault: Raw
) -> None:
    steps: list[Any] = [fault]
    async with (
        serving(then=lambda: steps[-1]) as endpoint,
        a_worker(
            settings, sealer, airline, endpoint, model, breaker_failures_max=3, breaker_open_seconds=0.2
        ) as harness,
    ):
        mark = f"outage-{id(endpoint)}"
        turns = [await turn_of(harness, f"{mark}-{n}", "how much is a second bag?") for n in range(4)]

        assert {name for turn, _ in turns for name in answered_by(turn)} == {"local"}
        assert all("bag" in reply for _, reply in turns)
        assert len(endpoint.asked) <= 3 + sum(len(answered_by(turn)) for turn, _ in turns), "a probe for each call"
        assert await no_dead_letter(harness)

        steps.append(say("Welcome back."))

        numbers = itertools.count()

        async def is_back() -> bool:
            turn, reply = await turn_of(harness, f"{mark}-back-{next(numbers)}", "hello there")
            return reply == "Welcome back." and "local" not in answered_by(turn)

        await eventually(is_back)
        told = [event["name"] for event in await harness.events() if event["conversation"].startswith(mark)]
        assert [told.count("model.degraded"), told.count("model.recovered")] == [1, 1]


@both
@pytest.mark.parametrize("slip", ["cut off", "empty", "blank", "zero width", "without end"])
async def test_a_model_that_slips_again_and_again_gives_way_to_local_at_once(
    settings: Settings, sealer: Sealer, airline: str, model: str, slip: str
) -> None:
    texts = {"empty": "", "blank": " \n ", "zero width": "\u200b\ufeff", "without end": "and so on " * 5_000}
    fault = (
        shaped(model, CUT_OFF[RESPONSES], CUT_OFF[CHAT]) if slip == "cut off" else written(model, texts.get(slip, ""))
    )
    async with (
        serving(then=lambda: fault) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model, breaker_failures_max=1) as harness,
    ):
        turn, reply = await turn_of(harness, f"slip-{id(endpoint)}", "how much is a second bag?")
        asked = len(endpoint.asked)
        await turn_of(harness, f"slip-{id(endpoint)}", "hello there")

        assert turn["attempts"] == 1
        assert "bag" in reply
        assert "local" in answered_by(turn)
        assert len(endpoint.asked) > asked  # the circuit is closed: the provider has answered
        assert all(len(json.dumps(body)) < 60_000 for body in endpoint.asked)
        assert await no_dead_letter(harness)


@both
async def test_what_a_filter_cut_off_goes_to_a_person_with_the_cause(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    async with (
        serving(shaped(model, FILTERED[RESPONSES], FILTERED[CHAT])) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        turn, reply = await turn_of(harness, f"filter-{id(endpoint)}", "how much is a second bag?")

        assert turn["outcome"] == "escalated"
        assert "A bag may" not in reply


@both
@pytest.mark.parametrize("call_id", ["", None, "call_1", 7, "x" * 200], ids=repr)
async def test_ids_of_calls_are_made_unique_over_turns(
    settings: Settings, sealer: Sealer, airline: str, model: str, call_id: Any
) -> None:
    look = raw_call(model, "faq_lookup", '{"question": "second bag"}', call_id)
    async with (
        serving(look, look, say("First."), look, say("Second."), look, say("Third.")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"ids-{id(endpoint)}"
        replies = [(await turn_of(harness, conversation, text))[1] for text in ("second bag?", "a third?", "thanks")]

        assert replies == ["First.", "Second.", "Third."]
        assert await no_dead_letter(harness)


async def test_a_server_that_refuses_null_contents_gets_an_empty_text_beside_calls(
    settings: Settings, sealer: Sealer, airline: str
) -> None:
    look = raw_call(CHAT, "faq_lookup", '{"question": "second bag"}')
    async with (
        serving(look, say("First.")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, CHAT) as harness,
    ):
        await turn_of(harness, f"nulls-{id(endpoint)}", "what does a second bag cost?")

    with_calls = [one for asked in endpoint.asked for one in asked["messages"] if one.get("tool_calls")]
    assert [one["content"] for one in with_calls] == [""]


BROKEN = ['{"question": "how many', "[]", "null", 5, ["x"], "no JSON"]


@both
@pytest.mark.parametrize("arguments", BROKEN, ids=repr)
async def test_broken_arguments_never_enter_the_history_and_the_model_hears_of_them(
    settings: Settings, sealer: Sealer, airline: str, model: str, arguments: Any
) -> None:
    async with (
        serving(raw_call(model, "faq_lookup", arguments), say("Sorry."), say("Again.")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"broken-{id(endpoint)}"
        await turn_of(harness, conversation, "second bag?")
        await turn_of(harness, conversation, "and now?")

        for asked in endpoint.asked[1:]:
            sent = [item for item in asked.get("input", []) if item.get("type") == "function_call"]
            sent += [one["function"] for said in asked.get("messages", []) for one in said.get("tool_calls") or []]
            assert [one["arguments"] for one in sent] == ["{}"]
        assert "were no JSON object" in json.dumps(endpoint.asked[1])


@both
@pytest.mark.parametrize(
    "facts",
    [
        '{"passenger_name": 5, "seat_preference": ["window"]}',
        '{"passenger_name": ',
        "null",
        '{"passenger_name": "A\\u0000da"}',
    ],
)
async def test_a_handoff_with_senseless_facts_is_a_handoff(
    settings: Settings, sealer: Sealer, airline: str, model: str, facts: str
) -> None:
    async with (
        serving(raw_call(model, "transfer_to_booking_agent", facts), say("Which booking is it?")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        turn, reply = await turn_of(harness, f"facts-{id(endpoint)}", "I want another seat")

        assert (reply, turn["agent"], turn["attempts"]) == ("Which booking is it?", "Booking Agent", 1)


@both
async def test_characters_that_postgresql_refuses_are_gone(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    told = {"category": "customer_request", "reason": "r", "summary": "a\x00b\ud800", "priority": "high"}
    async with (
        serving(
            Raw(json.dumps(written(model, "Hi\x00 there \udfff.").body).encode()),
            raw_call(model, "transfer_to_escalation_agent", "{}", "c1"),
            raw_call(model, "escalate_to_human", json.dumps(told), "c2"),
            say("A colleague takes over."),
        ) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"signs-{id(endpoint)}"
        _, first = await turn_of(harness, conversation, "hello there")
        second, _ = await turn_of(harness, conversation, "a person please")

        assert first == "Hi there \ufffd."
        assert second["outcome"] == "escalated"
        tickets = [one for one in await harness.escalations() if one["conversation"] == conversation]
        assert [(one["summary"], one["priority"]) for one in tickets] == [("ab\ufffd", "high")]


@both
async def test_an_agent_who_brings_in_people_and_did_not_has_a_ticket_all_the_same(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    async with (
        serving(call("transfer_to_escalation_agent"), say("I understand how you feel.")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"ticket-{id(endpoint)}"
        turn, reply = await turn_of(harness, conversation, "I want to speak to your manager")

        (ticket,) = [one for one in await harness.escalations() if one["conversation"] == conversation]
        assert turn["outcome"] == "escalated"
        assert reply.startswith("I understand how you feel.")
        assert ticket["ticket_id"] in reply
        assert "without opening a ticket" in ticket["reason"]


@both
async def test_an_escalation_keeps_its_content_when_only_its_words_are_held_back(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    told = {
        "category": "policy_restriction",
        "reason": "wants money back",
        "summary": "Delayed by five hours, wants $300.",
        "priority": "high",
    }
    promise = "I have processed a full refund of $300 for you."
    async with (
        serving(
            call("transfer_to_escalation_agent"), call("escalate_to_human", **told), say(promise), say(promise)
        ) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"kept-{id(endpoint)}"
        _, reply = await turn_of(harness, conversation, "I want my money back or a manager")

        (ticket,) = [one for one in await harness.escalations() if one["conversation"] == conversation]
        assert {name: ticket[name] for name in told} == told
        assert "refund" not in reply
        assert ticket["ticket_id"] in reply


@both
async def test_a_request_that_the_provider_will_not_take_is_answered_by_local_at_once(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    async with (
        serving(then=lambda: Fail(400, "unsupported_parameter")) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        turn, reply = await turn_of(harness, f"400-{id(endpoint)}", "how much is a second bag?")

        assert (turn["attempts"], set(answered_by(turn))) == (1, {"local"})
        assert "bag" in reply


@both
async def test_the_abuse_detector_takes_nothing_from_the_agents_and_learns_to_do_without_a_schema(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    asked_by_schema: list[int] = []

    def respond() -> Any:
        body = json.dumps(endpoint.asked[-1])
        if "json_schema" in body:
            asked_by_schema.append(len(endpoint.asked))
            return Fail(500)
        if "Judge whether one message" in body:
            return say('Sure: {"is_abusive": false, "confidence": 0.9, "reason": "none"}')
        return say(f"Welcome, number {len(endpoint.asked)}.")

    async with (
        serving(then=respond) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model, abuse_asks_model=True, breaker_failures_max=2) as harness,
    ):
        turns = [(await turn_of(harness, f"abuse-{id(endpoint)}-{n}", "hello there"))[0] for n in range(4)]

        assert {name for turn in turns for name in answered_by(turn)} == {"gpt-x"}
        first, *rest = turns
        reasons = [
            next(v["reason"] for v in turn["verdicts"] if v["guardrail"] == "abuse_model") for turn in (*rest, first)
        ]
        assert reasons[:3] == ["none"] * 3
        assert len(asked_by_schema) <= 3
