"""Kill a worker at every step of a turn: another one ends the turn, and nothing is asked, done or said twice."""

from __future__ import annotations

import io
import json
import signal
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from ops.lab.llm_sim.record import Record
from ops.lab.llm_sim.server import Simulator, serving
from runtime.failpoints import TURN_POINTS
from schema.keys import mailbox_keys
from tests.integration.airline_worker import add_airline_with_articles, make_airline_worker
from tests.integration.nursery import Nursery, nursery
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from runtime.sealing import Sealer
    from schema.settings import Settings
    from tests.integration.worker_harness import Harness

SEAT_WISH = "Ada Okafor, DEMO42. Please move me to {kind} seat"
QUESTION = "How many bags can I bring on my flight?"


@dataclass
class Scene:
    """Hold a worker that survives, the workers that die, and the log of what the provider was asked."""

    survivor: Harness
    dying: Nursery
    log: io.StringIO

    def asked(self, after: int = 0) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()[after:]]

    async def say(self, conversation: str, text: str) -> str:
        """Bring a message to its answer without any harm."""
        message_id = await self.survivor.accept(conversation, text)
        await self.answer(conversation)
        return message_id

    async def answer(self, conversation: str) -> None:
        async def is_answered() -> bool:
            await self.survivor.drain(conversation)
            return not await self.survivor.waiting(conversation)

        await eventually(is_answered)

    async def say_and_die(self, conversation: str, text: str, failpoint: str) -> None:
        """Bring a message to its answer over a worker's death, and look whether anything was done twice."""
        before = len(self.asked())
        message_id = await self.survivor.accept(conversation, text)
        key = self.survivor.key(conversation)

        ended = await self.dying.drain(key, failpoint)
        assert (failpoint, ended) == (failpoint, -signal.SIGKILL), self.dying.told
        journal = await self.survivor.query("SELECT response FROM journal WHERE message_id = %s", message_id)
        journaled = {json.loads(row["response"])["response_id"].removeprefix("resp_") for row in journal}
        tools = await self.survivor.query("SELECT call_id FROM tool_journal WHERE message_id = %s", message_id)
        died_after = len(self.asked())
        # Nobody renews the dead worker's lease; this is what waiting for its end comes to.
        await self.survivor.service.servers.redis.delete(mailbox_keys(key, self.survivor.settings.partitions).lease)
        await self.answer(conversation)

        first = {line["input_hash"] for line in self.asked(before)[: died_after - before]}
        again = Counter(line["input_hash"] for line in self.asked(died_after))
        committed = failpoint.startswith(("commit.done", "publish"))
        assert (failpoint, journaled & again.keys()) == (failpoint, set()), "a journaled call was made again"
        assert (failpoint, len(first & again.keys()) <= 2) == (failpoint, True), "more than was under way"
        assert (failpoint, max(again.values(), default=0) <= 1) == (failpoint, True)
        assert (failpoint, bool(again) and committed) == (failpoint, False)
        turns = await self.survivor.query("SELECT * FROM turn WHERE message_ids = ARRAY[%s]", message_id)
        assert (failpoint, [turn["outcome"] for turn in turns]) == (failpoint, ["answered"])
        outcomes = {call["call_id"]: call["outcome"] for call in turns[0]["tool_calls"]}
        assert (failpoint, {outcomes[row["call_id"]] for row in tools} - {"replayed"}) == (failpoint, set())
        replies = [reply for reply in await self.survivor.replies() if message_id in reply["in_reply_to"]]
        assert (failpoint, len(replies)) == (failpoint, 1)
        left = await self.survivor.query("SELECT FROM journal UNION ALL SELECT FROM tool_journal")
        assert (failpoint, left) == (failpoint, [])


@pytest.fixture(scope="module")
async def scene(settings: Settings, sealer: Sealer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    log = io.StringIO()
    folder: Path = tmp_path_factory.mktemp("crashes")
    async with serving(Simulator(record=Record(log))) as url:
        changed = {"model": "openai:sim", "openai_api_key": SecretStr("any"), "openai_base_url": url}
        asking = settings.model_copy(update=changed)
        survivor = await make_airline_worker(asking, sealer, add_airline_with_articles(settings))
        async with nursery(asking, folder / "nursery.log") as dying:
            yield Scene(survivor, dying, log)
        await survivor.close()


def points_of(turn: dict[str, Any]) -> list[str]:
    """Name every point of a turn, by the model and tool calls of one like it that nobody disturbed."""
    times = {"model": len(turn["model_calls"]), "tool": len(turn["tool_calls"])}
    return [
        f"{point}@{number}"
        for point in TURN_POINTS
        for number in range(1, times.get(point.split(".", maxsplit=1)[0], 1) + 1)
    ]


async def last_turn(scene: Scene, message_id: str) -> dict[str, Any]:
    turns = await scene.survivor.query("SELECT * FROM turn WHERE message_ids = ARRAY[%s]", message_id)
    return turns[0]


async def test_a_worker_killed_at_any_step_of_a_seat_change_changes_the_seat_once(scene: Scene) -> None:
    async def prepare(number: int) -> str:
        conversation = f"seat-{number}"
        await scene.say(conversation, SEAT_WISH.format(kind="a window" if number % 2 else "an aisle"))
        return conversation

    async def version() -> int:
        found = await scene.survivor.query("SELECT version FROM reservation WHERE confirmation_number = 'DEMO42'")
        return int(found[0]["version"])

    undisturbed = await last_turn(scene, await scene.say(await prepare(0), "yes please"))
    points = points_of(undisturbed)
    assert len(points) >= 12

    async def die_at(number: int, failpoint: str) -> None:
        conversation, before = await prepare(number), await version()
        await scene.say_and_die(conversation, "yes please", failpoint)
        assert (failpoint, await version()) == (failpoint, before + 1)
        replies = [reply for reply in await scene.survivor.replies() if reply["conversation"] == conversation]
        assert [reply["sequence"] for reply in replies] == [1, 2]
        assert replies[-1]["text"].startswith("Done"), replies[-1]["text"]

    for number, failpoint in enumerate(points, 1):
        await die_at(number, failpoint)


async def test_a_worker_killed_at_any_call_of_a_turn_with_a_handoff_answers_once(scene: Scene) -> None:
    undisturbed = await last_turn(scene, await scene.say("faq-0", QUESTION))

    for failpoint in points_of(undisturbed):
        if failpoint.startswith(("model", "tool")):
            await scene.say_and_die(f"faq-{failpoint}", QUESTION, failpoint)
