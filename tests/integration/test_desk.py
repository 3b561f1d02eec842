"""People claim conversations, answer in them and give them back; the bot, and other people, never come in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ops.desk import acts
from ops.desk.desk import ActRequest, Desk, HeldByAnother, NotClaimed, SeenIsStale, StateForbids
from ops.desk.replying import LastSeen, Unsendable, reply
from ops.desk.roles import NotAllowed, NotAtDesk, Who
from ops.desk.withdrawing import hold_back
from schema.ids import ConversationKey
from schema.keys import replies_stream
from tests.integration.desk_scene import add_person, desk_beside
from tests.integration.worker_harness import Harness, MakeHarness

ESCALATES = "please get me a person"


@pytest.fixture
async def harness(worker: MakeHarness) -> Harness:
    return await worker()


@pytest.fixture
def desk(harness: Harness) -> Desk:
    return desk_beside(harness)


@pytest.fixture
def key(harness: Harness) -> ConversationKey:
    return harness.key("c")


@pytest.fixture
async def dana(harness: Harness) -> Who:
    return await add_person(harness.database, harness.tenant, "Dana")


@pytest.fixture
async def sam(harness: Harness) -> Who:
    return await add_person(harness.database, harness.tenant, "Sam")


@pytest.fixture
async def vera(harness: Harness) -> Who:
    return await add_person(harness.database, harness.tenant, "Vera", "supervisor")


async def say(harness: Harness, text: str, conversation: str = "c", **changes: Any) -> str:
    sent = await harness.accept(conversation, text, **changes)
    await harness.drain(conversation)
    return sent


async def open_ticket(harness: Harness, conversation: str = "c", *, minutes: int = 60) -> None:
    """Let the bot hand a conversation to people, as its commit does."""
    await harness.query(
        "INSERT INTO ticket (tenant_id, ticket_id, conversation_id, category, priority, answer_by)"
        " VALUES (%s, %s, %s, 'customer_request', 'high', now() + make_interval(mins => %s)) RETURNING 1",
        harness.tenant,
        f"T-{conversation}",
        conversation,
        minutes,
    )


async def look(desk: Desk, key: ConversationKey) -> Any:
    [row] = await desk.database.read(key.tenant, "read_desk_conversation", **key._asdict())
    return row["desk"]


async def seen(desk: Desk, key: ConversationKey) -> LastSeen:
    row = await look(desk, key)
    return LastSeen(row["desk_version"], row["last_position"])


async def publish(harness: Harness) -> None:
    await harness.service.rescue.publish_leftovers(age_seconds=-60)


async def test_of_two_people_who_claim_at_once_one_has_it_and_the_other_is_told_who(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who, sam: Who
) -> None:
    await say(harness, "hello")
    await open_ticket(harness)

    outcomes = await asyncio.gather(
        *(acts.claim(desk, who, key) for who in (dana, sam) for _ in range(5)), return_exceptions=True
    )

    done = [outcome for outcome in outcomes if isinstance(outcome, acts.ActDone) and outcome.changed]
    held = [outcome for outcome in outcomes if isinstance(outcome, HeldByAnother)]
    assert (len(done), len(held)) == (1, 5)
    assert {error.holder for error in held} == {done[0].state.claimed_by}


async def test_a_persons_reply_goes_out_in_order_to_all_that_none_answered_and_stays_in_the_history(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "my number is K7M2QX")
    await acts.take_over(desk, dana, key)
    asked = [await say(harness, text) for text in ("anybody there?", "hello?")]

    sent = await reply(desk, dana, key, "It is me. I look at [CONFIRMATION_NUMBER_1] now.", seen=await seen(desk, key))
    await publish(harness)

    last = (await harness.replies())[-1]
    assert (last["agent"], last["by_person"], last["sequence"], last["reply_id"]) == ("Dana", True, 2, sent.reply_id)
    assert last["in_reply_to"] == asked
    assert last["text"] == "It is me. I look at K7M2QX now."
    assert last["recipient"] == "ada@example.com"
    items = await harness.query("SELECT item FROM session_item ORDER BY ordinal DESC LIMIT 1")
    assert items[0]["item"] == {"role": "assistant", "content": "It is me. I look at [CONFIRMATION_NUMBER_1] now."}
    assert (await look(desk, key))["answer_by"] is None


async def test_a_reply_to_a_message_that_no_turn_took_up_yet_goes_to_its_sender(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    sent = await harness.accept("c", "first of all", sender="new@example.com")
    await acts.take_over(desk, dana, key)

    await reply(desk, dana, key, "I am here", seen=await seen(desk, key))
    await publish(harness)

    [only] = await harness.replies()
    assert (only["recipient"], only["in_reply_to"]) == ("new@example.com", [sent])


async def test_a_reply_is_refused_with_what_the_customer_wrote_meanwhile(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await acts.take_over(desk, dana, key)
    before = await seen(desk, key)
    await harness.accept("c", "wait, my card is 4111 1111 1111 1111")

    with pytest.raises(SeenIsStale) as refused:
        await reply(desk, dana, key, "done", seen=before)
    await harness.drain("c")
    with pytest.raises(SeenIsStale) as again:
        await reply(desk, dana, key, "done", seen=before)
    await reply(desk, dana, key, "done", seen=LastSeen(before.desk_version, 2))

    for error in (refused.value, again.value):
        assert [item["position"] for item in error.news] == [2]
        assert error.news[0]["text"] == "wait, my card is [CARD_NUMBER]"


async def test_the_same_request_is_sent_once_however_often_it_comes(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await acts.take_over(desk, dana, key)
    before = await seen(desk, key)

    sent = [await reply(desk, dana, key, "done", seen=before, request_id="r-1") for _ in range(3)]
    with pytest.raises(SeenIsStale):
        await reply(desk, dana, key, "done", seen=before, request_id="r-2")
    await publish(harness)

    assert {each.sequence for each in sent} == {2}
    assert [each.is_new for each in sent] == [True, False, False]
    assert [each["text"] for each in await harness.replies()] == ["you said: one", "done"]


@pytest.mark.parametrize(
    "text", ["", "  ", "pay with 4111 1111 1111 1111", "your SSN is 219-09-9999", "see [PASSPORT_9]", "x" * 40_001]
)
async def test_what_must_not_leave_is_refused_and_nothing_is_sent(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who, text: str
) -> None:
    await say(harness, "one")
    await acts.take_over(desk, dana, key)

    with pytest.raises(Unsendable):
        await reply(desk, dana, key, text, seen=await seen(desk, key))

    assert (await look(desk, key))["last_sequence"] == 1


async def test_only_who_has_a_conversation_answers_in_it(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who, sam: Who, vera: Who
) -> None:
    await say(harness, "one")
    with pytest.raises(NotClaimed):
        await reply(desk, dana, key, "hi", seen=await seen(desk, key))
    await acts.take_over(desk, dana, key)

    for who in (sam, vera):
        with pytest.raises(HeldByAnother):
            await reply(desk, who, key, "hi", seen=await seen(desk, key))
    with pytest.raises(HeldByAnother):
        await acts.take_over(desk, sam, key)
    await acts.take_over(desk, vera, key, reason="escalated to me")
    await reply(desk, vera, key, "hi", seen=await seen(desk, key))


async def test_a_claim_that_ran_out_is_anybodys(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who, sam: Who
) -> None:
    await say(harness, "one")
    await open_ticket(harness)
    await acts.claim(desk, dana, key)
    await harness.query("UPDATE conversation SET claimed_until = now() RETURNING 1")

    await acts.claim(desk, sam, key)

    with pytest.raises(HeldByAnother):
        await acts.renew(desk, dana, key)
    history = await harness.query("SELECT act, by_person, from_person, to_person FROM desk_act ORDER BY number")
    assert [tuple(row.values()) for row in history] == [
        ("escalate", "bot", None, None),
        ("claim", "Dana", None, "Dana"),
        ("claim", "Sam", "Dana", "Sam"),
    ]


async def test_a_reassigned_conversation_is_the_other_persons_if_they_may_answer(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who, sam: Who
) -> None:
    await add_person(harness.database, harness.tenant, "Ana", "analyst")
    await say(harness, "one")
    await acts.take_over(desk, dana, key)

    with pytest.raises(NotAllowed):
        await acts.reassign(desk, dana, key, to="Ana")
    with pytest.raises(NotAtDesk):
        await acts.reassign(desk, dana, key, to="Nobody")
    await acts.reassign(desk, dana, key, to="Sam", reason="speaks Portuguese")

    assert (await look(desk, key))["claimed_by"] == "Sam"
    await acts.reassign(desk, sam, key)
    assert ((await look(desk, key))["state"], (await look(desk, key))["owner"]) == ("waiting", "human")


async def test_a_snoozed_conversation_comes_back_when_the_customer_writes(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await acts.take_over(desk, dana, key)
    with pytest.raises(acts.InvalidAct):
        await acts.snooze(desk, dana, key, until=datetime.now(UTC) - timedelta(hours=1))
    await acts.snooze(desk, dana, key, until=datetime.now(UTC) + timedelta(hours=20))
    asleep = await look(desk, key)

    await say(harness, "still there?")

    assert asleep["snoozed_until"] is not None
    assert (await look(desk, key))["snoozed_until"] is None
    assert (await look(desk, key))["claimed_by"] == "Dana"


async def test_after_a_hand_back_the_bot_answers_and_knows_what_was_said(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await open_ticket(harness)
    await acts.claim(desk, dana, key)
    await say(harness, "two")
    await reply(desk, dana, key, "I have rebooked you", seen=await seen(desk, key))

    await acts.hand_back(desk, dana, key, line="rebooked on LF118, she may ask about bags")
    await say(harness, "three")

    assert (await harness.replies())[-1]["text"] == "you said: three"
    heard = [item["content"] for item in harness.model.inputs[-1] if "content" in item]
    assert any("I have rebooked you" in str(text) for text in heard)
    assert any("rebooked on LF118, she may ask about bags" in str(text) for text in heard)
    [ticket] = await harness.query("SELECT closed_by, closed_because FROM ticket")
    assert ticket == {"closed_by": "Dana", "closed_because": "rebooked on LF118, she may ask about bags"}
    with pytest.raises(StateForbids):
        await acts.claim(desk, dana, key)


async def test_a_resolved_conversation_is_the_bots_when_the_customer_writes_again_and_can_be_reopened(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await open_ticket(harness)
    await acts.claim(desk, dana, key)
    await acts.resolve(desk, dana, key, reason="refunded")
    await acts.reopen(desk, dana, key, reason="not refunded after all")
    reopened = await look(desk, key)
    [ticket] = await harness.query("SELECT closed_at FROM ticket")
    await acts.claim(desk, dana, key)
    await acts.resolve(desk, dana, key, reason="refunded now")

    await say(harness, "thanks")

    assert (reopened["state"], ticket["closed_at"]) == ("waiting", None)
    assert (await look(desk, key))["state"] == "bot"
    assert len(await harness.replies()) == 2


async def test_a_bots_reply_that_is_not_published_yet_never_leaves_after_a_takeover(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await harness.accept("c", "two")
    acquired = await harness.mailbox.acquire(key)
    assert not isinstance(acquired, str)
    lease, head = acquired
    publisher = harness.service.publisher
    late: list[Any] = []

    async def stall(*given: Any, **named: Any) -> None:
        late.append((given, named))

    harness.service.drainer.turn.publisher.publish = stall  # type: ignore[method-assign]
    await harness.service.drainer.turn.run(lease.key, head)
    del harness.service.drainer.turn.publisher.publish

    done = await acts.take_over(desk, dana, key)
    for given, named in late:  # the worker wakes up, and publishes what it holds
        await publisher.publish(*given, **named)
    await publish(harness)
    await harness.service.streams.restore_all()
    await publish(harness)

    assert done.withdrawn == (2,)
    assert [each["text"] for each in await harness.replies()] == ["you said: one"]
    assert [event["attributes"].get("withdrawn") for event in await harness.events()] == ["2"]
    await reply(desk, dana, key, "me now", seen=await seen(desk, key))
    await publish(harness)
    assert [each["sequence"] for each in await harness.replies()] == [1, 3]


async def test_a_bots_reply_in_a_stream_that_no_consumer_was_given_is_removed_and_one_that_left_stays(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    redis = harness.service.servers.redis
    stream = replies_stream(harness.tenant, "chat")
    await say(harness, "one")
    await redis.xgroup_create(stream, "gateway", id="$")
    await say(harness, "two")
    await harness.service.publisher.note()

    done = await acts.take_over(desk, dana, key)
    again = await acts.claim(desk, dana, key)

    assert (done.withdrawn, again.withdrawn) == ((2,), ())
    assert [each["text"] for each in await harness.replies()] == ["you said: one"]
    items = await harness.query("SELECT item FROM session_item ORDER BY ordinal DESC LIMIT 1")
    assert "did not reach the customer" in items[0]["item"]["content"]


async def test_a_takeover_that_failed_after_it_held_rows_back_keeps_no_reply_from_the_customer(
    harness: Harness, desk: Desk, key: ConversationKey, dana: Who
) -> None:
    await say(harness, "one")
    await harness.query("UPDATE outbox SET published_at = NULL, stream_position = NULL RETURNING 1")
    await harness.service.servers.redis.flushall()
    with pytest.raises(RuntimeError):
        await fail_after_holding(desk, dana, key)

    await harness.service.rescue.restore_streams()
    await publish(harness)

    assert [each["text"] for each in await harness.replies()] == ["you said: one"]


async def fail_after_holding(desk: Desk, who: Who, key: ConversationKey) -> None:
    async with desk.act(who, key, "take_over", ActRequest()) as act:
        assert await hold_back(desk, act) == [1]
        raise RuntimeError("the process dies here")
