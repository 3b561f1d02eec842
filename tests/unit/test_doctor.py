"""The doctor calls wrong what breaks a promise, doubtful what may, and says a way out of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from ops.watch.doctor import (
    Diagnosis,
    diagnose_clocks,
    diagnose_connections,
    diagnose_postgresql,
    diagnose_redis,
    diagnose_sentinels,
    diagnose_settings,
    diagnose_verification,
    diagnose_workers,
)
from ops.watch.facts import Verified, WorkerSeen
from schema.settings import Settings

POSTGRESQL: Final[dict[str, Any]] = {
    "version": "15.4",
    "version_number": 150_004,
    "is_replica": False,
    "read_only": "off",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "connections": 10,
    "connections_max": 97,
}
REDIS: Final[dict[str, Any]] = {
    "redis_version": "6.2.14",
    "role": "master",
    "cluster_enabled": 0,
    "maxmemory_policy": "noeviction",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "maxmemory": 0,
    "used_memory": 1_000_000,
}
WORKER: Final = WorkerSeen(
    name="1@host",
    host="host",
    release="1.0.0",
    migration=27,
    model="local",
    state="working",
    is_leader=True,
    slots_used=0,
    slots_waiting=0,
    slots_total=256,
    up_seconds=10.0,
    silent_seconds=1.0,
    clock_ahead_seconds=0.0,
    metrics_port=None,
)


def verdicts(diagnoses: list[Diagnosis]) -> set[str]:
    for diagnosis in diagnoses:
        assert diagnosis.verdict == "well" or diagnosis.remedy
    found: set[str] = {diagnosis.verdict for diagnosis in diagnoses}
    return found - {"well"} or found


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "well"),
        ({"version": "14.9", "version_number": 140_009}, "wrong"),
        ({"is_replica": True}, "wrong"),
        ({"read_only": "on"}, "wrong"),
        ({"fsync": "off"}, "wrong"),
        ({"full_page_writes": "off"}, "wrong"),
        ({"synchronous_commit": "off"}, "wrong"),
        ({"synchronous_commit": "remote_apply"}, "well"),
        ({"autovacuum": "off"}, "doubtful"),
    ],
    ids=str,
)
def test_postgresql_must_keep_what_it_has_committed(change: dict[str, Any], verdict: str) -> None:
    assert verdicts(diagnose_postgresql(POSTGRESQL | change)) == {verdict}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "well"),
        ({"redis_version": "6.0.16"}, "wrong"),
        ({"redis_version": "7.0.15"}, "well"),
        ({"redis_version": "10.0.0"}, "well"),
        ({"role": "slave"}, "wrong"),
        ({"cluster_enabled": 1}, "wrong"),
        ({"maxmemory_policy": "allkeys-lru"}, "wrong"),
        ({"aof_enabled": 0}, "doubtful"),
        ({"aof_last_write_status": "err"}, "wrong"),
        ({"rdb_last_bgsave_status": "err"}, "wrong"),
        ({"maxmemory": 1_100_000}, "wrong"),
        ({"maxmemory": 2_000_000}, "well"),
    ],
    ids=str,
)
def test_redis_must_throw_nothing_away(change: dict[str, Any], verdict: str) -> None:
    assert verdicts(diagnose_redis(REDIS | change)) == {verdict}


@pytest.mark.parametrize(
    ("connections", "workers", "verdict"),
    [(10, 2, "well"), (85, 1, "doubtful"), (10, 11, "doubtful"), (10, 13, "wrong")],
)
def test_the_pools_must_fit_into_what_the_server_allows(connections: int, workers: int, verdict: str) -> None:
    state = POSTGRESQL | {"connections": connections}

    assert verdicts(diagnose_connections(state, [WORKER] * workers, 8)) == {verdict}


@pytest.mark.parametrize(
    ("here", "postgresql", "worker", "verdict"),
    [
        (1_001.0, 999.0, 1.0, "well"),
        (1_003.0, 1_000.0, 0.0, "doubtful"),
        (1_000.0, 997.0, 0.0, "doubtful"),
        (1_000.0, None, 5.0, "doubtful"),
    ],
)
def test_clocks_may_be_two_seconds_apart(here: float, postgresql: float | None, worker: float, verdict: str) -> None:
    workers = [replace(WORKER, clock_ahead_seconds=worker)]

    assert verdicts(diagnose_clocks(here, 1_000.0, postgresql, workers)) == {verdict}


@pytest.mark.parametrize(
    ("workers", "verdict"),
    [
        ([WORKER], "well"),
        ([], "wrong"),
        ([replace(WORKER, state="paused")], "wrong"),
        ([WORKER, replace(WORKER, name="2@host", state="paused", is_leader=False)], "doubtful"),
        ([WORKER, replace(WORKER, name="2@host", release="1.1.0", is_leader=False)], "doubtful"),
        ([replace(WORKER, is_leader=False)], "doubtful"),
    ],
)
def test_a_worker_must_be_at_work(workers: list[WorkerSeen], verdict: str) -> None:
    assert verdicts(diagnose_workers(workers)) == {verdict}


@pytest.mark.parametrize(
    ("verified", "verdict"),
    [
        (None, "doubtful"),
        (Verified(60, {"turn": 0}), "well"),
        (Verified(3 * 86_400, {"turn": 0}), "doubtful"),
        (Verified(60, {"turn": 1}), "wrong"),
    ],
)
def test_a_deployment_is_verified_now_and_then(verified: Verified | None, verdict: str) -> None:
    assert verdicts(diagnose_verification(verified)) == {verdict}


def test_settings_that_are_allowed_and_unwise_are_named() -> None:
    quiet = Settings(metrics_listen="127.0.0.1:9100")

    assert verdicts(diagnose_settings(quiet, is_embedded=True)) == {"well"}
    assert verdicts(diagnose_settings(quiet, is_embedded=False)) == {"doubtful"}
    assert verdicts(diagnose_settings(quiet.model_copy(update={"load_tests": True}), is_embedded=True)) == {"doubtful"}


@pytest.mark.parametrize(
    ("told", "replicas", "verdict"),
    [
        ([("h", 1)] * 3, 2, "well"),
        ([("h", 1)] * 2, 2, "doubtful"),
        ([("h", 1), ("h", 1), "Timeout connecting to server"], 2, "doubtful"),
        ([("h", 1), ("h", 1), ("old", 2)], 2, "doubtful"),
        ([("h", 1), ("old", 2), "Timeout connecting to server"], 2, "wrong"),
        (["it watches no primary of the name main"] * 3, 2, "wrong"),
        ([("h", 1)] * 3, 0, "wrong"),
    ],
)
def test_sentinels_are_judged_by_how_many_agree_and_by_who_could_take_over(
    told: list[tuple[str, int] | str], replicas: int, verdict: str
) -> None:
    (found,) = diagnose_sentinels(told, replicas)

    assert found.verdict == verdict
    assert bool(found.remedy) == (verdict != "well")
