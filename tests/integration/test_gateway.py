"""The HTTP gateway takes messages in and gives replies out, with one key and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from runtime.database import Database
from schema.settings import Settings
from tests.integration.http_gateway import Here, make_key, message, read_events, serve_here
from tests.integration.worker_harness import MakeHarness


@pytest.fixture(scope="module")
async def gateway(settings: Settings) -> AsyncIterator[Here]:
    async with serve_here(settings) as here:
        yield here


async def test_a_message_comes_back_as_a_reply_on_a_stream(
    gateway: Here, database: Database, tenant: str, worker: MakeHarness
) -> None:
    harness = await worker()
    async with gateway.client(await make_key(database, tenant)) as client:
        accepted = await client.post("/v1/messages", json=message("m1", text="hello"))
        again = await client.post("/v1/messages", json=message("m1", text="hello"))
        await harness.drain("c1")
        async with client.stream("GET", "/v1/replies", headers={"Accept": "text/event-stream"}) as stream:
            first = await anext(read_events(stream))

    assert accepted.status_code == 202, accepted.text
    assert again.status_code == 200
    assert again.json() == accepted.json() | {"status": "duplicate"}
    assert (first.kind, first.body["text"], first.body["in_reply_to"]) == ("reply", "you said: hello", ["m1"])
