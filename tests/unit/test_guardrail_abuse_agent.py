"""Test the detector that asks a model beside the agents: it cancels them, and where it fails local rules decide."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import openai
import pytest
from agents import Model, ModelResponse, RunContextWrapper, Usage, function_tool
from agents.testing import assistant_message, function_call
from pydantic import SecretStr

from schema.settings import Settings
from tests.integration.worker_harness import OneAgent
from tests.unit.acting import Talk
from tests.unit.airline_stand_ins import NUMBER, MemoryAirline
from worker.agents.pool import GraphPool
from worker.conversation.context import EscalationRequest, TurnContext, call_human
from worker.domains.airline.records.backend import Reservation
from worker.journal.model_calls import BESIDE_STEP
from worker.pipeline.outcome import Answer

REAL = Settings(model="openai:any", OPENAI_API_KEY=SecretStr("made-up"), abuse_model_seconds_max=0.2)
SUBTLE = "the moon is full tonight, my dear"


class TwoMinds(Model):
    """Answer as the agents' model and as the detector, each by a script; keeps what each was asked."""

    def __init__(self, agents: list[Any], detector: Any) -> None:
        self._agents = list(agents)
        self._detector = detector
        self.asked_agents: list[Any] = []
        self.asked_detector: list[Any] = []
        self.cancelled = 0

    async def get_response(self, *_: Any, **kwargs: Any) -> ModelResponse:
        schema = kwargs["output_schema"]
        judges = schema is not None and not schema.is_plain_text()
        (self.asked_detector if judges else self.asked_agents).append(kwargs["input"])
        answer = self._detector if judges else self._agents[len(self.asked_agents) - 1]
        if isinstance(answer, asyncio.Event):
            try:
                await answer.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        if callable(answer):
            answer = await answer()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, dict):
            answer = json.dumps(answer)
        output = [assistant_message(answer)] if isinstance(answer, str) else [answer]
        return ModelResponse(output=output, usage=Usage(requests=1, input_tokens=5, output_tokens=1), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def verdict(*, is_abusive: bool, confidence: float, reason: str) -> dict[str, Any]:
    return {"is_abusive": is_abusive, "confidence": confidence, "reason": reason}


CALM = verdict(is_abusive=False, confidence=0.9, reason="none")
ABUSIVE = verdict(is_abusive=True, confidence=0.95, reason="insult")


def noted(answer: Answer) -> dict[str, Any]:
    """Give the detector's verdict as the turn records it."""
    return next(verdict for verdict in answer.verdicts if verdict["guardrail"] == "abuse_model")


async def test_it_cancels_the_agents_when_it_trips() -> None:
    model = TwoMinds([asyncio.Event()], ABUSIVE)  # the agents' call never ends by itself

    answer = await Talk(model, settings=REAL).say(SUBTLE)

    assert model.cancelled == 1
    assert answer.outcome == "refused"
    assert answer.events == [("message.abusive", {"step": "boundary", "reason": "insult", "count": "1"})]
    assert answer.items == [{"role": "user", "content": SUBTLE}, {"role": "assistant", "content": answer.reply}]


async def test_nothing_of_a_cancelled_run_survives() -> None:
    """The agents are quicker than the detector: a tool has verified the customer when it trips."""
    looked_up = asyncio.Event()

    class Airline(MemoryAirline):
        async def find_reservation(self, tenant: str, confirmation_number: str) -> Reservation | None:
            looked_up.set()
            return await super().find_reservation(tenant, confirmation_number)

    async def judge_late() -> dict[str, Any]:
        await looked_up.wait()
        return ABUSIVE

    look_up = function_call("look_up_reservation", {"confirmation_number": NUMBER, "surname": "Okafor"}, call_id="c1")
    model = TwoMinds([look_up, "Welcome, Ada"], judge_late)
    talk = Talk(model, settings=REAL, backend=Airline(), last_agent="Booking Agent")

    answer = await talk.say(SUBTLE)

    assert looked_up.is_set()
    assert not answer.context.verified
    assert (answer.vault, answer.effects) == ({}, [])


async def test_a_human_called_by_a_cancelled_run_is_not_called() -> None:
    called = asyncio.Event()

    @function_tool
    async def escalate(context: RunContextWrapper[TurnContext]) -> str:
        call_human(context.context, EscalationRequest("customer_request", "r", "s"))
        called.set()
        return "ok"

    async def judge_late() -> dict[str, Any]:
        await called.wait()
        return ABUSIVE

    model = TwoMinds([function_call("escalate", {}, call_id="c1"), "A colleague takes over."], judge_late)
    patient = REAL.model_copy(update={"abuse_model_seconds_max": 10})
    talk = Talk(model, settings=patient, graphs=GraphPool(lambda: OneAgent([escalate])))

    answer = await talk.say(SUBTLE)

    assert (answer.escalation, answer.context.ticket_id) == (None, None)
    assert [name for name, _ in answer.events] == ["message.abusive"]


async def test_a_threat_that_only_the_model_sees_goes_to_a_person() -> None:
    threat = verdict(is_abusive=True, confidence=0.9, reason="threat")

    answer = await Talk(TwoMinds([asyncio.Event()], threat), settings=REAL).say(SUBTLE)

    assert answer.escalation is not None
    assert (answer.escalation.category, answer.escalation.priority) == ("abuse", "urgent")


@pytest.mark.parametrize(
    "found",
    [
        CALM,
        verdict(is_abusive=True, confidence=0.7, reason="insult"),
        verdict(is_abusive=True, confidence=9, reason="hate"),
    ],
    ids=["calm", "not sure enough", "no confidence there is"],
)
async def test_the_agents_answer_unless_it_is_surely_abuse(found: dict[str, Any]) -> None:
    answer = await Talk(TwoMinds(["How can I help?"], found), settings=REAL).say(SUBTLE)

    assert answer.reply == "How can I help?"
    assert noted(answer)["tripped"] is False


@pytest.mark.parametrize(
    "failure",
    [
        "no JSON at all",
        {"is_abusive": "perhaps"},
        openai.APIConnectionError(request=httpx2.Request("POST", "http://127.0.0.1")),
        asyncio.Event(),
    ],
    ids=["prose", "other fields", "connection lost", "never answers"],
)
async def test_where_it_fails_the_local_verdict_stands(failure: Any) -> None:
    answer = await Talk(TwoMinds(["How can I help?"], failure), settings=REAL).say(SUBTLE)

    assert answer.reply == "How can I help?"
    assert noted(answer)["reason"] == "unavailable"


async def test_what_the_local_detector_knows_asks_no_model_at_all() -> None:
    model = TwoMinds([], CALM)

    answer = await Talk(model, settings=REAL).say("you are a worthless idiot")

    assert answer.outcome == "refused"
    assert (model.asked_agents, model.asked_detector) == ([], [])


async def test_it_reads_the_newest_message_only_and_masked() -> None:
    model = TwoMinds(["one", "two"], CALM)
    talk = Talk(model, settings=REAL)

    await talk.say("how many bags may I check?")
    await talk.say("my card is 4111 1111 1111 1111")

    assert [[item["content"] for item in asked] for asked in model.asked_detector] == [
        ["how many bags may I check?"],
        ["my card is [CARD_NUMBER]"],
    ]


async def test_its_calls_are_journaled_and_counted_apart_from_the_agents() -> None:
    model = TwoMinds(["How can I help?"], CALM)
    talk = Talk(model, settings=REAL)
    await talk.say("hello there")
    first = talk.recorded
    assert talk.journal is not None
    purposes = [call.purpose for call in talk.journal.every_call]

    again = Talk(TwoMinds([], "must not be asked"), settings=REAL)
    resumed = await again.say("hello there", recorded=first)

    assert sorted(first) == [0, BESIDE_STEP]
    assert purposes == ["agents", "guardrail"]
    assert resumed.reply == "How can I help?"
    assert noted(resumed)["reason"] == "none"
    assert again.journal is not None
    assert all(call.replayed for call in again.journal.every_call)


async def test_embedded_models_are_not_asked_twice() -> None:
    model = TwoMinds(["How can I help?"], ABUSIVE)

    answer = await Talk(model, settings=Settings(model="local")).say(SUBTLE)

    assert answer.reply == "How can I help?"
    assert model.asked_detector == []


async def test_it_can_be_switched_off() -> None:
    model = TwoMinds(["How can I help?"], ABUSIVE)

    answer = await Talk(model, settings=REAL.model_copy(update={"abuse_asks_model": False})).say(SUBTLE)

    assert answer.reply == "How can I help?"
    assert model.asked_detector == []
