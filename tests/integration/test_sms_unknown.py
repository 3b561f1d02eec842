"""An answer of the provider that is lost: what got there is not sent again, and what did not is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ops.desk.webhooks import Targets
from producer.delivery.fan_out import FanOut
from runtime.sealing import Sealer
from schema.settings import Settings
from tests.integration.sms_scene import CUSTOMER, OUR_NUMBER, SmsScene, sms_scene
from tests.integration.worker_harness import MakeHarness

OTHER_NUMBER = "+14155550198"
FAILED = "SELECT 1 FROM reply_attempt WHERE tenant_id = %s AND outcome = 'unknown'"


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[SmsScene]:
    async with sms_scene(await worker(), settings) as made:
        yield made


async def test_a_status_callback_settles_a_message_whose_answer_was_lost(scene: SmsScene) -> None:
    scene.script({"do": "cut"})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_sent(1)
        await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND state = 'accepted'")
        await scene.make_due()
        [delivered] = await scene.until_state("sent")

    assert scene.provider.posts == 1
    assert (await scene.parts())[0]["provider_id"] == scene.sent()[0]["sid"]
    assert delivered["receipt"] == "delivered"


async def test_the_providers_list_settles_a_message_whose_answer_and_callbacks_were_lost(scene: SmsScene) -> None:
    scene.script({"do": "cut", "report": "nothing"})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true(FAILED)
        await scene.make_due()
        await scene.until_state("sent")

    assert scene.provider.posts == 1
    assert (await scene.parts())[0]["provider_id"] == scene.sent()[0]["sid"]


async def test_a_message_that_never_got_there_is_sent_again_once_the_list_is_sure_to_lack_it(scene: SmsScene) -> None:
    scene.script({"do": "lose"})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true(FAILED)
        await scene.make_due()
        await scene.until_true(
            "SELECT 1 FROM reply_attempt WHERE tenant_id = %s AND code = 'not listed yet' AND outcome = 'unknown'"
        )
        posts = scene.provider.posts
        await scene.make_due(aged_seconds=90)
        await scene.until_state("sent")

    assert posts == 1
    assert scene.texts() == ["you said: one"]


async def test_a_message_that_the_provider_took_but_neither_reports_nor_lists_is_sent_twice(scene: SmsScene) -> None:
    """The residual duplicate: the API knows no idempotency key, so that here nothing can tell."""
    scene.script({"do": "unlisted", "report": "nothing"})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true(FAILED)
        await scene.make_due(aged_seconds=90)
        await scene.until_state("sent")

    assert scene.texts() == ["you said: one", "you said: one"]


async def test_the_same_words_from_another_number_are_not_taken_for_a_message_that_was_lost(scene: SmsScene) -> None:
    await scene.desk.set(scene.account_id, {"numbers": [OUR_NUMBER, OTHER_NUMBER]})
    await scene.until_numbers(OTHER_NUMBER)

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_state("sent")
        scene.script({"do": "lose"})
        await scene.write("one", to=OTHER_NUMBER)
        await scene.drain_all()
        await scene.until_true(FAILED)
        await scene.make_due(aged_seconds=90)
        await scene.until_state("sent", 2)

    assert [(each["from"], each["body"]) for each in scene.sent()] == [
        (OUR_NUMBER, "you said: one"),
        (OTHER_NUMBER, "you said: one"),
    ]


async def test_a_fault_of_the_providers_server_is_asked_about_before_it_is_sent_again(scene: SmsScene) -> None:
    scene.script({"do": "error", "status": 503, "code": 20503})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true(FAILED)
        await scene.make_due()
        await scene.until_true("SELECT 1 FROM reply_attempt WHERE tenant_id = %s AND code = 'not listed yet'")

    assert scene.provider.posts == 1


async def test_a_provider_that_is_not_there_is_tried_again_without_asking(scene: SmsScene) -> None:
    api_url = (await scene.desk.find(scene.account_id))["settings"]["api_url"]
    await scene.desk.set(scene.account_id, {"api_url": "http://127.0.0.1:9"})
    await scene.answer("one")

    async with scene.delivering():
        await scene.until_true("SELECT 1 FROM reply_attempt WHERE tenant_id = %s AND code = 'unreachable'")
    await scene.desk.set(scene.account_id, {"api_url": api_url})
    await scene.make_due()
    async with scene.delivering():
        await scene.until_state("sent")

    assert scene.provider.posts == 1


async def test_no_credentials_leave_without_encryption_but_to_this_machine(scene: SmsScene) -> None:
    await scene.desk.set(scene.account_id, {"api_url": "http://provider.example"})
    await scene.answer("one")

    async with scene.delivering():
        await scene.until_true("SELECT 1 FROM channel_account WHERE tenant_id = %s AND disabled_at IS NOT NULL")

    assert "use https" in (await scene.desk.find(scene.account_id))["disabled_reason"]


async def report(scene: SmsScene, message: dict[str, Any], status: str, **more: str) -> int:
    """Report a status as the provider does."""
    parameters = {"MessageStatus": status, "SmsStatus": status, "MessageSid": message["sid"], **more}
    answered = await scene.provider.bring_in(
        {"from": CUSTOMER, "to": CUSTOMER, "webhook": f"{scene.webhook}/status", "parameters": parameters}
    )
    return int(answered["answered"])


async def test_a_state_only_moves_up_in_whatever_order_callbacks_come(scene: SmsScene) -> None:
    scene.script({"do": "take", "report": "nothing"})

    async with scene.delivering():
        await scene.answer("one")
        [sent] = await scene.until_sent(1)
        await scene.until_state("sent")
        told = [await report(scene, sent, status) for status in ("sent", "delivered", "queued", "sent", "nonsense")]

    assert told == [204] * 5
    [part] = await scene.parts()
    assert (part["status"], part["status_rank"]) == ("delivered", 4)
    [delivered] = await scene.deliveries()
    assert delivered["receipt"] == "delivered"


async def test_a_callback_about_a_message_that_nobody_knows_is_passed_over(scene: SmsScene) -> None:
    assert await report(scene, {"sid": "SM" + "0" * 32}, "delivered") == 204
    assert await report(scene, {"sid": "nonsense"}, "delivered") == 204
    assert await report(scene, {"sid": "SM" + "0" * 32}, "") == 204


async def test_a_message_that_a_carrier_filtered_is_told_to_a_person_and_not_sent_again(scene: SmsScene) -> None:
    scene.script({"do": "take", "report": "undelivered", "code": 30007})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND failure_seen_at IS NOT NULL")

    [ticket] = await scene.tickets()
    assert "filtered" in ticket["reason"]
    assert scene.provider.posts == 1
    [delivered] = await scene.deliveries()
    assert (delivered["receipt"], delivered["receipt_code"]) == ("failed", "30007")


async def test_a_handset_that_was_off_gets_the_message_once_more(scene: SmsScene) -> None:
    failure = {"do": "take", "report": "undelivered", "code": 30003}
    scene.script(failure, failure)

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND state = 'ready' AND attempts = 1")
        await scene.make_due()
        await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND failure_seen_at IS NOT NULL")

    assert scene.provider.posts == 2
    assert len(await scene.tickets()) == 1


async def test_an_opt_out_that_a_carrier_reports_late_is_kept(scene: SmsScene) -> None:
    scene.script({"do": "take", "report": "failed", "code": 21610})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true("SELECT 1 FROM channel_suppression WHERE tenant_id = %s AND lifted_at IS NULL")
        await scene.answer("two")
        await scene.until_state("suppressed")

    assert scene.provider.posts == 1


async def test_receivers_of_webhooks_are_told_whether_a_reply_arrived(scene: SmsScene, sealer: Sealer) -> None:
    targets = Targets(scene.harness.database, sealer, scene.harness.tenant, by="a test")
    await targets.add("https://hook.example/", ["reply.delivered", "reply.failed"])
    scene.script({"do": "take"}, {"do": "take", "report": "failed", "code": 30007})

    async with scene.delivering():
        await scene.answer("one")
        await scene.answer("two")
        await scene.until_true("SELECT 1 FROM reply_delivery WHERE tenant_id = %s AND receipt = 'failed'")
        await scene.until_true("SELECT 1 FROM reply_delivery WHERE tenant_id = %s AND receipt = 'delivered'")
    fan_out = FanOut(scene.harness.database, sealer)
    key = scene.harness.key(scene.conversation_of())
    made = await fan_out.of_conversation(key)
    again = await fan_out.of_conversation(key)

    rows = await scene.harness.query(
        "SELECT type, body FROM webhook_event WHERE tenant_id = %s ORDER BY type", scene.harness.tenant
    )
    assert [row["type"] for row in rows] == ["reply.delivered", "reply.failed"]
    assert '"code":"30007"' in rows[1]["body"]
    assert made > 2
    assert again == 0
