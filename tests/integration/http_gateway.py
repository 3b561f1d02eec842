"""Serve the HTTP gateway on a port of its own, and talk to it as its clients do."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx2

from ops.database.http_role import make_login
from ops.tenants.keys import KeyRequest, create_key
from producer.gateway.process import serving
from runtime.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from fastapi import APIRouter

    from producer.gateway.process import GatewayServer
    from schema.settings import Settings

EVERY_SCOPE = ("messages:write", "outbound:read", "conversations:read", "desk", "admin")


@dataclass
class Here:
    """A gateway that serves in this process."""

    server: GatewayServer
    url: str
    port: int

    def client(self, key: str | None, **options: Any) -> httpx2.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, **options)


def fence(settings: Settings) -> Settings:
    """Make the login of HTTP processes, as `fte up` does, and return the settings with its address."""
    parts = urlsplit(settings.database_url or "")
    url = urlunsplit(parts._replace(netloc=f"gateway_tests:made-up@{parts.hostname}:{parts.port}"))
    make_login(settings.database_url or "", url)
    return settings.model_copy(update={"http_database_url": url})


@asynccontextmanager
async def serve_here(settings: Settings, *, routers: Sequence[APIRouter] = ()) -> AsyncIterator[Here]:
    """Serve on a free port until the end of the block."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    async with serving(fence(settings), listening, routers=routers) as server:
        yield Here(server, f"http://127.0.0.1:{port}", port)


async def make_key(database: Database, tenant: str, *scopes: str, **changes: Any) -> str:
    """Make an API key, and give its text."""
    request = KeyRequest("a test's", scopes or EVERY_SCOPE, **changes)
    made = await create_key(database, tenant, request, by="a test", now=datetime.now(UTC))
    return made.text


def message(message_id: str, conversation: str = "c1", **changes: Any) -> dict[str, Any]:
    """Make up a message."""
    return {
        "message_id": message_id,
        "conversation": conversation,
        "channel": "chat",
        "sender": "ada",
        "text": "How much is a bag?",
    } | changes


@dataclass
class Event:
    """One server-sent event."""

    kind: str
    event_id: str
    body: dict[str, Any]


async def read_events(response: httpx2.Response) -> AsyncIterator[Event]:
    """Read server-sent events as a client does; comments are passed over."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            yield Event(fields["event"], fields["id"], json.loads(fields["data"]))
            fields = {}
        else:
            fields = {}
