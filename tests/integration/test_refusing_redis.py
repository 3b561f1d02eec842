"""A Redis that answers, and refuses to write, for its disk is full: whoever relies on it waits as for one away."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from redis.exceptions import ResponseError

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from producer.collecting.subscription import AsyncSubscription
from producer.sending.doorbell import Doorbell
from runtime.redis import Scripts, make_redis
from schema.errors import ServerUnreachable
from schema.ids import ConversationKey
from schema.keys import replies_stream
from schema.messages.envelope import Envelope
from schema.tasks import DOORBELL_QUEUE
from tests.integration.publishing import publish, sequences
from tests.integration.worker_harness import make_harness
from tests.waiting import eventually
from worker.mailbox.mailbox import Mailbox
from worker.pipeline.failure import classify_failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run servers of our own, to trouble."""
    with EmbeddedStack(tmp_path_factory.mktemp("refusing"), durable=False) as running:
        yield running


@pytest.fixture
def ours(refusing: EmbeddedStack, settings: Settings) -> Settings:
    return settings.model_copy(update={"redis_url": refusing.addresses.redis_url, "send_seconds_max": 1})


@asynccontextmanager
async def no_room(stack: EmbeddedStack, settings: Settings) -> AsyncIterator[None]:
    """Let Redis find that it cannot save what it shall save, upon which it refuses writes, for the block."""
    in_the_way = stack.state_dir / "redis" / "dump.rdb"
    async with make_redis(settings) as client:

        async def has_saved() -> bool:
            return not (await client.info("persistence"))["rdb_bgsave_in_progress"]

        async def refuses() -> bool:
            try:
                await client.set("any", 1)
            except ResponseError as error:
                return str(error).startswith("MISCONF")
            return False

        await eventually(has_saved)  # of a test before this one
        in_the_way.unlink(missing_ok=True)
        in_the_way.mkdir()
        await client.config_set("save", "3600 1")
        await client.bgsave()
        await eventually(refuses)
        try:
            yield
        finally:
            await client.config_set("save", "")
            await eventually(has_saved)
            in_the_way.rmdir()


async def test_a_subscription_waits_for_a_redis_that_refuses_to_write(refusing: EmbeddedStack, ours: Settings) -> None:
    stream = replies_stream(f"t{uuid.uuid4().hex[:8]}", "chat")
    client = make_redis(ours)
    await publish(client, stream, 1, 2)
    async with AsyncSubscription(ours, stream, "gateway", "one") as subscription:
        first = await subscription.next(10)
        assert first is not None
        async with no_room(refusing, ours):
            with pytest.raises(ServerUnreachable, match="MISCONF"):
                await subscription.ack(first)
            waiting = asyncio.create_task(subscription.ack(first))
            assert not (await asyncio.wait([waiting], timeout=0.3))[0]
        await waiting
        second = await subscription.next(10)
        assert second is not None
        await subscription.ack(second)
    left = await client.xpending(stream, "gateway")
    await client.aclose()

    assert sequences([first, second]) == [1, 2]
    assert left["pending"] == 0


async def test_a_subscription_waits_while_its_redis_is_a_replica(refusing: EmbeddedStack, ours: Settings) -> None:
    stream = replies_stream(f"t{uuid.uuid4().hex[:8]}", "chat")
    client: Any = make_redis(ours)
    async with AsyncSubscription(ours, stream, "gateway", "one") as subscription:
        waiting = asyncio.create_task(subscription.next(60))

        async def is_blocked() -> bool:
            return any("xreadgroup" in str(each["cmd"]) for each in await client.client_list())

        await eventually(is_blocked)
        await client.execute_command("REPLICAOF", "127.0.0.1", "1")  # as a failover in good order does
        still_there = not (await asyncio.wait([waiting], timeout=0.5))[0]
        await client.execute_command("REPLICAOF", "NO", "ONE")
        await publish(client, stream, 1)
        entry = await waiting
    await client.aclose()

    assert still_there
    assert entry is not None
    assert sequences([entry]) == [1]


async def test_what_a_refusing_redis_costs_a_turn_is_no_attempt(
    refusing: EmbeddedStack, ours: Settings, tenant: str
) -> None:
    client = make_redis(ours)
    mailbox = Mailbox(client, Scripts(client), ours)
    key = ConversationKey(tenant, "c-1")
    await mailbox.append(key, [Envelope(position=1, message_id="m1", payload="sealed")])

    async with no_room(refusing, ours):
        with pytest.raises(ResponseError) as of_a_script:
            await mailbox.acquire(key)
        with pytest.raises(ResponseError) as of_a_command:
            await client.set("any", 1)
    await client.config_set("maxmemory", 1)
    with pytest.raises(ResponseError) as for_memory:
        await mailbox.append(key, [Envelope(position=2, message_id="m2", payload="sealed")])
    await client.config_set("maxmemory", 0)
    await client.aclose()

    assert [classify_failure(raised.value) for raised in (of_a_script, of_a_command, for_memory)] == ["outage"] * 3
    assert classify_failure(ResponseError("WRONGTYPE Operation against a key")) == "transient"


@pytest.fixture
async def alone(refusing: EmbeddedStack, settings: Settings, sealer: Sealer) -> AsyncIterator[Harness]:
    """Put a worker on servers that hold nothing of other tests: rescue looks after all that was ever accepted."""
    addresses = refusing.addresses
    theirs = {"database_url": addresses.database_url, "redis_url": addresses.redis_url, "reconcile_seconds": 600}
    await asyncio.to_thread(migrate, addresses.database_url, sealer, sample=False)
    harness = await make_harness(settings.model_copy(update=theirs), sealer, "default")
    yield harness
    await harness.close()


async def test_what_was_accepted_while_redis_was_away_is_answered_as_soon_as_it_is_back(
    refusing: EmbeddedStack, alone: Harness
) -> None:
    with structlog.testing.capture_logs() as logs:
        alone.service.start()
        await asyncio.to_thread(refusing.kill_redis)
        await alone.accept("c-1", "hello", enqueue=False)

        async def is_noticed() -> bool:
            return any(entry["event"] == "redis.unreachable" for entry in logs)

        async def is_answered() -> bool:
            return not await alone.waiting("c-1") and bool(await alone.replies())

        await eventually(is_noticed)
        await asyncio.to_thread(refusing.start_redis)
        await eventually(is_answered)


async def test_a_worker_outlives_a_redis_that_refuses_to_write(
    refusing: EmbeddedStack, ours: Settings, tmp_path: Path
) -> None:
    client = make_redis(ours)
    doorbell = Doorbell(ours.redis_url or "")
    await client.delete(DOORBELL_QUEUE)

    async def is_heard() -> bool:
        return not await client.llen(DOORBELL_QUEUE)

    async with running_worker(ours, tmp_path / "worker.log") as worker:
        doorbell.ring([ConversationKey("default", "c-1")])
        await eventually(is_heard, within_seconds=30)
        async with no_room(refusing, ours):
            with suppress(TimeoutError):
                await asyncio.wait_for(worker.wait(), 3)
            assert worker.returncode is None
        doorbell.ring([ConversationKey("default", "c-2")])
        await eventually(is_heard, within_seconds=15)
        worker.send_signal(signal.SIGTERM)

        assert await asyncio.wait_for(worker.wait(), 30) == 0
    doorbell.close()
    await client.aclose()


@asynccontextmanager
async def running_worker(settings: Settings, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `fte worker` for the block."""
    theirs = {
        "FTE_DATABASE_URL": settings.database_url or "",
        "FTE_REDIS_URL": settings.redis_url or "",
        "FTE_STATE_DIR": str(settings.state_dir),
        "FTE_VAULT_KEYS": ",".join(key.get_secret_value() for key in settings.vault_keys),
        "PYTHONPATH": str(ROOT),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FTE_", "OPENAI_"))}
    with log.open("wb") as told:
        command = [sys.executable, "-P", "-m", "ops.cli.main", "worker"]
        process = await asyncio.create_subprocess_exec(*command, stdout=told, stderr=told, env=kept | theirs)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
