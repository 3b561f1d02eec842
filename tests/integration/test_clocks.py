"""Let clocks be wrong: a worker's decides nothing, and what Redis's clock put off far too long is not waited for."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from producer.sending.doorbell import Doorbell
from schema.ids import ConversationKey
from schema.keys import NOTING_KEY, restoring_key
from schema.tasks import DOORBELL_QUEUE
from tests.waiting import eventually
from worker.app import WorkerApp, WorkerBell
from worker.pipeline import hydrate, turn

if TYPE_CHECKING:
    import pytest
    from redis.asyncio import Redis

    from schema.settings import Settings
    from tests.integration.worker_harness import MakeHarness

HOUR_MS = 3_600_000


class AnHourAhead(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(hours=1)


async def test_a_bell_tells_nothing_of_the_clock_of_whoever_rang(settings: Settings, redis: Redis, tenant: str) -> None:
    keys = [ConversationKey(tenant, "c-1")]
    doorbell = Doorbell(settings.redis_url or "")

    doorbell.ring(keys)
    await WorkerBell(WorkerApp(lambda: settings)).ring(keys)
    doorbell.close()

    queued: Any = await redis.lrange(DOORBELL_QUEUE, 0, -1)
    bells = [bell for bell in map(json.loads, queued) if json.loads(base64.b64decode(bell["body"]))[0][0] == tenant]
    assert len(bells) == 2
    for bell in bells:
        assert (bell["headers"]["expires"], bell["headers"]["eta"]) == (None, None)


async def test_a_turns_time_is_the_databases(worker: MakeHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = await worker()
    monkeypatch.setattr(turn, "datetime", AnHourAhead)
    monkeypatch.setattr(hydrate, "datetime", AnHourAhead, raising=False)
    await harness.accept("c-1", "hello")

    await harness.drain("c-1")

    (reply,) = await harness.replies()
    off = datetime.fromisoformat(reply["created_at"]) - datetime.now(UTC)
    assert abs(off) < timedelta(minutes=1)


async def test_whoever_was_to_note_what_is_collected_keeps_nobody_from_it_for_an_hour(
    worker: MakeHarness, redis: Redis
) -> None:
    streams = (await worker()).service.streams
    await redis.set(NOTING_KEY, 1, px=HOUR_MS)

    await eventually(streams.is_my_turn)


async def test_whoever_was_to_restore_the_streams_keeps_nobody_from_it_for_an_hour(
    worker: MakeHarness, redis: Redis
) -> None:
    harness = await worker()
    await redis.set(restoring_key(harness.tenant), "somebody", px=HOUR_MS)

    assert await harness.service.streams.restore(harness.tenant)
