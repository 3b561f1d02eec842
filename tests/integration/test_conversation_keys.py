"""What is kept of a conversation is sealed with its own key, and nobody reads it once that key is destroyed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet, InvalidToken

from ops.database import adoption
from ops.database.adoption import adopt_conversations
from ops.desk import acts
from ops.desk.approvals import list_approvals
from ops.desk.inbox import look_at
from ops.desk.replying import LastSeen, reply
from ops.desk.transcript import SEALED_TEXT, read_transcript
from ops.desk.withdrawing import NOT_SENT
from ops.privacy.erasing import Eraser
from ops.privacy.exporting import export_person
from runtime.configuration import open_sealer
from runtime.database import connect
from runtime.sealing import Sealer
from schema.errors import InvalidSettings, Unsealable
from schema.keys import replies_stream
from tests.integration.conftest import add_tenant
from tests.integration.desk_scene import MACHINE, desk_beside
from tests.integration.dying import die_at
from tests.integration.worker_harness import Harness, make_harness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from schema.settings import Settings

MAIL = "ottokar@planted.example"
VALUES = """
    SELECT 'outbox' AS place, body AS value FROM outbox WHERE body <> ''
    UNION ALL SELECT 'vault', vault FROM conversation WHERE vault IS NOT NULL
    UNION ALL SELECT 'session_item', item ->> 'sealed' FROM session_item
    UNION ALL SELECT 'context', f.value #>> '{}' FROM conversation, jsonb_each(context) f
        WHERE jsonb_typeof(f.value) = 'string'
"""
KEPT_ELSEWHERE = """
    SELECT 'address' AS place, return_address AS value FROM conversation WHERE return_address IS NOT NULL
    UNION ALL SELECT 'note', note FROM desk_act WHERE note IS NOT NULL
    UNION ALL SELECT 'approval', details FROM approval
    UNION ALL SELECT 'journal', response FROM journal
    UNION ALL SELECT 'reply', body FROM outbox WHERE by_person IS NOT NULL
    UNION ALL SELECT 'marker', item ->> 'sealed' FROM session_item WHERE item ->> 'role' = 'system'
"""


@pytest.fixture
async def harness(settings: Settings) -> AsyncIterator[Harness]:
    sealing = settings.model_copy(update={"conversation_keys": True})
    made = await make_harness(sealing, open_sealer(sealing), add_tenant(sealing))
    yield made
    await made.close()


async def write(harness: Harness, conversation: str, text: str, **options: Any) -> None:
    await harness.accept(conversation, text, sender=MAIL, **options)
    await harness.drain(conversation)
    await harness.service.publisher.note()


async def stored(harness: Harness) -> list[tuple[str, str]]:
    return [(row["place"], row["value"]) for row in await harness.query(VALUES)]


async def test_everything_kept_of_a_conversation_is_sealed_with_its_own_key_alone(
    harness: Harness, settings: Settings
) -> None:
    await write(harness, "c-1", "I am Ottokar, my phone is +1 415 555 0132")
    values = await stored(harness)
    vault_key = Fernet(settings.vault_keys[0].get_secret_value())
    [row] = await harness.query("SELECT sealed_key FROM conversation_key WHERE conversation_id = 'c-1'")
    own = Fernet(vault_key.decrypt(row["sealed_key"]))

    assert {place for place, _ in values} == {"outbox", "vault", "session_item", "context"}
    opened = [own.decrypt(value.removeprefix("c1.").encode()).decode() for _, value in values]
    assert any("Ottokar" in text for text in opened)
    for _, value in values:
        with pytest.raises(InvalidToken):
            vault_key.decrypt(value.removeprefix("c1.").encode())


async def test_a_conversation_goes_on_with_its_key_and_another_has_another(harness: Harness) -> None:
    await write(harness, "c-1", "my phone is +1 415 555 0132")
    await write(harness, "c-1", "call me")
    await write(harness, "c-2", "hello")

    keys = await harness.query("SELECT conversation_id, sealed_key FROM conversation_key")
    assert sorted(row["conversation_id"] for row in keys) == ["c-1", "c-2"]
    assert [item["role"] for item in harness.model.inputs[1]] == ["user", "assistant", "user"]
    assert len(await harness.replies()) == 3
    transcript = await read_transcript(harness.database, harness.key("c-1"), harness.service.servers.sealer)
    blind = await read_transcript(harness.database, harness.key("c-1"))
    assert transcript is not None
    assert blind is not None
    assert [line.text for line in transcript.lines][2] == "call me"
    assert {line.text for line in blind.lines} == {SEALED_TEXT}


async def test_what_the_desk_keeps_and_a_turn_under_way_journals_is_sealed_with_the_key_too(harness: Harness) -> None:
    key, desk, sealer = harness.key("c-1"), desk_beside(harness), harness.service.servers.sealer
    await write(harness, "c-1", "I am Ottokar, my phone is +1 415 555 0132")
    [kept] = await harness.query("SELECT sealed_key FROM conversation_key")
    own = sealer.for_conversation(kept["sealed_key"])
    await acts.take_over(desk, MACHINE, key)
    await write(harness, "c-1", "is anybody there?")
    await acts.note(desk, MACHINE, key, "Ottokar is kind")
    seen = (await look_at(desk, MACHINE, key)).state
    last = LastSeen(seen.desk_version, seen.last_position)
    sent = await reply(desk, MACHINE, key, "Good morning, Ottokar", seen=last)
    await acts.hand_back(desk, MACHINE, key, line="Ottokar called")
    details = own.seal('{"pending": {"summary": "for Ottokar"}}')
    await harness.query(
        "INSERT INTO approval (tenant_id, approval_id, conversation_id, position, kind, amount_usd, policy, details, "
        "expires_at) VALUES (%s, 'a', 'c-1', 1, 'refund', 1, 'p', %s, now() + interval '1 h') RETURNING 1",
        harness.tenant,
        details,
    )
    await harness.accept("c-1", "Ottokar again", sender=MAIL)
    await die_at(harness, "c-1", "commit.begun")

    rows = await harness.query(KEPT_ELSEWHERE)
    assert {row["place"] for row in rows} == {"address", "note", "approval", "journal", "reply", "marker"}
    assert [row["place"] for row in rows if not row["value"].startswith("c1.")] == []
    keyed = [f"k1.{kept['sealed_key']}.{row['value'].removeprefix('c1.')}" for row in rows]
    opened = {row["place"]: sealer.open(value) for row, value in zip(rows, keyed, strict=True)}
    assert [place for place, text in opened.items() if "ttokar" not in text.lower()] == []

    [waiting] = await list_approvals(desk, harness.tenant, MACHINE)
    overview = await look_at(desk, MACHINE, key)
    asked = len(harness.model.asked)
    await harness.drain("c-1")
    assert (sent.sequence, waiting.summary) == (2, "for Ottokar")
    assert "Ottokar is kind" in [act["note"] for act in overview.history]
    assert "Good morning, Ottokar" in [line.text for line in overview.transcript.lines]
    assert len(harness.model.asked) == asked  # the call that was journaled is replayed
    assert (await harness.replies())[-1]["text"] == "you said: Ottokar again"


async def test_a_takeover_takes_an_open_offer_out_of_a_sealed_context(harness: Harness) -> None:
    await write(harness, "c-1", "hello")
    offer = """UPDATE conversation SET context = context || '{"quote": "c1.x"}' RETURNING 1"""
    await harness.query(offer)

    await acts.take_over(desk_beside(harness), MACHINE, harness.key("c-1"))

    [row] = await harness.query("SELECT context FROM conversation")
    assert row["context"]["sealed"] is True
    assert "quote" not in row["context"]


async def test_what_was_written_before_is_read_and_both_forms_stand_beside_each_other(
    harness: Harness, settings: Settings
) -> None:
    before = await make_harness(settings, open_sealer(settings), harness.tenant)
    await write(before, "c-1", "my phone is +1 415 555 0132")
    await write(harness, "c-1", "the new form")
    await write(before, "c-1", "and the old one")
    await before.close()

    transcript = await read_transcript(harness.database, harness.key("c-1"), harness.service.servers.sealer)
    assert transcript is not None
    said = [line.text for line in transcript.lines if line.kind == "customer"]
    assert [text for text in said if "form" in text or "old" in text] == ["the new form", "and the old one"]
    marks = {value.startswith("c1.") for place, value in await stored(harness) if place == "outbox"}
    assert marks == {True, False}
    assert [item["role"] for item in before.model.inputs[1]] == ["user", "assistant"] * 2 + ["user"]


async def test_a_copy_of_what_was_erased_opens_with_no_key_that_is_left(harness: Harness, settings: Settings) -> None:
    await write(harness, "c-1", "I am Ottokar, my phone is +1 415 555 0132")
    copy = await stored(harness)
    sealer = harness.service.servers.sealer
    key = harness.service.servers.senders.key_of(harness.tenant, "chat", MAIL)
    exported = [one async for one in export_person(harness.database, sealer, harness.tenant, key, by="ann")]

    eraser = Eraser(harness.database, harness.service.servers.redis, settings, harness.tenant, by="ann")
    receipt = await eraser.erase_person(key)

    assert "Ottokar" in str(exported)
    assert receipt.rows["conversation_key"] == 1
    left = Sealer([each.get_secret_value() for each in settings.vault_keys])
    assert len(copy) >= 4
    for _, value in copy:
        with pytest.raises(Unsealable, match="key is gone"):
            left.open(value)


async def test_a_turn_takes_the_key_that_another_process_made_after_it_read_the_conversation(
    harness: Harness, settings: Settings
) -> None:
    quicker = harness.service.servers.sealer.for_conversation(None).sealed_key
    turn: Any = harness.service.drainer.turn

    def keep_another(point: str) -> None:
        if point == "hydrate.done":
            with connect(settings.database_url or "") as connection:
                statement = "INSERT INTO conversation_key VALUES (%s, 'c-1', %s) ON CONFLICT DO NOTHING"
                connection.execute(statement, [harness.tenant, quicker])

    object.__setattr__(turn, "failpoint", keep_another)
    await write(harness, "c-1", "hello")
    await write(harness, "c-1", "again")

    [kept] = await harness.query("SELECT sealed_key FROM conversation_key")
    assert kept["sealed_key"] == quicker
    assert [reply["text"] for reply in await harness.replies()] == ["you said: hello", "you said: again"]
    assert [item["content"] for item in harness.model.inputs[-1] if item["role"] == "user"] == ["hello", "again"]


async def test_a_key_is_made_in_the_first_turn_and_asked_for_in_no_later_one(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    read = harness.database.read

    async def noted(tenant: str, query: str, /, **parameters: Any) -> Any:
        asked.append(query)
        return await read(tenant, query, **parameters)

    monkeypatch.setattr(harness.database, "read", noted)
    for text in ("hello", "again", "and again"):
        await write(harness, "c-1", text)

    assert asked.count("hydrate_conversation") == 3
    assert asked.count("make_key") == 1


async def test_what_is_stored_is_sealed_anew_beside_workers_and_read_as_before(
    harness: Harness, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "PAGE_CONVERSATIONS", 2)
    before = await make_harness(settings, open_sealer(settings), harness.tenant)
    for number in range(5):
        await write(before, f"c-{number}", f"my phone is +1 415 555 013{number}")
    await before.close()
    sealer = harness.service.servers.sealer

    with pytest.raises(InvalidSettings, match="FTE_CONVERSATION_KEYS"):
        adopt_conversations(settings, open_sealer(settings), by="ann")
    first = await asyncio.to_thread(adopt_conversations, harness.settings, sealer, by="ann")
    second = await asyncio.to_thread(adopt_conversations, harness.settings, sealer, by="ann")

    assert (first >= 5, second) == (True, 0)
    assert all(value.startswith("c1.") for _, value in await stored(harness))
    transcript = await read_transcript(harness.database, harness.key("c-3"), sealer)
    assert transcript is not None
    assert "my phone is" in transcript.lines[0].text
    await write(harness, "c-3", "and now?")
    assert len(harness.model.inputs[-1]) == 3


async def test_what_a_takeover_says_of_replies_that_it_kept_from_leaving_is_sealed_too(harness: Harness) -> None:
    stream, redis = replies_stream(harness.tenant, "chat"), harness.service.servers.redis
    await redis.xgroup_create(stream, "gateway", id="0", mkstream=True)
    await write(harness, "c-1", "hello")

    done = await acts.take_over(desk_beside(harness), MACHINE, harness.key("c-1"))

    items = await harness.query("SELECT item FROM session_item ORDER BY ordinal")
    shown = (await look_at(desk_beside(harness), MACHINE, harness.key("c-1"))).transcript.lines
    assert done.withdrawn == (1,)
    assert len(items) == 3
    assert all("sealed" in row["item"] for row in items)
    assert shown[-1].text == NOT_SENT
