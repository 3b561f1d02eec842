from __future__ import annotations

import heapq
import json
import math
import random
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.lab.llm_sim.latency import Uniform
from ops.lab.load.baseline import InvalidReport
from ops.lab.load.profile import Phase, Profile
from ops.lab.load.schedule import DueMessage, make_schedule
from ops.lab.simulate.cores import SimulatedClock, SimulatedCores
from ops.lab.simulate.engine import SimulatedRun, simulate
from ops.lab.simulate.figures import sum_up
from ops.lab.simulate.measured_run import read_measured_run
from ops.lab.simulate.system import Exponential, SimulatedSystem, read_calls
from schema.settings.process import DrainSettings
from schema.settings.turns import BurstSettings
from tests.unit.cli_harness import run_fte
from worker.pipeline.turn import LATE_SECONDS, OVERTAKEN_MAX


def profile_of(rate: float, seconds: float, *, conversations: int = 1_000_000, hot_share: float = 0.0) -> Profile:
    """Return random arrivals at one rate; with that many customers each writes once."""
    phase = Phase(name="p", seconds=seconds, rate=rate, hot_share=hot_share)
    return Profile(name="p", phases=(phase,), conversations=conversations, turns=1_000, arrivals="random")


def queue_of(servers: int, *, service_ms: float = 1_000, calls: int = 1) -> SimulatedSystem:
    """Return a system in which nothing takes time but the model calls, in so many slots."""
    return SimulatedSystem(
        model=Exponential(service_ms), calls={calls: 1}, worker_cpu_ms=0, shared_cpu_ms=0, workers=1,
        concurrency=servers,
    )  # fmt: skip


def mean_wait(run: SimulatedRun, warm_up_seconds: float) -> float:
    waits = [one.begun_seconds - one.due_seconds for one in run.messages if one.due_seconds >= warm_up_seconds]
    return sum(waits) / len(waits)


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that a customer of an M/M/c queue waits; `load` in servers (arrivals times service)."""
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)  # Erlang B, by its recursion
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.5), (2, 1.0), (4, 2.0)])
def test_waiting_agrees_with_the_formula_of_a_queue_with_so_many_servers(servers: int, load: float) -> None:
    seconds = 60_000 / load
    run = simulate(queue_of(servers), make_schedule(profile_of(load, seconds)))

    expected = erlang_c(servers, load) / (servers - load)  # seconds, for a service of one second
    waiting = sum(one.begun_seconds > one.due_seconds for one in run.messages) / len(run.messages)

    assert mean_wait(run, seconds / 20) == pytest.approx(expected, rel=0.05)
    assert waiting == pytest.approx(erlang_c(servers, load), rel=0.05)


def test_the_tail_of_waiting_agrees_with_the_formula() -> None:
    servers, load = 1, 0.7
    run = simulate(queue_of(servers), make_schedule(profile_of(load, 80_000)))

    figures = sum_up(queue_of(servers), run, warm_up_seconds=1_000)

    for percent, name in ((95, "p95"), (99, "p99")):
        expected = math.log(erlang_c(servers, load) / (1 - percent / 100)) / (servers - load) * 1_000
        assert dict(figures["wait_ms"])[name] == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("servers", [1, 3, 8])
def test_every_message_begins_when_the_first_of_so_many_servers_is_free(servers: int) -> None:
    """By the recursion of Kiefer and Wolfowitz, which is exact for whatever times were drawn."""
    run = simulate(queue_of(servers), make_schedule(profile_of(servers * 0.9, 3_000)))

    free = [0.0] * servers
    for message in run.messages:
        begins = max(message.due_seconds, heapq.heappop(free))
        assert message.begun_seconds == pytest.approx(begins)
        heapq.heappush(free, message.answered_seconds)


def test_a_processor_alone_agrees_with_the_formula_for_any_service_time() -> None:
    """Pollaczek and Khinchine: the mean wait of M/G/1, here for the processor's time of a turn, even in 0.5 to 1.5."""
    system = SimulatedSystem(calls={0: 1}, worker_cpu_ms=100, shared_cpu_ms=0, workers=1, cores=1)
    rate, service, square = 7.0, 0.1, 0.1**2 * (1 + 1 / 12)

    run = simulate(system, make_schedule(profile_of(rate, 6_000)))

    latencies = [one.answered_seconds - one.due_seconds for one in run.messages]
    expected = rate * square / (2 * (1 - rate * service)) + service
    assert sum(latencies) / len(latencies) == pytest.approx(expected, rel=0.05)


def test_two_workers_use_two_processors_and_one_worker_uses_one() -> None:
    busy = {}
    for workers in (1, 2):
        system = SimulatedSystem(calls={0: 1}, worker_cpu_ms=100, shared_cpu_ms=0, workers=workers, cores=2)
        busy[workers] = sum_up(system, simulate(system, make_schedule(profile_of(15, 60))))

    assert busy[1]["is_saturated"]
    assert busy[1]["worker_busy"] == pytest.approx(1.5, rel=0.1), "it would need a processor and a half"
    assert busy[1]["cores_busy"] == pytest.approx(0.75, rel=0.1)
    assert busy[2]["worker_busy"] == pytest.approx(0.75, rel=0.15)
    assert not busy[2]["is_saturated"]
    assert busy[2]["latency_ms"]["p99"] < busy[1]["latency_ms"]["p50"]


def test_running_tasks_share_processors_evenly_with_those_of_others() -> None:
    def run_with(others: int) -> list[tuple[str, float]]:
        clock = SimulatedClock()
        found: list[tuple[str, float]] = []
        cores = SimulatedCores(clock, cores=2, workers=2, others=others)

        def note(name: str) -> None:
            found.append((name, clock.now))

        cores.spend(0, 1.0, partial(note, "worker 1"))
        cores.spend(0, 1.0, partial(note, "worker 1 again"))
        cores.spend(1, 2.0, partial(note, "worker 2"))
        clock.run()
        return found

    ends = {others: run_with(others) for others in (0, 1, 5)}

    assert ends[0] == [("worker 1", 1), ("worker 2", 2), ("worker 1 again", 2)]
    assert ends[1] == [("worker 1", 1.5), ("worker 2", 3), ("worker 1 again", 3)], "three tasks on two processors"
    assert ends[5] == [("worker 1", 3.5), ("worker 2", 7), ("worker 1 again", 7)]


def test_one_processor_that_many_share_agrees_with_the_formula_for_any_service_time() -> None:
    """M/G/1 with processor sharing: the mean time is service / (1 - load), whatever the service's distribution."""
    system = SimulatedSystem(calls={0: 1}, worker_cpu_ms=0, shared_cpu_ms=100, cores=1)

    run = simulate(system, make_schedule(profile_of(6, 6_000)))

    latencies = [one.answered_seconds - one.due_seconds for one in run.messages]
    assert sum(latencies) / len(latencies) == pytest.approx(0.1 / (1 - 0.6), rel=0.05)


SYSTEMS = st.builds(
    SimulatedSystem,
    model=st.sampled_from([Uniform(0, 0), Uniform(10, 300), Exponential(200)]),
    calls=st.sampled_from([read_calls(text) for text in ("0", "0.5", "1", "0:1,2:3,4:1")]),
    worker_cpu_ms=st.sampled_from([0.0, 5.0, 40.0]),
    shared_cpu_ms=st.sampled_from([0.0, 10.0]),
    io_ms=st.sampled_from([0.0, 4.0]),
    workers=st.integers(1, 3),
    concurrency=st.integers(1, 8),
    cores=st.integers(1, 3),
    tenants=st.integers(1, 3),
)


@settings(max_examples=60, deadline=None)
@given(SYSTEMS, st.integers(1, 20), st.sampled_from([0.0, 0.4]))
def test_every_message_is_answered_after_it_came_and_a_conversations_in_order(
    system: SimulatedSystem, conversations: int, hot_share: float
) -> None:
    schedule = list(make_schedule(profile_of(20, 10, conversations=conversations, hot_share=hot_share)))

    run = simulate(system, schedule)

    assert len(run.messages) == len(schedule)
    answered: dict[str, list[float]] = {}
    for due, message in zip(schedule, run.messages, strict=True):
        assert due.due_seconds <= message.begun_seconds <= message.answered_seconds
        assert 0 <= message.model_seconds <= message.answered_seconds - message.due_seconds + 1e-9
        answered.setdefault(due.name, []).append(message.answered_seconds)
    assert all(one <= two for times in answered.values() for one, two in pairwise(times))
    assert run.slots_most <= system.slots
    assert run.core_seconds <= system.cores * run.end_seconds + 1e-6
    assert max(run.worker_seconds) <= run.end_seconds + 1e-6


@pytest.mark.parametrize(
    ("text", "mean"), [("2", 2.0), ("0", 0.0), ("1.25", 1.25), ("1:15,2:80,3:5", 1.9), ("4:2", 4.0)]
)
def test_calls_a_turn_are_drawn_by_their_weights(text: str, mean: float) -> None:
    system, chance = SimulatedSystem(calls=read_calls(text)), random.Random(1)  # noqa: S311 - no secret

    drawn = [system.draw_calls(chance) for _ in range(20_000)]

    assert sum(drawn) / len(drawn) == pytest.approx(mean, abs=0.02)


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    system = SimulatedSystem(model=Uniform(100, 900))
    schedule = list(make_schedule(profile_of(10, 30)))

    first, again, other = (simulate(system, schedule, seed=seed).messages for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_messages_that_come_during_a_turn_are_answered_with_it_or_after_it_as_the_product_does() -> None:
    system = SimulatedSystem(model=Uniform(1_000, 1_000), calls={1: 1}, worker_cpu_ms=0, shared_cpu_ms=0)
    schedule = [DueMessage(0, place, due, 0) for place, due in enumerate((0.0, 0.5, 1.5, 2.5, 2.6))]

    run = simulate(system, schedule)

    # It starts over at 1 s and at 2 s, and then no more: what came at 2.5 s and later has a turn of its own.
    assert (run.turns, run.overtaken) == (2, 2)
    assert [message.answered_seconds for message in run.messages] == pytest.approx([3, 3, 3, 4, 4])
    assert [message.model_seconds for message in run.messages] == pytest.approx([3, 2.5, 1.5, 1.5, 1.4])


def test_a_hot_conversation_makes_itself_wait_and_not_the_others() -> None:
    system = SimulatedSystem(model=Uniform(1_000, 1_000), calls={1: 1})
    schedule = make_schedule(profile_of(10, 120, conversations=1_000, hot_share=0.5))

    groups = {group["group"]: group for group in sum_up(system, simulate(system, schedule))["groups"]}

    assert groups["other conversations"]["wait_ms"]["p99"] == 0
    assert groups["hot conversations"]["wait_ms"]["p99"] > 500


def test_a_tenant_that_takes_its_share_leaves_the_others_theirs() -> None:
    """The first tenant has hot conversations that alone would fill every slot."""
    phase = Phase(name="p", seconds=60, rate=40, hot_share=0.9)
    profile = Profile(name="p", phases=(phase,), conversations=500, turns=10, hot_conversations=400, arrivals="random")
    waits = {}
    for share in (0.5, 1.0):
        system = SimulatedSystem(
            model=Uniform(2_000, 2_000), calls={1: 1}, worker_cpu_ms=0, shared_cpu_ms=0, workers=2,
            concurrency=20, tenants=4, tenant_share_max=share,
        )  # fmt: skip
        figures = sum_up(system, simulate(system, make_schedule(profile)))
        waits[share] = {group["group"]: group["wait_ms"]["p95"] for group in figures["groups"]}

    assert waits[0.5]["tenant 2"] == 0 < waits[1.0]["tenant 2"]
    assert waits[0.5]["tenant 1"] > 5_000


def test_the_simulated_system_is_set_as_the_product_is_when_nothing_is_said() -> None:
    system, bursts, process = SimulatedSystem(), BurstSettings(), DrainSettings()

    assert (system.overtaken_max, system.late_seconds) == (OVERTAKEN_MAX, LATE_SECONDS)
    assert system.burst_messages_max == bursts.burst_messages_max
    assert (system.concurrency, system.tenant_share_max) == (process.concurrency, process.tenant_share_max)


def measured_file(tmp_path: Path, **changes: object) -> str:
    """Write a report as `fte load --json` does on a stack of its own."""
    profile = Profile(name="p", phases=(Phase(name="p", seconds=60, rate=10),), model_latency_ms="300..300")
    setup = {
        "profile": profile.model_dump(mode="json", exclude_none=True),
        "cores": 2,
        "workers": 2,
        "concurrency": 256,
        "loop_ms_per_message": 15.0,
        "loop_slowdown": 2.0,
        "calls_of_turns": {"1": 3, "2": 7},
        "cpu_ms_per_message": {"this process": 3.0, "PostgreSQL": 9.0, "Redis": 1.0, "worker": 20.0},
    }
    times = {"p50": 640.0, "p95": 660.0, "p99": 700.0, "max": 720.0}
    report = {"messages": 600, "replies": 300, "phases": [{"latency_ms": times, "overhead_ms": times}]}
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report | {"is_valid": True, "setup": setup} | changes), encoding="utf-8")
    return str(file)


def test_a_measured_run_is_simulated_with_what_it_took_and_compared(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = measured_file(tmp_path)

    system = read_measured_run(file).system()
    code, (facts,), _ = run_fte(capsys, "simulate", "--measured", file, "--json")

    assert (system.worker_cpu_ms, system.shared_cpu_ms) == (30, 36), "a turn answered two messages"
    assert system.calls == {1: 3, 2: 7}
    # Twice the time: four tasks on two processors. One is the work, 0.66 are our others (a third of a processor used).
    assert system.others_runnable == pytest.approx(4 - 1 - 0.66)
    assert code == 0
    real, simulated, off = facts["off"]["until the reply p50"]
    assert (real, simulated) == (640, facts["simulated"]["latency_ms"]["p50"])
    assert off == pytest.approx((simulated - 640) / 640, abs=0.001)


def test_a_report_of_a_stack_that_was_there_already_cannot_be_simulated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(InvalidReport, match="missing or wrong: setup"):
        read_measured_run(measured_file(tmp_path, setup={}))

    code, _, told = run_fte(capsys, "simulate", "--measured", str(tmp_path / "nowhere.json"))
    assert code == 2
    assert "nowhere.json" in "".join(told.split()).replace("│", "")


def test_ten_million_conversations_a_day_are_as_many_messages_a_second_as_they_make(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--conversations-a-day", "10000000", "--turns", "5", "--peak", "2", "--seconds", "5"]

    code, (figures,), _ = run_fte(capsys, "simulate", *options, "--workers", "100", "--cores", "60", "--json")

    assert code == 0
    assert figures["offered_per_s"] == pytest.approx(10_000_000 * 5 / 86_400 * 2, rel=0.05)
    assert not figures["is_saturated"]


def test_a_system_that_is_too_small_is_told_as_overloaded(capsys: pytest.CaptureFixture[str]) -> None:
    _, shown, _ = run_fte(capsys, "simulate", "--rate", "100", "--seconds", "20")

    assert "overloaded: waiting grows" in shown


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--model-ms", "soon"], "--model-ms"),
        (["--calls", "some"], "--calls"),
        (["--calls", "1:0"], "weights are above 0"),
        (["--profile", "nowhere.toml"], "profiles that come along"),
        (["--rate", "50000", "--seconds", "90000", "--pause", "1"], "2,000,000 are allowed"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    code, _, said = run_fte(capsys, "simulate", *arguments)

    assert code == 2
    assert told in " ".join(said.replace("│", " ").split())
