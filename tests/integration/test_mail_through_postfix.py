"""A real mail server stands between the customers and us: mails go in by LMTP, and out by SMTP, through it."""

from __future__ import annotations

import email
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage

import pytest

from ops.desk.channels import AccountDesk
from schema.settings import Settings
from tests.integration.email_scene import email_deliverer
from tests.integration.mail_scene import MailScene, open_scene, write_mail
from tests.integration.postfix import CUSTOMERS, Postfix, postfix
from tests.integration.reply_scene import ReplyScene
from tests.integration.worker_harness import MakeHarness
from tests.waiting import eventually

MAYA = f"maya@{CUSTOMERS}"


@dataclass
class Post:
    """A mailbox of ours behind a mail server, with a worker and a deliverer."""

    door: MailScene
    replies: ReplyScene
    server: Postfix

    async def write(self, raw: bytes, *, sender: str, recipient: str, messages: int) -> None:
        """Submit a customer's mail, wait until so many messages are in the inbox, and have them answered."""
        self.server.submit(sender, recipient, raw)

        async def is_in() -> bool:
            counted = "SELECT count(*) AS found FROM inbox WHERE tenant_id = %s"
            return bool((await self.door.harness.query(counted, self.door.harness.tenant))[0]["found"] >= messages)

        await eventually(is_in, within_seconds=30)
        await self.door.answer()

    async def mails_of(self, user: str, count: int) -> list[EmailMessage]:
        """Wait until so many mails are in a customer's mailbox; return them."""

        async def are_there() -> bool:
            return len(self.server.mails_of(user)) >= count

        await eventually(are_there, within_seconds=30)
        return [email.message_from_bytes(raw, policy=policy.default) for raw in self.server.mails_of(user)]


@pytest.fixture
async def post(worker: MakeHarness, settings: Settings) -> AsyncIterator[Post]:
    async with open_scene(await worker()) as door, postfix(door.address.partition("@")[2], door.where) as server:
        harness = door.harness
        desk = AccountDesk(harness.database, harness.service.servers.sealer, harness.tenant)
        relay = {"relay_host": "127.0.0.1", "relay_port": server.port, "relay_security": "none"}
        await desk.set(door.account_id, relay)
        async with email_deliverer(settings):
            yield Post(door, ReplyScene(harness, desk, door.account_id, settings), server)


async def test_an_answer_lies_in_the_customers_mailbox_and_the_answer_to_it_comes_back_into_the_conversation(
    post: Post,
) -> None:
    ours = post.door.address
    first_id = "<first@customers.example>"
    mail = write_mail("How much is a bag? Grüße", From=f"Maya <{MAYA}>", To=ours, Message_ID=first_id)
    await post.write(mail, sender=MAYA, recipient=ours, messages=1)
    [first] = await post.mails_of("maya", 1)
    back = str(first["Reply-To"].addresses[0].addr_spec)
    answer = write_mail(
        "And a second one?",
        From=MAYA,
        To=back,
        Subject=str(first["Subject"]),
        Message_ID="<second@customers.example>",
        In_Reply_To=str(first["Message-ID"]),
        References=f"{first['References']} {first['Message-ID']}",
    )
    await post.write(answer, sender=MAYA, recipient=back, messages=2)
    mails = await post.mails_of("maya", 2)

    assert first["In-Reply-To"] == first_id
    assert first["Subject"] == "Re: A bag"
    assert first["Auto-Submitted"] == "auto-replied"
    assert first["From"].addresses[0].addr_spec == ours
    body = first.get_body(("plain",))
    assert body is not None
    assert "How much is a bag? Grüße" in body.get_content()
    assert mails[1]["References"].split() == [
        first_id,
        first["Message-ID"],
        "<second@customers.example>",
    ]
    assert len(await post.door.conversations()) == 1
    assert [part["state"] for part in await post.replies.parts()] == ["accepted", "accepted"]


async def test_a_mailbox_that_does_not_exist_comes_back_and_stands_with_the_reply(post: Post) -> None:
    nobody = f"nobody@{CUSTOMERS}"
    mail = write_mail("Hello?", From=nobody, To=post.door.address)
    await post.write(mail, sender=nobody, recipient=post.door.address, messages=1)

    await post.replies.until_true("SELECT 1 FROM reply_delivery WHERE tenant_id = %s AND receipt = 'bounced'")

    [delivery] = await post.replies.deliveries()
    assert delivery["receipt_code"] == "5.1.1"
    assert len(await post.door.conversations()) == 1
