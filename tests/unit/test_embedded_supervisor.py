from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from structlog.testing import capture_logs

from ops.embedded import WorkerSupervisor
from ops.embedded.supervisor import RestartPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 10.0
PROJECT = Path(__file__).parents[2]
QUICK = RestartPolicy(first_seconds=0.01, wait_seconds_max=0.05)

STEADY = "import signal; print('up', flush=True); signal.pause()"
POLITE = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))
print('up', flush=True)
signal.pause()
"""
STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
while True: signal.pause()
"""
PARENT = """
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])
print(child.pid, flush=True)
signal.pause()
"""
SUPERVISOR_TO_KILL = """
import sys, signal
from pathlib import Path
from ops.embedded import WorkerSupervisor
supervisor = WorkerSupervisor([sys.executable, '-c', sys.argv[2]], count=1, state_dir=Path(sys.argv[1]), env={})
supervisor.start()
print(supervisor.pids[0], flush=True)
signal.pause()
"""


def supervise(script: str, state_dir: Path, count: int = 1, **env: str) -> WorkerSupervisor:
    argv = [sys.executable, "-S", "-c", script]
    return WorkerSupervisor(argv, count=count, state_dir=state_dir, env=env, policy=QUICK)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {PATIENCE_SECONDS} s"
        time.sleep(0.01)


def lines_of(log_path: Path) -> list[str]:
    return log_path.read_text(encoding="utf-8").splitlines() if log_path.exists() else []


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_wait_doubles_with_each_death_up_to_its_maximum() -> None:
    policy = RestartPolicy(first_seconds=0.5, wait_seconds_max=5.0)

    assert [policy.wait_seconds(n) for n in (1, 2, 3, 4, 5, 6, 10_000)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0]


def test_a_worker_that_lived_long_enough_starts_a_new_row_of_deaths() -> None:
    policy = RestartPolicy(healthy_seconds=60.0)

    assert policy.count_deaths(7, lived_seconds=59.9) == 8
    assert policy.count_deaths(7, lived_seconds=60.0) == 1


def test_a_killed_worker_is_replaced_and_the_others_are_left_alone(tmp_path: Path) -> None:
    with supervise(STEADY, tmp_path, count=2) as supervisor, capture_logs() as logged:
        killed, kept = supervisor.pids

        supervisor.kill(0)
        wait_until(lambda: len(supervisor.pids) == 2 and killed not in supervisor.pids)

        replacement = supervisor.pids[0]
        assert supervisor.pids == [replacement, kept]
        assert not is_alive(killed)
    assert [(entry["event"], entry["worker"]) for entry in logged] == [("worker.died", "worker-0")]
    assert str(killed) in logged[0]["outcome"]


def test_a_worker_that_cannot_live_is_tried_again_each_time_later(tmp_path: Path) -> None:
    with capture_logs() as logged, supervise("raise SystemExit(3)", tmp_path):
        wait_until(lambda: len(logged) >= 5)

    assert [entry["restart_in_seconds"] for entry in logged[:5]] == [0.01, 0.02, 0.04, 0.05, 0.05]
    assert logged[0]["outcome"].endswith("ended with code 3")


def test_stop_lets_a_worker_finish_and_leaves_no_process(tmp_path: Path) -> None:
    supervisor = supervise(POLITE, tmp_path, count=2)
    supervisor.start()
    logs = [tmp_path / "worker-0.log", tmp_path / "worker-1.log"]
    wait_until(lambda: all(lines_of(log) == ["up"] for log in logs))
    pids = supervisor.pids

    supervisor.stop()

    assert [lines_of(log) for log in logs] == [["up", "bye"]] * 2
    assert supervisor.pids == []
    assert not any(is_alive(pid) for pid in pids)


def test_stop_kills_a_worker_that_outstays_the_grace(tmp_path: Path) -> None:
    supervisor = supervise(STUBBORN, tmp_path)
    supervisor.start()
    wait_until(lambda: lines_of(tmp_path / "worker-0.log") == ["up"])
    (pid,) = supervisor.pids

    started_at = time.monotonic()
    supervisor.stop(grace_seconds=0.2)

    assert time.monotonic() - started_at >= 0.2
    assert not is_alive(pid)


def test_stop_ends_a_frozen_worker_without_waiting_for_the_grace(tmp_path: Path) -> None:
    supervisor = supervise(POLITE, tmp_path)
    supervisor.start()
    wait_until(lambda: lines_of(tmp_path / "worker-0.log") == ["up"])
    (pid,) = supervisor.pids
    os.kill(pid, signal.SIGSTOP)

    started_at = time.monotonic()
    supervisor.stop(grace_seconds=PATIENCE_SECONDS)

    assert time.monotonic() - started_at < PATIENCE_SECONDS / 2
    assert not is_alive(pid)


def test_what_a_worker_started_dies_with_it(tmp_path: Path) -> None:
    log_path = tmp_path / "worker-0.log"
    with supervise(PARENT, tmp_path) as supervisor:
        wait_until(lambda: len(lines_of(log_path)) == 1)
        grandchild = int(lines_of(log_path)[0])
        assert is_alive(grandchild)

        supervisor.kill(0)

        wait_until(lambda: not is_alive(grandchild))


def test_a_worker_gets_the_environment_it_was_given_and_no_other(tmp_path: Path) -> None:
    script = "import os; print(sorted(os.environ), flush=True)"
    with supervise(script, tmp_path, FTE_MODEL="local", LC_ALL="C"):
        wait_until(lambda: lines_of(tmp_path / "worker-0.log") != [])

    assert lines_of(tmp_path / "worker-0.log")[0] == "['FTE_MODEL', 'LC_ALL']"


def test_a_missing_program_is_an_error_at_start(tmp_path: Path) -> None:
    supervisor = WorkerSupervisor(["/no/such/program"], count=1, state_dir=tmp_path, env={})

    with pytest.raises(FileNotFoundError, match="/no/such/program"):
        supervisor.start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_workers_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR_TO_KILL, str(tmp_path), STEADY]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        worker = int(owner.stdout.readline())
        wait_until(lambda: lines_of(tmp_path / "worker-0.log") == ["up"])

        owner.kill()

    wait_until(lambda: not is_alive(worker))
