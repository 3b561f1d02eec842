"""Disk faults: no room on the servers' disk, which is replaced by a small one, nor on the disk of a worker's log."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import tempfile
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from redis.exceptions import RedisError

from runtime.database import connect
from schema.errors import ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ops.embedded import EmbeddedStack
    from ops.lab.chaos.scene import Scene

ROOM_BYTES = 64 * 1024 * 1024
"""Free space at first: a run writes only a few MiB."""

FULL_SECONDS = 3.0
DOWN_SECONDS_MAX = 20.0
ANSWERED_SECONDS_MAX = 60.0
FULL_LOG = Path("/dev/full")

_FOLDERS = ("postgres", "redis")
_BLOCKS_BYTES = (1024 * 1024, 4096, 1)
_WRITTEN_AHEAD_BYTES = 4 * 1024 * 1024


def why_unshown(_scene: Scene) -> str | None:
    """Return why no small disk can be mounted here, or None."""
    if os.geteuid():
        return "needs root: the servers are put on a small disk of their own (tmpfs)"
    with tempfile.TemporaryDirectory() as folder:
        try:
            _mount(Path(folder), _WRITTEN_AHEAD_BYTES)
        except (OSError, subprocess.CalledProcessError) as error:
            return f"this machine mounts no tmpfs: {error}"
        _unmount(Path(folder))
    return None


async def fill_the_disk(scene: Scene) -> None:
    """Fill the servers' disk: first so that files cannot grow, then for PostgreSQL's log, which ends the server.

    PostgreSQL refuses a statement whose table cannot grow, and goes down when its log cannot. The fault starts it
    again; nobody does anything else.
    """
    worker = scene.workers[0]
    worker.log_to = FULL_LOG
    worker.send(signal.SIGTERM)
    async with _on_a_small_disk(scene) as disk:
        await scene.pause(2)
        with _filled(disk):
            await asyncio.sleep(FULL_SECONDS)
            if not await _redis_refuses(scene):
                scene.undone.append("Redis was to refuse what it cannot keep, and did not")
            if not await scene.until(lambda: _overfill(scene.stack), DOWN_SECONDS_MAX):
                scene.undone.append("PostgreSQL was to go down without room for its log, and did not")
            await asyncio.sleep(FULL_SECONDS)
        if scene.stack.postgres_pid is None:
            await asyncio.to_thread(scene.stack.start_postgres)
        scene.note()
        # Back to the large disk only when no message waits any more: moving the servers is no part of the fault.
        await scene.until(lambda: not (scene.is_sending or scene.gateway.unanswered), ANSWERED_SECONDS_MAX)


@asynccontextmanager
async def _on_a_small_disk(scene: Scene) -> AsyncIterator[Path]:
    """Move the servers' folders to a small disk for the length of the block."""
    stack = scene.stack
    disk = stack.state_dir / "disk"
    try:
        await asyncio.to_thread(_move_there, stack, disk)
        yield disk
    finally:
        await asyncio.to_thread(_move_back, stack, disk)


def _move_there(stack: EmbeddedStack, disk: Path) -> None:
    _kill_servers(stack)
    disk.mkdir(mode=0o711)
    _mount(disk, ROOM_BYTES + sum(_size_bytes(stack.state_dir / name) for name in _FOLDERS))
    for name in _FOLDERS:
        _copy(stack.state_dir / name, disk / name)
        (stack.state_dir / name).rename(stack.state_dir / f"{name}.kept")
        (stack.state_dir / name).symlink_to(disk / name)
    _start_servers(stack)


def _move_back(stack: EmbeddedStack, disk: Path) -> None:
    _kill_servers(stack)
    for name in _FOLDERS:
        place, kept = stack.state_dir / name, stack.state_dir / f"{name}.kept"
        if place.is_symlink():
            place.unlink()
            _run("rm", "-rf", str(kept))
            _copy(disk / name, place)
    _unmount(disk)
    disk.rmdir()
    _start_servers(stack)


def _kill_servers(stack: EmbeddedStack) -> None:
    stack.kill_redis()
    stack.kill_postgres()


def _start_servers(stack: EmbeddedStack) -> None:
    stack.start_redis()
    stack.start_postgres()


@contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """Fill the disk to the last byte for the length of the block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as stream:
        for block in _BLOCKS_BYTES:
            with _until_full():
                while True:
                    stream.write(b"\0" * block)
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _until_full() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


async def _redis_refuses(scene: Scene) -> bool:
    try:
        await scene.redis.set("chaos:full", "1" * 4096, ex=1)
    except RedisError as error:
        return "MISCONF" in str(error)
    return False


def _overfill(stack: EmbeddedStack) -> bool:
    """Make PostgreSQL's log grow; return whether PostgreSQL is down."""
    if stack.postgres_pid is not None:
        with suppress(psycopg.Error, ServerUnreachable), connect(stack.addresses.database_url) as connection:
            connection.execute(
                "SELECT pg_logical_emit_message(false, 'chaos', repeat('x', %s))", [_WRITTEN_AHEAD_BYTES]
            )
    return stack.postgres_pid is None


def _mount(folder: Path, size_bytes: int) -> None:
    _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0711", "tmpfs", str(folder))


def _unmount(folder: Path) -> None:
    _run("umount", str(folder))


def _copy(source: Path, target: Path) -> None:
    _run("cp", "-a", str(source), str(target))


def _size_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*"))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
