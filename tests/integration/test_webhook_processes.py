"""Deliverers as processes: several share the work, and one that is killed leaves nothing undelivered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from ops.desk.webhooks import Targets
from ops.lab.webhook_receiver import run_receiver
from producer.delivery.fan_out import FanOut
from runtime.sealing import Sealer
from schema.settings import Settings
from tests.integration.webhook_scene import LOOPBACK, Scene, running_deliverer
from tests.integration.worker_harness import MakeHarness

CONVERSATIONS = 6


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings, sealer: Sealer, tmp_path: Path) -> AsyncIterator[Scene]:
    log = tmp_path / "received.jsonl"
    harness = await worker()
    networks = [ip_network(text) for text in LOOPBACK]
    changed = settings.model_copy(update={"webhook_networks": networks, "webhook_seconds_max": 2.0})
    targets = Targets(harness.database, sealer, harness.tenant, by="a test")
    with run_receiver(log) as url:
        made = Scene(harness, targets, url, log, changed)
        yield made
        for target in made.made:
            await targets.remove(target.target_id)


async def test_a_deliverer_killed_in_an_attempt_is_replaced_and_the_same_is_sent_again(
    scene: Scene, tmp_path: Path
) -> None:
    target = await scene.add()
    scene.script({"do": "hang"})

    with running_deliverer(scene.settings, tmp_path / "one.log") as first:
        await scene.answer("c1", "one")
        await scene.answer("c1", "two")
        await scene.until(1)
        first.kill()
    attempts = await scene.targets.log(target_id=None, event_id=None, state="waiting", rows_max=10)
    await scene.make_due()  # the dead one's claim holds for longer than a test should wait
    with running_deliverer(scene.settings, tmp_path / "two.log"):
        received = await scene.until(3)
        await scene.until_state("delivered", 2)

    assert [row["number"] for row in attempts if row["sequence"] == 1] == [1]  # recorded before it was sent
    assert received[0].id == received[1].id
    assert [each.sequence for each in received] == [1, 1, 2]
    assert all(each.verify(target.secret) for each in received)


async def test_deliverers_side_by_side_send_everything_once_and_in_order_of_each_conversation(
    scene: Scene, tmp_path: Path
) -> None:
    await scene.add()

    with running_deliverer(scene.settings, tmp_path / "one.log"), running_deliverer(scene.settings, tmp_path / "2.log"):
        for turn in range(4):
            await asyncio.gather(*(scene.answer(f"c{number}", f"message {turn}") for number in range(CONVERSATIONS)))
        received = await scene.until(4 * CONVERSATIONS)
        await scene.until_state("delivered", 4 * CONVERSATIONS)

    assert len({each.id for each in received}) == len(received) == 4 * CONVERSATIONS
    for number in range(CONVERSATIONS):
        assert [each.sequence for each in received if each.conversation == f"c{number}"] == [1, 2, 3, 4]


async def test_what_one_deliverer_was_killed_over_another_sends_and_no_conversation_loses_its_order(
    scene: Scene, tmp_path: Path
) -> None:
    await scene.add()

    with running_deliverer(scene.settings, tmp_path / "steady.log"):
        for turn in range(3):
            with running_deliverer(scene.settings, tmp_path / f"{turn}.log") as mortal:
                names = range(CONVERSATIONS)
                await asyncio.gather(*(scene.answer(f"c{number}", f"message {turn}") for number in names))
                await scene.until((turn + 1) * CONVERSATIONS // 2)
                mortal.kill()
                await scene.make_due()
        await scene.until_state("delivered", 3 * CONVERSATIONS)

    received = scene.received()
    for number in range(CONVERSATIONS):
        first_seen = list(dict.fromkeys(each.sequence for each in received if each.conversation == f"c{number}"))
        assert first_seen == [1, 2, 3]


async def test_no_two_claims_take_the_same_delivery(scene: Scene, sealer: Sealer) -> None:
    await scene.add()
    database = scene.harness.database
    for number in range(8):
        await scene.answer(f"c{number}")
        await FanOut(database, sealer).of_conversation(scene.harness.key(f"c{number}"))
    claim = {"busy": [], "each_max": 4, "deliveries_max": 4, "hold_seconds": 60.0}

    async with database.transaction(scene.harness.tenant) as transaction:
        first = await transaction.run("claim_webhooks", **claim)
        beside = await database.read(scene.harness.tenant, "claim_webhooks", **claim)  # while the first is under way

    claimed = [row["event_id"] for row in [*first, *beside]]
    assert len(claimed) == len(set(claimed)) == 8
