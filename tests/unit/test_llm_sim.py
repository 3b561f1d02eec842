"""Test the simulated provider's parts that need no server: wits, wire formats, times, faults."""

from __future__ import annotations

import json
from random import Random
from statistics import median, quantiles
from typing import Any

import pytest

from ops.lab.llm_sim.asked import Asked, BadRequest, Output, think
from ops.lab.llm_sim.chat_api import CHAT
from ops.lab.llm_sim.faults import Faults, FaultShare, ProviderFault, read_script, read_share, spoil
from ops.lab.llm_sim.latency import Lognormal, Uniform, read_latency
from ops.lab.llm_sim.record import Record
from ops.lab.llm_sim.responses_api import RESPONSES

TRIAGE = 'You are the Triage Agent of Larkfield Air\'s support.\n## Known facts\n{"turn_count": 1}\n'
TOOLS = ["transfer_to_faq_agent", "transfer_to_booking_agent"]
VERDICT = {"type": "object", "properties": {"is_abusive": {}, "confidence": {}, "reason": {}}}


def as_responses(*items: dict[str, Any], schema: dict[str, Any] | None = None) -> dict[str, Any]:
    tools = [{"type": "function", "name": name, "parameters": {}} for name in TOOLS]
    form = {"type": "json_schema", "name": "v", "schema": schema} if schema else {"type": "text"}
    return {"model": "sim", "instructions": TRIAGE, "input": list(items), "tools": tools, "text": {"format": form}}


def as_chat(*messages: dict[str, Any]) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in TOOLS]
    return {"model": "sim", "messages": [{"role": "system", "content": TRIAGE}, *messages], "tools": tools}


def asked(text: str, *, schema: dict[str, Any] | None = None, names: list[str] | None = None) -> Asked:
    items = [{"role": "user", "content": text}]
    return Asked("sim", TRIAGE, items, frozenset(TOOLS if names is None else names), schema)


def test_both_apis_read_the_same_conversation_as_the_same_question() -> None:
    call = {"name": "faq_lookup", "arguments": '{"question": "bags"}'}
    by_responses = RESPONSES.read(
        as_responses(
            {"role": "user", "content": "how many bags?"},
            {"type": "function_call", "call_id": "c1", **call},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "two"}]},
        )
    )

    by_chat = CHAT.read(
        as_chat(
            {"role": "user", "content": [{"type": "text", "text": "how many bags?"}]},
            {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": "c1", "content": "two"},
        )
    )

    assert by_chat == by_responses
    assert by_chat.input_hash == by_responses.input_hash


def test_equal_questions_have_equal_ids_and_others_have_others() -> None:
    first, again, other = (asked(text) for text in ("how many bags?", "how many bags?", "how many dogs?"))

    written = [RESPONSES.write(question, think(question), 0) for question in (first, again, other)]

    assert written[0] == written[1]
    assert written[0]["id"] != written[2]["id"]


def test_a_question_of_policy_is_handed_to_the_faq_agent_in_either_format() -> None:
    question = asked("How many bags can I bring on my flight?")
    output = think(question)

    item = RESPONSES.write(question, output, 0)["output"][0]
    choice = CHAT.write(question, output, 0)["choices"][0]

    assert (item["type"], item["name"]) == ("function_call", "transfer_to_faq_agent")
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "transfer_to_faq_agent"
    assert choice["message"]["tool_calls"][0]["id"] == item["call_id"]


@pytest.mark.parametrize(("text", "abusive"), [("You are a worthless idiot", True), ("how many bags?", False)])
def test_a_verdict_on_abuse_is_given_as_the_json_asked_for(text: str, *, abusive: bool) -> None:
    verdict = json.loads(think(asked(text, schema=VERDICT)).text)

    assert verdict["is_abusive"] is abusive
    assert set(verdict) == {"is_abusive", "confidence", "reason"}


def test_json_of_an_unknown_form_is_refused_by_name() -> None:
    with pytest.raises(BadRequest, match="colour"):
        think(asked("hello", schema={"properties": {"colour": {}}}))


def test_a_refusal_has_its_own_place_in_each_format() -> None:
    question, refusal = asked("hello"), Output("refusal", "no")

    assert RESPONSES.write(question, refusal, 0)["output"][0]["content"] == [{"type": "refusal", "refusal": "no"}]
    message = CHAT.write(question, refusal, 0)["choices"][0]["message"]
    assert (message["content"], message["refusal"]) == (None, "no")


def test_calls_of_one_answer_keep_their_order_and_have_ids_of_their_own() -> None:
    question = asked("hello", names=["faq_lookup"])
    output = Output("call", '{"question": "a"}', "faq_lookup", (Output("call", '{"question": "b"}', "faq_lookup"),))

    items = RESPONSES.write(question, output, 0)["output"]
    calls = CHAT.write(question, output, 0)["choices"][0]["message"]["tool_calls"]
    assert [item["arguments"] for item in items] == ['{"question": "a"}', '{"question": "b"}']
    assert [call["function"]["arguments"] for call in calls] == ['{"question": "a"}', '{"question": "b"}']
    assert len({item["call_id"] for item in items}) == len({call["id"] for call in calls}) == 2


def test_times_are_drawn_as_told() -> None:
    random = Random(1)  # noqa: S311 - no secret depends on it
    drawn = [Lognormal(400, 1_500).draw_seconds(random) for _ in range(4_000)]
    even = [Uniform(200, 300).draw_seconds(random) for _ in range(100)]

    assert median(drawn) == pytest.approx(0.4, rel=0.05)
    assert quantiles(drawn, n=20)[-1] == pytest.approx(1.5, rel=0.1)
    assert 0.2 <= min(even) <= max(even) <= 0.3


def test_times_are_read_as_written() -> None:
    assert read_latency("200..800") == Uniform(200, 800)
    assert read_latency("50") == Uniform(50, 50)
    assert read_latency("lognormal:400,1500") == Lognormal(400, 1_500)
    for wrong in ("fast", "800..200", "lognormal:400", "lognormal:400,200", "lognormal:0,5"):
        with pytest.raises(ValueError, match=r"lognormal|median"):
            read_latency(wrong)


def test_faults_come_in_their_shares() -> None:
    faults = Faults([read_share("429=0.1:2"), read_share("cut=0.2")])

    drawn = [faults.next(number / 4_000) for number in range(4_000)]

    assert drawn.count(ProviderFault("429", 2)) == pytest.approx(400, abs=1)
    assert drawn.count(ProviderFault("cut")) == pytest.approx(800, abs=1)


def test_a_script_goes_before_the_shares() -> None:
    faults = Faults([FaultShare(ProviderFault("500"), 1)])
    faults.script(read_script([{"kind": "none"}, {"kind": "429", "requests": 2, "seconds": 3}]))

    drawn = [faults.next(0.5) for _ in range(4)]

    assert drawn == [None, ProviderFault("429", 3), ProviderFault("429", 3), ProviderFault("500")]


def test_what_cannot_be_a_fault_is_refused() -> None:
    for wrong in ("429", "teapot=0.1", "429=1.5", "429=-1"):
        with pytest.raises(ValueError, match="KIND=SHARE"):
            read_share(wrong)
    with pytest.raises(ValueError, match="more than all"):
        Faults([FaultShare(ProviderFault("500"), 0.6), FaultShare(ProviderFault("503"), 0.6)])
    with pytest.raises(ValueError, match="teapot"):
        read_script({"kind": "teapot"})


def test_spoilt_answers_are_wrong_in_the_way_named() -> None:
    question, text = asked("hello", names=["transfer_to_faq_agent", "faq_lookup"]), Output("text", "hi")

    assert spoil(text, "refusal", question).kind == "refusal"
    assert spoil(text, "unknown_tool", question).name not in question.callable_names
    malformed = spoil(text, "malformed_arguments", question)
    assert malformed.name == "faq_lookup"
    with pytest.raises(json.JSONDecodeError):
        json.loads(malformed.text)
    assert spoil(text, "slow", question) == text


def test_the_sums_count_tokens_of_answers_alone() -> None:
    record = Record()
    answered, refused = record.begin("chat"), record.begin("chat")
    for request, status in ((answered, 200), (refused, 429)):
        request.asked, request.output, request.status = asked("hello"), Output("text", "hello there"), status
        record.end(request)

    sums = record.sums()

    assert sums["statuses"] == {"200": 1, "429": 1}
    assert (sums["input_tokens"], sums["output_tokens"]) == (asked("hello").tokens, 2)
    assert (sums["under_way"], sums["under_way_most"]) == (0, 2)
