"""Mails go in by LMTP and out by SMTP over real servers: whole conversations, and what comes back as undeliverable."""

from __future__ import annotations

import asyncio
import email
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from ops.desk.channels import AccountDesk
from ops.lab.mail_server import MailServer, RelayedMail
from schema.settings import Settings
from tests.integration.email_scene import email_deliverer
from tests.integration.mail_scene import ADA, MailScene, open_scene, write_mail
from tests.integration.reply_scene import ReplyScene
from tests.integration.worker_harness import MakeHarness

BOUNCES = Path(__file__).parents[1] / "corpus" / "bounces"


@dataclass
class RoundTrip:
    """A mailbox whose door is open, whose worker answers, and whose relay is a server of ours."""

    door: MailScene
    replies: ReplyScene
    server: MailServer

    async def answered(self, raw: bytes, count: int, *, recipient: str | None = None) -> EmailMessage:
        """Hand a mail in, have it answered, and return what the relay took as the `count`th mail."""
        assert (await self.door.deliver(raw, recipient=recipient))[0] == 250
        await self.door.answer()
        return self.read((await self.until_taken(count))[-1])

    async def until_taken(self, count: int) -> list[RelayedMail]:
        deadline = time.monotonic() + 30
        while len(self.server.mails) < count:
            assert time.monotonic() < deadline, await self.replies.deliveries()
            await asyncio.sleep(0.05)
        return list(self.server.mails)

    def read(self, mail: RelayedMail) -> EmailMessage:
        return email.message_from_bytes(mail.content, policy=policy.default)

    def text_of(self, mail: RelayedMail) -> str:
        body = self.read(mail).get_body(("plain",))
        assert body is not None
        return str(body.get_content()).strip()

    def bounce(self, name: str, mail: RelayedMail) -> bytes:
        """Return a report of the corpus about a mail that the relay took."""
        text = (BOUNCES / f"{name}.eml").read_text("utf-8")
        filled = text.replace("@BOUNCE@", mail.sender).replace("@MESSAGE-ID@", self.read(mail)["Message-ID"])
        return filled.replace("\n", "\r\n").encode()

    async def report(self, name: str, mail: RelayedMail) -> None:
        """Hand in a report about a mail, as the mail system of its recipient sends it: with an empty sender."""
        assert (await self.door.deliver(self.bounce(name, mail), sender="", recipient=mail.sender))[0] == 250


@pytest.fixture
async def trip(worker: MakeHarness, settings: Settings) -> AsyncIterator[RoundTrip]:
    async with _round_trip(worker, settings) as made:
        yield made


@asynccontextmanager
async def _round_trip(worker: MakeHarness, settings: Settings) -> AsyncIterator[RoundTrip]:
    async with MailServer().listening() as server, open_scene(await worker()) as door:
        harness = door.harness
        desk = AccountDesk(harness.database, harness.service.servers.sealer, harness.tenant)
        relay = {"relay_host": "127.0.0.1", "relay_port": server.port, "relay_security": "none"}
        await desk.set(door.account_id, relay)
        async with email_deliverer(settings):
            yield RoundTrip(door, ReplyScene(harness, desk, door.account_id, settings), server)


def _answer_to(mail: EmailMessage, text: str) -> bytes:
    """Answer a mail as a mail program does."""
    return write_mail(
        text,
        Message_ID=f"<answer-{time.monotonic_ns()}@customer.example>",
        In_Reply_To=str(mail["Message-ID"]),
        References=f"{mail.get('References', '')} {mail['Message-ID']}".strip(),
        Subject=str(mail["Subject"]),
        To=str(mail["Reply-To"]),
    )


async def test_a_conversation_by_mail_goes_back_and_forth_in_one_thread(trip: RoundTrip) -> None:
    first = await trip.answered(write_mail("How much is a bag?"), 1)
    address = first["Reply-To"].addresses[0].addr_spec
    second = await trip.answered(_answer_to(first, "And a second one?"), 2, recipient=address)

    assert first["In-Reply-To"] == "<1@customer>"
    assert first["To"] == second["To"] == ADA
    assert second["References"].split()[:2] == ["<1@customer>", first["Message-ID"]]
    assert second["Subject"] == first["Subject"] == "Re: A bag"
    assert len(await trip.door.conversations()) == 1
    said = [trip.text_of(mail) for mail in trip.server.mails]
    assert said[0].endswith("How much is a bag?")
    assert said[1].endswith("And a second one?")
    assert "How much" not in said[1]


@pytest.mark.parametrize("name", ["postfix_unknown_user", "gmail", "qmail"])
async def test_a_bounce_stands_with_the_reply_and_is_no_message(trip: RoundTrip, name: str) -> None:
    await trip.answered(write_mail("How much is a bag?"), 1)
    await trip.replies.until_state("sent")

    await trip.report(name, trip.server.mails[0])
    await trip.report(name, trip.server.mails[0])
    [delivery] = await trip.replies.deliveries()
    [part] = await trip.replies.parts()

    assert (delivery["receipt"], delivery["receipt_code"]) == ("bounced", "5.1.1")
    assert part["status"] == "failed"
    assert len(await trip.door.conversations()) == 1


@pytest.mark.parametrize(
    ("name", "is_suppressed"),
    [("postfix_unknown_user", True), ("complaint", True), ("exchange_quota", False), ("exim_text_only", False)],
)
async def test_a_person_hears_of_a_reply_that_came_back_and_a_dead_address_is_written_to_no_more(
    trip: RoundTrip, name: str, *, is_suppressed: bool
) -> None:
    await trip.answered(write_mail("How much is a bag?"), 1)
    await trip.replies.until_state("sent")

    await trip.report(name, trip.server.mails[0])
    await trip.replies.until_true("SELECT 1 FROM reply_part WHERE tenant_id = %s AND failure_seen_at IS NOT NULL")
    tickets = await trip.door.harness.query("SELECT * FROM ticket WHERE tenant_id = %s", trip.door.harness.tenant)
    await trip.door.deliver(write_mail("Hello?", Message_ID="<2@customer>"))
    await trip.door.answer()
    await trip.replies.until_state("suppressed" if is_suppressed else "sent", 1 if is_suppressed else 2)

    assert [ticket["conversation_id"] for ticket in tickets] == (await trip.door.conversations())[:1]
    assert len(trip.server.mails) == (1 if is_suppressed else 2)


async def test_a_delay_is_noted_a_failure_follows_it_and_nothing_takes_that_back(trip: RoundTrip) -> None:
    await trip.answered(write_mail("How much is a bag?"), 1)
    await trip.replies.until_state("sent")
    seen = []

    for name in ("postfix_delayed", "exchange_quota", "postfix_delivered", "gmail_delayed"):
        await trip.report(name, trip.server.mails[0])
        seen.append(((await trip.replies.parts())[0]["status"], (await trip.replies.deliveries())[0]["receipt"]))

    assert seen == [("delayed", None), ("failed", "bounced"), ("failed", "bounced"), ("failed", "bounced")]


async def test_a_report_with_no_token_of_ours_is_a_mail_that_nobody_answers(trip: RoundTrip) -> None:
    await trip.answered(write_mail("How much is a bag?"), 1)
    await trip.replies.until_state("sent")
    forged = trip.bounce("postfix_unknown_user", trip.server.mails[0])
    forged = forged.replace(trip.server.mails[0].sender.encode(), b"x@y.example").replace(b"Message-ID: <", b"X: <")

    assert (await trip.door.deliver(forged, sender=""))[0] == 250
    await trip.door.answer()

    [delivery] = await trip.replies.deliveries()
    assert delivery["receipt"] is None
    assert len(trip.server.mails) == 1
