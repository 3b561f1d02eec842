"""The faults of the chaos tests: what each breaks while a load runs, and what is promised meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from ops.lab.chaos import (
    approval_faults,
    channel_faults,
    clock_faults,
    disk_faults,
    failover_faults,
    gateway_faults,
    provider_faults,
    server_faults,
    webhook_faults,
    wire_faults,
    worker_faults,
)
from ops.lab.chaos.crash_points import CRASH_POINTS, CrashPoint, race_to_publish
from ops.lab.chaos.scene import Scene
from ops.lab.chaos.servers import ServerKind

Act = Callable[[Scene], Coroutine[Any, Any, None]]


def _is_shown(_scene: Scene) -> None:
    """Return None: any machine can show this fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the matrix."""

    name: str
    title: str
    act: Act
    moves_again_seconds_max: float | None
    """From each noted moment until every conversation that waited then has had a turn; None: no limit."""
    copies: int = 0
    """How often each message is sent again."""
    must_log: tuple[str, ...] = ()
    """Events that workers must log: without them the fault has not taken place."""
    asks_nothing_again: bool = False
    """No answer of the provider may have to be asked for again."""
    publishes_nothing_again: bool = False
    """No entry may be in a stream twice."""
    breaks_calls_off: bool = False
    """Each process killed must have had a call of the provider under way."""
    answers_within_seconds_max: float | None = None
    """From the acceptance of each message to its commit."""
    why_unshown: Callable[[Scene], str | None] = _is_shown
    """Returns what this machine lacks for the fault."""
    redis_forgets: bool = False
    """Redis loses what consumers have acknowledged, in a run in which consumers die as well."""
    is_burst: bool = False
    """`ChaosOptions.burst` customers write one message each, at once."""
    seconds: float = 0.0
    """How long customers go on writing at least."""
    keeps_sending: bool = False
    """The load goes on for as long as the fault does; the fault must then not wait for the load."""
    bookings: float = 1 / 3
    """The share of conversations that change seats."""
    crowd: float = 1.0
    """Number of conversations, as a multiple of the usual."""
    turns: int | None = None
    """How many messages each conversation has at least; None: as many as usual."""
    pace: float = 1.0
    """Speed of sending, as a multiple of the usual."""
    servers: ServerKind = "single"
    """The servers that it needs."""


async def no_fault(scene: Scene) -> None:
    """Break nothing, for comparison with the other rows."""
    scene.note()


def _fault_at(point: CrashPoint) -> Fault:
    return Fault(
        point.name,
        point.title,
        point.act,
        point.moves_again_seconds_max,
        keeps_sending=True,
        # Each death of a worker keeps some conversations waiting for as long as a lease lasts, so there must be many;
        crowd=1.5 if point.mortal == "workers" and not point.changes_seats else 1.0,
        turns=2,
        pace=1.0 if point.changes_seats else 0.6,  # and no more messages than one worker can do beside two that die.
        bookings=1.0 if point.changes_seats else 1 / 3,
        breaks_calls_off=point.breaks_calls_off,
        publishes_nothing_again=True,
    )


FAULTS: tuple[Fault, ...] = (
    Fault("F0", "nothing is broken", no_fault, None, asks_nothing_again=True, publishes_nothing_again=True),
    Fault("F1", "a worker is killed, now and then", worker_faults.kill_workers_apart, 8, keeps_sending=True),
    Fault("F1b", "workers are killed, again and again", worker_faults.kill_workers, 12, keeps_sending=True),
    Fault("F2", "all workers are killed at once", worker_faults.kill_all_workers, 12),
    Fault("F3", "a worker is frozen for three leases", worker_faults.freeze_a_worker, 8, must_log=("lease.lost",)),
    Fault(
        "F4",
        "workers are told to stop, in turn",
        worker_faults.stop_workers_in_turn,
        5,
        must_log=("worker.stopped",),
        asks_nothing_again=True,
    ),
    Fault("F5", "Redis is killed, back after 2 s", server_faults.restart_redis, 5),
    Fault("F5b", "Redis is killed, back after 10 s", server_faults.restart_redis_late, 5),
    Fault("F6", "Redis is frozen for 8 s", server_faults.freeze_redis, 8),
    Fault("F7", "Redis loses its last second", server_faults.forget_a_second, 8),
    Fault("F8", "Redis is emptied", server_faults.empty_redis, 10),
    Fault(
        "F8b",
        "Redis is emptied, and the consumer dies at moments around it",
        server_faults.empty_redis_beside_a_consumer,
        None,
        redis_forgets=True,
        keeps_sending=True,
    ),
    Fault("F9", "Redis has no memory left", server_faults.fill_redis, 8),
    Fault("F10", "PostgreSQL is killed, back after 2 s", server_faults.restart_postgres, 5),
    Fault("F11", "PostgreSQL is frozen for 10 s", server_faults.freeze_postgres, 10),
    Fault(
        "F12",
        "no room on the servers' disk, and for a worker's log",
        disk_faults.fill_the_disk,
        10,
        why_unshown=disk_faults.why_unshown,
    ),
    Fault("F13", "wires: 50 ms more, resets", wire_faults.slow_wires, 10),
    Fault("F14", "wires: half-open connections", wire_faults.half_open_wires, 15),
    Fault("F15", "wires: done, but the answer is lost", wire_faults.lose_answers, 10),
    Fault("F16", "a worker is parted from Redis", wire_faults.part_from_redis, 10),
    Fault("F16b", "a worker is parted from PostgreSQL", wire_faults.part_from_postgres, None),
    Fault(
        "F17",
        "a worker's clock jumps by an hour, and back by two",
        clock_faults.jump_a_worker,
        5,
        keeps_sending=True,
        asks_nothing_again=True,
        publishes_nothing_again=True,
        answers_within_seconds_max=5,
        why_unshown=clock_faults.why_unshown,
    ),
    Fault(
        "F17b",
        "Redis's clock jumps forth and back by an hour",
        clock_faults.jump_redis,
        10,
        keeps_sending=True,
        why_unshown=clock_faults.why_unshown,
    ),
    Fault("F18", "poison, and garbage in mailboxes", worker_faults.poison, None),
    Fault("F19", "the provider hangs and answers late", provider_faults.slow_provider, None),
    Fault("F20", "the provider fails in six ways", provider_faults.failing_provider, None),
    Fault(
        "F21", "answers come after another worker took over", worker_faults.answer_late, 10, must_log=("turn.fenced",)
    ),
    Fault("F22", "every message comes three times", no_fault, None, copies=2, asks_nothing_again=True),
    Fault("F24", "all customers write at once", no_fault, None, is_burst=True),
    Fault(
        "F25",
        "all rescuers publish what a dead worker left",
        race_to_publish,
        10,
        must_log=("rescue.published",),
        publishes_nothing_again=True,
        keeps_sending=True,
        crowd=1.5,
        turns=2,
        pace=0.6,
    ),
    Fault("F26", "Redis forgets its scripts", server_faults.forget_scripts, None),
    Fault(
        "F28",
        "doorbells vanish",
        server_faults.steal_doorbells,
        None,
        turns=5,
        keeps_sending=True,  # until enough bells are stolen: a conversation that waits already is not rung for again
        answers_within_seconds_max=7,
    ),
    Fault(
        "F31",
        "a receiver of webhooks hangs, refuses, cuts, and deliverers die",
        webhook_faults.trouble_a_receiver,
        None,
        keeps_sending=True,
        pace=0.5,
    ),
    Fault("F32", "a reader of an HTTP stream stops reading", gateway_faults.stall_a_reader, None, keeps_sending=True),
    Fault(
        "F33",
        "a provider of text messages hangs, cuts, refuses, and deliverers die",
        channel_faults.trouble_a_provider,
        None,
        keeps_sending=True,  # each deliverer that is to die needs messages to meet
        turns=6,
        pace=0.5,
    ),
    Fault(
        "F34",
        "a relay of mails hangs, cuts, loses answers, and deliverers die",
        channel_faults.trouble_a_relay,
        None,
        keeps_sending=True,  # each deliverer that is to die needs messages to meet
        turns=6,
        pace=0.5,
    ),
    *(_fault_at(point) for point in CRASH_POINTS),
    *(
        Fault(name, title, act, None, keeps_sending=True, crowd=0.3, turns=1, pace=0.15)
        for name, title, act in (
            ("A1", "workers die: a person's yes is asked for, before COMMIT", approval_faults.die_asking),
            ("A1b", "workers die: approved and written, before COMMIT", approval_faults.die_applying),
            ("A2", "supervisors decide at once, with yes and no", approval_faults.decide_at_once),
            ("A3", "approvals expire as they are decided", approval_faults.decide_as_it_expires),
            ("A4", "bookings change while approvals wait", approval_faults.change_the_price),
            ("A5", "every worker is replaced while approvals wait", approval_faults.replace_the_workers),
        )
    ),
    *(
        Fault(name, title, act, 15, servers="sentinels", keeps_sending=True)
        for name, title, act in (
            ("R1", "Redis's primary is killed, Sentinels choose another", failover_faults.kill_redis_primary),
            ("R2", "Redis's primary is frozen, Sentinels choose another", failover_faults.freeze_redis_primary),
            ("R3", "Redis's primary is switched by SENTINEL FAILOVER", failover_faults.switch_redis_primary),
        )
    ),
    Fault(
        "D1",
        "PostgreSQL's primary is lost, its synchronous standby promoted",
        failover_faults.lose_postgres_primary,
        12,
        servers="standby",
        keeps_sending=True,
    ),
)


def choose_faults(names: str | None) -> list[Fault]:
    """Return the faults with these names, separated by commas, or all; raises ValueError for an unknown name."""
    if not names:
        return list(FAULTS)
    by_name = {fault.name.lower(): fault for fault in FAULTS}
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name.lower() not in by_name]
    if unknown:
        raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(fault.name for fault in FAULTS)}")
    return [by_name[name.lower()] for name in wanted]
