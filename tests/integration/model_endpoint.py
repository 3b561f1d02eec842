"""Be an OpenAI-compatible endpoint on loopback that answers and fails as a test's script says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from schema.settings import Settings

INPUT_TOKENS = 100
OUTPUT_TOKENS = 10
CACHED_TOKENS = 40


@dataclass(frozen=True)
class Fail:
    """Answer with an HTTP error."""

    status: int
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Late:
    """Answer when the event is set."""

    until: asyncio.Event
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class Raw:
    """Answer with these very bytes, or this object as JSON, and status 200 unless another is given."""

    body: bytes | dict[str, Any]
    content_type: str = "application/json"
    status: int = 200


CUT = "cut"
"""Cut the connection without an answer."""

Step = list[dict[str, Any]] | dict[str, Any] | Fail | Late | Raw | str
"""Output items of an answer, an answer that ended early, an HTTP error, an answer that comes late, bytes, or CUT."""


@dataclass
class Endpoint:
    """Take the steps of a script one by one, and then, for ever, what `then` gives."""

    script: list[Step]
    then: Callable[[], Step] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Speak /v1/responses."""
        return await self._answer(request, response_of)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """Speak /v1/chat/completions."""
        return await self._answer(request, completion_of)

    async def _answer(self, request: web.Request, shape: Callable[[Any, int], dict[str, Any]]) -> web.StreamResponse:
        assert request.headers["Authorization"] == "Bearer sk-test"
        self.asked.append(await request.json())
        step = self.script.pop(0) if self.script or self.then is None else self.then()
        if isinstance(step, Late):
            await step.until.wait()
            step = step.items
        if isinstance(step, Fail):
            error = {"error": {"message": "no", "code": step.code, "type": "error"}}
            return web.json_response(error, status=step.status, headers=step.headers)
        if isinstance(step, Raw):
            body = step.body if isinstance(step.body, bytes) else json.dumps(step.body).encode()
            return web.Response(body=body, status=step.status, content_type=step.content_type)
        if step == CUT:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(shape(step, len(self.asked)))

    def settings(self, model: str = "openai:gpt-x", **changes: Any) -> Settings:
        """Give settings that lead here."""
        values = {"model": model, "OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": self.url, **changes}
        return Settings.model_validate(values)


def response_of(step: Any, number: int) -> dict[str, Any]:
    """Write an answer as the Responses API does."""
    is_complete = isinstance(step, list)
    return {
        "id": f"resp_{number}",
        "object": "response",
        "created_at": 0,
        "model": "gpt-x",
        "status": "completed" if is_complete else step["status"],
        "output": step if is_complete else [],
        "incomplete_details": None if is_complete else step["incomplete_details"],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": INPUT_TOKENS,
            "output_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            "input_tokens_details": {"cached_tokens": CACHED_TOKENS, "cache_write_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def completion_of(step: Any, number: int) -> dict[str, Any]:
    """Write an answer as the Chat Completions API does."""
    calls = [
        {
            "id": item["call_id"],
            "type": "function",
            "function": {"name": item["name"], "arguments": item["arguments"]},
        }
        for item in step
        if item["type"] == "function_call"
    ]
    text = "".join(part["text"] for item in step if item["type"] == "message" for part in item["content"])
    message = {"role": "assistant", "content": text or None, **({"tool_calls": calls} if calls else {})}
    return {
        "id": f"chatcmpl_{number}",
        "object": "chat.completion",
        "created": 0,
        "model": "gpt-x",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}],
        "usage": {
            "prompt_tokens": INPUT_TOKENS,
            "completion_tokens": OUTPUT_TOKENS,
            "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS,
            "prompt_tokens_details": {"cached_tokens": CACHED_TOKENS},
        },
    }


def call(name: str, **arguments: Any) -> list[dict[str, Any]]:
    """Call a tool."""
    return [
        {
            "type": "function_call",
            "id": f"fc_{name}",
            "call_id": f"call_{name}",
            "name": name,
            "arguments": json.dumps(arguments),
            "status": "completed",
        }
    ]


def say(text: str) -> list[dict[str, Any]]:
    """Answer the customer."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return [{"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}]


@asynccontextmanager
async def serving(*script: Step, then: Callable[[], Step] | None = None) -> AsyncIterator[Endpoint]:
    """Run an endpoint for the length of the block."""
    endpoint = Endpoint(list(script), then)
    app = web.Application()
    app.router.add_post("/v1/responses", endpoint.respond)
    app.router.add_post("/v1/chat/completions", endpoint.complete)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    endpoint.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield endpoint
    finally:
        await runner.cleanup()
