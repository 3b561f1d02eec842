"""Send through an HTTP gateway that lives and dies in the sender's process, and not by the library."""

from __future__ import annotations

import os
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from ops.database.http_role import make_login
from ops.lab.chaos.load import TENANT
from ops.tenants.keys import KeyRequest, create_key
from ops.tenants.settings import change_settings
from producer.gateway import event_stream
from producer.gateway.process import serving
from runtime.database import Database
from runtime.encoding import dump_json, parse_json
from runtime.redis import make_redis
from schema.keys import events_stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from runtime.failpoints import Failpoint
    from schema.settings.gateway import GatewaySettings

SENDER: Final = "CHAOS_SENDER"
"""The environment variable that says how a sender sends: `library` (the default), `http`, or `http-stalled`: by HTTP,
while a reader of the gateway's events has stopped reading."""

STALL_SECONDS_MAX: Final = 2.0
UNREAD_ENTRIES: Final = 300
UNREAD_CHARACTERS: Final = 40_000
"""Events that the stalled reader leaves unread: more than the buffers of two sockets hold."""

_NO_LIMIT: Final = {"new_conversations_per_minute": 1_000_000, "messages_per_minute": 10_000_000}


class HttpSender:
    """Sends messages to the gateway of this process."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(self, message: dict[str, Any]) -> dict[str, Any]:
        """Hand in one message; return its receipt, or the refusal and when to try again."""
        async with self._session.post("/v1/messages", json=message) as answer:
            body = parse_json(await answer.read())
            if answer.ok:
                return {"receipt": {"position": body["position"], "status": body["status"]}}
            return {"refused": body["type"], "after_seconds": float(answer.headers.get("Retry-After", "1"))}


@asynccontextmanager
async def open_http_sender(
    settings: GatewaySettings, failpoint: Failpoint, *, stalled: bool
) -> AsyncIterator[HttpSender]:
    """Run a gateway, and send to it, until the end of the block."""
    async with AsyncExitStack() as opened:
        fenced = with_login_of_its_own(settings)
        database = Database(settings)
        await database.open()
        opened.push_async_callback(database.close)
        await change_settings(database, TENANT, {"limits": _NO_LIMIT}, by="chaos")
        request = KeyRequest(f"chaos {os.getpid()}", ("messages:write", "outbound:read"))
        key = (await create_key(database, TENANT, request, by="chaos", now=datetime.now(UTC))).text
        listening = socket.create_server(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        await opened.enter_async_context(serving(fenced, listening, failpoint=failpoint))
        if stalled:
            await _fill_events(settings)
            opened.callback(_ask_and_read_nothing(port, key).close)
        headers = {"Authorization": f"Bearer {key}"}
        session = aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers)
        yield HttpSender(await opened.enter_async_context(session))


def with_login_of_its_own(settings: GatewaySettings) -> GatewaySettings:
    """Make a login for HTTP processes, and return the settings with it."""
    parts = urlsplit(settings.database_url or "")
    login = urlunsplit(parts._replace(netloc=f"chaos_gateway:chaos@{parts.hostname}:{parts.port}"))
    make_login(settings.database_url or "", login)
    return settings.model_copy(update={"http_database_url": login})


async def _fill_events(settings: GatewaySettings) -> None:
    """Publish more events than the sockets' buffers hold."""
    client: Any = make_redis(settings)
    event = {
        "event_id": "event_chaos",
        "tenant": TENANT,
        "conversation": "chaos-unread",
        "name": "message.forwarded",
        "attributes": {"filling": "x" * UNREAD_CHARACTERS},
        "trace_id": "trace_chaos",
        "created_at": datetime.now(UTC),
    }
    for number in range(UNREAD_ENTRIES):
        fields = {"id": f"unread-{number}", "conversation": "chaos-unread", "sequence": 0, "body": dump_json(event)}
        await client.xadd(events_stream(TENANT), fields)
    await client.aclose()


def _ask_and_read_nothing(port: int, key: str) -> socket.socket:
    """Ask for the stream of events on a plain socket: one of asyncio's would read on its own, or close itself."""
    event_stream.STALL_SECONDS_MAX = STALL_SECONDS_MAX  # type: ignore[misc] # of this process alone, to be quick
    reader = socket.create_connection(("127.0.0.1", port))
    head = f"GET /v1/events HTTP/1.1\r\nHost: chaos\r\nAccept: text/event-stream\r\nAuthorization: Bearer {key}\r\n\r\n"
    reader.sendall(head.encode())
    return reader
