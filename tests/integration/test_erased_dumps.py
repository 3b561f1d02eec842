"""What a dump without `conversation_key` holds of a person cannot be read once that person is erased."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ops.database.adoption import adopt_conversations
from ops.desk import acts
from ops.desk.approvals import decide_on
from ops.desk.dead_letters import Operator, Selection, drop_letter, select_letters
from ops.desk.desk import SeenIsStale
from ops.desk.inbox import look_at
from ops.desk.replying import LastSeen, reply
from ops.lab.mail_server import MailStep
from ops.privacy.erasing import Eraser
from ops.privacy.exporting import export_person
from runtime.configuration import open_sealer
from runtime.encoding import dump_json
from runtime.sealing import OWN_MARK
from tests.integration.conftest import add_tenant
from tests.integration.desk_scene import MACHINE, add_person, desk_beside
from tests.integration.dying import die_at
from tests.integration.email_scene import mail_scene
from tests.integration.left_over import dump_tables, find_in_dump, own_keys_of, vault_keys_of
from tests.integration.mail_scene import open_scene, write_mail
from tests.integration.worker_harness import Harness, echo, make_harness
from worker.store.approvals import find_decision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.channels import Channel
    from schema.settings import Settings
    from tests.integration.worker_harness import Think

MAIL = "wendelgard@planted.example"
NAME = "Wendelgard"


@pytest.fixture
def sealing(settings: Settings) -> Settings:
    """Give a deployment that seals by conversation."""
    return settings.model_copy(update={"conversation_keys": True})


@pytest.fixture
async def harness(sealing: Settings) -> AsyncIterator[Harness]:
    async with working(sealing) as made:
        yield made


@asynccontextmanager
async def working(settings: Settings, think: Think = echo) -> AsyncIterator[Harness]:
    made = await make_harness(settings, open_sealer(settings), add_tenant(settings), think)
    try:
        yield made
    finally:
        await made.close()


@dataclass(frozen=True)
class Readable:
    """The tables of one dump in which words can be read."""

    before: set[str]
    """While the conversations' keys were there."""
    after: set[str]
    """With the vault's keys, once the person was erased."""


async def dump_and_erase(harness: Harness, *words: str, address: str = MAIL, channel: Channel = "chat") -> Readable:
    servers, settings = harness.service.servers, harness.settings
    dump = dump_tables(settings, harness.tenant)
    vault = vault_keys_of(settings)
    before = find_in_dump(dump, [*vault, *own_keys_of(settings, harness.tenant)], words)
    eraser = Eraser(harness.database, servers.redis, settings, harness.tenant, by="ann")
    receipt = await eraser.erase_person(servers.senders.key_of(harness.tenant, channel, address))
    assert receipt.conversations == 1
    assert own_keys_of(settings, harness.tenant) == []
    return Readable(before, find_in_dump(dump, vault, words))


async def write(harness: Harness, text: str) -> None:
    await harness.accept("c-1", text, sender=MAIL)
    await harness.drain("c-1")
    await harness.service.publisher.note()


async def test_events_of_the_desk_go_with_the_conversations_key(harness: Harness) -> None:
    key, desk, sealer = harness.key("c-1"), desk_beside(harness), harness.service.servers.sealer
    await write(harness, "hello")
    await acts.take_over(desk, MACHINE, key)
    await acts.hand_back(desk, MACHINE, key)
    await harness.query(
        "INSERT INTO dead_letter (tenant_id, conversation_id, message_id, reason, attempts, payload) "
        "VALUES (%s, 'c-1', 'm-dead', 'r', 1, %s) RETURNING 1",
        harness.tenant,
        sealer.seal("words"),
    )
    [letter] = [one async for one in select_letters(harness.database, Selection(harness.tenant))]
    because = Operator("ann", datetime.now(UTC), "a letter of Wendelgard-Luise")
    await drop_letter(harness.database, sealer, harness.tenant, letter.dead_letter_id, because)
    await harness.service.rescue.publish_leftovers(age_seconds=-60)

    told = [event["name"] for event in await harness.events()]
    found = await dump_and_erase(harness, "conversation.handed_back", "Wendelgard-Luise")

    assert told == ["conversation.taken_over", "conversation.handed_back", "letter.dropped"]
    assert "outbox" in found.before
    assert "outbox" not in found.after


async def test_parts_of_replies_and_the_ticket_of_one_that_came_back_go_with_the_conversations_key(
    harness: Harness, sealing: Settings
) -> None:
    async with mail_scene(harness, sealing) as scene:
        scene.server.steps = [MailStep("content", "554 5.7.1 looks like spam")]
        async with scene.delivering():
            await scene.answer("Wendelgard speaking", customer=MAIL)
            await scene.until_state("dead")
        found = await dump_and_erase(harness, MAIL, "Reach them another way", channel="email")

    assert {"reply_part", "outbox"} <= found.before
    assert found.after == set()


async def test_heads_of_mails_go_with_the_key_once_there_is_one_and_a_first_one_once_it_is_adopted(
    harness: Harness, sealing: Settings
) -> None:
    async with open_scene(harness) as scene:
        await scene.deliver(write_mail(Subject="Wendelgard lost a bag", From=f"W <{MAIL}>"), sender=MAIL)
        await scene.answer()
        [conversation] = await scene.conversations()
        thread = {"From": f"W <{MAIL}>", "Message_ID": "<2@customer>", "In_Reply_To": "<1@customer>"}
        to_us = scene.address_of(conversation)
        raw = write_mail(Subject="Wendelgard found it", To=to_us, **thread)
        await scene.deliver(raw, sender=MAIL, recipient=to_us)
        await scene.answer()
    heads = await harness.query("SELECT head FROM mail_message WHERE head IS NOT NULL ORDER BY seen_at")
    only_vault = find_in_dump(dump_tables(sealing, harness.tenant), vault_keys_of(sealing), ("Wendelgard found it",))
    await asyncio.to_thread(adopt_conversations, sealing, harness.service.servers.sealer, by="ann")

    found = await dump_and_erase(harness, "Wendelgard lost", "Wendelgard found", channel="email")

    assert [row["head"].startswith(OWN_MARK) for row in heads] == [False, True]
    assert only_vault == set()
    assert "mail_message" in found.before
    assert found.after == set()


async def test_reasons_lines_and_notes_go_with_the_key_and_are_read_by_whoever_may(harness: Harness) -> None:
    key, desk, sealer = harness.key("c-1"), desk_beside(harness), harness.service.servers.sealer
    vera = await add_person(harness.database, harness.tenant, "Vera", "supervisor")
    await write(harness, "hello")
    approval = await ask_for_approval(harness)
    await decide_on(desk, vera, harness.tenant, approval, "rejected", reason="Wendelgard paid by voucher")
    [message] = await harness.query("SELECT decision_message FROM approval")
    decided = await find_decision(harness.database, sealer, key, message["decision_message"])
    await acts.take_over(desk, vera, key, reason="Wendelgard called")
    await harness.query(
        "INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by) "
        "VALUES (%s, 'T-w', 'c-1', 'x', 'low', now()) RETURNING 1",
        harness.tenant,
    )
    await acts.note(desk, vera, key, "Wendelgard is kind")
    await acts.resolve(desk, vera, key, reason="Wendelgard has it back")
    await acts.reopen(desk, vera, key, reason="c1.Wendelgard again")
    await acts.take_over(desk, vera, key)
    await acts.hand_back(desk, vera, key, line="call her Wendelgard")
    history = (await look_at(desk, vera, key)).history
    given_out = await exported(harness)

    found = await dump_and_erase(harness, NAME)

    said = ["Wendelgard called", "Wendelgard has it back", "c1.Wendelgard again", "call her Wendelgard"]
    assert decided is not None
    assert decided.reason == "Wendelgard paid by voucher"
    assert [act["reason"] for act in history if act["reason"]] == said
    assert [act["note"] for act in history if act["note"]] == ["Wendelgard is kind"]
    assert [act["reason"] for act in given_out["acts"] if act["reason"]] == said
    assert given_out["approvals"][0]["reason"] == "Wendelgard paid by voucher"
    assert given_out["approvals"][0]["details"]["pending"] == {"summary": "a refund"}
    assert {"desk_act", "approval", "session_item"} <= found.before
    # The audit log outlives conversations (docs/privacy.md), and the decision waits in the inbox without its reason.
    assert found.after == {"audit_detail"}


async def exported(harness: Harness) -> dict[str, Any]:
    servers = harness.service.servers
    person = servers.senders.key_of(harness.tenant, "chat", MAIL)
    [found] = [one async for one in export_person(servers.database, servers.sealer, harness.tenant, person, by="ann")]
    return found


async def ask_for_approval(harness: Harness) -> str:
    [kept] = await harness.query("SELECT sealed_key FROM conversation_key WHERE conversation_id = 'c-1'")
    own = harness.service.servers.sealer.with_kept_key(kept["sealed_key"])
    details = {"pending": {"summary": "a refund"}, "channel": "chat", "sender": MAIL, "metadata": {}}
    await harness.query(
        "INSERT INTO approval (tenant_id, approval_id, conversation_id, position, kind, amount_usd, policy, details, "
        "expires_at) VALUES (%s, 'ap', 'c-1', 1, 'refund', 1, 'p', %s, now() + interval '1 h') RETURNING 1",
        harness.tenant,
        own.seal(dump_json(details)),
    )
    return "ap"


async def test_a_ticket_closed_with_a_reason_goes_with_the_key(harness: Harness) -> None:
    key, desk = harness.key("c-1"), desk_beside(harness)
    await write(harness, "hello")
    await harness.query(
        "INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by) "
        "VALUES (%s, 'T-w', 'c-1', 'x', 'low', now()) RETURNING 1",
        harness.tenant,
    )
    await acts.resolve(desk, MACHINE, key, reason="Wendelgard has it back")

    found = await dump_and_erase(harness, NAME)

    assert found == Readable({"desk_act", "ticket", "audit_detail"}, {"audit_detail"})


async def test_what_people_gave_before_there_was_a_key_is_read_and_sealed_once_it_is_adopted(
    harness: Harness, settings: Settings
) -> None:
    key, desk = harness.key("c-1"), desk_beside(harness)
    await harness.accept("c-1", "hello", sender=MAIL)
    await acts.take_over(desk, MACHINE, key, reason="k1.Wendelgard called first")  # nothing has made a key yet
    await acts.note(desk, MACHINE, key, "Wendelgard is kind")
    await acts.hand_back(desk, MACHINE, key, line="her name is Wendelgard")
    await harness.drain("c-1")
    [row] = await harness.query("SELECT reason FROM desk_act WHERE reason LIKE '%%called first'")
    before = (await look_at(desk, MACHINE, key)).history
    sealer = harness.service.servers.sealer
    first = await asyncio.to_thread(adopt_conversations, harness.settings, sealer, by="ann")
    second = await asyncio.to_thread(adopt_conversations, harness.settings, sealer, by="ann")
    after = (await look_at(desk, MACHINE, key)).history

    found = await dump_and_erase(harness, NAME)

    assert row["reason"] == " k1.Wendelgard called first"
    assert (first >= 1, second) == (True, 0)
    assert before == after
    assert {"desk_act", "session_item", "outbox"} - found.before == {"outbox"}
    assert found.after == {"audit_detail"}


async def test_the_journal_of_a_first_turn_goes_with_the_key(sealing: Settings) -> None:
    async def think(_: str) -> str:
        return "Wendelgard is welcome"

    async with working(sealing, think) as harness:
        await harness.accept("c-1", "hello", sender=MAIL)
        await die_at(harness, "c-1", "commit.begun")
        journaled = await harness.query("SELECT response FROM journal")

        found = await dump_and_erase(harness, NAME)

    assert {row["response"][:3] for row in journaled} == {OWN_MARK}
    assert found == Readable({"journal"}, set())


async def test_a_message_that_nobody_could_answer_goes_with_the_key_also_in_the_inbox(sealing: Settings) -> None:
    async def think(_: str) -> str:
        raise RuntimeError("no answer")

    one_attempt = sealing.model_copy(update={"attempts_max": 1, "backoff_seconds": 0.001, "backoff_seconds_max": 0.002})
    async with working(one_attempt, think) as harness:
        await harness.accept("c-1", "I am Wendelgard", sender=MAIL)
        while await harness.waiting("c-1"):
            await harness.drain("c-1")
        [row] = await harness.query("SELECT state, payload FROM inbox")
        [message] = (await exported(harness))["messages"]
        desk, key = desk_beside(harness), harness.key("c-1")
        await acts.take_over(desk, MACHINE, key)
        seen = (await look_at(desk, MACHINE, key)).state
        with pytest.raises(SeenIsStale) as stale:
            await reply(desk, MACHINE, key, "Good morning", seen=LastSeen(seen.desk_version, 0))
        sent = await reply(desk, MACHINE, key, "Good morning", seen=LastSeen(seen.desk_version, seen.last_position))

        found = await dump_and_erase(harness, NAME)

    assert (row["state"], row["payload"][:3]) == ("dead", OWN_MARK)
    assert message["payload"]["text"] == "I am Wendelgard"
    assert [news["text"] for news in stale.value.news] == ["I am Wendelgard"]
    assert sent.is_new
    assert {"inbox", "dead_letter"} <= found.before
    assert found.after == set()
