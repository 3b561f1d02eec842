"""Deliverers of text messages as processes: one that is killed loses nothing, and several keep the order."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schema.settings import Settings
from tests.integration.sms_scene import SmsScene, sms_scene
from tests.integration.worker_harness import MakeHarness

CUSTOMERS = [f"+1415555{number:04}" for number in range(101, 107)]


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[SmsScene]:
    async with sms_scene(await worker(), settings) as made:
        yield made


async def test_a_deliverer_killed_before_it_sent_loses_nothing_and_keeps_the_order(
    scene: SmsScene, tmp_path: Path
) -> None:
    with scene.process(tmp_path / "one.log", "delivery.begun") as mortal:
        await scene.answer("one")
        await scene.answer("two")
        await mortal.until_dead()
    posts = scene.provider.posts
    await scene.make_due(aged_seconds=90)  # its claim holds for longer than a test should wait

    with scene.process(tmp_path / "two.log"):
        await scene.until_state("sent", 2)

    assert posts == 0
    assert scene.texts() == ["you said: one", "you said: two"]
    assert [part["attempts"] for part in await scene.parts()] == [2, 1]  # the first was recorded before it was sent


async def test_a_deliverer_killed_after_it_sent_is_replaced_and_nothing_is_sent_twice(
    scene: SmsScene, tmp_path: Path
) -> None:
    scene.script({"do": "take", "report": "nothing"})
    with scene.process(tmp_path / "one.log", "delivery.sent") as mortal:
        await scene.answer("one")
        await scene.answer("two")
        await mortal.until_dead()
    await scene.make_due()

    with scene.process(tmp_path / "two.log"):
        await scene.until_state("sent", 2)

    assert scene.texts() == ["you said: one", "you said: two"]
    assert scene.provider.posts == 2


async def test_a_deliverer_killed_while_the_provider_answers_is_settled_by_the_callback(
    scene: SmsScene, tmp_path: Path
) -> None:
    scene.script({"do": "hang"})
    with scene.process(tmp_path / "one.log") as mortal:
        await scene.answer("one")
        await scene.until_sent(1)
        mortal.kill()
    await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND state = 'accepted'")
    await scene.make_due()

    with scene.process(tmp_path / "two.log"):
        await scene.until_state("sent")

    assert scene.texts() == ["you said: one"]


async def test_deliverers_side_by_side_send_everything_once_and_in_order_of_each_conversation(
    scene: SmsScene, tmp_path: Path
) -> None:
    with scene.process(tmp_path / "one.log"), scene.process(tmp_path / "two.log"):
        for turn in range(4):
            await asyncio.gather(*(scene.answer(f"message {turn}", customer=each) for each in CUSTOMERS))
        await scene.until_sent(4 * len(CUSTOMERS))
        await scene.until_state("sent", 4 * len(CUSTOMERS))

    assert scene.provider.posts == 4 * len(CUSTOMERS)
    for customer in CUSTOMERS:
        assert [int(re.findall(r"\d+", text)[0]) for text in scene.texts(customer)] == [0, 1, 2, 3]


async def test_what_deliverers_were_killed_over_others_send_and_no_conversation_loses_its_order(
    scene: SmsScene, tmp_path: Path
) -> None:
    with scene.process(tmp_path / "steady.log"):
        for turn in range(3):
            with scene.process(tmp_path / f"{turn}.log", "delivery.sent@2") as mortal:
                await asyncio.gather(*(scene.answer(f"message {turn}", customer=each) for each in CUSTOMERS))
                try:
                    async with asyncio.timeout(10):
                        await mortal.until_dead()
                except TimeoutError:  # the other one was quicker, and it had no second message to die of
                    mortal.kill()
            await scene.push_until_sent((turn + 1) * len(CUSTOMERS))

    for customer in CUSTOMERS:
        assert [int(re.findall(r"\d+", text)[0]) for text in scene.texts(customer)] == [0, 1, 2]
