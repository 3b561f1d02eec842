"""What is kept of a person is found, exported, erased everywhere, and stays erased."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ops.audit.acts import Act, record_act
from ops.audit.reading import ActFilter, list_acts
from ops.audit.verification import verify_chain
from ops.database import backfilling
from ops.desk import acts
from ops.desk.erasing import erase_from_streams
from ops.desk.roles import Who
from ops.privacy import erasing
from ops.privacy.erasing import ConversationBusy, Eraser, ErasureReceipt
from ops.privacy.exporting import export_person
from ops.privacy.holds import held_conversation, held_person, lift_hold, list_holds, place_hold
from ops.privacy.people import PersonInvalid, find_conversations, person_key_of
from ops.verify import Verification
from runtime.database import connect
from runtime.sender_keys import SenderKeys
from schema.ids import ConversationKey
from tests.integration.desk_scene import desk_beside
from tests.integration.left_over import find_everywhere
from tests.integration.worker_harness import make_harness

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from ops.embedded import EmbeddedStack
    from runtime.database import Database
    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness, MakeHarness

NOW = datetime.now(UTC)
MAIL = "zebulon.quast@planted.example"
CONVERSATION = "sms-4915550177"
WORDS = ("Zebulon", "zebulon.quast", "planted-id", CONVERSATION, "+49 155 501 77", "4915550177")
TEXT = "My name is Zebulon Quast, call me under +49 155 501 77 or write to zebulon.quast@planted.example"


TRACES = (
    """
    INSERT INTO dead_letter (tenant_id, conversation_id, message_id, reason, attempts, payload)
    VALUES (%(tenant)s, %(conversation)s, 'planted-id-0', 'of Zebulon', 1, %(sealed)s)
    """,
    """
    INSERT INTO journal (tenant_id, message_id, step, input_hash, response)
    VALUES (%(tenant)s, 'planted-id-3', 1, 'h', 'Zebulon')
    """,
    """
    INSERT INTO tool_journal (tenant_id, message_id, call_id, tool, input_hash, delta)
    VALUES (%(tenant)s, 'planted-id-3', 'c', 't', 'h', %(sealed)s)
    """,
    """
    INSERT INTO usage_record (tenant_id, conversation_id, message_id, step, model, degraded, input_tokens,
        cached_tokens, output_tokens, milliseconds, retries)
    VALUES (%(tenant)s, %(conversation)s, 'planted-id-1', 1, 'm', false, 1, 0, 1, 1, 0)
    """,
    """
    INSERT INTO webhook_event (tenant_id, event_id, conversation_id, sequence, type, body, occurred_at)
    VALUES (%(tenant)s, 'e-1', %(conversation)s, 1, 'message.answered', 'Zebulon', now())
    """,
    "INSERT INTO guess (tenant_id, day, subject, guesses) VALUES (%(tenant)s, current_date, %(key)s, 1)",
)
"""What a conversation leaves where no scripted turn does."""


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker()


def eraser_of(harness: Harness) -> Eraser:
    redis = harness.service.servers.redis
    return Eraser(harness.database, redis, harness.settings, harness.tenant, by="ann", reason="asked for it")


def key_of(harness: Harness, address: str = MAIL, channel: str = "chat") -> str:
    return harness.service.servers.senders.key_of(harness.tenant, channel, address)


async def erase(harness: Harness, address: str = MAIL, **options: bool) -> ErasureReceipt:
    return await eraser_of(harness).erase_person(key_of(harness, address), **options)


async def write(harness: Harness, conversation: str, text: str, **options: Any) -> str:
    message_id = await harness.accept(conversation, text, **options)
    await harness.drain(conversation)
    await harness.service.publisher.note()
    return message_id


async def leave_traces(harness: Harness, sealer: Sealer) -> None:
    """Leave a person's words in every place that a conversation leaves any: answered, waiting, dead, taken over."""
    await write(harness, CONVERSATION, TEXT, message_id="planted-id-1", sender=MAIL)
    await acts.take_over(desk_beside(harness), Who("Zebulon's friend", is_at_machine=True), harness.key(CONVERSATION))
    await write(harness, CONVERSATION, TEXT, message_id="planted-id-2", sender=MAIL)
    await harness.accept(CONVERSATION, TEXT, message_id="planted-id-3", sender=MAIL)
    await harness.service.tracer.flush()
    async with harness.database.transaction(harness.tenant) as transaction:
        for statement in TRACES:
            values = {"tenant": harness.tenant, "conversation": CONVERSATION, "key": key_of(harness)}
            await transaction.connection.execute(statement, values | {"sealed": sealer.seal('"Zebulon"')})
        act = Act("ticket.opened", "T-1", CONVERSATION, reason="Zebulon called")
        await record_act(transaction, harness.tenant, "ann", act)


async def test_a_person_who_is_erased_stands_nowhere_any_more(
    harness: Harness, settings: Settings, redis: Redis, sealer: Sealer
) -> None:
    await write(harness, "c-of-another", "I am Maya", sender="maya@example.com")
    await leave_traces(harness, sealer)
    before = await find_everywhere(settings, redis, WORDS)

    receipt = await erase(harness)

    tables = {line.split(":")[0] for line in before}
    wanted = (
        "inbox",
        "session_item",
        "outbox",
        "dead_letter",
        "journal",
        "webhook_event",
        "audit_detail",
        "turn",
        "span",
    )
    assert [name for name in wanted if f"table {name}" not in tables] == []
    assert len([line for line in before if line.startswith("key ")]) >= 4
    assert await find_everywhere(settings, redis, WORDS) == ["table audit_entry: Zebulon"]
    assert (receipt.conversations, receipt.held, receipt.shared) == (1, 0, 0)
    assert (receipt.rows["inbox"], receipt.rows["journals"], receipt.rows["guess"]) == (3, 2, 1)
    assert receipt.entries >= 2
    assert [reply["text"] for reply in await harness.replies()] == ["you said: I am Maya"]


async def test_nothing_of_a_person_stands_in_a_log_or_in_a_file_beside_the_servers_own(
    harness: Harness, stack: EmbeddedStack, sealer: Sealer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log names conversations, so their ids stand there; docs/privacy.md says so."""
    words = [word for word in WORDS if word not in CONVERSATION and word != "planted-id"]
    await leave_traces(harness, sealer)

    await erase(harness)

    told = capsys.readouterr()
    files = [file for folder in (stack.state_dir, harness.settings.state_dir) for file in folder.rglob("*.log")]
    files += [file for file in harness.settings.state_dir.rglob("*") if file.is_file()]
    texts = {"output": told.out + told.err} | {str(file): file.read_text(errors="replace") for file in files}
    assert "turn.committed" in texts["output"]
    assert {file.name for file in files} >= {"postgres.log", "redis.log"}
    assert [(where, word) for where, text in texts.items() for word in words if word in text] == []


async def test_an_erasure_is_on_record_and_leaves_the_audit_log_whole(harness: Harness, sealer: Sealer) -> None:
    await leave_traces(harness, sealer)

    receipt = await erase(harness)

    report = await verify_chain(harness.database, harness.tenant)
    acts = await list_acts(harness.database, harness.tenant, ActFilter())
    assert (report.is_whole, report.erased, receipt.audit_details) == (True, 2, 2)
    assert [(act["operation"], act["object"], act["reason"]) for act in acts[:2]] == [
        ("person.erased", key_of(harness), "asked for it"),
        ("conversation.erased", key_of(harness), "asked for it"),
    ]
    assert acts[0]["number"] == receipt.audit_number
    assert [act["erased_by"] for act in acts[2:]] == [acts[1]["number"]] * 2


async def test_what_is_erased_is_still_a_duplicate_and_a_conversation_that_begins_anew_counts_on(
    harness: Harness, database: Database
) -> None:
    await write(harness, CONVERSATION, "hello", message_id="planted-id-1", sender=MAIL)
    first = (await harness.replies())[0]
    await erase(harness)

    with pytest.raises(AssertionError):
        await harness.accept("another-conversation", "hello", message_id="planted-id-1", sender=MAIL)
    await write(harness, CONVERSATION, "again", sender=MAIL)
    [reply] = await harness.replies()
    report = await Verification(harness.settings, database, harness.service.servers.redis).run()

    assert (reply["text"], reply["sequence"]) == ("you said: again", first["sequence"] + 1)
    assert reply["reply_id"] != first["reply_id"]
    assert [found for found in report.findings if found.tenant == harness.tenant] == []


async def test_without_a_confirmation_nothing_is_erased_and_it_is_told_what_would_be(harness: Harness) -> None:
    await write(harness, "c-1", "hello", sender=MAIL)

    receipt = await erase(harness, dry_run=True)

    assert (receipt.is_dry_run, receipt.conversations, receipt.audit_number) == (True, 1, None)
    assert len(await harness.replies()) == 1
    assert await list_acts(harness.database, harness.tenant, ActFilter()) == []


async def test_a_conversation_in_which_others_wrote_stays_unless_it_is_asked_for(harness: Harness) -> None:
    await write(harness, "c-1", "hello", sender=MAIL)
    await write(harness, "c-1", "me too", sender="maya@example.com")

    kept = await erase(harness)
    gone = await erase(harness, with_others=True)

    assert (kept.conversations, kept.shared) == (0, 1)
    assert (gone.conversations, gone.shared) == (1, 0)
    assert await find_conversations(harness.database, harness.tenant, key_of(harness)) == []


@pytest.mark.parametrize("held", ["person", "conversation", "whoever wrote in it too"])
async def test_what_is_held_is_not_erased_until_the_hold_is_lifted(harness: Harness, held: str) -> None:
    await write(harness, "c-held", "hello", sender=MAIL)
    await write(harness, "c-held", "me too", sender="maya@example.com")
    subject = {
        "person": held_person(key_of(harness)),
        "conversation": held_conversation("c-held"),
        "whoever wrote in it too": held_person(key_of(harness, "maya@example.com")),
    }[held]
    database, tenant = harness.database, harness.tenant
    assert await place_hold(database, tenant, subject, by="ann", reason="a court")
    again = await place_hold(database, tenant, subject, by="ann", reason="a court")

    kept = await erase(harness, with_others=True)
    listed = [row["subject"] for row in await list_holds(database, tenant)]
    lifted = [await lift_hold(database, tenant, subject, by="ann") for _ in range(2)]
    gone = await erase(harness, with_others=True)

    assert (kept.conversations, kept.held, gone.conversations, gone.held) == (0, 1, 1, 0)
    assert (again, listed, lifted) == (False, [subject], [True, False])
    acts = [act["operation"] for act in await list_acts(database, tenant, ActFilter(actor="ann"))]
    assert acts == ["person.erased", "conversation.erased", "hold.lifted", "person.erased", "hold.placed"]


async def test_an_erasure_waits_for_the_turn_under_way_and_that_turn_leaves_nothing(worker: MakeHarness) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def think(_text: str) -> str:
        begun.set()
        await go_on.wait()
        return "Zebulon, done"

    harness = await worker(think)
    await harness.accept("c-1", TEXT, sender=MAIL)
    turn = asyncio.create_task(harness.drain("c-1"))
    await asyncio.wait_for(begun.wait(), 10)

    erasure = asyncio.create_task(erase(harness))
    await asyncio.wait([erasure], timeout=0.5)
    is_waiting = not erasure.done()
    go_on.set()
    await asyncio.wait_for(turn, 20)
    receipt = await asyncio.wait_for(erasure, 20)

    assert is_waiting
    assert (receipt.conversations, await harness.replies()) == (1, [])
    assert await harness.query("SELECT * FROM conversation") == []


async def test_spans_and_events_that_come_late_of_a_conversation_that_was_erased_are_not_kept(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(harness, "c-1", "hello", sender=MAIL)

    async def deliver_late(*arguments: Any) -> int:
        await harness.query(
            "INSERT INTO webhook_event (tenant_id, event_id, conversation_id, sequence, type, body, occurred_at) "
            "VALUES (%s, gen_random_uuid(), 'c-1', 1, 'message.answered', 'late', now()) RETURNING 1",
            harness.tenant,
        )
        return await erase_from_streams(*arguments)

    monkeypatch.setattr(erasing, "erase_from_streams", deliver_late)
    receipt = await erase(harness)
    await harness.service.tracer.flush()

    assert receipt.rows["written meanwhile"] == 2
    assert await harness.query("SELECT 1 FROM webhook_event") == []
    assert await harness.query("SELECT 1 FROM span") == []


async def test_a_turn_that_does_not_end_holds_an_erasure_up_and_it_says_so(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "BUSY_SECONDS_MAX", 0.4)
    await harness.accept("c-1", "hello", sender=MAIL)
    acquired = await harness.mailbox.acquire(ConversationKey(harness.tenant, "c-1"))

    with pytest.raises(ConversationBusy, match="turns are under way in 1"):
        await erase(harness)

    assert not isinstance(acquired, str)
    assert len(await harness.query("SELECT * FROM inbox")) == 1


async def test_another_tenants_person_of_the_same_address_is_another(
    harness: Harness, settings: Settings, sealer: Sealer, other_tenant: str
) -> None:
    other = await make_harness(settings, sealer, other_tenant)
    await write(harness, "c-1", "hello", sender=MAIL)
    await write(other, "c-1", "hello", sender=MAIL)

    await erase(harness)

    assert (len(await harness.replies()), len(await other.replies())) == (0, 1)
    await other.close()


async def test_an_export_gives_the_persons_own_words_opened_and_nobody_elses(harness: Harness) -> None:
    await write(harness, "c-1", "my confirmation number is DEMO42, phone +49 155 501 77", sender=MAIL)
    await write(harness, "c-1", "I am Maya", sender="maya@example.com")
    await write(harness, "c-2", "a second one", sender=MAIL)

    found = [
        one
        async for one in export_person(
            harness.database, harness.service.servers.sealer, harness.tenant, key_of(harness), by="ann"
        )
    ]

    assert [one["conversation"] for one in found] == ["c-1", "c-2"]
    told = str(found)
    assert "DEMO42" in told
    assert "Maya" not in told
    assert "a second one" in told
    assert [len(one["messages"]) for one in found] == [1, 1]
    acts = await list_acts(harness.database, harness.tenant, ActFilter())
    assert [(act["operation"], act["object"]) for act in acts] == [("person.exported", key_of(harness))]


@pytest.mark.parametrize("person", ["", "ada@example.com", "pigeon:ada", "sms:", "sms: "])
def test_a_person_is_a_channel_and_an_address(senders: SenderKeys, person: str) -> None:
    with pytest.raises(PersonInvalid, match="CHANNEL:ADDRESS"):
        person_key_of(senders, "t", person)


@pytest.fixture
def senders() -> SenderKeys:
    return SenderKeys(b"x" * 32)


def test_a_person_is_the_same_however_the_address_is_spelled_or_by_the_key(senders: SenderKeys) -> None:
    key = person_key_of(senders, "t", "sms:+1 555 0100")

    assert person_key_of(senders, "t", "sms:+15550100") == key
    assert person_key_of(senders, "t", key) == key
    assert person_key_of(senders, "t", "email:a@example.com") != key


async def test_people_of_conversations_of_before_are_found_page_by_page_and_once(
    harness: Harness, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfilling, "PAGE_CONVERSATIONS", 2)
    for number in range(5):
        await write(harness, f"c-{number}", "hello", sender=MAIL)
    await write(harness, "c-0", "me too", sender="maya@example.com")
    await harness.query("DELETE FROM person_conversation RETURNING 1")
    await harness.query("UPDATE inbox SET sender_key = NULL WHERE conversation_id = 'c-4' RETURNING 1")

    with connect(settings.database_url or "") as connection:
        first, second = [backfilling.find_people(connection) for _ in range(2)]

    theirs = await find_conversations(harness.database, harness.tenant, key_of(harness))
    assert [one.conversation for one in theirs] == [f"c-{number}" for number in range(5)]
    assert [one.others for one in theirs] == [1, 0, 0, 0, 0]
    assert (first >= 4, second) == (True, 0)
