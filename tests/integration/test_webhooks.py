"""Webhooks reach a receiver, signed, in order and at least once, whatever it does; over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from ops.desk.webhooks import TARGETS_MAX, Targets, TooManyTargets, UnknownTarget
from ops.lab.webhook_receiver import run_receiver
from producer.delivery.deliverer import Deliverer, open_deliverer
from runtime.sealing import Sealer
from schema.errors import UnknownTenant
from schema.settings import Settings
from tests.integration.desk_scene import resolve, take_over
from tests.integration.webhook_scene import LOOPBACK, Scene
from tests.integration.worker_harness import MakeHarness
from worker.store.episodes import Episodes

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Any:
    log = tmp_path_factory.mktemp("receiver") / "received.jsonl"
    with run_receiver(log) as url:
        yield url, log


@pytest.fixture
async def scene(
    worker: MakeHarness, settings: Settings, sealer: Sealer, receiver: tuple[str, Path]
) -> AsyncIterator[Scene]:
    url, log = receiver
    log.write_text("")
    harness = await worker()
    networks = [ip_network(text) for text in LOOPBACK]
    changed = settings.model_copy(update={"webhook_networks": networks, "webhook_seconds_max": 1.0})
    targets = Targets(harness.database, sealer, harness.tenant, by="a test")
    made = Scene(harness, targets, url, log, changed)
    made.script()
    yield made
    for target in made.made:
        await targets.remove(target.target_id)


@asynccontextmanager
async def delivering(scene: Scene) -> AsyncIterator[Deliverer]:
    async with open_deliverer(scene.settings) as deliverer:
        yield deliverer


async def test_what_happens_is_told_signed_and_in_order(scene: Scene, sealer: Sealer) -> None:
    target = await scene.add()

    async with delivering(scene):
        await scene.answer("c1")
        await scene.answer("c1")
        await take_over(scene.harness, "c1")
        await scene.harness.service.rescue.publish_leftovers(age_seconds=-60)
        received = await scene.until(3)

    assert [each.type for each in received] == ["message.answered", "message.answered", "conversation.taken_over"]
    assert [each.sequence for each in received] == [1, 2, 3]
    assert all(each.verify(target.secret) for each in received)
    with pytest.raises(WebhookVerificationError):
        received[0].verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


async def test_a_body_names_what_happened_and_holds_no_words_and_no_address(scene: Scene) -> None:
    await scene.add("message.answered")

    async with delivering(scene):
        await scene.answer("c1", "my dog is called Rufus")
        [received] = await scene.until(1)

    attributes = received.body["data"]["attributes"]
    assert attributes["message_ids"] == (await scene.harness.replies())[0]["in_reply_to"]
    assert "Rufus" not in received.line["body"]
    assert "ada@example.com" not in received.line["body"]


async def test_a_target_is_told_only_what_it_asked_for(scene: Scene, sealer: Sealer) -> None:
    await scene.add("conversation.taken_over", path="/some")
    await scene.add(path="/all")

    async with delivering(scene):
        await scene.answer("c1")
        await take_over(scene.harness, "c1")
        await scene.harness.service.rescue.publish_leftovers(age_seconds=-60)
        everything = await scene.until(2, "/all")
        some = await scene.until(1, "/some")

    assert [each.type for each in some] == ["conversation.taken_over"]
    assert some[0].id == everything[1].id


async def test_what_happened_before_a_target_was_added_is_not_told_to_it(scene: Scene) -> None:
    await scene.answer("c1", "before")
    await scene.add()

    async with delivering(scene):
        await scene.answer("c1", "after")
        first, *_ = await scene.until(1)  # what came before would be sent before

    assert first.body["data"]["attributes"]["message_ids"] == (await scene.harness.replies())[1]["in_reply_to"]


async def test_what_is_stored_after_a_target_was_added_is_told_though_its_worker_s_clock_says_before(
    scene: Scene,
) -> None:
    await scene.answer("c1", "hello")
    await scene.add()
    added_then = """
        UPDATE webhook_target t
        SET created_at = (SELECT min(o.created_at) FROM outbox o WHERE o.tenant_id = t.tenant_id)
        WHERE t.tenant_id = %s RETURNING created_at
    """
    [target] = await scene.harness.query(added_then, scene.harness.tenant)
    [reply] = await scene.harness.replies()
    assert datetime.fromisoformat(reply["created_at"]) < target["created_at"]

    async with delivering(scene):
        [told, *_] = await scene.until(1)

    assert told.body["data"]["attributes"]["message_ids"] == reply["in_reply_to"]


@pytest.mark.parametrize(
    ("step", "outcome", "status"),
    [
        ({"do": "status", "status": 500}, "status", 500),
        ({"do": "status", "status": 404}, "status", 404),
        ({"do": "status", "status": 302, "headers": {"location": "http://localhost:1/"}}, "status", 302),
        ({"do": "hang"}, "timeout", None),
        ({"do": "cut"}, "unreachable", None),
        ({"do": "refuse", "seconds": 0.5}, "unreachable", None),
    ],
    ids=["error", "refused", "redirect", "hang", "cut", "refuse"],
)
async def test_a_receiver_in_trouble_gets_the_same_again_and_what_follows_waits(
    scene: Scene, step: dict[str, Any], outcome: str, status: int | None
) -> None:
    target = await scene.add()
    scene.script(step)

    async with delivering(scene):
        await scene.answer("c1", "one")
        await scene.answer("c1", "two")
        first, again, following = await scene.until(3)

    assert (first.id, first.line["body"]) == (again.id, again.line["body"])
    assert (again.sequence, following.sequence) == (1, 2)
    assert again.line["at"] - first.line["at"] >= 3.9  # the schedule's first pause is 5 s, with a jitter of a fifth
    assert again.verify(target.secret)
    attempts = await scene.targets.log(target_id=None, event_id=first.id, state=None, rows_max=10)
    assert [(row["number"], row["outcome"], row["status"]) for row in attempts] == [
        (2, "status", 204),
        (1, outcome, status),
    ]


async def test_other_conversations_do_not_wait_for_one_that_is_tried_again(scene: Scene) -> None:
    await scene.add()
    scene.script({"do": "status", "status": 500})

    async with delivering(scene):
        await scene.answer("c1")
        await scene.until(1)
        await scene.answer("c2")
        received = await scene.until(2)

    assert [each.conversation for each in received[:2]] == ["c1", "c2"]


@pytest.mark.parametrize("what", ["huge", "slow"])
async def test_an_answer_that_does_not_end_is_taken_by_its_status(scene: Scene, what: str) -> None:
    await scene.add()
    scene.script({"do": what})

    async with delivering(scene):
        await scene.answer("c1")
        await scene.until_state("delivered")

    assert len(scene.received()) == 1


async def test_a_receiver_that_is_gone_disables_its_target_until_it_is_enabled(scene: Scene) -> None:
    target = await scene.add()
    scene.script({"do": "status", "status": 410})

    async with delivering(scene):
        await scene.answer("c1", "one")
        await scene.until_ended(1)
        [listed] = await scene.targets.read()
        await scene.answer("c1", "two")
        await scene.answer("c1", "three")
        await scene.until_events(3)
        told_while_disabled = len(scene.received())
        await scene.targets.enable(target.target_id)
        await scene.targets.replay(target.target_id, since=datetime(2026, 1, 1, tzinfo=UTC))
        received = await scene.until(4)

    assert listed["disabled_reason"] == "its receiver answered 410 Gone"
    assert told_while_disabled == 1
    assert [each.sequence for each in received] == [1, 1, 2, 3]


async def test_a_receiver_that_asks_for_a_pause_gets_it_for_all_its_conversations(scene: Scene) -> None:
    await scene.add()
    scene.script({"do": "status", "status": 429, "headers": {"retry-after": "3"}})

    async with delivering(scene):
        await scene.answer("c1")
        [first] = await scene.until(1)
        await scene.until_ended(1)
        await scene.answer("c2")
        received = await scene.until(3)

    assert received[1].line["at"] - first.line["at"] >= 2.9


async def test_after_three_days_a_delivery_is_dead_and_can_be_sent_again(scene: Scene) -> None:
    target = await scene.add()
    scene.script(*[{"do": "status", "status": 500}] * 2)

    async with delivering(scene):
        await scene.answer("c1", "one")
        await scene.until(1)
        await scene.harness.query(
            "UPDATE webhook_delivery SET queued_at = queued_at - interval '3 days' WHERE tenant_id = %s RETURNING 1",
            scene.harness.tenant,
        )
        await scene.make_due()
        [dead] = await scene.until_state("dead")
        await scene.answer("c1", "two")
        await scene.until(3)
        queued = await scene.targets.replay(target.target_id, dead_only=True)
        received = await scene.until(4)
        await scene.until_state("delivered", 2)

    assert queued == 1
    assert dead["attempts"] == 2
    assert [each.sequence for each in received] == [1, 1, 2, 1]


async def test_while_a_secret_is_rotated_both_verify_and_afterwards_the_new_one_alone(scene: Scene) -> None:
    target = await scene.add()
    renewed, _ = await scene.targets.rotate(target.target_id, 60)

    async with delivering(scene):
        await scene.answer("c1")
        [during] = await scene.until(1)
        await scene.harness.query(
            "UPDATE webhook_target SET old_secret_until = now() WHERE tenant_id = %s RETURNING 1", scene.harness.tenant
        )
        await scene.answer("c1")
        _, after = await scene.until(2)

    assert during.verify(target.secret)
    assert during.verify(renewed.secret)
    assert after.verify(renewed.secret)
    with pytest.raises(WebhookVerificationError):
        after.verify(target.secret)


async def test_a_private_receiver_is_not_sent_to_unless_its_network_is_named(scene: Scene) -> None:
    await scene.add()
    scene.settings = scene.settings.model_copy(update={"webhook_networks": []})

    async with delivering(scene):
        await scene.answer("c1")
        [waiting] = await scene.until_state("waiting")
        await scene.until_ended(1)
        rows = await scene.targets.log(target_id=None, event_id=None, state=None, rows_max=10)

    assert rows[0]["outcome"] == "refused_address"
    assert scene.received() == []
    assert waiting["attempts"] <= 1


async def test_a_test_reaches_the_receiver_at_once_and_says_what_it_answered(scene: Scene) -> None:
    target = await scene.add()
    scene.script({"do": "status", "status": 204}, {"do": "status", "status": 503})

    good = await scene.targets.test(target.target_id, scene.settings)
    bad = await scene.targets.test(target.target_id, scene.settings)

    assert (good.is_delivered, bad.is_delivered, bad.status) == (True, False, 503)
    assert scene.received()[0].type == "webhook.test"
    assert scene.received()[0].verify(target.secret)


async def test_events_whose_stream_entries_were_lost_are_told_by_the_sweep(scene: Scene) -> None:
    await scene.add()
    await scene.answer("c1")
    await scene.harness.service.publisher.note()
    streams = [
        key async for key in scene.harness.service.servers.redis.scan_iter(f"fte:out:{{{scene.harness.tenant}}}:*")
    ]
    await scene.harness.service.servers.redis.delete(*streams)

    async with delivering(scene):
        received = await scene.until(1)

    assert [each.type for each in received] == ["message.answered"]


async def test_when_the_last_target_is_removed_nothing_waits_in_the_streams_any_more(scene: Scene) -> None:
    target = await scene.add()
    stream = f"fte:out:{{{scene.harness.tenant}}}:replies:chat"
    redis: Any = scene.harness.service.servers.redis

    async with delivering(scene):
        await scene.answer("c1")
        await scene.until(1)
        groups = await redis.xinfo_groups(stream)
        await scene.targets.remove(target.target_id)
        scene.made.clear()
        await scene.until_nothing(lambda: redis.xinfo_groups(stream))

    assert [group["name"] for group in groups] == [b"fte.webhooks"]


async def test_the_end_of_an_episode_is_told_exactly_once(scene: Scene, settings: Settings) -> None:
    target = await scene.add("conversation.completed")
    episodes = Episodes(scene.harness.database, settings, settle_seconds=0)

    async with delivering(scene) as one, delivering(scene) as other:
        await scene.answer("c1")
        await resolve(scene.harness, "c1")
        for _ in range(3):
            await episodes.bring_up_to_date()
        await scene.until(1)
        await scene.answer("c1")
        await resolve(scene.harness, "c1")
        await asyncio.gather(episodes.bring_up_to_date(), episodes.bring_up_to_date())
        await scene.until(2)
        for deliverer in (one, other):
            assert await deliverer.sweep.take_up() == 0

    received = scene.received()
    about = [each.body["data"]["attributes"] for each in received]
    assert [(each["episode"], each["reason"], each["messages"], each["replies"]) for each in about] == [
        (1, "resolved", 1, 1),
        (2, "resolved", 1, 1),
    ]
    assert all(each.verify(target.secret) for each in received)


async def test_a_target_is_of_a_tenant_that_exists_and_not_one_of_too_many(scene: Scene, sealer: Sealer) -> None:
    database = scene.harness.database
    with pytest.raises(UnknownTenant):
        await Targets(database, sealer, "nobody", by="a test").add("https://hook.example/", [])
    for _ in range(TARGETS_MAX):
        await scene.add()

    with pytest.raises(TooManyTargets, match="20 webhook targets"):
        await scene.add()


async def test_a_target_of_another_tenant_is_neither_told_nor_found(
    scene: Scene, sealer: Sealer, other_tenant: str
) -> None:
    await scene.add(path="/ours")
    others = Targets(scene.harness.database, sealer, other_tenant, by="a test")
    theirs = await others.add(f"{scene.url}/theirs", [])

    async with delivering(scene):
        await scene.answer("c1")
        await scene.until(1, "/ours")
        await scene.until_state("delivered")

    assert scene.received("/theirs") == []
    with pytest.raises(UnknownTarget):
        await scene.targets.remove(theirs.target_id)
    await others.remove(theirs.target_id)
