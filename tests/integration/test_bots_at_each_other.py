"""Two tenants of ours, or one and a machine, whose answers answer each other: they stop within the budget."""

from __future__ import annotations

import email
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email import policy
from itertools import count
from typing import Any

import pytest

from ops.desk.channels import AccountDesk
from ops.lab.mail_server import MailServer, RelayedMail
from runtime.sealing import Sealer
from schema.messages.unanswered import UNANSWERED_KEY
from schema.settings import Settings
from tests.integration.email_scene import email_deliverer
from tests.integration.mail_scene import MailScene, open_scene, write_mail
from tests.integration.sms_scene import sms_scene
from tests.integration.worker_harness import Harness, MakeHarness, make_harness
from tests.waiting import eventually

ROUNDS_MAX = 20
BUDGET = 4
NUMBERS = ("+14155550188", "+14155550189")


@pytest.fixture
async def harnesses(
    worker: MakeHarness, settings: Settings, sealer: Sealer, other_tenant: str
) -> AsyncIterator[tuple[Harness, Harness]]:
    other = await make_harness(settings, sealer, other_tenant)
    yield await worker(), other
    await other.close()


async def count_answers(harness: Harness) -> int:
    rows = await harness.query(
        "SELECT count(*) AS found FROM outbox WHERE tenant_id = %s AND kind = 'reply'", harness.tenant
    )
    return int(rows[0]["found"])


async def test_two_of_us_that_write_to_each_other_by_text_message_stop_within_the_budget(
    harnesses: tuple[Harness, Harness], settings: Settings
) -> None:
    settings = settings.model_copy(update={"sms_sender_hour_max": BUDGET})
    async with AsyncExitStack() as opened:
        one, other = [await opened.enter_async_context(sms_scene(each, settings)) for each in harnesses]
        for scene, number in zip((one, other), NUMBERS, strict=True):
            await scene.desk.set(scene.account_id, {"numbers": [number]})
            await scene.until_numbers(number)
        await opened.enter_async_context(one.delivering())
        taken, text = one, "Are you there?"
        for round_number in range(ROUNDS_MAX):
            own, peer = NUMBERS if taken is one else NUMBERS[::-1]
            assert (await taken.write(text, to=own, customer=peer))["answered"] == 200
            await taken.drain_all()
            if len(taken.sent(peer)) == await count_answers(taken.harness):
                break
            text = (await taken.until_sent(round_number // 2 + 1, peer))[-1]["body"]
            taken = other if taken is one else one

        assert [await count_answers(each) for each in harnesses] == [BUDGET, BUDGET]
        assert len(await one.tickets()) == 1
        assert await other.tickets() == []


async def test_a_machine_that_answers_each_text_message_in_the_same_words_is_answered_twice(
    worker: MakeHarness, settings: Settings
) -> None:
    questions = (f"Could you say more{', please' * number}?" for number in count(1))

    async def say_something_else(_text: str) -> str:
        return next(questions)

    async with sms_scene(await worker(say_something_else), settings) as scene, scene.delivering():
        await scene.answer("Where is my bag?")
        for answered in range(1, ROUNDS_MAX):
            if await count_answers(scene.harness) < answered:
                break
            await scene.until_state("sent", answered)
            await scene.answer("Busy now")

        assert scene.texts() == [f"Could you say more{', please' * number}?" for number in (1, 2, 3)]
        assert len(await scene.tickets()) == 1


async def test_whoever_says_yes_to_each_offer_of_an_hour_is_answered_each_time(
    worker: MakeHarness, settings: Settings
) -> None:
    async with sms_scene(await worker(), settings) as scene:
        for _ in range(6):
            await scene.answer("yes")

        assert await count_answers(scene.harness) == 6


@dataclass
class Post:
    """Brings what one relay takes to the doors of both, and takes the marks of machines out on the way, if told."""

    doors: dict[str, MailScene]
    strips: bool
    mails: list[RelayedMail] = field(default_factory=list)

    async def carry(self, mail: RelayedMail) -> MailScene:
        """Hand a mail to whom it is for; returns whose it is now."""
        read: Any = email.message_from_bytes(mail.content, policy=policy.SMTP.clone(max_line_length=998))
        if self.strips:
            del read["Auto-Submitted"]
            del read["X-Auto-Response-Suppress"]
        [recipient] = mail.recipients
        door = self.doors[recipient.rpartition("@")[2]]
        assert (await door.deliver(read.as_bytes(), sender=mail.sender, recipient=recipient))[0] == 250
        return door


@pytest.mark.parametrize(("strips", "answers"), [(False, [1, 0]), (True, [BUDGET, BUDGET])], ids=["marked", "stripped"])
async def test_two_of_us_that_write_to_each_other_by_mail_stop(
    harnesses: tuple[Harness, Harness], settings: Settings, *, strips: bool, answers: list[int]
) -> None:
    async with AsyncExitStack() as opened:
        server = await opened.enter_async_context(MailServer().listening())
        one, other = [
            await opened.enter_async_context(open_scene(each, mail_sender_hour_max=BUDGET)) for each in harnesses
        ]
        for door in (one, other):
            desk = AccountDesk(door.harness.database, door.harness.service.servers.sealer, door.harness.tenant)
            relay = {"relay_host": "127.0.0.1", "relay_port": server.port, "relay_security": "none"}
            await desk.set(door.account_id, relay)
        await opened.enter_async_context(email_deliverer(settings))
        post = Post({door.address.rpartition("@")[2]: door for door in (one, other)}, strips)
        taken = one
        await taken.deliver(write_mail("Are you there?", From=other.address), sender=other.address)
        for round_number in range(1, ROUNDS_MAX):
            await taken.answer()
            if sum([await count_answers(each) for each in harnesses]) < round_number:
                break

            async def has_come(mails: int = round_number) -> bool:
                return len(server.mails) >= mails

            await eventually(has_come, within_seconds=30)
            taken = await post.carry(server.mails[-1])

        assert [await count_answers(each) for each in harnesses] == answers
        [*_, last] = await (one if strips else other).inbox()
        reason = "reply_budget" if strips else "automatic_reply"
        assert last["inbound"]["metadata"][UNANSWERED_KEY] == reason
