"""Simulate what a load test has measured, to see how far the simulation is off."""

from __future__ import annotations

from pydantic import BaseModel, Field

from ops.lab.llm_sim.latency import read_latency
from ops.lab.load.baseline import BaselinePercentiles, read_report
from ops.lab.load.profile import Profile
from ops.lab.simulate.system import SimulatedSystem

_QUIET = 1.2
"""Slowdown up to which it is our own processes that were in each other's way, which is simulated anyway."""

WORKER = "worker"
"""The kind of process, in a report's CPU times, that a turn runs in; the others are servers, and what sends."""


class MeasuredSetup(BaseModel):
    """What was run, and on what."""

    profile: Profile
    cores: int
    workers: int
    concurrency: int
    cpu_ms_per_message: dict[str, float]
    calls_of_turns: dict[int, float]
    loop_ms_per_message: float | None = None
    """CPU of the workers' event loops: what a worker does one at a time."""
    loop_slowdown: float = 1.0
    """How many times longer that took than it would have on processors of its own."""


class MeasuredPhase(BaseModel):
    """How long messages of one phase waited."""

    latency_ms: BaselinePercentiles
    overhead_ms: BaselinePercentiles


class MeasuredRun(BaseModel):
    """What `fte load --json` wrote, as far as a simulation needs it and is compared with it."""

    messages: int
    replies: int
    is_valid: bool
    phases: list[MeasuredPhase] = Field(min_length=1)
    setup: MeasuredSetup

    @property
    def last_phase(self) -> MeasuredPhase:
        """Return what is compared: phases before it warm up."""
        return self.phases[-1]

    @property
    def warm_up_seconds(self) -> float:
        """Return when the last phase begins."""
        return sum(phase.seconds for phase in self.setup.profile.phases[:-1])

    @property
    def others_runnable(self) -> float:
        """Return how many tasks of others would make our work take as long as it did.

        Where tasks share processors evenly, work takes as many times longer as there are runnable tasks for each of
        them. One is the work itself; our others are as many as the processors we use, as many times longer.
        """
        setup, slowdown = self.setup, self.setup.loop_slowdown
        if slowdown < _QUIET:
            return 0.0
        used = sum(setup.cpu_ms_per_message.values()) / 1_000 * self.messages / setup.profile.seconds
        return max(0.0, slowdown * (setup.cores - used) - 1)

    def system(self) -> SimulatedSystem:
        """Return the system that was measured; a turn's CPU is what a reply took."""
        turns = self.messages / max(1, self.replies)
        worker_ms = self.setup.loop_ms_per_message or self.setup.cpu_ms_per_message.get(WORKER, 0.0)
        others_ms = sum(self.setup.cpu_ms_per_message.values()) - worker_ms
        return SimulatedSystem(
            model=read_latency(self.setup.profile.model_latency_ms or "0"),
            calls=self.setup.calls_of_turns,
            worker_cpu_ms=worker_ms * turns,
            shared_cpu_ms=others_ms * turns,
            workers=self.setup.workers,
            concurrency=self.setup.concurrency,
            cores=self.setup.cores,
            others_runnable=self.others_runnable,
        )


def read_measured_run(file: str) -> MeasuredRun:
    """Read what `fte load --json FILE` wrote of a run on a stack of its own; raises InvalidReport."""
    return read_report(file, MeasuredRun, "fte load on a stack that it started itself")
