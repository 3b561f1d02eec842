from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import structlog
from cryptography.fernet import Fernet
from pydantic import SecretStr

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from ops.lab.chaos.wires import wire_to
from producer.sending import client
from producer.sending.client import AsyncProducer
from producer.sending.doorbell import Doorbell
from runtime.configuration import open_sealer
from runtime.database import connect
from runtime.redis import make_redis
from schema.errors import ServerUnreachable
from schema.ids import ConversationKey
from schema.messages.receipt import Receipt
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.producing import bells, inbox, message, positions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from redis.asyncio import Redis


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run servers of our own: killing the ones that other tests use would cost them their connections."""
    with EmbeddedStack(tmp_path_factory.mktemp("victim"), durable=False) as running:
        yield running


@pytest.fixture(scope="module")
def settings(victim: EmbeddedStack, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(
        database_url=victim.addresses.database_url,
        redis_url=victim.addresses.redis_url,
        vault_keys=[SecretStr(Fernet.generate_key().decode())],
        state_dir=tmp_path_factory.mktemp("state"),
        send_seconds_max=2,
    )
    migrate(victim.addresses.database_url, open_sealer(made), sample=False)
    return made


@pytest.fixture
def tenant(settings: Settings) -> str:
    return add_tenant(settings)


@pytest.fixture
async def redis(settings: Settings) -> AsyncIterator[Redis]:
    client = make_redis(settings)
    yield client
    await client.aclose()


@asynccontextmanager
async def without_redis(victim: EmbeddedStack) -> AsyncIterator[None]:
    await asyncio.to_thread(victim.kill_redis)
    try:
        yield
    finally:
        await asyncio.to_thread(victim.start_redis)


@asynccontextmanager
async def without_postgres(victim: EmbeddedStack) -> AsyncIterator[None]:
    await asyncio.to_thread(victim.kill_postgres)
    try:
        yield
    finally:
        await asyncio.to_thread(victim.start_postgres)


async def test_messages_are_accepted_while_redis_is_away_and_the_log_says_so_once(
    victim: EmbeddedStack, settings: Settings, redis: Redis, tenant: str
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with AsyncProducer(settings) as producer:
            async with without_redis(victim):
                away = [await producer.send(message(tenant, number)) for number in (1, 2, 3)]
            back = await producer.send(message(tenant, 4))

    assert [receipt.status for receipt in [*away, back]] == ["accepted"] * 4
    assert [row["state"] for row in inbox(settings, tenant)] == ["accepted"] * 4
    assert await positions(redis, settings, tenant) == [4]
    assert [entry["event"] for entry in logs] == ["redis.unreachable", "redis.reachable"]


async def test_a_message_is_accepted_when_redis_has_no_memory_left(
    settings: Settings, redis: Redis, tenant: str
) -> None:
    async with AsyncProducer(settings) as producer:
        await redis.config_set("maxmemory", "1")
        try:
            with structlog.testing.capture_logs() as logs:
                receipt = await producer.send(message(tenant))
        finally:
            await redis.config_set("maxmemory", "0")

    assert receipt.status == "accepted"
    assert await positions(redis, settings, tenant) == []
    assert [(entry["event"], entry["messages"]) for entry in logs] == [("redis.unreachable", 1)]


async def test_send_waits_for_a_database_that_comes_back(
    victim: EmbeddedStack, settings: Settings, redis: Redis, tenant: str
) -> None:
    patient = settings.model_copy(update={"send_seconds_max": 20})
    with structlog.testing.capture_logs() as logs:
        async with AsyncProducer(patient) as producer:
            await producer.send(message(tenant, 1))
            async with without_postgres(victim):
                sending = asyncio.create_task(producer.send(message(tenant, 2)))
                await _until(lambda: bool(logs))
            receipt = await sending

    assert (receipt.status, receipt.position) == ("accepted", 2)
    assert await positions(redis, settings, tenant) == [1, 2]
    assert [entry["event"] for entry in logs] == ["postgresql.unreachable", "postgresql.reachable"]


async def test_send_gives_up_on_a_database_that_stays_away(
    victim: EmbeddedStack, settings: Settings, tenant: str
) -> None:
    async with AsyncProducer(settings) as producer, without_postgres(victim):
        started = time.monotonic()
        with pytest.raises(ServerUnreachable, match=r"PostgreSQL at 127.0.0.1:\d+/fte .*no answer within 2 s"):
            await producer.send(message(tenant))
        alone = time.monotonic() - started

        messages = [message(tenant, conversation=f"c-{number}") for number in range(1_500)]
        outcomes = await producer.send_many(messages)
        all_of_them = time.monotonic() - started - alone

    assert len(outcomes) == 1_500
    assert {type(outcome) for outcome in outcomes} == {ServerUnreachable}
    assert alone < 3
    assert all_of_them < 4, "each batch waited for a database that is gone"


async def test_a_send_whose_answer_was_lost_is_accepted_once(settings: Settings, redis: Redis, tenant: str) -> None:
    async with (
        wire_to(settings.database_url or "") as (url, wire),
        AsyncProducer(settings.model_copy(update={"database_url": url})) as producer,
    ):
        wire.swallows_answer_to = b"accept_message"

        receipt = await producer.send(message(tenant))
        again = await producer.send(message(tenant))

    assert wire.cuts == 1
    assert (receipt.status, receipt.position) == ("accepted", 1)
    assert again.status == "duplicate"
    assert len(inbox(settings, tenant)) == 1
    assert await positions(redis, settings, tenant) == [1]


async def test_a_locked_conversation_does_not_hold_the_others_up(settings: Settings, tenant: str) -> None:
    async with AsyncProducer(settings) as producer:
        await producer.send(message(tenant, 1, conversation="c-held"))
        with connect(settings.database_url or "") as other, other.transaction():
            other.execute("SELECT FROM conversation WHERE tenant_id = %s FOR UPDATE", [tenant])
            messages = [message(tenant, 2, conversation=name) for name in ("c-1", "c-held", "c-2")]
            sending = asyncio.create_task(producer.send_many(messages))
            await _until(lambda: len(inbox(settings, tenant)) == 3)

            outcomes = await sending

    assert [type(outcome) for outcome in outcomes] == [Receipt, ServerUnreachable, Receipt]


async def test_a_locked_conversations_message_is_accepted_once_it_is_free(settings: Settings, tenant: str) -> None:
    async with AsyncProducer(settings.model_copy(update={"send_seconds_max": 20})) as producer:
        await producer.send(message(tenant, 1))
        with connect(settings.database_url or "") as other, other.transaction():
            other.execute("SELECT FROM conversation WHERE tenant_id = %s FOR UPDATE", [tenant])
            messages = [message(tenant, 2), message(tenant, 1, conversation="c-2")]
            sending = asyncio.create_task(producer.send_many(messages))
            await _until(lambda: len(inbox(settings, tenant)) == 2)

        outcomes = await sending

    assert [outcome.position for outcome in outcomes if isinstance(outcome, Receipt)] == [2, 1]


async def test_a_message_is_accepted_and_appended_when_no_bell_can_be_rung(
    settings: Settings, redis: Redis, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "Doorbell", lambda _: Doorbell("redis://127.0.0.1:9/0"))
    with structlog.testing.capture_logs() as logs:
        async with AsyncProducer(settings) as producer:
            receipts = [await producer.send(message(tenant, conversation=name)) for name in ("c-1", "c-2")]

    assert [receipt.status for receipt in receipts] == ["accepted", "accepted"]
    assert await positions(redis, settings, tenant, "c-2") == [1]
    assert [entry["event"] for entry in logs] == ["broker.unreachable"]


async def test_a_broker_that_is_away_fails_a_bell_quickly_and_the_next_one_rings(
    victim: EmbeddedStack, settings: Settings, redis: Redis, tenant: str
) -> None:
    doorbell = Doorbell(settings.redis_url or "")
    await asyncio.to_thread(doorbell.ring, [ConversationKey(tenant, "c-1")])

    async with without_redis(victim):
        started = time.monotonic()
        with pytest.raises(ServerUnreachable, match="Connection refused"):
            await asyncio.to_thread(doorbell.ring, [ConversationKey(tenant, "c-2")])
        seconds = time.monotonic() - started
    await asyncio.to_thread(doorbell.ring, [ConversationKey(tenant, "c-3")])
    doorbell.close()

    assert seconds < 1
    assert await bells(redis, tenant) == ["c-1", "c-3"]


async def _until(condition: Callable[[], bool], seconds_max: float = 15) -> None:
    deadline = time.monotonic() + seconds_max
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)
