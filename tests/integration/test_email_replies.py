"""Replies leave by e-mail: over real PostgreSQL, Redis and SMTP, threaded, in order, and each once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ops.lab.mail_server import MailStep
from producer.channels.email.tokens import reference_of
from schema.settings import Settings
from tests.integration.desk_scene import take_over
from tests.integration.email_scene import CUSTOMER, MAILBOX, MailboxScene, mail_scene
from tests.integration.worker_harness import MakeHarness


@pytest.fixture
async def scene(worker: MakeHarness, settings: Settings) -> AsyncIterator[MailboxScene]:
    async with mail_scene(await worker(), settings) as made:
        yield made


async def test_an_answer_arrives_in_the_customers_thread(scene: MailboxScene) -> None:
    async with scene.delivering():
        rfc_id = await scene.answer("How much is a bag? Grüße, 你好")
        [mail] = await scene.until_taken(1)
        [delivery] = await scene.until_state("sent")

    read = scene.read(mail)
    assert read["In-Reply-To"] == rfc_id
    assert read["References"] == f"<earlier@example.org> {rfc_id}"
    assert read["Subject"] == "Re: Bags"
    assert read["To"] == CUSTOMER
    assert read["From"] == f"Larkfield Air <{MAILBOX}>"
    assert read["Auto-Submitted"] == "auto-replied"
    assert scene.text_of(mail) == "you said: How much is a bag? Grüße, 你好"
    assert scene.tokens.read_message_id(read["Message-ID"]) == delivery["reply_id"]
    assert scene.tokens.read_bounce_address(mail.sender) == delivery["reply_id"]
    assert scene.tokens.read_address(read["Reply-To"].addresses[0].addr_spec) == reference_of(scene.harness.key("c1"))
    assert mail.recipients == (CUSTOMER,)


async def test_what_goes_out_is_noted_so_that_an_answer_to_it_finds_the_conversation(scene: MailboxScene) -> None:
    async with scene.delivering():
        await scene.answer("Hello")
        [delivery] = await scene.until_state("sent")

    [noted] = await scene.harness.query(
        "SELECT * FROM mail_message WHERE tenant_id = %s AND direction = 'out'", scene.harness.tenant
    )
    assert (noted["message_id"], noted["conversation_id"]) == (delivery["reply_id"], "c1")
    assert noted["reference"] == reference_of(scene.harness.key("c1"))


async def test_replies_of_a_conversation_leave_in_order_and_each_once_whoever_sends_them(
    scene: MailboxScene, tmp_path: Path
) -> None:
    with scene.deliverer("email", tmp_path / "1.log"), scene.deliverer("email", tmp_path / "2.log"):
        for turn in range(4):
            await asyncio.gather(
                *(
                    scene.answer(f"turn {turn}", conversation=f"c{number}", customer=f"c{number}@example.org")
                    for number in range(4)
                )
            )
        mails = await scene.until_taken(16)
        await scene.until_state("sent", 16)

    assert len({scene.read(mail)["Message-ID"] for mail in mails}) == len(mails) == 16
    for number in range(4):
        texts = [scene.text_of(mail) for mail in mails if mail.recipients == (f"c{number}@example.org",)]
        assert texts == [f"you said: turn {turn}" for turn in range(4)]


@pytest.mark.parametrize("failpoint", ["delivery.begun", "delivery.sent"])
async def test_a_reply_whose_sender_was_killed_goes_out_as_the_same_bytes_and_before_the_next(
    scene: MailboxScene, tmp_path: Path, failpoint: str
) -> None:
    with scene.deliverer("email", tmp_path / "1.log", failpoint=failpoint) as first:
        await scene.answer("one")
        await scene.answer("two")
        await first.until_dead()
    await scene.make_due()  # the dead one's claim holds for longer than a test should wait
    with scene.deliverer("email", tmp_path / "2.log"):
        await scene.until_state("sent", 2)

    mails = scene.server.mails
    texts = [scene.text_of(mail) for mail in mails]
    assert texts == ["you said: one"] * (2 if failpoint == "delivery.sent" else 1) + ["you said: two"]
    assert len({mail.content for mail in mails}) == 2
    assert len({scene.read(mail)["Message-ID"] for mail in mails}) == 2


async def test_a_mail_whose_answer_was_lost_is_sent_again_as_the_same_bytes(scene: MailboxScene) -> None:
    scene.server.steps = [MailStep("content", do="lose_answer"), MailStep("content", do="hang")]

    async with scene.delivering(seconds_max=2):
        await scene.answer("one")
        await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND state = 'unknown'")
        await scene.make_due()
        await scene.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND state = 'unknown' AND attempts = 2")
        await scene.make_due()
        await scene.until_state("sent")

    first, second = scene.server.mails
    assert first.content == second.content
    assert (first.sender, first.recipients) == (second.sender, second.recipients)


async def test_greylisting_is_waited_for_and_the_order_stays(scene: MailboxScene) -> None:
    scene.server.steps = [MailStep("recipient", "450 4.2.0 greylisted, come back in a minute")]

    async with scene.delivering():
        await scene.answer("one")
        await scene.answer("two")
        await scene.until_true("SELECT 1 FROM reply_delivery WHERE tenant_id = %s AND tries = 1")
        [waiting, _] = await scene.deliveries()
        await scene.make_due()
        await scene.until_state("sent", 2)

    assert (waiting["next_at"] - waiting["queued_at"]).total_seconds() > 50
    assert [scene.text_of(mail) for mail in scene.server.mails] == ["you said: one", "you said: two"]


async def test_an_address_that_does_not_exist_is_not_written_to_again(scene: MailboxScene) -> None:
    scene.server.steps = [MailStep("recipient", "550 5.1.1 no such user")]

    async with scene.delivering():
        await scene.answer("one")
        await scene.until_state("suppressed", 1)
        await scene.answer("two")
        await scene.until_state("suppressed", 2)
        await scene.answer("three", conversation="c2", customer="else@example.org")
        await scene.until_state("sent", 1)

    assert [mail.recipients for mail in scene.server.mails] == [("else@example.org",)]


async def test_a_refused_mail_is_dead_and_what_follows_it_still_leaves(scene: MailboxScene) -> None:
    scene.server.steps = [MailStep("content", "554 5.7.1 looks like spam")]

    async with scene.delivering():
        await scene.answer("one")
        [dead] = await scene.until_state("dead")
        await scene.answer("two")
        await scene.until_state("sent")

    assert "554 5.7.1" in dead["reason"]
    assert [scene.text_of(mail) for mail in scene.server.mails] == ["you said: two"]


async def test_wrong_credentials_stop_the_account_until_they_are_mended(
    worker: MakeHarness, settings: Settings
) -> None:
    async with mail_scene(await worker(), settings, relay_user="fte") as scene:
        scene.server.user, scene.server.password = "fte", "right"
        await scene.desk.rotate(scene.account_id, {"relay_password": "wrong"}, 0)
        async with scene.delivering():
            await scene.answer("one")
            await scene.until_true("SELECT 1 FROM channel_account WHERE tenant_id = %s AND disabled_at IS NOT NULL")
            attempts = len(scene.server.commands)
            await scene.answer("two")
            await scene.make_due()
            await scene.desk.rotate(scene.account_id, {"relay_password": "right"}, 0)
        assert len(scene.server.commands) == attempts
        await scene.desk.enable(scene.account_id)
        await scene.make_due()
        async with scene.delivering():
            await scene.until_state("sent", 2)

    assert [scene.text_of(mail) for mail in scene.server.mails] == ["you said: one", "you said: two"]


async def test_a_bots_reply_does_not_leave_once_a_person_owns_the_conversation(scene: MailboxScene) -> None:
    await scene.answer("one")
    await take_over(scene.harness, "c1")

    async with scene.delivering():
        await scene.until_state("withheld")

    assert scene.server.mails == []


async def test_a_hanging_relay_holds_up_no_other_account(
    scene: MailboxScene, worker: MakeHarness, settings: Settings
) -> None:
    async with mail_scene(await worker(), settings) as other:
        scene.server.steps = [MailStep("recipient", do="hang") for _ in range(8)]
        for number in range(8):
            await scene.answer("hello", conversation=f"c{number}", customer=f"c{number}@d{number}.example")
        async with scene.delivering(seconds_max=10):
            await other.answer("hello", conversation="other")
            await other.until_taken(1)
            assert scene.server.mails == []


async def test_a_reply_to_an_address_that_no_mail_can_reach_is_told_to_a_person(scene: MailboxScene) -> None:
    async with scene.delivering():
        await scene.answer("one", customer="zoë@example.org")
        [dead] = await scene.until_state("dead")

    assert "local@domain" in dead["reason"]
    assert "zoë" not in dead["reason"]
    assert scene.server.mails == []


async def test_deliverers_killed_at_any_moment_lose_no_reply_change_no_order_and_send_only_the_same_bytes_again(
    scene: MailboxScene, tmp_path: Path
) -> None:
    chance = random.Random(4)  # noqa: S311 - moments to kill at
    customers = [f"c{number}" for number in range(5)]
    for turn in range(4):
        for name in customers:
            await scene.answer(f"turn {turn}", conversation=name, customer=f"{name}@{name}.example")
    for life in range(6):
        with scene.deliverer("email", tmp_path / f"{life}.log", FTE_MAIL_SECONDS_MAX="2") as deliverer:
            taken = len(scene.server.mails)
            await scene.until_taken(min(taken + 1, len(customers) * 4))
            await asyncio.sleep(chance.uniform(0, 0.05))  # into whatever comes next
            deliverer.kill()
        await scene.make_due()
    with scene.deliverer("email", tmp_path / "last.log"):
        await scene.until_state("sent", len(customers) * 4)

    contents = {scene.read(mail)["Message-ID"]: mail.content for mail in scene.server.mails}
    assert len(contents) == len(customers) * 4
    assert {mail.content for mail in scene.server.mails} == set(contents.values())
    for name in customers:
        texts = [scene.text_of(mail) for mail in scene.server.mails if mail.recipients == (f"{name}@{name}.example",)]
        assert list(dict.fromkeys(texts)) == [f"you said: turn {turn}" for turn in range(4)]


async def test_what_is_known_of_mails_is_removed_when_no_answer_is_expected_any_more(scene: MailboxScene) -> None:
    await scene.write("old", conversation="c1")
    await scene.write("new", conversation="c2")
    age = (
        "UPDATE mail_message SET seen_at = now() - interval '401 days' WHERE tenant_id = %s AND conversation_id = 'c1'"
    )
    await scene.harness.query(f"{age} RETURNING 1", scene.harness.tenant)

    removed = await scene.harness.service.rescue.trimmer.trim_mail_threads()

    left = await scene.harness.query("SELECT * FROM mail_message WHERE tenant_id = %s", scene.harness.tenant)
    assert removed == 1
    assert [row["conversation_id"] for row in left] == ["c2"]


async def test_a_lost_answer_costs_that_mail_a_second_copy_and_no_other_mail_anything(scene: MailboxScene) -> None:
    one_in_ten = [*[MailStep("content")] * 9, MailStep("content", do="lose_answer")]
    scene.server.steps = one_in_ten * 2
    for number in range(20):
        await scene.answer("hello", conversation=f"c{number}", customer=f"c{number}@d{number}.example")

    async with scene.delivering():
        await scene.until_state("sent", 18)
        await scene.until_true(
            "SELECT 1 FROM reply_part WHERE tenant_id = %s AND state = 'unknown' HAVING count(*) = 2"
        )
        await scene.make_due()
        await scene.until_state("sent", 20)

    copies = Counter(mail.content for mail in scene.server.mails)
    assert sorted(copies.values()) == [1] * 18 + [2] * 2
