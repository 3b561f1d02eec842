"""Messages in a row are answered together, and never past one that has just come; on real servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import FunctionTool, function_tool
from agents.testing import function_call
from agents.tool_context import ToolContext

from schema.keys import mailbox_keys
from schema.messages.envelope import Envelope
from tests.integration.desk_scene import take_over
from tests.integration.worker_harness import Harness, MakeHarness
from tests.waiting import eventually
from worker.conversation.context import TurnContext
from worker.conversation.effects import Effect
from worker.journal.tool_calls import journaled
from worker.models.calls import current_call
from worker.pipeline.turn import LATE_SECONDS

TOGETHER = {"burst_messages_max": 10, "burst_seconds_max": 30.0}
CARD = "4111 1111 1111 1111"


class Pause:
    """Think until told to go on, the first time."""

    def __init__(self, seconds_max: float = 10) -> None:
        self.thinking, self.go_on = asyncio.Event(), asyncio.Event()
        self._seconds_max = seconds_max

    async def think(self, text: str) -> str:
        self.thinking.set()
        async with asyncio.timeout(self._seconds_max):
            await self.go_on.wait()
        return f"you said: {text}"


async def talk_over(harness: Harness, pause: Pause, *texts: str, **how: Any) -> list[str]:
    """Let messages come while the drain of conversation c is thinking, and the drain end."""
    draining = asyncio.create_task(harness.drain("c"))
    await pause.thinking.wait()
    came = [await harness.accept("c", text, **how) for text in texts]
    pause.go_on.set()
    await draining
    return came


async def turns(harness: Harness) -> list[dict[str, Any]]:
    return await harness.query("SELECT * FROM turn ORDER BY number")


async def test_messages_that_wait_together_are_answered_by_one_reply_that_names_them_all(worker: MakeHarness) -> None:
    harness = await worker(**TOGETHER)
    sent = [await harness.accept("c", text) for text in ("Hi", "I need another seat", "at a window")]

    await harness.drain("c")

    (reply,) = await harness.replies()
    assert (reply["in_reply_to"], reply["sequence"]) == (sent, 1)
    assert reply["text"] == "you said: Hi\n\nI need another seat\n\nat a window"
    assert [turn["message_ids"] for turn in await turns(harness)] == [sent]
    assert {row["state"] for row in await harness.query("SELECT state FROM inbox")} == {"answered"}
    assert await harness.waiting("c") == 0
    redis, keys = harness.service.servers.redis, mailbox_keys(harness.key("c"), harness.settings.partitions)
    assert not await redis.exists(keys.attempts)


async def test_a_turn_answers_no_more_messages_than_its_limit(worker: MakeHarness) -> None:
    harness = await worker(burst_messages_max=3)
    sent = [await harness.accept("c", str(number)) for number in range(7)]

    await harness.drain("c")

    assert [reply["in_reply_to"] for reply in await harness.replies()] == [sent[:3], sent[3:6], sent[6:]]


async def test_a_message_that_came_too_long_after_the_first_has_a_turn_of_its_own(worker: MakeHarness) -> None:
    harness = await worker(burst_messages_max=10, burst_seconds_max=60)
    sent = [await harness.accept("c", text) for text in ("one", "two", "three")]
    await harness.query("UPDATE inbox SET accepted_at = accepted_at - interval '90 s' WHERE position = 1 RETURNING 1")
    await harness.query("UPDATE inbox SET accepted_at = accepted_at - interval '50 s' WHERE position = 2 RETURNING 1")

    await harness.drain("c")

    assert [reply["in_reply_to"] for reply in await harness.replies()] == [sent[:2], sent[2:]]


@pytest.mark.parametrize("other", [{"channel": "sms"}, {"sender": "bo@example.com"}])
async def test_what_comes_from_elsewhere_is_answered_by_itself_and_in_its_place(
    worker: MakeHarness, other: dict[str, Any]
) -> None:
    harness = await worker(**TOGETHER)
    first = await harness.accept("c", "one")
    second = await harness.accept("c", "two", **other)
    third = await harness.accept("c", "three")

    await harness.drain("c")

    assert [turn["message_ids"] for turn in await turns(harness)] == [[first], [second], [third]]


async def test_a_message_that_comes_while_the_turn_is_thinking_is_answered_with_those_before_it(
    worker: MakeHarness,
) -> None:
    pause = Pause()
    harness = await worker(pause.think, **TOGETHER)
    first = await harness.accept("c", "To Rome")

    (second,) = await talk_over(harness, pause, "no, to Paris")

    (reply,) = await harness.replies()
    assert reply["text"] == "you said: To Rome\n\nno, to Paris"
    assert reply["in_reply_to"] == [first, second]
    assert harness.model.asked == ["To Rome", "To Rome\n\nno, to Paris"]
    (turn,) = await turns(harness)
    assert [(call["superseded"], call["replayed"]) for call in turn["model_calls"]] == [(True, False), (False, False)]
    said = await harness.query("SELECT item FROM session_item WHERE item ->> 'role' = 'user'")
    assert [row["item"]["content"] for row in said] == ["To Rome\n\nno, to Paris"]
    assert await harness.waiting("c") == 0


async def test_what_operators_are_to_hear_of_an_overtaken_turn_is_told_with_the_reply(worker: MakeHarness) -> None:
    pause = Pause()

    async def think(text: str) -> str:
        note = current_call.get()
        if note is not None and "\n" not in text:
            note.caller.events.append(("model.degraded", {"model": "any"}))
        return await pause.think(text)

    harness = await worker(think, **TOGETHER)
    await harness.accept("c", "one")

    await talk_over(harness, pause, "two")

    assert [event["name"] for event in await harness.events()] == ["model.degraded"]
    assert len(await harness.replies()) == 1


@pytest.mark.parametrize(("messages_max", "expected"), [(2, [2, 2, 1]), (10, [3, 2])])
async def test_a_turn_is_overtaken_at_most_twice_and_never_over_the_limit_of_its_burst(
    worker: MakeHarness, messages_max: int, expected: list[int]
) -> None:
    harness: Harness

    async def think(text: str) -> str:
        if len(harness.model.asked) < 5:
            await harness.accept("c", f"and {len(harness.model.asked)}")
        return f"you said: {text}"

    harness = await worker(think, burst_messages_max=messages_max)
    await harness.accept("c", "one")

    await harness.drain("c")

    assert harness.model.asked[:2] == ["one", "one\n\nand 1"]
    assert [len(turn["message_ids"]) for turn in await turns(harness)] == expected
    assert [reply["sequence"] for reply in await harness.replies()] == list(range(1, len(expected) + 1))


async def test_whoever_has_waited_long_for_a_turn_does_not_wait_for_it_to_start_over(worker: MakeHarness) -> None:
    pause = Pause()
    harness = await worker(pause.think, **TOGETHER)
    first, second = await harness.accept("c", "one"), await harness.accept("c", "two")
    await harness.query(
        "UPDATE inbox SET accepted_at = accepted_at - make_interval(secs => %s) RETURNING 1", LATE_SECONDS
    )

    (third,) = await talk_over(harness, pause, "three")

    assert [turn["message_ids"] for turn in await turns(harness)] == [[first, second], [third]]
    assert harness.model.asked == ["one\n\ntwo", "three"]


async def test_what_comes_from_elsewhere_meanwhile_costs_no_model_call(worker: MakeHarness) -> None:
    pause = Pause()
    harness = await worker(pause.think, **TOGETHER)
    first = await harness.accept("c", "one")

    (second,) = await talk_over(harness, pause, "two", channel="sms")

    assert [turn["message_ids"] for turn in await turns(harness)] == [[first], [second]]
    assert harness.model.asked == ["one", "two"]


class Desk:
    """Hold a model that books what it is asked for by a tool, and the airline that takes effects."""

    def __init__(self) -> None:
        self.pause = Pause()
        self.applied: list[str] = []

        @function_tool
        async def book(context: ToolContext[TurnContext]) -> str:
            """Book it."""
            context.context.effects.append(Effect("book", {"for": context.context.text}, "a seat"))
            return "booked"

        self.tool: FunctionTool = journaled(book)
        self._asked = 0

    async def think(self, text: str) -> Any:
        self._asked += 1
        if self._asked in {1, 3}:
            return [function_call("book", {}, call_id=f"c{self._asked}")]
        return f"Done! {await self.pause.think(text)}"

    async def apply(self, _tenant: str, effect: Effect, _transaction: Any) -> int:
        self.applied.append(effect.parameters["for"])
        return 1


async def test_what_an_overtaken_turn_had_prepared_is_not_done(worker: MakeHarness) -> None:
    desk = Desk()
    harness = await worker(desk.think, tools=[desk.tool], backend=desk, **TOGETHER)
    await harness.accept("c", "yes please")

    await talk_over(harness, desk.pause, "with a bag")

    assert desk.applied == ["yes please\n\nwith a bag"]
    assert len(await harness.replies()) == 1


async def test_a_channel_is_answered_when_it_has_been_quiet(worker: MakeHarness) -> None:
    harness = await worker(**TOGETHER, burst_quiet_seconds={"chat": 0.5})
    first = await harness.accept("c", "Hi")
    draining = asyncio.create_task(harness.drain("c"))

    async def is_drained() -> bool:
        return bool(harness.service.heartbeat.tasks())

    await eventually(is_drained)
    second = await harness.accept("c", "one more thing")
    await draining

    assert [turn["message_ids"] for turn in await turns(harness)] == [[first, second]]
    assert harness.model.asked == ["Hi\n\none more thing"]
    waits = await harness.query(
        "SELECT extract(epoch FROM finished_at - accepted_at) AS s FROM inbox ORDER BY position"
    )
    assert float(waits[1]["s"]) >= 0.5


async def test_who_never_stops_writing_is_answered_when_the_burst_has_lasted(worker: MakeHarness) -> None:
    harness = await worker(burst_messages_max=100, burst_seconds_max=0.6, burst_quiet_seconds={"chat": 0.6})
    await harness.accept("c", "0")
    draining = asyncio.create_task(harness.drain("c"))

    for number in range(1, 100):
        await harness.accept("c", str(number))
        if await harness.replies():
            break
        await asyncio.sleep(0.05)
    await draining

    first, *_ = await harness.replies()
    assert 2 <= len(first["in_reply_to"]) < 50


async def test_a_message_that_always_fails_takes_nobody_along(worker: MakeHarness) -> None:
    async def think(text: str) -> str:
        if "poison" in text:
            raise ValueError("a bug")
        return f"you said: {text}"

    harness = await worker(think, **TOGETHER, backoff_seconds=0.001, attempts_max=4)
    good, poison, later = [await harness.accept("c", text) for text in ("good", "poison", "later")]

    async def is_done() -> bool:
        await harness.drain("c")
        return not await harness.waiting("c")

    await eventually(is_done)

    outcomes = {tuple(turn["message_ids"]): turn["outcome"] for turn in await turns(harness)}
    assert outcomes == {(good,): "answered", (poison,): "dead", (later,): "answered"}
    assert [reply["in_reply_to"] for reply in await harness.replies()] == [[good], [poison], [later]]


async def test_a_worker_that_died_after_answering_a_burst_is_not_repeated(worker: MakeHarness) -> None:
    harness = await worker(**TOGETHER)
    for text in ("one", "two", "three"):
        await harness.accept("c", text)
    await harness.answer_and_die("c")

    await harness.drain("c")

    assert (len(await harness.replies()), len(harness.model.asked)) == (1, 1)
    assert await harness.waiting("c") == 0


async def test_a_message_that_reaches_its_mailbox_after_its_answer_is_not_answered_again(worker: MakeHarness) -> None:
    harness = await worker(**TOGETHER)
    await harness.accept("c", "one")
    late = await harness.accept("c", "two", enqueue=False)
    (row,) = await harness.query("SELECT position, payload FROM inbox WHERE message_id = %s", late)
    await harness.drain("c")

    await harness.mailbox.append(harness.key("c"), [Envelope(message_id=late, **row)])
    await harness.drain("c")

    assert len(await turns(harness)) == 1
    assert await harness.waiting("c") == 0


async def test_of_two_workers_that_hold_one_burst_one_commits(worker: MakeHarness) -> None:
    pause = Pause()
    frozen = await worker(pause.think, **TOGETHER, lease_seconds=0.05, renew_seconds=0.02)
    other = await worker(**TOGETHER, lease_seconds=0.05, renew_seconds=0.02)
    sent = [await frozen.accept("c", text) for text in ("one", "two")]
    under_way = asyncio.create_task(frozen.drain("c"))
    await pause.thinking.wait()

    async def answered_by_the_other() -> bool:
        await other.drain("c")
        return len(await other.replies()) == 1

    await eventually(answered_by_the_other)
    pause.go_on.set()
    await under_way

    assert [turn["message_ids"] for turn in await turns(other)] == [sent]
    assert len(await other.replies()) == 1


async def test_a_human_gets_every_message_by_itself(worker: MakeHarness) -> None:
    harness = await worker(**TOGETHER)
    sent = [await harness.accept("c", text) for text in ("one", "two")]
    await take_over(harness)

    await harness.drain("c")

    assert [(turn["message_ids"], turn["outcome"]) for turn in await turns(harness)] == [
        ([sent[0]], "forwarded"),
        ([sent[1]], "forwarded"),
    ]
    assert await harness.replies() == []


async def test_every_message_of_a_burst_is_masked(worker: MakeHarness) -> None:
    async def ask(_text: str) -> str:
        return "What would you like to pay for?"

    harness = await worker(ask, **TOGETHER)
    await harness.accept("c", "I want to pay")
    await harness.accept("c", f"my card is {CARD}")

    await harness.drain("c")

    assert harness.model.asked == ["I want to pay\n\nmy card is [CARD_NUMBER]"]
    (row,) = await harness.query("SELECT context FROM conversation")
    assert (row["context"]["pii_detected"], row["context"]["turn_count"]) == (["CARD_NUMBER"], 1)
