from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import OperationalError

from ops.database.migrate import migrate
from ops.embedded import EmbeddedStack
from ops.tenants.settings import resume_tenant, suspend_tenant
from runtime.configuration import open_sealer
from schema.messages.unanswered import UNANSWERED_KEY
from schema.settings import Settings
from tests.integration.conftest import add_tenant
from tests.integration.mail_scene import ADA, AUTHSERV, MailScene, open_scene, write_mail
from tests.integration.worker_harness import make_harness
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.worker_harness import MakeHarness

STORED = (250, b"2.0.0 accepted")
QUOTED = "\n\nOn 3 May 2026, Larkfield wrote:\n> It is $35.\n"


@pytest.fixture
async def scene(worker: MakeHarness) -> AsyncIterator[MailScene]:
    async with open_scene(await worker()) as made:
        yield made


async def test_a_mail_becomes_a_turn_and_its_answer_finds_back_into_the_conversation(scene: MailScene) -> None:
    assert await scene.deliver(write_mail("How much is a bag?")) == STORED
    await scene.answer()
    (conversation,) = await scene.conversations()
    again = write_mail(f"And two?{QUOTED}", Message_ID="<2@customer>")
    assert await scene.deliver(again, recipient=scene.address_of(conversation)) == STORED
    await scene.answer()

    said = [reply["text"] for reply in await scene.replies()]
    assert await scene.conversations() == [conversation]
    assert said == ["you said: A bag\n\nHow much is a bag?", "you said: A bag\n\nAnd two?"]
    assert {reply["recipient"] for reply in await scene.replies()} == {ADA}


async def test_a_mail_that_names_an_earlier_one_of_its_sender_is_of_its_conversation(scene: MailScene) -> None:
    await scene.deliver(write_mail("one", Message_ID="<1@customer>"))
    await scene.deliver(write_mail("two", Message_ID="<2@customer>", In_Reply_To="<1@customer>"))
    await scene.deliver(write_mail("three", Message_ID="<3@customer>", References="<0@customer> <2@customer>"))
    await scene.deliver(write_mail("another matter", Message_ID="<4@customer>"))

    rows = await scene.inbox()
    assert [row["position"] for row in rows] == [1, 2, 3, 1]
    assert len({row["conversation_id"] for row in rows}) == 2


async def test_neither_a_token_nor_an_id_lets_a_stranger_into_a_conversation(scene: MailScene) -> None:
    await scene.deliver(write_mail("My booking is DEMO42", Message_ID="<1@customer>"))
    (conversation,) = await scene.conversations()
    stranger = {"From": "Eve <eve@evil.example>", "In_Reply_To": "<1@customer>", "References": "<1@customer>"}

    await scene.deliver(
        write_mail("Cancel it", Message_ID="<5@evil>", **stranger),
        sender="eve@evil.example",
        recipient=scene.address_of(conversation),
    )

    rows = await scene.inbox()
    assert [row["conversation_id"] == conversation for row in rows] == [True, False]


async def test_a_mail_that_comes_again_is_answered_once(scene: MailScene) -> None:
    raw = write_mail("How much is a bag?")
    for attempt in (raw, raw, b"Received: from elsewhere\r\n" + raw):
        assert await scene.deliver(attempt) == STORED
        await scene.answer()

    assert len(await scene.replies()) == 1


@pytest.mark.parametrize(
    ("fields", "sender", "reason"),
    [
        ({"Auto_Submitted": "auto-replied"}, ADA, "automatic_reply"),
        ({"List_Id": "<l.example>"}, ADA, "bulk_mail"),
        ({}, "", "automatic_reply"),
        ({"Subject": "Automatic reply: A bag"}, ADA, "automatic_reply"),
        ({"From": "mailer-daemon@customer.example"}, ADA, "automatic_reply"),
        ({"X_Spam_Flag": "YES"}, ADA, "spam"),
    ],
)
async def test_a_machines_mail_is_recorded_counted_and_never_answered(
    scene: MailScene, fields: dict[str, str], sender: str, reason: str
) -> None:
    assert await scene.deliver(write_mail(**fields), sender=sender) == STORED
    await scene.answer()

    (row,) = await scene.inbox()
    assert row["inbound"]["metadata"][UNANSWERED_KEY] == reason
    assert row["inbound"]["metadata"]["mail.sign"]
    assert await scene.replies() == []
    assert [event["attributes"]["reason"] for event in await scene.harness.events()] == [reason]


@pytest.mark.parametrize(
    ("raw", "reason", "sender"),
    [
        (write_mail(From="ada@customer.example, eve@evil.example"), "no_sender", "unknown sender"),
        (write_mail("x\n" + "--x\n" * 2_000), "unreadable", ADA),
        (b"X: y\r\n" * 400 + write_mail(), "unreadable", "unknown sender"),
    ],
    ids=["two-senders", "too-many-parts", "too-many-fields"],
)
async def test_what_cannot_be_read_or_answered_is_accepted_and_a_person_gets_to_know(
    scene: MailScene, raw: bytes, reason: str, sender: str
) -> None:
    assert await scene.deliver(raw) == STORED
    await scene.answer()

    (row,) = await scene.inbox()
    assert row["inbound"]["metadata"][UNANSWERED_KEY] == reason
    assert row["inbound"]["sender"] == sender
    assert await scene.replies() == []
    assert len(await scene.harness.escalations()) == 1


async def test_only_our_own_servers_word_verifies_a_sender(scene: MailScene) -> None:
    passed = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=customer.example\r\n".encode()
    received = b"Received: from x by mx.air.example\r\n"
    for number, head in enumerate((passed + received, received + passed, b"")):
        await scene.deliver(head + write_mail(Message_ID=f"<{number}@customer>"))

    rows = await scene.inbox()
    assert [row["inbound"]["metadata"].get("fte.sender_verified") for row in rows] == ["true", None, None]


async def test_a_date_of_a_sender_never_keeps_a_mail_out(scene: MailScene) -> None:
    for number, date in enumerate(("Mon, 1 Jan 1990 00:00:00 +0000", "Fri, 1 Jan 2100 00:00:00 +0000", "yesterday")):
        assert await scene.deliver(write_mail(Message_ID=f"<{number}@customer>", Date=date)) == STORED

    assert {row["inbound"]["sent_at"] for row in await scene.inbox()} == {None}


class Talk:
    """A mail server that says what a test wants, line by line."""

    def __init__(self, where: str) -> None:
        self._where = where

    async def say(self, *lines: bytes, ends: bool = True) -> list[bytes]:
        host, _, port = self._where.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        answers = [await asyncio.wait_for(reader.readline(), 10)]
        for line in lines:
            writer.write(line + b"\r\n")
            await writer.drain()
            answer = await asyncio.wait_for(reader.readline(), 10)
            while answer[3:4] == b"-":
                answer = await asyncio.wait_for(reader.readline(), 10)
            answers.append(answer)
        if ends:
            writer.close()
        return answers


async def test_the_door_says_what_it_takes_as_a_mail_server_expects(scene: MailScene) -> None:
    ours = scene.address.encode()
    mail_from, rcpt = b"MAIL FROM:<a@b.example>", b"RCPT TO:<" + ours + b">"
    talk = Talk(scene.where)

    answers = await talk.say(
        b"LHLO mx", mail_from, b"RCPT TO:<nobody@air.example>", rcpt, rcpt, b"RSET", b"MAIL FROM:<>", rcpt, b"QUIT"
    )

    codes = [int(answer[:3]) for answer in answers]
    assert codes == [220, 250, 250, 550, 250, 452, 250, 250, 250, 221]
    assert b"5.1.1" in answers[3]


async def test_smtp_is_taken_as_lmtp_is(scene: MailScene) -> None:
    rcpt = b"RCPT TO:<" + scene.address.encode() + b">"
    body = b"From: ada@customer.example\r\n\r\nHello\r\n."

    answers = await Talk(scene.where).say(b"EHLO mx", b"MAIL FROM:<a@b.example>", rcpt, b"DATA", body)

    assert [int(answer[:3]) for answer in answers] == [220, 250, 250, 250, 354, 250]
    assert [row["inbound"]["text"] for row in await scene.inbox()] == ["Hello"]


async def test_a_mail_that_is_too_large_is_refused_for_good(scene: MailScene) -> None:
    code, _ = await scene.deliver(write_mail("x\r\n" * 4_000_000))

    assert code == 552
    assert await scene.inbox() == []


async def test_more_sessions_than_may_be_are_told_to_come_again(worker: MakeHarness) -> None:
    async with open_scene(await worker(), mail_door_sessions_max=2) as scene:
        host, _, port = scene.where.rpartition(":")
        held = [socket.create_connection((host, int(port))) for _ in range(2)]
        assert [await asyncio.to_thread(one.recv, 3) for one in held] == [b"220", b"220"]

        assert (await Talk(scene.where).say())[0].startswith(b"421 4.3.2")

        for one in held:
            one.close()


async def test_a_server_that_goes_silent_is_cut_off(worker: MakeHarness) -> None:
    async with open_scene(await worker(), mail_door_seconds_max=1) as scene:
        host, _, port = scene.where.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"LHLO mx\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<" + scene.address.encode() + b">\r\nDATA\r\nFrom")

        told = await asyncio.wait_for(reader.read(), 15)

        assert b"354" in told
        writer.close()


async def test_a_suspended_tenants_mail_waits_at_the_mail_server(scene: MailScene) -> None:
    database, tenant = scene.harness.database, scene.harness.tenant
    await suspend_tenant(database, tenant, by="a test", because="a test")
    try:
        answer = await scene.deliver(write_mail())
    finally:
        await resume_tenant(database, tenant, by="a test")

    assert answer[0] == 451


async def test_a_socket_of_the_machine_does_as_well_and_is_gone_afterwards(worker: MakeHarness, tmp_path: Path) -> None:
    path = tmp_path / "mail.sock"
    async with open_scene(await worker(), mail_door_listen=str(path)) as scene:
        assert await scene.deliver(write_mail()) == STORED

    assert not path.exists()


@pytest.mark.parametrize(
    "limit",
    ["mail_sender_hour_max", "mail_sender_day_max", "mail_conversation_hour_max", "mail_conversation_day_max"],
)
async def test_over_its_budget_a_sender_gets_a_ticket_once_and_then_silence(worker: MakeHarness, limit: str) -> None:
    async with open_scene(await worker(), **{limit: 3}) as scene:
        for number in range(6):
            named = {"Message_ID": f"<{number}@customer>", "In_Reply_To": f"<{number - 1}@customer>"}
            await scene.deliver(write_mail(f"Question {number}", **named))
            await scene.answer()

        assert len(await scene.replies()) == 3
        assert len(await scene.harness.escalations()) == 1
        reasons = [row["inbound"]["metadata"].get(UNANSWERED_KEY) for row in await scene.inbox()]
        assert reasons == [None, None, None, "reply_budget", "over_budget", "over_budget"]


@pytest.mark.parametrize(("domain", "answered"), [("crm.example", 3), ("gmail.com", 6)])
async def test_senders_that_change_their_address_share_the_budget_of_their_domain(
    worker: MakeHarness, domain: str, answered: int
) -> None:
    async with open_scene(await worker(), mail_domain_day_max=3) as scene:
        for number in range(6):
            await scene.deliver(write_mail(f"Ticket {number}", From=f"t{number}@{domain}", Message_ID=f"<{number}@c>"))
            await scene.answer()

        assert len(await scene.replies()) == answered


async def test_the_same_words_again_and_again_are_answered_twice(scene: MailScene) -> None:
    for number in range(4):
        await scene.deliver(write_mail("We got your mail.", Message_ID=f"<{number}@customer>"))
        await scene.answer()

    assert len(await scene.replies()) == 2
    reasons = [row["inbound"]["metadata"].get(UNANSWERED_KEY) for row in await scene.inbox()]
    assert reasons == [None, None, "reply_budget", "repeated"]


async def test_a_mail_that_only_says_what_we_said_is_not_answered(scene: MailScene) -> None:
    await scene.deliver(write_mail("How much is a bag?"))
    await scene.answer()
    (said,) = [reply["text"] for reply in await scene.replies()]

    await scene.deliver(write_mail(said, Message_ID="<2@customer>", In_Reply_To="<1@customer>"))
    await scene.answer()

    assert len(await scene.replies()) == 1
    assert (await scene.inbox())[-1]["inbound"]["metadata"][UNANSWERED_KEY] == "mail_loop"


@pytest.mark.parametrize("changes_words", [True, False], ids=["other-words-each-time", "the-same-words"])
async def test_two_machines_that_answer_each_other_stop(worker: MakeHarness, *, changes_words: bool) -> None:
    """The other one marks nothing: no header, no subject, another Message-ID each time, and quotes what we wrote."""
    async with open_scene(await worker()) as scene:
        await scene.deliver(write_mail("Is anybody there?", Message_ID="<0@bot>"))
        for number in range(1, 40):
            before = len(await scene.replies())
            await scene.answer()
            replies = await scene.replies()
            if len(replies) == before:
                break
            words = f"Thank you for message {number}." if changes_words else "Thank you for your message."
            quoted = re.sub(r"(?m)^", "> ", replies[-1]["text"])
            fields = {"Message_ID": f"<{number}@bot>", "References": f"<{number - 1}@bot>"}
            await scene.deliver(write_mail(f"{words}\n\n{quoted}\n", **fields))

        assert len(await scene.replies()) == (10 if changes_words else 3)
        assert (await scene.inbox())[-1]["inbound"]["metadata"][UNANSWERED_KEY] == "reply_budget"


async def test_while_postgresql_is_away_a_mail_waits_at_the_mail_server_and_comes_in_afterwards(tmp_path: Path) -> None:
    with EmbeddedStack(tmp_path / "stack", durable=False) as stack:
        addresses = stack.addresses
        settings = Settings(
            database_url=addresses.database_url,
            redis_url=addresses.redis_url,
            state_dir=tmp_path / "state",
            send_seconds_max=1,
        )
        migrate(addresses.database_url, open_sealer(settings), sample=False)
        harness = await make_harness(settings, open_sealer(settings), add_tenant(settings))
        try:
            async with open_scene(harness) as scene:
                second = write_mail("two", Message_ID="<2@customer>")
                assert await scene.deliver(write_mail("one")) == STORED
                await asyncio.to_thread(stack.kill_postgres)
                answer = await scene.deliver(second)
                await asyncio.to_thread(stack.start_postgres)
                assert answer[0] == 451

                async def is_stored() -> bool:
                    return await scene.deliver(second) == STORED

                async def is_in_order() -> bool:
                    try:
                        return [row["inbound"]["text"] for row in await scene.inbox()] == ["one", "two"]
                    except OperationalError:  # a connection of the worker's pool that the server took along
                        return False

                await eventually(is_stored, within_seconds=30)
                await eventually(is_in_order, within_seconds=30)
        finally:
            await harness.close()
