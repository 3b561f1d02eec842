"""Text messages come in, are answered, and the answers go out: over real HTTP, PostgreSQL and Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.desk.channel_reconciling import reconcile
from ops.desk.channels import UnknownAccount
from ops.tenants.settings import resume_tenant, suspend_tenant
from runtime.sealing import Sealer
from schema.channel_accounts import InvalidAccount
from schema.messages.reply import Reply
from schema.settings import Settings
from tests.integration.desk_scene import take_over
from tests.integration.sms_scene import CUSTOMER, OUR_NUMBER, SmsScene, sms_scene
from tests.integration.worker_harness import MakeHarness

OTHER_NUMBER = "+14155550198"
SERVICE = "MG" + "b" * 32
LONG = "I am glad to hear from you. " * 55


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[SmsScene]:
    async with sms_scene(await worker(), settings) as made:
        yield made


async def say_long(_text: str) -> str:
    return LONG


@pytest.fixture
async def long_scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[SmsScene]:
    async with sms_scene(await worker(say_long), settings) as made:
        yield made


async def test_a_text_message_is_answered_from_the_number_that_it_was_sent_to(scene: SmsScene) -> None:
    async with scene.delivering():
        await scene.answer("How much is a bag?")
        [sent] = await scene.until_sent(1)
        await scene.until_state("sent")

    assert (sent["from"], sent["to"], sent["body"]) == (OUR_NUMBER, CUSTOMER, "you said: How much is a bag?")


async def test_the_provider_is_answered_with_empty_twiml(scene: SmsScene) -> None:
    answered = await scene.write("Hello")

    assert (answered["answered"], answered["with"]) == (
        200,
        '<?xml version="1.0" encoding="UTF-8"?><Response/>',
    )


async def test_the_same_message_delivered_twice_is_one_message(scene: SmsScene) -> None:
    first = await scene.write("Hello")
    again = await scene.write("Hello", parameters={"MessageSid": first["sid"], "SmsSid": first["sid"]})

    assert again["answered"] == 200
    assert await scene.count("inbox") == 1


async def test_each_number_of_ours_has_a_conversation_of_its_own_with_a_customer(scene: SmsScene) -> None:
    await scene.desk.set(scene.account_id, {"numbers": [OUR_NUMBER, OTHER_NUMBER], "messaging_services": [SERVICE]})
    await scene.until_numbers(OTHER_NUMBER)

    async with scene.delivering():
        await scene.answer("one")
        await scene.write("two", to=OTHER_NUMBER, service=SERVICE)
        await scene.drain_all()
        sent = await scene.until_sent(2)

    by_number = {each["from"]: each for each in sent}
    assert by_number[OUR_NUMBER]["messaging_service_sid"] is None
    assert by_number[OTHER_NUMBER]["messaging_service_sid"] == SERVICE
    assert await scene.count("conversation") == 2


async def test_a_conversations_replies_leave_in_order_and_the_next_waits_for_the_one_before(scene: SmsScene) -> None:
    scene.script({"do": "error", "status": 429, "code": 20429})

    async with scene.delivering():
        await scene.answer("one")
        await scene.answer("two")
        [waiting, behind] = await scene.until_state("waiting", 2)
        await scene.until_true("SELECT 1 FROM channel_account WHERE tenant_id = %s AND paused_until IS NOT NULL")
        await scene.unpause()
        await scene.until_state("sent", 2)

    assert waiting["ordinal"] < behind["ordinal"]
    assert behind["next_at"] is None
    assert scene.texts() == ["you said: one", "you said: two"]


async def test_a_takeover_between_commit_and_delivery_keeps_the_bots_reply_back(scene: SmsScene) -> None:
    await scene.answer("one")
    await take_over(scene.harness, scene.conversation_of())

    async with scene.delivering():
        [withheld] = await scene.until_state("withheld")

    assert withheld["reason"] == "a person owns the conversation"
    assert scene.sent() == []


async def test_what_a_person_wrote_leaves_while_that_person_owns_the_conversation(
    scene: SmsScene, sealer: Sealer
) -> None:
    await scene.answer("one")
    key = scene.harness.key(scene.conversation_of())
    await take_over(scene.harness, scene.conversation_of())
    reply = Reply(
        reply_id="reply_of_sam",
        tenant=key.tenant,
        conversation=key.conversation,
        sequence=2,
        in_reply_to=["m"],
        channel="sms",
        recipient=CUSTOMER,
        text="Sam here, I have your bag.",
        agent="Sam",
        issue_type=None,
        trace_id="t",
        created_at=datetime.now(UTC),
        by_person=True,
    )
    async with scene.harness.database.transaction(key.tenant) as transaction:
        [place] = await transaction.run("take_ordinal", tenant=key.tenant, conversation=key.conversation)
        await transaction.connection.execute(
            "INSERT INTO outbox (tenant_id, conversation_id, ordinal, kind, channel, entry_id, sequence, body) "
            "VALUES (%s, %s, %s, 'reply', 'sms', %s, 2, %s)",
            [*key, place["last_ordinal"], reply.reply_id, sealer.seal(reply.model_dump_json())],
        )

    async with scene.delivering() as deliverer:
        await deliverer.sweep.ring.take_up(key)
        await scene.until_state("sent")
        await scene.until_state("withheld")

    assert scene.texts() == ["Sam here, I have your bag."]


async def test_nothing_leaves_of_a_suspended_tenant_until_it_is_resumed(scene: SmsScene) -> None:
    await scene.answer("one")
    database, tenant = scene.harness.database, scene.harness.tenant
    await suspend_tenant(database, tenant, by="a test", because="a test")

    async with scene.delivering() as deliverer:
        await scene.until_state("waiting")
        claimed = await deliverer.deliveries.take_up()
        before = scene.provider.posts
        await resume_tenant(database, tenant, by="a test")
        await scene.until_state("sent")

    assert (claimed, before, len(scene.sent())) == (0, 0, 1)


async def test_a_stop_is_no_turn_and_nothing_is_sent_after_it_until_start(scene: SmsScene) -> None:
    async with scene.delivering():
        await scene.answer("one")
        await scene.until_sent(1)
        await scene.write("Stop ")
        await scene.write("two")
        await scene.drain_all()
        [suppressed] = await scene.until_state("suppressed")
        started = await scene.write("YES")
        await scene.write("three")
        await scene.drain_all()
        await scene.until_sent(2)

    assert started["answered"] == 200
    assert scene.texts() == ["you said: one", "you said: three"]
    assert suppressed["reason"] == "the customer has opted out"
    assert await scene.commands() == ["stop", "start"]
    assert await scene.count("inbox") == 3


async def test_a_stop_that_comes_between_commit_and_delivery_keeps_the_reply_back(scene: SmsScene) -> None:
    await scene.answer("one")
    await scene.write("UNSUBSCRIBE")

    async with scene.delivering():
        await scene.until_state("suppressed")

    assert scene.sent() == []
    [ticket] = await scene.tickets()
    assert "opted out" in ticket["reason"]


async def test_a_yes_of_a_customer_who_has_not_opted_out_is_an_ordinary_message(scene: SmsScene) -> None:
    async with scene.delivering():
        await scene.answer("YES")
        await scene.until_sent(1)

    assert scene.texts() == ["you said: YES"]


async def test_the_providers_own_word_for_an_opt_out_counts(scene: SmsScene) -> None:
    await scene.write("ARRET", parameters={"OptOutType": "STOP"})
    await scene.write("AIDE", parameters={"OptOutType": "HELP"})

    assert await scene.commands() == ["stop", "help"]
    assert await scene.count("inbox") == 0


async def test_an_opt_out_that_is_sent_again_after_start_changes_nothing(scene: SmsScene) -> None:
    stopped = await scene.write("STOP")
    await scene.write("START")
    again = await scene.write("STOP", parameters={"MessageSid": stopped["sid"], "SmsSid": stopped["sid"]})

    assert again["answered"] == 200
    assert await scene.desk.suppressions(CUSTOMER, rows_max=10) == []


async def test_who_the_provider_says_has_opted_out_is_suppressed_and_a_person_is_told(scene: SmsScene) -> None:
    scene.script({"do": "error", "status": 400, "code": 21610})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_state("suppressed")
        await scene.answer("two")
        await scene.until_state("suppressed", 2)

    assert scene.provider.posts == 1
    [row] = await scene.desk.suppressions(CUSTOMER, rows_max=10)
    assert (row["reason"], row["own_address"]) == ("21610", OUR_NUMBER)
    assert len(await scene.tickets()) == 2


async def test_credentials_that_are_refused_stop_the_account_and_what_waits_goes_on_after_enable(
    scene: SmsScene,
) -> None:
    scene.script({"do": "error", "status": 401, "code": 20003})

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_true("SELECT 1 FROM channel_account WHERE tenant_id = %s AND disabled_at IS NOT NULL")
        await scene.make_due()
        listed = await scene.desk.find(scene.account_id)
        posts = scene.provider.posts
        await scene.desk.enable(scene.account_id)
        await scene.make_due()
        await scene.until_sent(1)

    assert "credentials" in listed["disabled_reason"]
    assert posts == 1


@pytest.mark.parametrize(("code", "told"), [(21614, "takes no text messages"), (21408, "region"), (99999, "99999")])
async def test_a_reply_that_never_will_be_taken_is_told_to_a_person_and_the_next_one_goes_on(
    scene: SmsScene, code: int, told: str
) -> None:
    scene.script({"do": "error", "status": 400, "code": code})

    async with scene.delivering():
        await scene.answer("one")
        await scene.answer("two")
        await scene.until_state("dead")
        await scene.until_sent(1)
        redriven = await scene.desk.redrive(scene.account_id)
        await scene.until_state("sent", 2)

    assert redriven == 1
    assert scene.texts() == ["you said: two", "you said: one"]
    [ticket] = await scene.tickets()
    assert told in ticket["reason"]
    assert ticket["conversation"] == scene.conversation_of()


async def test_what_is_stored_for_a_delivery_shows_no_word_and_no_address(scene: SmsScene) -> None:
    async with scene.delivering():
        await scene.answer("my dog is called Rufus")
        await scene.until_state("sent")
    await scene.write("STOP")

    for table in (
        "channel_command",
        "channel_suppression",
        "conversation_route",
        "reply_attempt",
        "reply_conversation",
        "reply_delivery",
        "reply_part",
    ):
        rows = await scene.harness.query(f"SELECT * FROM {table} WHERE tenant_id = %s", scene.harness.tenant)  # noqa: S608
        assert rows, table
        assert "Rufus" not in str(rows)
        assert CUSTOMER.removeprefix("+") not in str(rows)


async def test_a_long_reply_is_sent_in_numbered_parts_and_the_rest_follows_more(long_scene: SmsScene) -> None:
    scene = long_scene
    await scene.desk.set(scene.account_id, {"segments_max": 4})

    async with scene.delivering():
        await scene.answer("Hello")
        await scene.until_state("sent")
        first = scene.texts()
        more = await scene.write("more ")
        await scene.until_sent(len(first) + 1)
        await scene.until_state("sent")

    assert more["answered"] == 200
    texts, parts = scene.texts(), await scene.parts()
    assert [text.split(" ")[0] for text in texts] == [f"{number}/{len(parts)}" for number in range(1, len(texts) + 1)]
    assert len(first) < len(texts) < len(parts)
    assert first[-1].endswith("Reply MORE for the rest.")
    assert await scene.commands() == ["more"]
    assert await scene.count("inbox") == 1


async def test_what_a_reply_was_sent_as_is_forgotten_when_it_is_of_no_more_use(scene: SmsScene) -> None:
    scene.script({"do": "take"}, {"do": "error", "status": 400, "code": 21614})
    async with scene.delivering() as deliverer:
        await scene.answer("one")
        await scene.answer("two")
        await scene.until_state("dead")
        await scene.harness.query(
            "UPDATE reply_delivery SET finished_at = finished_at - interval '3 days' WHERE tenant_id = %s RETURNING 1",
            scene.harness.tenant,
        )
        await deliverer.remove_old()

    assert [part["content"] is None for part in await scene.parts()] == [True, False]  # what is dead may be redriven


async def test_more_is_an_ordinary_message_where_nothing_waits(scene: SmsScene) -> None:
    async with scene.delivering():
        await scene.answer("MORE")
        await scene.until_sent(1)

    assert scene.texts() == ["you said: MORE"]


async def test_what_webhooks_missed_is_read_back_and_taken_once(scene: SmsScene) -> None:
    scene.conversation_of()
    taken = await scene.write("taken")
    await scene.write("missed", deliver=False)
    await scene.write("STOP", deliver=False, customer="+14155550103")
    since = datetime.now(UTC) - timedelta(hours=1)

    first = await reconcile(scene.settings, scene.harness.tenant, scene.account_id, since=since)
    again = await reconcile(scene.settings, scene.harness.tenant, scene.account_id, since=since)

    assert (first.seen, first.accepted, first.commands) == (3, 2, 1)
    assert (again.seen, again.accepted) == (3, 0)
    rows = await scene.harness.query(
        "SELECT message_id FROM inbox WHERE tenant_id = %s ORDER BY accepted_at", scene.harness.tenant
    )
    assert rows[0]["message_id"] == taken["sid"]
    assert len(rows) == 2


async def test_secrets_and_wrong_settings_are_told_by_name_alone(scene: SmsScene) -> None:
    with pytest.raises(InvalidAccount) as refused:
        await scene.desk.add(
            "sms",
            {"account_sid": "AC-secret-looking", "public_url": "ftp://x", "nonsense": 1},
            {"auth_token": "hunter2\n", "shared": {}},
        )
    listed: Any = await scene.desk.read()

    told = str(refused.value)
    assert all(name in told for name in ("account_sid", "public_url", "nonsense", "auth_token", "shared"))
    assert "hunter2" not in told
    assert "secret-looking" not in told
    assert scene.provider.auth_token not in str(listed)
    assert listed[0]["secrets"] == ["auth_token"]
    with pytest.raises(UnknownAccount):
        await scene.desk.find("ch_0000000000000000")
