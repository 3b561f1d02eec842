"""Operators see a deployment as it is, also while a server is away, and workers do what they are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.cli.status_page import span, status_page, top_page
from ops.terminal import open_console
from ops.verify import Report
from ops.verify.finding import Finding
from ops.verify.noting import note_verified
from ops.watch.doctor import examine
from ops.watch.facts import read_verified
from ops.watch.orders import UnknownWorker, order_workers
from ops.watch.status import open_watched, read_status, record_of
from ops.watch.top import read_top
from schema.keys import VERIFIED_KEY

if TYPE_CHECKING:
    from tests.integration.worker_harness import Harness


async def test_what_came_in_went_out_and_waits_is_counted(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    await harness.accept("answered", "hello")
    await harness.drain("answered")
    await harness.accept("waits", "hello")

    async with open_watched(harness.settings) as watched:
        status = await read_status(watched)
        top = await read_top(watched, seconds=60, count=200)

    assert status.problems == []
    assert status.flow is not None
    assert status.flow.messages >= 1
    assert status.flow.accepted >= 2
    assert status.waiting is not None
    assert status.waiting.count("ready") >= 1
    assert [server.answers_ms is not None for server in status.servers] == [True, True]
    assert record_of(status)["waiting"]["messages"] == status.waiting.messages
    mine = [head.conversation for head in top.oldest if head.tenant == harness.tenant]
    assert mine == ["waits"]
    assert [busy.turns for busy in top.busiest if busy.tenant_id == harness.tenant] == [1]
    open_console().print(status_page(status))
    open_console().print(top_page(top))
    shown = capsys.readouterr().out
    assert "ready, oldest" in shown
    assert "waits" in shown


async def test_a_server_that_is_away_is_told_and_the_rest_is_shown(harness: Harness) -> None:
    nowhere = "postgresql://fte@127.0.0.1:1/fte"
    await harness.service.presence.announce()

    async with open_watched(harness.settings.model_copy(update={"database_url": nowhere})) as watched:
        status = await read_status(watched)
        diagnoses = await examine(watched, harness.settings, is_embedded=True)

    postgresql, redis = status.servers
    assert postgresql.answers_ms is None
    assert redis.answers_ms is not None
    assert status.waiting is None
    assert harness.service.presence.name in {worker.name for worker in status.workers or []}
    assert any("127.0.0.1:1" in problem for problem in status.problems)
    assert ("PostgreSQL", "wrong") in {(each.about, each.verdict) for each in diagnoses}
    await harness.service.presence.withdraw()


async def test_real_servers_that_do_not_keep_what_they_commit_are_called_wrong(harness: Harness) -> None:
    async with open_watched(harness.settings) as watched:
        diagnoses = await examine(watched, harness.settings, is_embedded=True)

    wrong = {each.about: each.found for each in diagnoses if each.verdict == "wrong"}
    assert "fsync" in wrong["PostgreSQL"]  # the tests' server is there to be quick
    assert "workers" in wrong


async def test_a_paused_worker_takes_nothing_up_until_it_may_go_on(harness: Harness) -> None:
    presence, redis = harness.service.presence, harness.service.servers.redis
    await presence.announce()
    await harness.accept("c", "hello")

    await order_workers(redis, [presence.name], "pause")
    await presence.announce()
    await harness.drain("c")
    while_paused = (len(await harness.replies()), harness.service.drainer.free_slots)
    await order_workers(redis, [], "resume")
    await presence.announce()
    await harness.drain("c")

    assert while_paused == (0, 0)
    assert len(await harness.replies()) == 1
    await presence.withdraw()


async def test_an_order_to_a_worker_that_is_not_there_is_refused(harness: Harness) -> None:
    with pytest.raises(UnknownWorker, match="nobody@nowhere"):
        await order_workers(harness.service.servers.redis, ["nobody@nowhere"], "pause")


async def test_what_a_verification_found_is_known_afterwards(harness: Harness) -> None:
    redis = harness.service.servers.redis
    finding = Finding("turn", "t", "c", "what", "way out")

    await note_verified(redis, Report([], [finding, finding]))

    verified = await read_verified(redis)
    assert verified is not None
    assert verified.violations["turn"] == 2
    assert verified.violations["lost"] == 0
    assert verified.seconds_ago < 5
    await redis.delete(VERIFIED_KEY)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (3_599, "59 min 59 s"),
        (3_600, "1 h 0 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, told: str) -> None:
    assert span(seconds) == told
