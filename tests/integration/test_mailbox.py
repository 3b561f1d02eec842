"""Keep the mailbox's atomic operations to their word, on a real Redis and on the fake that quick tests use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog
from fakeredis import FakeAsyncRedis
from redis.asyncio import Redis

from runtime.redis import Scripts
from schema.ids import ConversationKey
from schema.keys import MailboxKeys, mailbox_keys
from schema.messages.envelope import Envelope
from schema.settings import Settings
from tests.waiting import eventually
from worker.mailbox.mailbox import Head, Lease, LeaseLost, Mailbox

HOUR_MS = 3_600_000
QUICK = {"lease_seconds": 0.15, "renew_seconds": 0.05, "bell_seconds": 0.05}


@pytest.fixture(params=["real", "fake"])
async def client(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Redis]:
    if request.param == "real":
        yield redis
    else:
        fake = FakeAsyncRedis()
        yield fake
        await fake.aclose()


@pytest.fixture
def mailbox(client: Redis, settings: Settings) -> Mailbox:
    return Mailbox(client, Scripts(client), settings.model_copy(update=QUICK))


@pytest.fixture
def key(tenant: str) -> ConversationKey:
    return ConversationKey(tenant, "c")


def _envelope(position: int) -> Envelope:
    return Envelope(position=position, message_id=f"m{position}", payload="sealed")


async def _take(mailbox: Mailbox, key: ConversationKey) -> tuple[Lease, Head]:
    acquired = await mailbox.acquire(key)
    assert not isinstance(acquired, str), acquired
    return acquired


async def _positions(mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings) -> list[int]:
    raw = await client.lrange(mailbox_keys(key, settings.partitions).mailbox, 0, -1)
    return [Envelope.model_validate_json(entry).position for entry in raw]


async def test_append_rings_only_for_a_conversation_nobody_looks_at(mailbox: Mailbox, key: ConversationKey) -> None:
    assert await mailbox.append(key, [_envelope(1)]) is True
    assert await mailbox.append(key, [_envelope(2)]) is False

    lease, head = await _take(mailbox, key)
    assert await mailbox.append(key, [_envelope(3)]) is False
    assert head.attempts == 1
    assert await mailbox.release(lease) is True


async def test_append_puts_each_envelope_once_at_its_place(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    for position in (3, 1, 5, 2, 3, 5, 4, 1):
        await mailbox.append(key, [_envelope(position)])

    assert await _positions(mailbox, client, key, settings) == [1, 2, 3, 4, 5]


async def test_append_passes_over_an_entry_it_cannot_read(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    name = mailbox_keys(key, settings.partitions).mailbox
    await mailbox.append(key, [_envelope(2)])
    await client.rpush(name, "garbage")

    await mailbox.append(key, [_envelope(3)])

    assert len(await client.lrange(name, 0, -1)) == 3


async def test_acquire_refuses_while_somebody_holds_the_lease(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1)])
    await _take(mailbox, key)

    assert await mailbox.acquire(key) == "busy"


async def test_acquire_counts_the_attempt_before_it_runs(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1)])
    await _take(mailbox, key)  # and dies

    attempts = []

    async def taken_over() -> bool:
        acquired = await mailbox.acquire(key)
        if isinstance(acquired, str):
            return False
        attempts.append(acquired[1].attempts)
        return True

    await eventually(taken_over)
    assert attempts == [2]


async def test_a_renewed_lease_outlives_its_first_deadline(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1)])
    lease, _ = await _take(mailbox, key)

    for _ in range(5):
        await asyncio.sleep(QUICK["lease_seconds"] / 3)
        assert await mailbox.renew([lease]) == []
        assert await mailbox.acquire(key) == "busy"


async def test_only_the_holder_acknowledges_renews_releases_and_parks(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1), _envelope(2)])
    stale, head = await _take(mailbox, key)
    current: list[tuple[Lease, Head]] = []

    async def taken_over() -> bool:
        acquired = await mailbox.acquire(key)
        if not isinstance(acquired, str):
            current.append(acquired)
        return bool(current)

    await eventually(taken_over)

    with pytest.raises(LeaseLost):
        await mailbox.acknowledge(stale, head, more=True)
    assert await mailbox.renew([stale]) == [stale]
    assert await mailbox.release(stale) is False
    await mailbox.park(stale, head, backoff_seconds=10, counts=True)
    assert await mailbox.renew([current[0][0]]) == []


async def test_acknowledge_removes_only_that_very_entry(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1), _envelope(2)])
    lease, head = await _take(mailbox, key)

    second = await mailbox.acknowledge(lease, head, more=True)
    again = await mailbox.acknowledge(lease, head, more=True)

    assert second is not None
    assert again is not None
    assert again.raw == second.raw == _envelope(2).model_dump_json().encode()


async def test_acknowledge_removes_what_was_dealt_with_together_and_nothing_behind_it(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    await mailbox.append(key, [_envelope(position) for position in (1, 2, 3, 4)])
    lease, head = await _take(mailbox, key)

    rest = await mailbox.acknowledge(lease, head, more=True, followers=[_envelope(2), _envelope(3)])

    assert rest is not None
    assert (rest.raw, rest.attempts) == (_envelope(4).model_dump_json().encode(), 1)
    keys = mailbox_keys(key, settings.partitions)
    assert (await client.llen(keys.mailbox), await client.hlen(keys.attempts)) == (1, 1)


async def test_acknowledge_leaves_what_it_does_not_know_by_the_letter(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(position) for position in (1, 2, 3)])
    lease, head = await _take(mailbox, key)

    rest = await mailbox.acknowledge(lease, head, more=True, followers=[_envelope(3)])

    assert rest is not None
    assert rest.raw == _envelope(2).model_dump_json().encode()


async def test_release_of_an_empty_mailbox_leaves_nothing_behind(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    await mailbox.append(key, [_envelope(1)])
    lease, head = await _take(mailbox, key)

    assert await mailbox.acknowledge(lease, head, more=True) is None
    assert await mailbox.release(lease) is False

    keys = mailbox_keys(key, settings.partitions)
    assert await client.exists(keys.mailbox, keys.lease, keys.attempts) == 0
    assert await mailbox.on_agenda([key]) == [False]


async def test_a_message_that_comes_in_the_moment_of_the_release_is_not_left_alone(
    mailbox: Mailbox, key: ConversationKey
) -> None:
    await mailbox.append(key, [_envelope(1)])
    for position in range(1, 21):
        lease, head = await _take(mailbox, key)
        assert await mailbox.acknowledge(lease, head, more=False) is None

        rings = await asyncio.gather(mailbox.release(lease), mailbox.append(key, [_envelope(position + 1)]))

        assert await mailbox.on_agenda([key]) == [True]
        assert sum(rings) == 1


async def test_a_message_that_comes_between_the_last_acknowledge_and_the_release_is_rung_for(
    mailbox: Mailbox, key: ConversationKey
) -> None:
    await mailbox.append(key, [_envelope(1)])
    lease, head = await _take(mailbox, key)
    await mailbox.acknowledge(lease, head, more=True)

    await mailbox.append(key, [_envelope(2)])

    assert await mailbox.release(lease) is True


async def test_what_is_given_back_untried_costs_no_attempt(mailbox: Mailbox, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1)])
    lease, head = await _take(mailbox, key)
    await mailbox.release(lease, untried=head)

    _, head = await _take(mailbox, key)

    assert head.attempts == 1


async def test_a_parked_conversation_waits_for_its_time_and_keeps_its_head(
    mailbox: Mailbox, key: ConversationKey
) -> None:
    await mailbox.append(key, [_envelope(1), _envelope(2)])
    lease, head = await _take(mailbox, key)
    await mailbox.park(lease, head, backoff_seconds=0.1, counts=True)

    assert await mailbox.acquire(key) == "parked"

    async def due() -> bool:
        return key in await mailbox.sweep(1_000)

    await eventually(due)
    _, again = await _take(mailbox, key)
    assert again.raw == head.raw
    assert again.attempts == 2


async def test_sweep_finds_a_lost_doorbell_and_a_dead_workers_lease_once(
    mailbox: Mailbox, key: ConversationKey
) -> None:
    await mailbox.append(key, [_envelope(1)])

    async def overdue() -> bool:
        return key in await mailbox.sweep(1_000)

    await eventually(overdue)
    assert key not in await mailbox.sweep(1_000)

    await _take(mailbox, key)  # and dies
    await eventually(overdue)


async def _set_clock_back(client: Redis, key: ConversationKey, keys: MailboxKeys) -> None:
    """Leave a conversation's times where a clock has put them that was an hour ahead then, and is not any more."""
    for deadline in ("until", "not_before"):
        if await client.hexists(keys.lease, deadline):
            await client.hincrby(keys.lease, deadline, HOUR_MS)
    await client.zadd(keys.agenda, {str(key): HOUR_MS}, incr=True)


@pytest.mark.parametrize("left", ["rung for", "leased", "parked"])
async def test_a_conversation_is_not_left_for_an_hour_when_the_clock_goes_back_by_one(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings, left: str
) -> None:
    keys = mailbox_keys(key, settings.partitions)
    await mailbox.append(key, [_envelope(1)])
    if left != "rung for":
        lease, head = await _take(mailbox, key)
        if left == "parked":
            await mailbox.park(lease, head, backoff_seconds=0.1, counts=True)
    await _set_clock_back(client, key, keys)

    async def overdue() -> bool:
        return key in await mailbox.sweep(1_000)

    await eventually(overdue)
    await _take(mailbox, key)


async def test_a_worker_that_lives_keeps_its_lease_when_the_clock_goes_back(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    await mailbox.append(key, [_envelope(1)])
    lease, _ = await _take(mailbox, key)
    await _set_clock_back(client, key, mailbox_keys(key, settings.partitions))

    assert key not in await mailbox.sweep(1_000)

    assert await mailbox.renew([lease]) == []
    assert await mailbox.acquire(key) == "busy"
    assert key not in await mailbox.sweep(1_000)


async def test_scripts_survive_a_server_that_forgot_them(mailbox: Mailbox, client: Redis, key: ConversationKey) -> None:
    await mailbox.append(key, [_envelope(1)])
    await client.script_flush()

    lease, _ = await _take(mailbox, key)
    await client.script_flush()

    assert await mailbox.renew([lease]) == []


async def test_what_is_put_back_is_due_at_once_because_nobody_rings_for_it(
    mailbox: Mailbox, key: ConversationKey
) -> None:
    await mailbox.restore(key, [{"position": 1, "message_id": "m1", "payload": "sealed"}])

    assert key in await mailbox.sweep(10_000)


async def test_sweep_passes_over_what_names_no_conversation_and_leaves_it_alone_for_a_while(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    await mailbox.append(key, [_envelope(1)])
    agenda = mailbox_keys(key, settings.partitions).agenda
    strange = [b"no conversation", b"\xff\xfe:c"]
    await client.zadd(agenda, {str(key): 1, **dict.fromkeys(strange, 0)})

    with structlog.testing.capture_logs() as logs:
        first = await mailbox.sweep(10_000)
        second = await mailbox.sweep(10_000)

    assert key in first
    assert key not in second
    assert [entry["event"] for entry in logs] == ["agenda.strange"] * 2
    now, _ = await client.time()
    for member in strange:
        score = await client.zscore(agenda, member)
        assert score is not None
        assert score > (now + 60) * 1_000
        await client.zrem(agenda, member)


async def test_how_long_nobody_has_to_look_is_known(
    mailbox: Mailbox, client: Redis, key: ConversationKey, settings: Settings
) -> None:
    agenda = mailbox_keys(key, settings.partitions).agenda
    now, _ = await client.time()
    await client.zadd(agenda, {str(key): (now - 3_600) * 1_000})

    assert await mailbox.seconds_until_due() <= -3_600

    await client.zrem(agenda, str(key))
    assert await mailbox.seconds_until_due() > -3_600
