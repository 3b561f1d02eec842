"""Each refusal of the HTTP gateway has a stable type, says the way out, and never says what a customer wrote."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from ops.console.contract import contract_path
from ops.console.desk import desk_router
from ops.console.tenants import tenants_router
from ops.tenants.settings import change_settings
from producer.gateway import door, protocol
from runtime.database import Database
from schema.errors import Overloaded, ServerUnreachable
from schema.messages.inbound import INBOUND_BYTES_MAX, TEXT_CHARACTERS_MAX
from schema.settings import Settings
from tests.integration.http_gateway import Here, make_key, message, serve_here

SECRET = "my card is 4111 1111 1111 1111"


@pytest.fixture(scope="module")
async def gateway(settings: Settings) -> AsyncIterator[Here]:
    async with serve_here(settings) as here:
        yield here


@pytest.fixture
async def key(database: Database, tenant: str) -> str:
    return await make_key(database, tenant)


async def send_raw(here: Here, *parts: bytes, pause_seconds: float = 0.0) -> bytes:
    """Send bytes and read all that comes back until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", here.port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause_seconds)
    async with asyncio.timeout(30):
        answer = await reader.read()
    writer.close()
    return answer


def head(key: str, length: int, path: str = "/v1/messages", more: str = "") -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n{more}\r\n"
    ).encode()


WRONG_FIELDS: dict[str, tuple[dict[str, Any], str, str]] = {
    "no text": ({"text": None}, "#/text", "1 to 20000 characters"),
    "blank text": ({"text": " \n"}, "#/text", "not only white space"),
    "long text": ({"text": SECRET + "x" * TEXT_CHARACTERS_MAX}, "#/text", "1 to 20000 characters"),
    "number as text": ({"text": 4111111111111111}, "#/text", "1 to 20000 characters"),
    "wrong channel": ({"channel": "fax"}, "#/channel", "one of email, sms, chat"),
    "colon in the conversation": ({"conversation": "a:b"}, "#/conversation", "1 to 128 of"),
    "space in the message id": ({"message_id": SECRET}, "#/message_id", "1 to 256 visible ASCII"),
    "header line in the sender": ({"sender": "ada\r\nBcc: all"}, "#/sender", "no control characters"),
    "unknown field": ({"secret": SECRET}, "#/secret", "unknown field"),
    "no offset": ({"sent_at": "2026-01-31T12:00:00"}, "#/sent_at", "RFC 3339 with an offset"),
    "in the future": ({"sent_at": "2126-01-31T12:00:00Z"}, "#/sent_at", "in the future"),
    "long ago": ({"sent_at": "1926-01-31T12:00:00Z"}, "#/sent_at", "s ago"),
    "reserved metadata": ({"metadata": {"fte.model_latency_ms": "5"}}, "#/metadata", "is reserved"),
    "no string as metadata": ({"metadata": {"a": {"b": SECRET}}}, "#/metadata/a", "at most 32 entries"),
    "lone surrogate": ({"text": "\ud800"}, "#/text", "valid Unicode"),
    "another version": ({"version": 2}, "#/version", "1"),
}


@pytest.mark.parametrize("name", WRONG_FIELDS)
async def test_a_wrong_field_is_named_with_its_limit_and_without_its_value(gateway: Here, key: str, name: str) -> None:
    changes, pointer, limit = WRONG_FIELDS[name]
    body = {field: value for field, value in (message("m1") | changes).items() if value is not None}
    async with gateway.client(key) as client:
        answer = await client.post(
            "/v1/messages", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )

    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (422, "urn:fte:problem:invalid-request"), answer.text
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert limit in problem["errors"][0]["detail"]
    assert "4111" not in answer.text
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}", b'{"text":"\\ud800"}', b"NaN"]
)
async def test_a_body_that_is_no_message_is_refused(gateway: Here, key: str, content: bytes) -> None:
    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), answer.text


async def test_a_form_is_no_message(gateway: Here, key: str) -> None:
    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", data=message("m1"))

    assert answer.status_code in {415, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_path_or_a_method_that_does_not_exist_is_refused(gateway: Here, key: str) -> None:
    async with gateway.client(key) as client:
        path, method = await client.get("/v1/nothing"), await client.delete("/v1/messages")

    assert (path.status_code, path.json()["type"]) == (404, "urn:fte:problem:not-found")
    assert (method.status_code, method.json()["type"]) == (405, "urn:fte:problem:method-not-allowed")
    assert method.headers["allow"] == "POST"


async def test_a_method_that_a_path_does_not_know_is_answered_with_those_that_any_of_its_routes_knows(
    settings: Settings, key: str
) -> None:
    contract = json.loads(contract_path().read_text(encoding="utf-8"))
    names = {
        "switch": "channel:sms",
        "tenant": "t",
        "conversation": "c",
        "key_id": "0" * 12,
        "ticket": "t",
        "approval": "a",
        "person": "p",
    }
    routers = [tenants_router(), desk_router()]
    async with serve_here(settings, routers=routers) as here, here.client(key) as client:
        for path, operations in contract["paths"].items():
            method = next(method for method in ("put", "patch") if method not in operations)
            answer = await client.request(method, path.format(**names))
            known = ", ".join(sorted(method.upper() for method in operations))
            assert (path, answer.status_code, answer.headers["allow"]) == (path, 405, known)


@pytest.mark.parametrize(("path", "size"), [("/v1/messages", 262_145), ("/v1/messages/batch", 4_000_001)])
async def test_a_body_that_is_announced_as_too_large_is_refused_unread(
    gateway: Here, key: str, path: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.3)
    answer = await send_raw(gateway, head(key, size, path))  # and not a byte of the body

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"urn:fte:problem:body-too-large" in answer
    assert str(size - 1).encode() in answer


async def test_a_body_without_a_length_is_counted_as_it_comes(gateway: Here, key: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b" " * 1_000

    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", content=endless(), headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:fte:problem:body-too-large")


async def test_the_largest_message_is_taken(gateway: Here, key: str) -> None:
    largest = message("m1", text="é" * TEXT_CHARACTERS_MAX, metadata={f"k{n}": "ü" * 1_000 for n in range(32)})
    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", json=largest)

    assert answer.status_code == 202, answer.text
    assert INBOUND_BYTES_MAX <= door.BODY_BYTES_MAX


async def test_a_body_that_comes_too_slowly_is_given_up(
    gateway: Here, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "BODY_SECONDS_MAX", 0.3)
    monkeypatch.setattr(protocol, "LINGER_SECONDS", 0.3)

    answer = await send_raw(gateway, head(key, 100), b"{")

    assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_comes_too_slowly_is_cut_off(gateway: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.3)
    began = time.monotonic()

    try:
        answer = await send_raw(gateway, b"GET /v1/health/live HTTP/1.1\r\nX-A: ")
    except ConnectionResetError:
        answer = b""
    assert answer == b""
    assert time.monotonic() - began < 20


async def test_a_head_that_is_too_large_is_refused(gateway: Here) -> None:
    answer = await send_raw(gateway, b"GET /v1/health/live HTTP/1.1\r\n" + b"X-A: " + b"a" * 40_000)

    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_full_mailbox_is_told_with_when_to_send_again(settings: Settings, database: Database, key: str) -> None:
    small = settings.model_copy(update={"mailbox_messages_max": 1})
    async with serve_here(small) as here, here.client(key) as client:
        await client.post("/v1/messages", json=message("m1"))
        answer = await client.post("/v1/messages", json=message("m2"))

    assert (answer.status_code, answer.json()["type"]) == (429, "urn:fte:problem:mailbox-full")
    assert (answer.headers["retry-after"], "at most 1" in answer.json()["detail"]) == ("30", True)


async def test_an_overloaded_deployment_is_told_with_when_to_send_again(
    gateway: Here, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: Any) -> None:
        raise Overloaded(11, 10, 7)

    monkeypatch.setattr(gateway.server.parts.producer, "send", refuse)
    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", json=message("m1"))

    assert (answer.status_code, answer.json()["type"]) == (429, "urn:fte:problem:overloaded")
    assert answer.headers["retry-after"] == "7"


async def test_servers_that_are_away_are_a_503_without_their_addresses(
    gateway: Here, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_: Any) -> None:
        raise ServerUnreachable("PostgreSQL", "10.9.8.7:5432", "FTE_DATABASE_URL", "connection refused")

    monkeypatch.setattr(gateway.server.parts.producer, "send", refuse)
    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", json=message("m1"))

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:fte:problem:unavailable")
    assert answer.headers["retry-after"]
    assert "10.9.8.7" not in answer.text


async def test_a_fault_of_the_program_tells_nothing_but_where_to_look(
    gateway: Here, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_down(_: Any) -> None:
        raise LookupError(SECRET)

    monkeypatch.setattr(gateway.server.parts.producer, "send", break_down)
    with structlog.testing.capture_logs() as logs:
        async with gateway.client(key) as client:
            answer = await client.post("/v1/messages", json=message("m1"), headers={"X-Request-ID": "mine-1"})

    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["http.fault"]
    problem = answer.json()
    assert (answer.status_code, problem["type"], problem["request_id"]) == (500, "urn:fte:problem:internal", "mine-1")
    assert "4111" not in answer.text
    assert "Traceback" not in answer.text


async def test_a_channel_that_the_tenant_does_not_take_is_refused(
    gateway: Here, database: Database, tenant: str, key: str
) -> None:
    await change_settings(database, tenant, {"channels": ["sms"]}, by="t")
    async with gateway.client(key) as client:
        answer = await client.post("/v1/messages", json=message("m1"))

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "#/channel", "detail": "this tenant takes messages on sms"}]


async def test_an_id_comes_from_the_body_or_from_the_header_and_from_one_of_them(gateway: Here, key: str) -> None:
    body = {name: value for name, value in message("m1").items() if name != "message_id"}
    async with gateway.client(key) as client:
        neither = await client.post("/v1/messages", json=body)
        quoted = await client.post("/v1/messages", json=body, headers={"Idempotency-Key": '"m-9"'})
        plain = await client.post("/v1/messages", json=body, headers={"Idempotency-Key": "m-9"})
        both = await client.post("/v1/messages", json=message("m1"), headers={"Idempotency-Key": "m-2"})
        escaped = await client.post("/v1/messages", json=body, headers={"Idempotency-Key": r'"a\"\\b"'})
        wrong = [
            await client.post("/v1/messages", json=body, headers={"Idempotency-Key": value})
            for value in ("a b", '""', '"open', "", "x" * 257)
        ]

    assert [one.status_code for one in (neither, quoted, plain, both, escaped)] == [422, 202, 200, 422, 202]
    assert [one.status_code for one in wrong] == [422] * 5
    assert quoted.json()["message_id"] == plain.json()["message_id"] == "m-9"
    assert escaped.json()["message_id"] == r'a"\b'
    assert wrong[0].json()["errors"][0]["parameter"] == "Idempotency-Key"
    assert "Idempotency-Key" in neither.json()["detail"]


async def test_a_batch_has_a_result_for_each_message_in_its_order(settings: Settings, key: str) -> None:
    small = settings.model_copy(update={"mailbox_messages_max": 2})
    async with serve_here(small) as here, here.client(key) as client:
        messages = [message("m1"), message("m2"), message("m1"), message("m3"), message("m4", "c2")]
        answer = await client.post("/v1/messages/batch", json={"messages": messages})
        too_many = await client.post("/v1/messages/batch", json={"messages": [message(f"m{n}") for n in range(501)]})
        none = await client.post("/v1/messages/batch", json={"messages": []})

    results = answer.json()["results"]
    assert [result["message_id"] for result in results] == ["m1", "m2", "m1", "m3", "m4"]
    assert [(result.get("receipt") or result["problem"]).get("status") for result in results] == [
        "accepted",
        "accepted",
        "duplicate",
        429,
        "accepted",
    ]
    assert (too_many.status_code, none.status_code) == (422, 422)


async def test_new_conversations_are_limited_and_messages_of_known_ones_are_not(
    gateway: Here, database: Database, tenant: str, key: str
) -> None:
    await change_settings(database, tenant, {"limits": {"new_conversations_per_minute": 3}}, by="t")
    async with gateway.client(key) as client:
        answers = [await client.post("/v1/messages", json=message(f"m{n}", f"c{n}")) for n in range(4)]
        known = await client.post("/v1/messages", json=message("m9", "c1"))
        batch = await client.post(
            "/v1/messages/batch", json={"messages": [message(f"b{n}", f"b{n}") for n in range(9)]}
        )

    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert answers[0].headers["ratelimit-policy"] == '"messages";q=3000;w=60, "conversations";q=3;w=60'
    assert answers[0].headers["ratelimit"].endswith('"conversations";r=2;t=20')
    refused = answers[3]
    assert refused.json()["type"] == "urn:fte:problem:rate-limited"
    assert "3 a minute" in refused.json()["detail"]
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert known.status_code == 202
    assert "send at most 3 at once" in batch.json()["detail"]


async def test_one_hundred_new_conversations_a_minute_are_the_default(gateway: Here, key: str) -> None:
    messages = [message(f"m{n}", f"c{n}") for n in range(100)]
    async with gateway.client(key) as client:
        hundred = await client.post("/v1/messages/batch", json={"messages": messages})
        one_more = await client.post("/v1/messages", json=message("m-101", "c-101"))

    assert (hundred.status_code, one_more.status_code) == (200, 429)


async def test_without_redis_each_process_counts_for_itself(
    gateway: Here, database: Database, tenant: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await change_settings(database, tenant, {"limits": {"messages_per_minute": 2}}, by="t")

    async def lose(calls: Any) -> list[Any]:
        raise ConnectionError("gone")

    monkeypatch.setattr(gateway.server.parts.scripts, "run_each", lose)
    async with gateway.client(key) as client:
        statuses = [(await client.post("/v1/messages", json=message(f"m{n}"))).status_code for n in range(3)]

    assert statuses == [202, 202, 429]


async def test_health_tells_of_a_process_that_stops(settings: Settings) -> None:
    async with serve_here(settings) as here, here.client(None) as client:
        live, ready = await client.get("/v1/health/live"), await client.get("/v1/health/ready")
        here.server.parts.stopping.set()
        stopping = await client.get("/v1/health/ready")

    assert (live.status_code, ready.status_code) == (200, 200)
    assert (stopping.status_code, stopping.json()["type"]) == (503, "urn:fte:problem:stopping")


async def test_answers_carry_a_request_id_and_headers_for_safety(gateway: Here) -> None:
    async with gateway.client(None) as client:
        own = await client.get("/v1/health/live", headers={"X-Request-ID": "abc-1"})
        bad = await client.get("/v1/health/live", headers={"X-Request-ID": "a b\t<script>"})

    assert own.headers["x-request-id"] == "abc-1"
    assert len(bad.headers["x-request-id"]) == 32
    assert own.headers["x-content-type-options"] == "nosniff"
    assert "server" not in own.headers
