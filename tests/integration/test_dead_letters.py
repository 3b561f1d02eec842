"""Dead letters in an operator's hands: listed, opened on record, handed in again in their order, dropped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from ops.desk.dead_letters import (
    DeadLetter,
    Operator,
    Selection,
    UnknownLetter,
    UnreadableLetter,
    drop_letter,
    open_letter,
    select_letters,
)
from ops.desk.redrive import Redrive, RedriveOutcome
from runtime.sealing import Sealer
from schema.errors import Unsealable
from schema.keys import mailbox_keys
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually
from worker.mailbox.mailbox import Head

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SAM = Operator("sam@desk.example", NOW, "the bug is fixed")


class Brain:
    """Fail at every message that is poison, until it is cured."""

    def __init__(self) -> None:
        self.cured = False

    async def think(self, text: str) -> str:
        if text.startswith("poison") and not self.cured:
            raise RuntimeError("a bug")
        return f"you said: {text}"


@pytest.fixture
def brain() -> Brain:
    return Brain()


@pytest.fixture
async def harness(worker: MakeHarness, brain: Brain) -> Harness:
    return await worker(
        brain.think, attempts_max=1, backoff_seconds=0.001, backoff_seconds_max=0.002, publish_seconds=0.001
    )


async def let_die(harness: Harness, *texts: str, conversation: str = "c") -> list[DeadLetter]:
    """Let messages come to their end, and give the dead letters of the tenant."""
    answered = len(await harness.replies())
    for text in texts:
        await harness.accept(conversation, text)

    async def done() -> bool:
        await harness.drain(conversation)
        return len(await harness.replies()) == answered + len(texts)

    await eventually(done)
    return await letters(harness)


async def letters(harness: Harness, **narrowed: object) -> list[DeadLetter]:
    selection = Selection(harness.tenant, **narrowed)  # type: ignore[arg-type]
    return [letter async for letter in select_letters(harness.database, selection)]


async def redrive(
    harness: Harness, chosen: list[DeadLetter], *, dry_run: bool = False, mailbox_messages_max: int = 100
) -> list[RedriveOutcome]:
    settings = harness.settings.model_copy(update={"mailbox_messages_max": mailbox_messages_max})
    return await Redrive(settings, harness.database, harness.service.servers.sealer, SAM, dry_run).run(chosen)


async def records(harness: Harness, name: str) -> list[dict[str, str]]:
    await harness.service.rescue.publish_leftovers()
    return [event["attributes"] for event in await harness.events() if event["name"] == name]


async def test_a_dead_letter_and_its_ticket_say_what_failed_and_where_without_the_words(harness: Harness) -> None:
    (letter,) = await let_die(harness, "poison with my secret words")

    assert letter.reason.startswith("no answer after 1 attempts: ")
    assert "RuntimeError" in letter.reason
    assert " at worker/" in letter.reason
    assert "secret" not in letter.reason
    assert [ticket["reason"] for ticket in await harness.escalations()] == [letter.reason]


async def test_a_cause_is_not_told_of_the_message_behind(harness: Harness, brain: Brain) -> None:
    await let_die(harness, "poison 1", conversation="d")
    brain.cured = True
    await let_die(harness, "well", conversation="d")

    acquired = await _head_after(harness, "another")

    assert acquired.cause == ""


async def _head_after(harness: Harness, text: str) -> Head:
    await harness.accept("d", text)
    acquired = await harness.mailbox.acquire(harness.key("d"))
    assert not isinstance(acquired, str)
    lease, head = acquired
    await harness.mailbox.release(lease, untried=head)
    return head


async def test_dead_letters_are_found_by_conversation_reason_age_and_number(harness: Harness) -> None:
    await let_die(harness, "poison 1", conversation="a")
    await let_die(harness, "poison 2", conversation="b")
    soon = datetime.now(UTC) + timedelta(minutes=1)

    first, second = await letters(harness)

    assert (first.conversation, second.conversation) == ("a", "b")
    assert await letters(harness, conversation="b") == [second]
    assert await letters(harness, reason="NO ANSWER") == [first, second]
    assert await letters(harness, reason="unheard of") == []
    assert await letters(harness, since=soon) == []
    assert await letters(harness, ids=(second.dead_letter_id,)) == [second]
    with pytest.raises(UnknownLetter):
        await letters(harness, ids=(2**40,))


async def test_letters_redriven_are_answered_at_the_end_of_their_conversation_in_their_old_order(
    harness: Harness, brain: Brain
) -> None:
    first, second = await let_die(harness, "poison 1", "fine", "poison 2")
    brain.cured = True

    outcomes = await redrive(harness, [second, first])
    await harness.accept("c", "thanks")
    await harness.drain("c")

    assert [outcome.status for outcome in outcomes] == ["redriven", "redriven"]
    texts = [reply["text"] for reply in await harness.replies()][3:]
    assert texts == ["you said: poison 1", "you said: poison 2", "you said: thanks"]
    told = await letters(harness, states=("redriven",))
    assert [letter.redriven_as for letter in told] == [outcome.message_id for outcome in outcomes]
    assert {(letter.settled_by, letter.settled_because, letter.settled_at) for letter in told} == {
        ("sam@desk.example", "the bug is fixed", NOW)
    }
    assert await letters(harness) == []
    assert [record["redriven_as"] for record in await records(harness, "letter.redriven")] == [
        outcome.message_id for outcome in outcomes
    ]


async def test_a_redrive_repeated_hands_in_nothing_twice(harness: Harness, brain: Brain) -> None:
    chosen = await let_die(harness, "poison")
    brain.cured = True

    [outcome] = await redrive(harness, chosen)
    [again] = await redrive(harness, chosen)
    await harness.drain("c")

    assert (again.status, again.message_id) == ("redriven before", outcome.message_id)
    assert len(await harness.replies()) == 2
    assert len(await harness.query("SELECT FROM inbox")) == 2


async def test_a_letter_whose_redrive_died_before_its_mailbox_is_answered_all_the_same(
    harness: Harness, brain: Brain, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = await let_die(harness, "poison")
    brain.cured = True

    async def die(*_: object) -> None:
        raise ConnectionError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(Redrive, "_forward", die)
        with pytest.raises(ConnectionError):
            await redrive(harness, chosen)
    assert await harness.waiting("c") == 0
    harness.service.rescue.settings = harness.settings.model_copy(update={"reconcile_seconds": 0.001})

    async def answered() -> bool:
        await harness.service.rescue.reconcile()
        await harness.drain("c")
        return len(await harness.replies()) == 2

    await eventually(answered)


async def test_a_letter_redriven_that_dies_again_can_be_redriven_again(harness: Harness, brain: Brain) -> None:
    [first] = await let_die(harness, "poison")
    await redrive(harness, [first])

    async def died_again() -> bool:
        await harness.drain("c")
        return len(await letters(harness)) == 1

    await eventually(died_again)
    brain.cured = True
    [second] = await letters(harness)
    [outcome] = await redrive(harness, [second])
    await harness.drain("c")

    assert outcome.status == "redriven"
    assert (await harness.replies())[-1]["text"] == "you said: poison"


async def test_no_letter_overtakes_an_earlier_one_that_found_no_room(harness: Harness) -> None:
    chosen = await let_die(harness, "poison 1", "poison 2", "poison 3")

    outcomes = await redrive(harness, chosen, mailbox_messages_max=1)

    assert [outcome.status for outcome in outcomes] == ["redriven", "full", "held up"]
    assert [letter.dead_letter_id for letter in await letters(harness)] == [
        letter.dead_letter_id for letter in chosen[1:]
    ]


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(harness: Harness) -> None:
    chosen = await let_die(harness, "poison")

    [outcome] = await redrive(harness, chosen, dry_run=True)
    [done] = await redrive(harness, chosen)

    assert (outcome.status, done.status) == ("would be redriven", "redriven")
    assert outcome.message_id == done.message_id


async def test_an_entry_that_is_no_message_is_not_redriven_and_can_be_dropped(harness: Harness) -> None:
    await harness.service.servers.redis.rpush(
        mailbox_keys(harness.key("c"), harness.settings.partitions).mailbox, "not an envelope"
    )
    await harness.accept("c", "hello")
    await harness.drain("c")
    [letter] = await letters(harness)

    [outcome] = await redrive(harness, [letter])
    opened = await open_letter(
        harness.database, harness.service.servers.sealer, harness.tenant, letter.dead_letter_id, SAM
    )
    dropped = await drop_letter(
        harness.database, harness.service.servers.sealer, harness.tenant, letter.dead_letter_id, SAM
    )

    assert outcome.status == "unreadable"
    assert opened.text == "not an envelope"
    assert dropped is not None


async def test_a_message_that_the_database_forgot_is_redriven_under_its_own_id(harness: Harness) -> None:
    """PostgreSQL was restored from a backup that is older than the mailbox."""
    message_id = await harness.accept("c", "hello")
    async with harness.database.transaction(harness.tenant) as transaction:
        await transaction.connection.execute("DELETE FROM inbox")
        await transaction.connection.execute("DELETE FROM conversation")
    await harness.drain("c")
    [letter] = await letters(harness)

    [outcome] = await redrive(harness, [letter])
    await harness.drain("c")

    assert (letter.message_id, outcome.message_id) == (None, message_id)
    assert [reply["in_reply_to"] for reply in await harness.replies()] == [[message_id]]


async def seal_anew(harness: Harness, **more: object) -> DeadLetter:
    """Let a message die, and make its words what another release would have sealed."""
    [letter] = await let_die(harness, "poison")
    sealer = harness.service.servers.sealer
    [row] = await harness.query("SELECT payload FROM dead_letter")
    payload = sealer.seal(json.dumps({**json.loads(sealer.open(row["payload"])), **more}))
    async with harness.database.transaction(harness.tenant) as transaction:
        await transaction.connection.execute("UPDATE dead_letter SET payload = %s", [payload])
    return letter


async def test_a_letter_with_a_field_of_the_next_release_is_redriven(harness: Harness, brain: Brain) -> None:
    letter = await seal_anew(harness, said_by_the_next_release=1)
    brain.cured = True

    [outcome] = await redrive(harness, [letter])
    await harness.drain("c")

    assert outcome.status == "redriven"
    assert [reply["text"] for reply in await harness.replies()][1:] == ["you said: poison"]


async def test_a_letter_of_a_version_that_only_the_next_release_reads_is_left_to_it(harness: Harness) -> None:
    letter = await seal_anew(harness, version=2)

    [outcome] = await redrive(harness, [letter])

    assert outcome.status == "unreadable"
    assert "version 2, and this release reads up to 1: use the release that wrote it" in outcome.detail
    assert await letters(harness) == [letter]


async def test_opening_a_letter_shows_its_words_without_cards_and_records_who_did(harness: Harness) -> None:
    [letter] = await let_die(harness, "poison, my card is 4111 1111 1111 1111, call +1 415 555 0132")
    sealer = harness.service.servers.sealer

    opened = await open_letter(harness.database, sealer, harness.tenant, letter.dead_letter_id, SAM)

    assert "4111" not in opened.text
    assert "[CARD_NUMBER]" in opened.text
    assert "+14155550132" in opened.text
    assert "5550132" not in repr(opened)
    assert opened.sender == "ada@example.com"
    [record] = await records(harness, "letter.opened")
    assert record == {
        "dead_letter_id": str(letter.dead_letter_id),
        "operator": "sam@desk.example",
        "message_id": letter.message_id,
        "because": "the bug is fixed",
    }


async def test_without_the_key_no_letter_opens_and_nothing_is_recorded(harness: Harness) -> None:
    [letter] = await let_die(harness, "poison")
    stranger = Sealer([Fernet.generate_key().decode()])

    with pytest.raises(Unsealable):
        await open_letter(harness.database, stranger, harness.tenant, letter.dead_letter_id, SAM)

    assert await records(harness, "letter.opened") == []


async def test_a_dropped_letters_words_are_gone_and_who_dropped_it_is_on_record(harness: Harness) -> None:
    [letter] = await let_die(harness, "poison")
    sealer = harness.service.servers.sealer

    await drop_letter(harness.database, sealer, harness.tenant, letter.dead_letter_id, SAM)
    again = await drop_letter(harness.database, sealer, harness.tenant, letter.dead_letter_id, SAM)
    [outcome] = await redrive(harness, [letter])

    assert again is None
    assert outcome.status == "dropped before"
    with pytest.raises(UnreadableLetter):
        await open_letter(harness.database, sealer, harness.tenant, letter.dead_letter_id, SAM)
    rows = await harness.query("SELECT payload FROM dead_letter UNION ALL SELECT payload FROM inbox")
    assert [row["payload"] for row in rows] == [None, None]
    assert [row["state"] for row in await harness.query("SELECT state FROM inbox")] == ["erased"]
    assert len(await records(harness, "letter.dropped")) == 1


async def test_another_tenants_letter_does_not_exist(harness: Harness, other_tenant: str) -> None:
    [letter] = await let_die(harness, "poison")

    with pytest.raises(UnknownLetter):
        await drop_letter(harness.database, harness.service.servers.sealer, other_tenant, letter.dead_letter_id, SAM)


def test_nobody_settles_a_letter_without_a_name() -> None:
    with pytest.raises(ValueError, match="who acts"):
        Operator("  ", NOW)
