"""What providers answer is brought into one form: tables of what was seen in the wild, on both APIs."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest
from agents import ModelSettings

from tests.unit.wire_answers import Api, ask, both, call, calls_of, completion, message, response, say, texts_of
from worker.models.failures import classify_model_error, is_providers_fault, may_pass_in_seconds
from worker.models.wire.client import ANSWER_BYTES_MAX, CheckedClient
from worker.models.wire.faults import InvalidAnswer, UnusableAnswer
from worker.models.wire.parts import TEXT_CHARACTERS_MAX, is_blank

# What is no answer: the provider's fault.

NO_ANSWERS: list[tuple[str, bytes, str]] = [
    ("a page", b"<!doctype html><html>Maintenance</html>", "text/html"),
    ("a page called JSON", b"  <html></html>", "application/json"),
    ("nothing", b"", "application/json"),
    ("half", b'{"id": "x", "output": [', "application/json"),
    ("prose", b"upstream connect error", "text/plain"),
    ("a stream", b'event: response.created\ndata: {"id": 1}\n\n', "text/event-stream"),
    ("a stream of data", b'data: {"choices": []}\n\ndata: [DONE]\n\n', "text/event-stream"),
    ("a list", b"[]", "application/json"),
    ("null", b"null", "application/json"),
    ("a text", b'"ok"', "application/json"),
    ("an empty object", b"{}", "application/json"),
    ("null in place of answers", b'{"choices": null, "output": null}', "application/json"),
    ("no answers", b'{"choices": [], "output": {}}', "application/json"),
    ("a text in place of answers", b'{"choices": "x", "output": "x"}', "application/json"),
    ("null as message", b'{"choices": [{"message": null}], "output": 1}', "application/json"),
    ("the error of a gateway", b'{"error": {"message": "Provider returned error", "code": 502}}', "application/json"),
    ("an error as text", b'{"error": "overloaded"}', "application/json"),
    ("too deep", b"[" * 100_000, "application/json"),
    ("too much", b'{"x": "' + b"x" * ANSWER_BYTES_MAX + b'"}', "application/json"),
    ("not of any encoding", b'{"id": "\xff\xfe"}', "application/json"),
]


@both
@pytest.mark.parametrize(("body", "content_type"), [case[1:] for case in NO_ANSWERS], ids=[c[0] for c in NO_ANSWERS])
async def test_what_is_no_answer_is_the_providers_fault(api: Api, body: bytes, content_type: str) -> None:
    with pytest.raises(openai.APIError) as raised:
        await ask(api, body, content_type=content_type)

    assert is_providers_fault(raised.value)
    assert may_pass_in_seconds(raised.value)
    assert "Maintenance" not in str(raised.value)


@pytest.mark.parametrize("status", ["failed", "in_progress", "queued", "cancelled", "\x00", 7])
async def test_a_response_that_is_not_finished_is_the_providers_fault(status: Any) -> None:
    with pytest.raises(InvalidAnswer):
        await ask("responses", response(message("Half"), status=status))


async def test_a_choice_that_ended_in_an_error_is_the_providers_fault() -> None:
    with pytest.raises(InvalidAnswer):
        await ask("chat", completion("error", content="Half"))


@both
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": 429, "message": "slow down"}, "transient"),
        ({"code": "rate_limit_exceeded"}, "transient"),
        ({"code": 401}, "transient"),
        ({"code": "content_filter"}, "refused"),
        ({"code": "context_length_exceeded"}, "refused"),
        ({"code": 400}, "bug"),
        ({"code": "who knows"}, "transient"),
    ],
    ids=str,
)
async def test_an_error_that_came_with_status_200_counts_as_the_error_it_is(
    api: Api, error: dict[str, Any], kind: str
) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        await ask(api, {"error": error})

    assert classify_model_error(raised.value) == kind


# What no turn can use: the model's slip.


@both
@pytest.mark.parametrize(
    "text", ["", " \n", "\u200b\ufeff", "\u2800\u3164", "\u00ad\u034f\ufe0f", "\x00\x07"], ids=ascii
)
async def test_a_text_in_which_nobody_sees_anything_is_empty(api: Api, text: str) -> None:
    with pytest.raises(UnusableAnswer, match="empty"):
        await ask(api, say(api, text))


@pytest.mark.parametrize(
    "cut",
    [
        ("chat", completion("length", content="A bag may weigh 50 lbs, and when it is heavi")),
        ("chat", completion("length")),
        (
            "responses",
            response(message("A bag"), status="incomplete", incomplete_details={"reason": "max_output_tokens"}),
        ),
        ("responses", response(status="incomplete", incomplete_details=None)),
        ("chat", completion(content="x" * (TEXT_CHARACTERS_MAX + 1))),
        ("responses", response(message("x" * (TEXT_CHARACTERS_MAX + 1)))),
        ("responses", response(message("x" * TEXT_CHARACTERS_MAX), message("x"))),
        ("chat", completion(content=[])),
        ("responses", response()),
        ("responses", response({"type": "computer_call", "id": "x"}, {"type": "no_such_item"}, "no item")),
        ("responses", response({"type": "reasoning", "id": "rs_1", "summary": []})),
        ("chat", completion("tool_calls", tool_calls=[{"function": {"name": ""}}, "no call", {"type": "custom"}])),
    ],
    ids=lambda cut: f"{cut[0]}-{len(json.dumps(cut[1]))}",
)
async def test_a_text_cut_off_or_without_end_is_not_used(cut: tuple[Api, Any]) -> None:
    with pytest.raises(UnusableAnswer) as raised:
        await ask(*cut)

    assert classify_model_error(raised.value) == "transient"
    assert may_pass_in_seconds(raised.value)
    assert not is_providers_fault(raised.value)


@pytest.mark.parametrize(
    "cut",
    [
        ("chat", completion("content_filter", content="A bag may")),
        ("chat", completion("content_filter")),
        ("chat", completion(refusal="I cannot help.")),
        ("responses", response(message("A"), status="incomplete", incomplete_details={"reason": "content_filter"})),
        ("responses", response(message([{"type": "refusal", "refusal": "I cannot help."}]))),
    ],
    ids=lambda cut: f"{cut[0]}-{len(json.dumps(cut[1]))}",
)
async def test_what_a_filter_cut_off_is_a_refusal_and_no_text(cut: tuple[Api, Any]) -> None:
    got = await ask(*cut)

    assert [part.type for item in got.output if item.type == "message" for part in item.content] == ["refusal"]


# What can be read, however it is written.


@pytest.mark.parametrize(
    "content",
    [
        "One bag.",
        [{"type": "text", "text": "One bag."}],
        [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "One "}, "bag."],
        [{"type": "output_text", "text": {"value": "One bag."}}, {"type": "image_url"}, 7],
    ],
    ids=str,
)
@both
async def test_a_text_is_read_from_each_form_of_content(api: Api, content: Any) -> None:
    answer = response({**message("x"), "content": content}) if api == "responses" else completion(content=content)

    assert "".join(texts_of(await ask(api, answer))) == "One bag."


@both
async def test_control_characters_and_halves_of_surrogates_leave_no_trace(api: Api) -> None:
    got = await ask(
        api,
        say(api, "One\x00 bag\ud83d.\x1b\n\U0001f600"),
    )
    called = await ask(api, call(api, {"name": "escalate", "arguments": json.dumps({"summary": "a\x00b\udc00"})}))

    assert texts_of(got) == ["One bag\ufffd.\n\U0001f600"]
    assert json.loads(calls_of(called)[0][2]) == {"summary": "ab\ufffd"}


@pytest.mark.parametrize(("store", "kept"), [(False, ["rs_1"]), (True, ["rs_1", "rs_2"]), (None, ["rs_1", "rs_2"])])
async def test_reasoning_is_kept_only_where_it_can_be_sent_back(store: bool | None, kept: list[str]) -> None:  # noqa: FBT001
    answer = response(
        {"type": "reasoning", "id": "rs_1", "encrypted_content": "abc", "summary": None},
        {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "Hm."}]},
        message("One bag."),
    )

    got = await ask("responses", answer, settings=ModelSettings(store=store))

    assert [item.id for item in got.output if item.type == "reasoning"] == kept


@both
@pytest.mark.parametrize("usage", [None, {}, "x", {"input_tokens": "9"}, {"prompt_tokens": -4}, {"input_tokens": 1.5}])
async def test_a_usage_that_is_none_counts_nothing(api: Api, usage: Any) -> None:
    got = await ask(api, {**say(api, "Yes."), "usage": usage})

    assert (got.usage.input_tokens, got.usage.output_tokens) == (0, 0)


@both
async def test_cached_tokens_are_counted(api: Api) -> None:
    usage = {
        "input_tokens": 90,
        "output_tokens": 5,
        "input_tokens_details": {"cached_tokens": 64},
        "prompt_tokens": 90,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": None},
    }

    got = await ask(api, {**say(api, "Yes."), "usage": usage})

    assert (got.usage.input_tokens, got.usage.input_tokens_details.cached_tokens) == (90, 64)


@pytest.mark.parametrize(("text", "blank"), [("", True), ("\u2060 \u200d", True), ("0", False), ("\u200b!", False)])
def test_blank_is_what_nobody_sees(text: str, *, blank: bool) -> None:
    assert is_blank(text) is blank


@pytest.mark.parametrize("vectors", [[], [[]], [["a"]], [[0.1], [0.2]], [None]], ids=str)
async def test_embeddings_that_are_none_are_the_providers_fault(vectors: Any) -> None:
    body = {"object": "list", "model": "m", "data": [{"index": n, "embedding": v} for n, v in enumerate(vectors)]}
    transport = httpx2.MockTransport(lambda request: httpx2.Response(200, json=body))
    http = CheckedClient(transport=transport)
    client = openai.AsyncOpenAI(api_key="k", base_url="http://127.0.0.1/v1", max_retries=0, http_client=http)

    with pytest.raises(InvalidAnswer):
        await client.embeddings.create(model="m", input=["one text"], encoding_format="float")
    await client.close()
