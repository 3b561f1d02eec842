"""Add a channel, and see that streams go on for all tenants, also where another release does not know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from producer.collecting.subscription import AsyncSubscription
from schema import channels
from schema.keys import replies_stream
from tests.integration.streams_lost import answer, flush, said, take

if TYPE_CHECKING:
    import pytest

    from schema.channels import Channel
    from tests.integration.worker_harness import Harness


async def test_a_channel_more_is_noted_trimmed_and_restored_like_every_other(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "CHANNELS", (*channels.CHANNELS, cast("Channel", "voice")))
    redis = harness.service.servers.redis
    await answer(harness, "c", "one")
    await redis.xadd(replies_stream(harness.tenant, "voice"), {"id": "v-1"})

    noted = await harness.service.streams.note_collected()
    await harness.service.rescue.trimmer.trim()
    await flush(harness)
    restored = await harness.service.streams.restore_all()

    assert (noted, restored) == (2, 1)


async def test_before_a_tenants_streams_are_open_nothing_raises_for_any_number_of_channels(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await answer(harness, "c", "one")
    await flush(harness)
    monkeypatch.setattr(channels, "CHANNELS", (*channels.CHANNELS, cast("Channel", "voice")))

    assert await harness.service.streams.note_collected() == 0


async def test_a_worker_that_does_not_know_a_channel_keeps_its_groups_when_it_opens_the_streams(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = replies_stream(harness.tenant, "voice")
    await answer(harness, "c", "one")
    async with AsyncSubscription(harness.settings, stream, "voices", "one", start="$"):
        with monkeypatch.context() as newer:
            newer.setattr(channels, "CHANNELS", (*channels.CHANNELS, cast("Channel", "voice")))
            await harness.service.streams.note_collected()

    await flush(harness)
    await harness.service.rescue.restore_streams()
    groups: Any = await harness.service.servers.redis.xinfo_groups(stream)

    assert [group["name"] for group in groups] == [b"voices"]


async def test_replies_of_known_channels_come_while_another_is_added(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "CHANNELS", (*channels.CHANNELS, cast("Channel", "voice")))
    await answer(harness, "c", "one")

    async with AsyncSubscription(harness.settings, replies_stream(harness.tenant, "chat"), "g", "one") as consumer:
        assert said(await take(consumer, 1)) == ["one"]
