"""The HTTP server of the simulated provider."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ops.lab.llm_sim.asked import Asked, BadRequest, WireFormat, think
from ops.lab.llm_sim.chat_api import CHAT
from ops.lab.llm_sim.faults import BODIES, Faults, read_script, spoil
from ops.lab.llm_sim.latency import Latency, Uniform
from ops.lab.llm_sim.record import Record, Request
from ops.lab.llm_sim.responses_api import RESPONSES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODY_BYTES_MAX = 8 * 1024 * 1024

_NO_TIME = Uniform(0, 0)
_ERRORS = {
    "429": ("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
    "500": ("The server had an error while processing your request.", "server_error", None),
    "503": ("The engine is currently overloaded, please try again later.", "server_error", "overloaded"),
}


class Simulator:
    """Answers requests of either wire format, with the configured latency and faults."""

    def __init__(
        self,
        *,
        latency: Latency = _NO_TIME,
        faults: Faults | None = None,
        record: Record | None = None,
        seed: int = 1,
    ) -> None:
        self.record = record or Record()
        self.faults = faults or Faults()
        self._latency = latency
        self._seed = seed

    def application(self) -> web.Application:
        """Build the web application."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.router.add_post("/v1/responses", self._responses)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models/{name:.+}", self._model)
        app.router.add_get("/stats", self._stats)
        app.router.add_post("/faults", self._add_faults)
        app.router.add_delete("/faults", self._clear_faults)
        return app

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, RESPONSES)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        return await self._recorded(request, CHAT)

    async def _model(self, request: web.Request) -> web.Response:
        return web.json_response({"id": request.match_info["name"], "object": "model", "created": 0, "owned_by": "sim"})

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response({**self.record.sums(), "scripted": self.faults.scripted})

    async def _add_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults.script(read_script(await request.json()))
        except ValueError as error:
            return _error(400, str(error), "invalid_request_error", None)
        return web.json_response({"scripted": self.faults.scripted})

    async def _clear_faults(self, _request: web.Request) -> web.Response:
        self.faults.clear()
        return web.json_response({"scripted": 0})

    async def _recorded(self, request: web.Request, api: WireFormat) -> web.StreamResponse:
        """Answer one request, and record its outcome also when its client went away meanwhile."""
        noted = self.record.begin(api.name)
        try:
            answer = await self._answer(request, api, noted)
            noted.status = 0 if noted.fault and noted.fault.kind == "cut" else answer.status
            return answer
        finally:
            self.record.end(noted)

    async def _answer(self, request: web.Request, api: WireFormat, noted: Request) -> web.StreamResponse:
        if not request.headers.get("Authorization", "").removeprefix("Bearer ").strip():
            return _error(401, "You didn't provide an API key.", "invalid_request_error", "invalid_api_key")
        try:
            asked = noted.asked = _read(api, await request.read())
            output = noted.output = think(asked)
        except BadRequest as error:
            return _error(400, str(error), "invalid_request_error", None)
        # By number, not by what is asked: the same request, sent again, may well succeed.
        random = Random(f"{self._seed} {noted.number}")  # noqa: S311 - no secret depends on it
        seconds = self._latency.draw_seconds(random)
        fault = noted.fault = self.faults.next(random.random())
        if fault is not None and fault.kind == "hang":
            await asyncio.Event().wait()  # until the client goes away
        if fault is not None and fault.kind in _ERRORS:
            message, kind, code = _ERRORS[fault.kind]
            headers = {} if fault.kind == "500" else {"Retry-After": f"{fault.seconds:g}"}
            return _error(int(fault.kind), message, kind, code, headers=headers)
        if fault is not None and fault.kind == "slow":
            seconds += fault.seconds
        if fault is not None:
            output = noted.output = spoil(output, fault.kind, asked)
        await asyncio.sleep(seconds)
        if fault is not None and fault.kind in BODIES:
            content_type, text = BODIES[fault.kind]
            return web.Response(text=text, content_type=content_type)
        body = api.write(asked, output, int(time.time()))
        headers = {"x-request-id": f"req_{noted.number}"}
        if fault is not None and fault.kind == "cut":
            return await _cut_off(request, json.dumps(body).encode())
        return web.json_response(body, headers=headers)


@asynccontextmanager
async def serving(simulator: Simulator, port: int = 0) -> AsyncIterator[str]:
    """Serve on loopback for the length of the block, and yield the base URL for clients; port 0 is any free one.

    Raises OSError when the port is taken.
    """
    runner = web.AppRunner(simulator.application(), handler_cancellation=True, shutdown_timeout=0.5, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


def _read(api: WireFormat, raw: bytes) -> Asked:
    try:
        body: Any = json.loads(raw)
    except ValueError:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(body, dict):
        raise BadRequest("the body is no object")
    if body.get("stream"):
        raise BadRequest("streaming is not simulated")
    try:
        return api.read(body)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadRequest(f"the body is not of the expected form: {error!r}") from None


def _error(
    status: int, message: str, kind: str, code: str | None, *, headers: dict[str, str] | None = None
) -> web.Response:
    """Return an error response as OpenAI does."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return web.json_response({"error": error}, status=status, headers=headers)


async def _cut_off(request: web.Request, body: bytes) -> web.StreamResponse:
    """Send half of the answer and cut the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.abort()
    return response
