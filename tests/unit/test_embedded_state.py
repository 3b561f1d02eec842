from __future__ import annotations

import json
import os
import socket
import stat
from typing import TYPE_CHECKING

import pytest

from ops.embedded import StackHeld, StateFolderRefused, read_running_stack
from ops.embedded.ports import PORT_HIGHEST, PORT_LOWEST, choose_port, port_is_free
from ops.embedded.state import (
    LOG_BYTES_MAX,
    RunningStack,
    StackLock,
    load_identity,
    open_log,
    prepare_state_folder,
    write_running,
)

if TYPE_CHECKING:
    from pathlib import Path

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
AS_USER = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_state_folder_is_made_with_its_parents_and_is_closed_to_others(tmp_path: Path) -> None:
    state_dir = tmp_path / "deep" / "state"

    prepare_state_folder(state_dir)

    assert mode_of(state_dir) == 0o700


def test_a_state_folder_that_others_can_write_to_is_refused_with_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o770)

    with pytest.raises(StateFolderRefused, match=r"others can write to it \(mode 0770\).*chmod 0700"):
        prepare_state_folder(tmp_path)


@AS_ROOT
def test_a_state_folder_of_another_user_is_refused_with_both_uids(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4321)

    with pytest.raises(StateFolderRefused, match="belongs to uid 4321 and this process runs as uid 0"):
        prepare_state_folder(tmp_path)


@AS_USER
def test_a_state_folder_that_cannot_be_written_is_refused_with_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StateFolderRefused, match="mode 0500 keeps this process from writing"):
        prepare_state_folder(tmp_path)


def test_a_file_in_the_place_of_the_state_folder_is_refused(tmp_path: Path) -> None:
    occupied = tmp_path / "state"
    occupied.write_text("mine", encoding="utf-8")

    with pytest.raises(StateFolderRefused, match="cannot create it: File exists"):
        prepare_state_folder(occupied)


def test_the_identity_is_made_once_and_is_for_its_owner_only(tmp_path: Path) -> None:
    first = load_identity(tmp_path)
    second = load_identity(tmp_path)

    assert second == first
    assert first.postgres_password != first.redis_password
    assert mode_of(tmp_path / "identity.json") == 0o600


def test_a_lock_is_refused_while_held_and_free_after_its_release(tmp_path: Path) -> None:
    lock = StackLock.take(tmp_path)

    with pytest.raises(StackHeld, match=f"held by pid {os.getpid()}"):
        StackLock.take(tmp_path)

    lock.release()
    StackLock.take(tmp_path).release()


def test_no_stack_is_found_where_there_is_no_stack_json(tmp_path: Path) -> None:
    assert read_running_stack(tmp_path) is None


def test_no_stack_is_found_when_the_pids_belong_to_other_programs(tmp_path: Path) -> None:
    # The pids are alive, but not those of servers: what a stack.json from before a reboot looks like.
    stale = RunningStack("fte-0123456789abcdef", "postgresql://", "redis://", os.getpid(), os.getppid(), 1, "2026")
    write_running(tmp_path, stale)

    assert read_running_stack(tmp_path) is None
    assert json.loads((tmp_path / "stack.json").read_text(encoding="utf-8"))["postgres_pid"] == os.getpid()
    assert mode_of(tmp_path / "stack.json") == 0o600


def test_an_overgrown_log_is_set_aside_when_it_is_opened(tmp_path: Path) -> None:
    log_path = tmp_path / "redis.log"
    log_path.touch()
    os.truncate(log_path, LOG_BYTES_MAX + 1)

    os.close(open_log(log_path))

    assert log_path.stat().st_size == 0
    assert (tmp_path / "redis.log.1").stat().st_size == LOG_BYTES_MAX + 1


def test_the_preferred_port_is_kept_while_it_is_free_and_left_while_it_is_taken() -> None:
    port = choose_port(None)
    assert PORT_LOWEST <= port <= PORT_HIGHEST

    kept = choose_port(port)
    with socket.create_server(("127.0.0.1", port)):
        other = choose_port(port)

    assert kept == port
    assert other != port
    assert port_is_free(other)
