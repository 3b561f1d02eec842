"""Over the true client of either API: what the detector of abuse may answer, and a quote that is confirmed twice."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.conftest import add_tenant
from tests.integration.model_endpoint import Raw, call, say, serving
from tests.integration.three_bookings import add_three_bookings, seat_of_ada
from tests.integration.wire_harness import a_worker, both, no_dead_letter, turn_of

if TYPE_CHECKING:
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.model_endpoint import Endpoint, Step

SUBTLE = "the moon is full tonight, my dear"
HELLO = "Hello! How can I help you today?"
CALM = {"is_abusive": False, "confidence": 0.9, "reason": "none"}
REFUSAL = [
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "refusal", "refusal": "I can't judge that."}],
    }
]


@pytest.fixture
def airline(settings: Settings) -> str:
    tenant = add_tenant(settings)
    add_three_bookings(settings, tenant)
    return tenant


def asks_detector(asked: dict[str, Any]) -> bool:
    """Check whether a request wants an answer by a schema, which the detector alone does."""
    wanted = asked.get("response_format") or asked.get("text", {}).get("format") or {}
    return wanted.get("type") == "json_schema"


def judged(**changes: Any) -> str:
    return json.dumps({**CALM, **changes})


SURE: dict[str, tuple[str, str]] = {
    "an insult": (judged(is_abusive=True, confidence=0.93, reason="insult"), "refused"),
    "a threat": (judged(is_abusive=True, confidence=0.9, reason="threat"), "escalated"),
}
ODD: dict[str, Step] = {
    "prose": say("I think this customer is rather rude."),
    "fenced JSON": say(f"```json\n{judged(is_abusive=True, confidence=0.93, reason='insult')}\n```"),
    "a reason that is none": say(judged(is_abusive=True, confidence=0.93, reason="rude")),
    "texts for values": say(judged(is_abusive="maybe", confidence="high", reason="insult")),
    "a confidence of 7": say(judged(is_abusive=True, confidence=7, reason="insult")),
    "nothing": say(""),
    "a refusal": REFUSAL,
    "no JSON at all": Raw(b"<html>Bad gateway</html>", "text/html"),
}


@both
@pytest.mark.parametrize("verdict", SURE)
async def test_a_sure_verdict_of_the_detector_stands(
    settings: Settings, sealer: Sealer, airline: str, model: str, verdict: str
) -> None:
    said, outcome = SURE[verdict]
    async with (
        serving(then=lambda: say(said if asks_detector(endpoint.asked[-1]) else HELLO)) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model, abuse_asks_model=True) as harness,
    ):
        turn, reply = await turn_of(harness, f"sure-{id(endpoint)}", SUBTLE)

        assert (turn["outcome"], reply == HELLO) == (outcome, False)
        assert any(map(asks_detector, endpoint.asked))
        assert await no_dead_letter(harness)


@both
@pytest.mark.parametrize("odd", ODD)
async def test_where_the_detector_answers_oddly_the_local_verdict_stands(
    settings: Settings, sealer: Sealer, airline: str, model: str, odd: str
) -> None:
    async with (
        serving(then=lambda: ODD[odd] if asks_detector(endpoint.asked[-1]) else say(HELLO)) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model, abuse_asks_model=True) as harness,
    ):
        turn, reply = await turn_of(harness, f"odd-{id(endpoint)}", SUBTLE)

        assert (turn["outcome"], turn["attempts"], reply) == ("answered", 1, HELLO)
        assert any(map(asks_detector, endpoint.asked))
        assert await no_dead_letter(harness)


def quote_id_in(asked: dict[str, Any]) -> str:
    found = re.search(r"quote_id\W+([\w-]+)", json.dumps(asked.get("input") or asked["messages"]))
    assert found is not None
    return found[1]


def results_in(asked: dict[str, Any]) -> list[str]:
    """Return the outputs of tools in a request, in order."""
    items = [item["output"] for item in asked.get("input", []) if item.get("type") == "function_call_output"]
    return items + [message["content"] for message in asked.get("messages", []) if message["role"] == "tool"]


@both
async def test_a_quote_that_is_confirmed_twice_in_one_answer_is_made_once(
    settings: Settings, sealer: Sealer, airline: str, model: str
) -> None:
    look_up = call("look_up_reservation", confirmation_number="[CONFIRMATION_NUMBER_1]", surname="Okafor")
    quote = call("quote_seat_change", seat_number="12A")

    def confirm_twice(endpoint: Endpoint) -> Step:
        return call("confirm_quote", quote_id=quote_id_in(endpoint.asked[-1])) * 2

    then: list[Any] = [
        lambda _: call("transfer_to_booking_agent"),
        lambda _: look_up,
        lambda _: quote,
        lambda _: say("I can move you to seat 12A. Shall I make this change?"),
        confirm_twice,
        lambda _: say("You now have seat 12A."),
    ]
    async with (
        serving(then=lambda: then.pop(0)(endpoint)) as endpoint,
        a_worker(settings, sealer, airline, endpoint, model) as harness,
    ):
        conversation = f"twice-{id(endpoint)}"
        await turn_of(harness, conversation, "I'm Ada Okafor, QK7P2M. Could I have seat 12A?")
        assert seat_of_ada(settings, airline) == "14C"
        turn, _ = await turn_of(harness, conversation, "yes please")

        first, second = results_in(endpoint.asked[-1])[-2:]
        assert (json.loads(first)["ok"], json.loads(second)["ok"]) == (True, False)
        assert (turn["outcome"], seat_of_ada(settings, airline)) == ("answered", "12A")
        assert await no_dead_letter(harness)
