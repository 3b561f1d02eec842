"""The HTTP client below the provider's SDK: it hands on checked answers alone, in the one form of their API."""

from __future__ import annotations

import json
from typing import Any, Literal

import httpx2
import openai

from worker.models.wire import chat, responses
from worker.models.wire.faults import ErrorInside, InvalidAnswer, Malformed
from worker.models.wire.parts import CallIds
from worker.models.wire.sent import show

ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""Largest answer that is read."""

_Api = Literal["responses", "chat", "embeddings"]
_PATHS: dict[str, _Api] = {"/responses": "responses", "/chat/completions": "chat", "/embeddings": "embeddings"}
_PAGE = b"<"


class CheckedClient(openai.DefaultAsyncHttpxClient):
    """HTTP client that checks what a provider answers with status 200, and brings it into one form.

    Here, and not above the SDK, because the SDK reads an answer with open arms: what has the wrong type breaks it
    later, in ways that look like errors of our own, or is written to its log with the customer's words.
    """

    async def send(self, request: httpx2.Request, **kwargs: Any) -> httpx2.Response:
        """Send a request; raises InvalidAnswer and UnusableAnswer besides what the HTTP client raises."""
        api = next((api for end, api in _PATHS.items() if request.url.path.endswith(end)), None)
        asked: dict[str, Any] = json.loads(request.content) if api else {}
        if api == "chat" and chat.fill_null_contents(asked):
            request = _with_body(request, asked)
        response = await super().send(request, **{**kwargs, "stream": True})
        try:
            body = await _read(response, request)
        finally:
            await response.aclose()
        if api is None or not response.is_success:
            return _respond(response, response.status_code, body)
        try:
            checked = _check(api, asked, body)
        except Malformed as fault:
            raise InvalidAnswer(str(fault), request) from None
        except ErrorInside as fault:
            return _respond(response, fault.status, json.dumps({"error": fault.error}).encode())
        return _respond(response, response.status_code, json.dumps(checked).encode())


def _with_body(request: httpx2.Request, body: dict[str, Any]) -> httpx2.Request:
    headers = httpx2.Headers(request.headers)
    del headers["content-length"]
    content = json.dumps(body).encode()
    return httpx2.Request(request.method, request.url, headers=headers, content=content, extensions=request.extensions)


def _check(api: _Api, asked: dict[str, Any], body: bytes) -> dict[str, Any]:
    answer = _parse(body)
    if api != "embeddings":
        show(asked)
    if api == "chat":
        return chat.normalise_completion(answer, CallIds(chat.taken_ids(asked)))
    if api == "responses":
        ids = CallIds(responses.taken_ids(asked))
        return responses.normalise_response(answer, ids, is_stored=asked.get("store") is not False)
    return _check_embeddings(answer, asked)


def _parse(body: bytes) -> dict[str, Any]:
    start = body.lstrip()[:6]
    if start[:1] == _PAGE:
        raise Malformed("a page in place of JSON")
    if start.startswith((b"data:", b"event:")):
        raise Malformed("a stream of events, which nobody asked for")
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("a body that is no JSON" if start else "no body") from None
    if not isinstance(parsed, dict):
        raise Malformed("JSON that is no object")
    return parsed


def _check_embeddings(body: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    data = body.get("data")
    texts = asked.get("input")
    if not isinstance(data, list) or not isinstance(texts, list) or len(data) != len(texts):
        raise Malformed("not one embedding for each text")
    for each in data:
        vector = each.get("embedding") if isinstance(each, dict) else None
        if not isinstance(vector, list) or not vector or not all(isinstance(one, int | float) for one in vector):
            raise Malformed("an embedding that is no vector")
    return body


async def _read(response: httpx2.Response, request: httpx2.Request) -> bytes:
    parts = bytearray()
    async for part in response.aiter_bytes():
        parts += part
        if len(parts) > ANSWER_BYTES_MAX:
            raise InvalidAnswer(f"more than {ANSWER_BYTES_MAX} bytes", request)
    return bytes(parts)


def _respond(response: httpx2.Response, status: int, body: bytes) -> httpx2.Response:
    headers = httpx2.Headers(response.headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        headers.pop(name, None)
    if status == response.status_code and not response.is_success:
        return httpx2.Response(status, headers=headers, content=body, request=response.request)
    headers["content-type"] = "application/json"
    return httpx2.Response(status, headers=headers, content=body, request=response.request)
