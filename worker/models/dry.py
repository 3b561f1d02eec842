"""An endpoint in memory that answers one word: with it the client loads without a network what its first use needs."""

from __future__ import annotations

from typing import Any

import httpx2
import openai

from worker.models.wire.client import CheckedClient

_WORD = "Hello."
_RESPONSE: dict[str, Any] = {
    "id": "resp_0",
    "object": "response",
    "created_at": 0,
    "model": "dry",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "msg_0",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": _WORD, "annotations": [], "logprobs": []}],
        }
    ],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
}
_COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-0",
    "object": "chat.completion",
    "created": 0,
    "model": "dry",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": _WORD}}],
}


class _Memory(httpx2.AsyncBaseTransport):
    """Transport that answers in place of a network."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=_RESPONSE if request.url.path.endswith("/responses") else _COMPLETION)


def make_dry_client() -> openai.AsyncOpenAI:
    """Create a client of the endpoint in memory; whatever is asked over either API, the answer is the one word."""
    transport = CheckedClient(transport=_Memory())
    return openai.AsyncOpenAI(api_key="none", base_url="http://dry.invalid/v1", max_retries=0, http_client=transport)
