"""Kill workers, senders and consumers at each named point of their work: the crash points of the chaos tests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ops.lab.chaos.http_sender import SENDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.lab.chaos.process_slots import ProcessSlot
    from ops.lab.chaos.scene import Scene
    from runtime.failpoints import Point

SECONDS_PER_DEATH_MAX = 4.0

Mortal = Literal["workers", "sender", "consumer", "rescuer"]
"""Which processes die: two of the workers, a gateway's sender or consumer, or a worker that rescues another's reply."""

RESCUES_OFTEN = {"FTE_PUBLISH_SECONDS": "0.2"}
RESCUES_ALL_THE_TIME = {"FTE_PUBLISH_SECONDS": "0.05"}

HEARS_BELLS_ALONE = {"FTE_SWEEP_SECONDS": "3600"}
"""Conversations that a death leaves are taken up by workers that live: workers that die all the time would take them up
again and again, and how long that goes on says nothing about one death."""


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """One crash point: which processes die there, at which pass of it, and how long after it."""

    name: str
    point: Point
    title: str
    mortal: Mortal = "workers"
    place: int = 1
    after_seconds: float = 0.0
    changes_seats: bool = False
    """The point is reached by changes of bookings alone: every conversation has to make some."""
    breaks_calls_off: bool = False
    """Each death interrupts a call of the provider."""
    sends_by: str = "library"
    """How the sender sends: `ops.lab.chaos.http_sender.SENDER`."""
    moves_again_seconds_max: float = 10.0
    """Longer than for an occasional death: whoever rescues dies of it, until enough have."""

    @property
    def failpoint(self) -> str:
        """Return the failpoint in the environment's form."""
        return f"{self.point}@{self.place}" + (f"+{self.after_seconds:g}" if self.after_seconds else "")

    async def act(self, scene: Scene) -> None:
        """Kill processes at the point until enough have died; note it as undone when too few do."""
        await _let_die(scene, await self._doom(scene), self.point, scene.kills)

    async def _doom(self, scene: Scene) -> Sequence[ProcessSlot]:
        """Replace the processes that are to die by ones with the failpoint."""
        slots = {
            "workers": scene.workers[:2],
            "sender": [scene.crew.sender],
            "consumer": [scene.crew.consumer],
            "rescuer": scene.workers[1:],  # one of them leads, and rescues for all
        }[self.mortal]
        for slot in slots:
            slot.failpoint = self.failpoint
            slot.changes = HEARS_BELLS_ALONE if self.mortal == "workers" else {}
            if self.sends_by != "library":
                slot.changes = {SENDER: self.sends_by}
        if self.mortal == "rescuer":
            for slot in slots:
                slot.changes = RESCUES_OFTEN
            scene.workers[0].failpoint = "commit.done@2"
        for slot in scene.crew.slots:
            if slot.failpoint is not None:
                await scene.kill(slot)
        return slots


async def race_to_publish(scene: Scene) -> None:
    """Kill a worker repeatedly before it publishes its reply, so that all others rescue it at the same time."""
    mortal, *racers = scene.workers
    mortal.failpoint, mortal.changes = "commit.done", HEARS_BELLS_ALONE
    for slot in racers:
        slot.changes = RESCUES_ALL_THE_TIME
    for slot in scene.workers:
        await scene.kill(slot)
    await _let_die(scene, [mortal], "commit.done", scene.kills // 2)


async def _let_die(scene: Scene, slots: Sequence[ProcessSlot], point: Point, kills: int) -> None:
    before = _killed(slots)
    deadline = time.monotonic() + SECONDS_PER_DEATH_MAX * kills
    while (killed := _killed(slots) - before) < kills and time.monotonic() < deadline:
        if await scene.until_death(1.0):
            scene.note()
    if killed < kills:
        scene.undone.append(f"{killed} died at {point}, and {kills} were to")
    await scene.restore()


def _killed(slots: Sequence[ProcessSlot]) -> int:
    return sum(len(slot.killed) for slot in slots)


CRASH_POINTS: tuple[CrashPoint, ...] = (
    CrashPoint("P0", "send.accepted", "a sender dies: accepted, in no mailbox", "sender"),
    CrashPoint("P1", "send.appended", "a sender dies: in its mailbox, nobody rung for", "sender"),
    CrashPoint("P2", "drain.begun", "a worker dies: bell taken, nothing leased"),
    CrashPoint("P4", "hydrate.begun", "a worker dies: leased, nothing read"),
    CrashPoint("P4b", "hydrate.done", "a worker dies: read, nothing masked"),
    CrashPoint("P4c", "guard.done", "a worker dies: masked, nothing asked"),
    CrashPoint(
        "P5", "guard.done", "a worker dies: a model is answering", place=2, after_seconds=0.2, breaks_calls_off=True
    ),
    CrashPoint("P5b", "model.answered", "a worker dies: answered, not journaled"),
    CrashPoint("P5c", "model.journaled", "a worker dies: answer journaled"),
    CrashPoint("P5d", "tool.answered", "a worker dies: tool called, not journaled"),
    CrashPoint("P5e", "tool.journaled", "a worker dies: tool's answer journaled"),
    CrashPoint("P6", "commit.begun", "a worker dies: reply in hand, before BEGIN"),
    CrashPoint("P7", "commit.written", "a worker dies: written, before COMMIT", changes_seats=True),
    CrashPoint("P8", "commit.done", "a worker dies: committed, not published"),
    CrashPoint("P8b", "publish.done", "a worker dies: published, not acknowledged"),
    CrashPoint("P9", "acknowledge.done", "a worker dies: acknowledged, not released"),
    CrashPoint("P10", "leftovers.found", "a rescuer dies: reply found, not published", "rescuer"),
    CrashPoint("P11", "leftovers.published", "a rescuer dies: published, not noted", "rescuer"),
    CrashPoint("P12", "reply.handed_on", "a consumer dies: handed on, not acknowledged", "consumer", 2),
    CrashPoint("P13", "send.rung", "a sender dies: done, the receipt is lost", "sender"),
    CrashPoint("P14", "send.accepted", "an HTTP gateway dies: committed, not answered", "sender", sends_by="http"),
)
