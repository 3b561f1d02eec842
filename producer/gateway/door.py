"""What every request passes: an id, its key, time limits, headers for safety, the access log and the metrics."""

from __future__ import annotations

import asyncio
import re
import time
from typing import TYPE_CHECKING, Any, Final

import structlog
from fastapi import HTTPException
from structlog.contextvars import bound_contextvars

from producer.gateway.access import needs_key, read_bearer
from producer.gateway.metrics import REQUESTS, SECONDS
from producer.gateway.problems import Refused, refusal_of
from schema.ids import new_token

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from producer.gateway.parts import Parts

BODY_BYTES_MAX: Final = 262_144
"""Size of a body, but where BODY_BYTES_MAX_OF says otherwise: a message at its limit, and room for escapes."""
BODY_BYTES_MAX_OF: Final = {"/v1/messages/batch": 4_000_000}
MAIL_BODY_BYTES_MAX: Final = 40 * 1024 * 1024
"""Size of a provider's request with a mail: what providers take, so that of each mail a person gets to know."""
MAIL_PATHS: Final = "/v1/channels/email/"
BODY_SECONDS_MAX: Final = 15.0
"""How long a client may take to send a body, from its head on."""

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SAFETY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

_log = structlog.get_logger("fte.gateway.access")


class Door:
    """The outermost ASGI application: nothing behind it sees a request without a key, but for the open paths.

    The key is verified before a byte of the body is read.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, receive, send)
        with bound_contextvars(request_id=visit.request_id):
            try:
                await self._enter(scope, visit)
            finally:
                visit.note()

    async def _enter(self, scope: Scope, visit: _Visit) -> None:
        try:
            if needs_key(scope["path"]):
                await self._identify(scope)
            await self._app(scope, visit.receive, visit.send)
        except Exception as error:
            refused = refusal_of(error)
            if refused is None:
                _log.error("http.fault", path=scope["path"], exc_info=error)
                refused = Refused("internal", "this is a fault of the server; its log tells more under the request id")
            if visit.status is not None:
                raise  # too late for another answer: the connection is cut
            await refused.response(visit.request_id)(scope, visit.receive, visit.send)

    async def _identify(self, scope: Scope) -> None:
        parts: Parts = scope["app"].state.parts
        presented = read_bearer(scope["headers"])
        address = scope["client"][0] if scope.get("client") else ""
        state: dict[str, Any] = scope["state"]
        state["principal"] = await parts.keys.verify(presented, address)
        state["presented_key"], state["address"] = presented, address


class _Visit:
    """One request on its way through."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._began = time.perf_counter()
        self._body_until = time.monotonic() + BODY_SECONDS_MAX
        self._body_is_read = False
        self._body_bytes = 0
        self._body_bytes_max = _body_bytes_max(scope["path"])
        self.status: int | None = None
        self.request_id = _request_id(scope["headers"])
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def receive(self) -> Message:
        """Receive from the client.

        Raises HTTPException, which alone FastAPI passes on, when the body comes too slowly or is too large.
        """
        if self._body_is_read:
            return await self._receive()
        if not self._body_bytes:
            self._check_announced()
        try:
            async with asyncio.timeout(self._body_until - time.monotonic()):
                message = await self._receive()
        except TimeoutError:
            detail = f"the body was not complete {BODY_SECONDS_MAX:g} s after its head; send it again, or less at once"
            raise HTTPException(408, detail) from None
        self._body_is_read = not message.get("more_body", False)
        self._body_bytes += len(message.get("body", b""))
        if self._body_bytes > self._body_bytes_max:
            raise self._too_large(f"more than {self._body_bytes_max}")
        return message

    def _check_announced(self) -> None:
        """Refuse a body that is announced as too large before a byte of it is read."""
        for name, value in self._scope["headers"]:
            if name == b"content-length" and int(value) > self._body_bytes_max:
                raise self._too_large(value.decode())

    def _too_large(self, size: str) -> HTTPException:
        return HTTPException(
            413, f"the body has {size} bytes, at most {self._body_bytes_max} are taken here; send less at once"
        )

    async def send(self, message: Message) -> None:
        """Send to the client, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            given = {name.lower() for name, _ in headers}
            headers.append((b"x-request-id", self.request_id.encode()))
            headers += [(name, value) for name, value in _SAFETY if name not in given]
            message = {**message, "headers": headers}
            SECONDS.labels(self._route).observe(time.perf_counter() - self._began)
        await self._send(message)

    def note(self) -> None:
        """Write the access log's line, and count."""
        status = self.status or 499
        REQUESTS.labels(self._scope["method"], self._route, status).inc()
        principal = self._scope["state"].get("principal")
        _log.info(
            "http.request",
            method=self._scope["method"],
            route=self._route,
            status=status,
            milliseconds=round((time.perf_counter() - self._began) * 1_000, 1),
            tenant=principal.tenant if principal else None,
            key_id=principal.key_id if principal else None,
        )

    @property
    def _route(self) -> str:
        """Return the path as the route declares it: no id of a conversation becomes a label."""
        route = self._scope.get("route")
        return str(getattr(route, "path", "none"))


def _body_bytes_max(path: str) -> int:
    return MAIL_BODY_BYTES_MAX if path.startswith(MAIL_PATHS) else BODY_BYTES_MAX_OF.get(path, BODY_BYTES_MAX)


def _request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """Return the client's own id of the request where it has a plain one, else a new one."""
    for name, value in headers:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            return text if _REQUEST_ID.fullmatch(text) else new_token()
    return new_token()
