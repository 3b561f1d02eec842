"""Answers as providers write them on either API, and the true client and SDK that read them."""

from __future__ import annotations

import json
import warnings
from typing import Any, Literal

import httpx2
import openai
import pytest
from agents import ModelSettings
from agents.items import ModelResponse
from agents.models.interface import Model, ModelTracing
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel

from worker.models.output import check_usable
from worker.models.wire.client import CheckedClient

Api = Literal["responses", "chat"]
APIS: list[Api] = ["responses", "chat"]
both = pytest.mark.parametrize("api", APIS)

TOLD: dict[str, Any] = {"arguments": '{"question": "bags"}'}


def message(text: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}] if isinstance(text, str) else text
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}


def response(*output: Any, **changes: Any) -> dict[str, Any]:
    usage = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    known = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    return {**known, "output": list(output), "usage": usage, **changes}


def completion(finish: str | None = "stop", **of_message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": None, **of_message}}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def say(api: Api, text: str) -> dict[str, Any]:
    return response(message(text)) if api == "responses" else completion(content=text)


def call(api: Api, *calls: dict[str, Any]) -> dict[str, Any]:
    """Write calls given as id, name and arguments."""
    if api == "responses":
        items = [{"type": "function_call", "id": f"fc_{n}", **one} for n, one in enumerate(calls)]
        return response(*[{**item, "call_id": item.get("call_id", "c1")} for item in items])
    return completion(
        "tool_calls",
        tool_calls=[
            {
                "id": one.get("call_id", "c1"),
                "type": "function",
                "function": {key: one[key] for key in ("name", "arguments") if key in one},
            }
            for one in calls
        ],
    )


async def ask(
    api: Api,
    answer: Any,
    *,
    items: list[Any] | None = None,
    content_type: str = "application/json",
    settings: ModelSettings | None = None,
) -> ModelResponse:
    """Ask the SDK's model of an API, over the client that is tested, an endpoint that answers just this."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def respond(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=body, headers={"content-type": content_type})

    http = CheckedClient(transport=httpx2.MockTransport(respond))
    client = openai.AsyncOpenAI(api_key="k", base_url="http://127.0.0.1/v1", max_retries=0, http_client=http)
    make: Any = OpenAIResponsesModel if api == "responses" else OpenAIChatCompletionsModel
    model: Model = make("m", client)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # pydantic warns of what has the wrong type, and quotes it
        got = await model.get_response(
            system_instructions="Be brief.",
            input=items or "hello",
            model_settings=settings or ModelSettings(store=False),
            tools=[],
            output_schema=None,
            handoffs=[],
            tracing=ModelTracing.DISABLED,
            previous_response_id=None,
            conversation_id=None,
            prompt=None,
        )
        for item in got.to_input_items():
            json.dumps(item)
    await client.close()
    check_usable(got)
    return got


def texts_of(got: ModelResponse) -> list[str]:
    return [getattr(part, "text", "") for item in got.output if item.type == "message" for part in item.content]


def calls_of(got: ModelResponse) -> list[tuple[str, str, str]]:
    return [(item.call_id, item.name, item.arguments) for item in got.output if item.type == "function_call"]
