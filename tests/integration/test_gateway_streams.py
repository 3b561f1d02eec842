"""Replies, escalations and events are given out over HTTP at least once, in order, from a place that survives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.tenants.keys import KeyRequest, create_key, revoke_key
from ops.tenants.settings import change_settings
from producer.gateway import cursors, event_stream, outbound
from runtime.database import Database
from runtime.redis import Scripts
from schema.keys import ASIDE_ID, again_stream, cursors_key, events_stream, replies_stream
from schema.settings import Settings
from tests.integration.http_gateway import Event, Here, make_key, read_events, serve_here
from tests.integration.publishing import publish, reply
from tests.waiting import eventually

SSE = {"Accept": "text/event-stream"}


@pytest.fixture(scope="module")
async def gateway(settings: Settings) -> AsyncIterator[Here]:
    async with serve_here(settings) as here:
        yield here


@pytest.fixture
async def key(database: Database, tenant: str) -> str:
    return await make_key(database, tenant)


async def take(events: AsyncIterator[Event], count: int) -> list[Event]:
    return [await anext(events) for _ in range(count)]


async def is_read(here: Here, tenant: str, *, by: int = 1) -> bool:
    return here.server.parts.watch.readers_of(tenant) >= by


def sequences(found: Any) -> list[int]:
    if isinstance(found, list):
        return [event.body["sequence"] for event in found]
    return [entry["body"]["sequence"] for entry in found.json()["entries"]]


async def test_a_stream_goes_on_after_the_last_event_id(gateway: Here, redis: Any, tenant: str, key: str) -> None:
    await publish(redis, replies_stream(tenant, "sms"), 1, 2, 3)
    async with gateway.client(key) as client:
        async with client.stream("GET", "/v1/replies", headers=SSE) as stream:
            first = await take(read_events(stream), 2)
        async with client.stream("GET", "/v1/replies", headers=SSE | {"Last-Event-ID": first[-1].event_id}) as stream:
            events = read_events(stream)
            rest = await take(events, 1)
            await publish(redis, replies_stream(tenant, "sms"), 4)
            live = await take(events, 1)

    assert (sequences(first), sequences(rest), sequences(live)) == ([1, 2], [3], [4])
    assert first[0].body == reply(1).model_dump(mode="json")


async def test_what_is_not_acknowledged_comes_again_and_what_is_does_not(
    settings: Settings, redis: Any, tenant: str, key: str
) -> None:
    """Over two gateway processes, one after the other: the place is not the process's."""
    await publish(redis, replies_stream(tenant, "chat"), 1, 2, 3)
    async with serve_here(settings) as here, here.client(key) as client:
        first = await client.get("/v1/replies")
        again = await client.get("/v1/replies")
        acknowledged = await client.post("/v1/replies/ack", json={"id": first.json()["entries"][1]["id"]})
    async with serve_here(settings) as here, here.client(key) as client:
        rest = await client.get("/v1/replies")
        async with client.stream("GET", "/v1/replies", headers=SSE) as stream:
            streamed = await take(read_events(stream), 1)

    assert (sequences(first), sequences(again)) == ([1, 2, 3], [1, 2, 3])
    assert acknowledged.status_code == 200, acknowledged.text
    assert (sequences(rest), sequences(streamed)) == ([3], [3])


async def test_an_acknowledgement_never_goes_back_or_beyond_what_was_published(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    await publish(redis, replies_stream(tenant, "chat"), 1, 2)
    async with gateway.client(key) as client:
        entries = (await client.get("/v1/replies")).json()["entries"]
        await client.post("/v1/replies/ack", json={"id": "chat:999999999999999-0"})
        back = await client.post("/v1/replies/ack", json={"id": entries[0]["id"]})
        await publish(redis, replies_stream(tenant, "chat"), 3)
        left = await client.get("/v1/replies")

    assert "chat:" + entries[1]["id"].split("chat:")[1].split(",")[0] in back.json()["id"]
    assert sequences(left) == [3]


async def test_cursors_of_a_name_are_shared_by_a_tenants_keys_and_those_without_are_not(
    gateway: Here, redis: Any, database: Database, tenant: str, key: str
) -> None:
    other = await make_key(database, tenant)
    await publish(redis, replies_stream(tenant, "chat"), 1, 2)
    async with gateway.client(key) as mine, gateway.client(other) as theirs:
        entries = (await mine.get("/v1/replies?cursor=desk")).json()["entries"]
        (await mine.get("/v1/replies"), await theirs.get("/v1/replies"))
        await mine.post("/v1/replies/ack", json={"id": entries[0]["id"], "cursor": "desk"})
        await mine.post("/v1/replies/ack", json={"id": entries[1]["id"]})

        shared = await theirs.get("/v1/replies?cursor=desk")
        own = await mine.get("/v1/replies")
        of_the_other = await theirs.get("/v1/replies")

    assert (sequences(shared), sequences(own), sequences(of_the_other)) == ([2], [], [1, 2])


async def test_a_new_cursor_may_begin_with_what_comes_next(gateway: Here, redis: Any, tenant: str, key: str) -> None:
    await publish(redis, replies_stream(tenant, "chat"), 1)
    async with gateway.client(key) as client:
        nothing = await client.get("/v1/replies?cursor=new&begin=newest")
        await publish(redis, replies_stream(tenant, "chat"), 2)
        next_one = await client.get("/v1/replies?cursor=new&begin=newest")

    assert (sequences(nothing), sequences(next_one)) == ([], [2])


async def test_there_are_only_so_many_cursors_and_one_that_nobody_reads_is_removed(
    gateway: Here, redis: Any, tenant: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cursors, "CURSORS_MAX", 3)
    stream = events_stream(tenant)
    await redis.xgroup_create(stream, "a-consumer", id="0", mkstream=True)

    async def ask(name: str) -> int:
        async with gateway.client(key) as client:
            return (await client.get("/v1/events", params={"cursor": name})).status_code

    statuses = [await ask(name) for name in ("one", "two", "three", "four", "two")]
    async with gateway.client(key) as client:
        refused = await client.get("/v1/events", params={"cursor": "five"}, headers=SSE)
    long_ago = (await redis.zscore(cursors_key(stream), "http.one")) - cursors.CURSOR_IDLE_DAYS * 86_400_000 - 1
    await redis.zadd(cursors_key(stream), {"http.one": long_ago})
    statuses.append(await ask("four"))

    names = {group["name"].decode() for group in await redis.xinfo_groups(stream)}
    assert statuses == [200, 200, 200, 409, 200, 200]
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:fte:problem:conflict")
    assert names == {"a-consumer", "http.two", "http.three", "http.four"}
    assert await redis.zcard(cursors_key(stream)) == 3


async def test_cursors_that_redis_lost_and_workers_made_anew_count_as_read(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    stream = events_stream(tenant)
    await redis.xgroup_create(stream, "http.restored", id="0", mkstream=True)
    async with gateway.client(key) as client:
        await client.get("/v1/events", params={"cursor": "new"})

    assert {name.decode() for name in await redis.zrange(cursors_key(stream), 0, -1)} == {"http.restored", "http.new"}


async def test_a_long_poll_waits_for_the_first_entry_and_no_longer(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    async with gateway.client(key, timeout=20) as client:
        empty = await client.get("/v1/replies?wait_seconds=0.2")
        waiting = asyncio.create_task(client.get(f"/v1/replies?wait_seconds=15&after={empty.json()['next_after']}"))
        await eventually(lambda: is_read(gateway, tenant))
        await publish(redis, replies_stream(tenant, "email"), 1)
        async with asyncio.timeout(10):
            found = await waiting

    assert (sequences(empty), sequences(found)) == ([], [1])


async def test_replies_of_several_channels_come_in_the_order_of_publication_page_by_page(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    """A conversation that changes channels keeps its order, although each channel has a stream of its own."""
    channels = ("chat", "sms", "email")
    for sequence in range(1, 61):
        await publish(redis, replies_stream(tenant, channels[sequence * sequence % 3]), sequence)
    found: list[int] = []
    after = ""
    async with gateway.client(key) as client:
        while len(found) < 60:
            page = await client.get("/v1/replies", params={"limit": 7, "after": after})
            after = page.json()["next_after"]
            found += sequences(page)

    assert found == list(range(1, 61))


async def test_a_channel_alone_is_read_alone(gateway: Here, redis: Any, tenant: str, key: str) -> None:
    await publish(redis, replies_stream(tenant, "chat"), 1)
    await publish(redis, replies_stream(tenant, "sms"), 2)
    async with gateway.client(key) as client:
        found = await client.get("/v1/replies?channel=sms")

    assert sequences(found) == [2]


async def test_a_cursor_that_was_set_aside_is_given_what_was_cut_and_then_what_is_new(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    """As workers do it: what a group lacks of a stream that was cut stands in one of the group's own."""
    stream = replies_stream(tenant, "chat")
    await publish(redis, stream, 1, 2, 3, 4)
    async with gateway.client(key) as client:
        before = (await client.get("/v1/replies?cursor=slow&channel=chat")).json()["entries"]
        again = again_stream(stream, "http.slow")
        cut = await redis.xrange(stream, count=2)
        await Scripts(redis).set_aside(keys=[stream, again], args=["http.slow", "0-0", ASIDE_ID])
        for entry_id, fields in cut:
            await redis.xadd(again, fields, id=entry_id)
        await redis.xtrim(stream, minid=before[2]["id"].removeprefix("chat:"), approximate=False)

        aside = await client.get("/v1/replies?cursor=slow&channel=chat")
        live = await client.get("/v1/replies", params={"cursor": "slow", "channel": "chat", "after": before[2]["id"]})
        await client.post("/v1/replies/ack", json={"id": before[1]["id"], "cursor": "slow"})
        standing = (await redis.xinfo_groups(again))[0]["last-delivered-id"]

    assert (sequences(aside), sequences(live)) == ([1, 2], [4])
    assert standing.decode() == before[1]["id"].removeprefix("chat:")


async def test_a_stream_outlives_a_redis_that_forgot_everything(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    await publish(redis, replies_stream(tenant, "chat"), 1)
    async with gateway.client(key) as client, client.stream("GET", "/v1/replies", headers=SSE) as stream:
        events = read_events(stream)
        first = await take(events, 1)
        await redis.delete(replies_stream(tenant, "chat"))
        await publish(redis, replies_stream(tenant, "chat"), 2)
        async with asyncio.timeout(10):
            second = await take(events, 1)

    assert (sequences(first), sequences(second)) == ([1], [2])


async def test_a_stream_ends_within_seconds_of_its_key_being_revoked(
    gateway: Here, database: Database, tenant: str
) -> None:
    made = await create_key(database, tenant, KeyRequest("k", ("outbound:read",)), by="t", now=datetime.now(UTC))
    async with gateway.client(made.text) as client, client.stream("GET", "/v1/events", headers=SSE) as stream:
        lines = stream.aiter_lines()
        await anext(lines)
        await revoke_key(database, tenant, made.row["key_id"], by="t", now=datetime.now(UTC))
        async with asyncio.timeout(30):
            rest = [line async for line in lines]

    assert not any(line.startswith("data") for line in rest)


async def test_stopping_ends_streams_and_long_polls_cleanly(settings: Settings, tenant: str, key: str) -> None:
    async with serve_here(settings) as here, here.client(key, timeout=30) as client:
        async with client.stream("GET", "/v1/replies", headers=SSE) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            polling = asyncio.create_task(client.get("/v1/events?wait_seconds=30"))
            await eventually(lambda: is_read(here, tenant, by=2))
            here.server.begin_stop()
            async with asyncio.timeout(10):
                rest = [line async for line in lines]  # raises when the connection is cut in the middle
                poll = await polling
        async with asyncio.timeout(10):
            await here.server.ended.wait()

    assert rest in ([""], [])
    assert (poll.status_code, poll.json()["entries"]) == (200, [])


async def test_no_more_streams_are_open_than_the_tenant_may_have(
    gateway: Here, database: Database, tenant: str, key: str
) -> None:
    await change_settings(database, tenant, {"limits": {"streams": 2}}, by="t")
    async with gateway.client(key) as client:
        async with client.stream("GET", "/v1/replies", headers=SSE), client.stream("GET", "/v1/events", headers=SSE):
            refused = await client.get("/v1/events", headers=SSE)
        again = await client.get("/v1/events?wait_seconds=0.1")
        while again.status_code == 429:  # the server notices a moment later that the streams were left
            again = await client.get("/v1/events?wait_seconds=0.1")

    assert (refused.status_code, refused.json()["type"]) == (429, "urn:fte:problem:too-many-streams")
    assert "2 streams" in refused.json()["detail"]
    assert refused.headers["retry-after"]


async def test_a_client_that_does_not_read_is_cut_off_and_costs_no_memory(
    settings: Settings, redis: Any, tenant: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "STALL_SECONDS_MAX", 0.5)
    long_text = reply(1).model_copy(update={"text": "x" * 30_000}).model_dump_json()
    for _ in range(400):
        await publish(redis, replies_stream(tenant, "chat"), 1, body=long_text)
    async with serve_here(settings) as here:
        reader, writer = await asyncio.open_connection("127.0.0.1", here.port, limit=1_024)
        head = (
            f"GET /v1/replies HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {key}\r\n\r\n"
        )
        writer.write(head.encode())
        await reader.readline()
        deadline = time.monotonic() + 60
        while here.server.server_state.connections:
            assert time.monotonic() < deadline, "the connection is still open"
            await asyncio.sleep(0.1)
        writer.close()


async def test_a_quiet_stream_is_pinged(gateway: Here, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "PING_SECONDS", 0.1)
    async with gateway.client(key) as client, client.stream("GET", "/v1/events", headers=SSE) as stream:
        async for line in stream.aiter_lines():
            if line == ": ping":
                break


@pytest.mark.parametrize("place", ["nonsense", "chat:", "chat:1", "chat:1-0,", "chat:1-0 ", "x" * 999, "chat:-1-0"])
async def test_a_place_that_this_server_never_gave_is_refused(gateway: Here, key: str, place: str) -> None:
    async with gateway.client(key) as client:
        answers = [
            await client.get("/v1/replies", params={"after": place}),
            await client.get("/v1/replies", headers=SSE | {"Last-Event-ID": place.strip() + ","}),
            await client.post("/v1/replies/ack", json={"id": place}),
        ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]


async def test_events_and_escalations_have_places_of_their_own(
    gateway: Here, redis: Any, tenant: str, key: str
) -> None:
    body = (
        '{"event_id":"event_1","tenant":"t","conversation":"c","name":"message.dead","attributes":{},'
        '"trace_id":"t","created_at":"2026-01-31T12:00:00Z"}'
    )
    await redis.xadd(events_stream(tenant), {"id": "event_1", "conversation": "c", "sequence": 0, "body": body})
    async with gateway.client(key) as client:
        events = await client.get("/v1/events")
        escalations = await client.get("/v1/escalations")

    assert [entry["body"]["event_id"] for entry in events.json()["entries"]] == ["event_1"]
    assert events.json()["entries"][0]["id"].startswith("events:")
    assert escalations.json()["entries"] == []
