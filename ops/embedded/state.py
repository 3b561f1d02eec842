"""Files of the embedded stack's state folder: the lock, the secrets, and the running servers."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit, urlunsplit

from ops.embedded.errors import StackHeld, StateFolderRefused
from ops.embedded.leftovers import find_servers

if TYPE_CHECKING:
    from pathlib import Path

LOCK_FILE = "lock"
IDENTITY_FILE = "identity.json"
RUNNING_FILE = "stack.json"
# A log that has grown past this is set aside at the next start; one older log is kept, so this bounds the folder.
LOG_BYTES_MAX = 8 * 1024 * 1024


HTTP_LOGIN = "fte_gateway"
"""The login of HTTP processes on an embedded stack."""


@dataclass(frozen=True, slots=True)
class StackAddresses:
    """Addresses of a running stack's servers; all contain a password."""

    database_url: str
    redis_url: str

    @property
    def http_database_url(self) -> str:
        """Return the address of the database for HTTP processes; its password is derived from the superuser's."""
        parts = urlsplit(self.database_url)
        password = hmac.new((parts.password or "").encode(), HTTP_LOGIN.encode(), hashlib.sha256).hexdigest()
        return urlunsplit(parts._replace(netloc=f"{HTTP_LOGIN}:{password}@{parts.hostname}:{parts.port}"))

    def as_settings(self) -> dict[str, str]:
        """Return the settings that lead to these servers, by field."""
        return {
            "database_url": self.database_url,
            "http_database_url": self.http_database_url,
            "redis_url": self.redis_url,
        }


@dataclass(frozen=True, slots=True)
class StackIdentity:
    """Name, passwords and last ports of a state folder's servers: written once, before the first server runs.

    `name` stands in the command line of every server, so leftovers are recognised without trusting a pid file.
    The ports are those used last: addresses stay the same from start to start while nobody takes them.
    """

    name: str
    postgres_password: str
    redis_password: str
    postgres_port: int | None = None
    redis_port: int | None = None


@dataclass(frozen=True, slots=True)
class RunningStack:
    """The content of stack.json: a stack that is up, or was when its owner died."""

    name: str
    database_url: str
    redis_url: str
    postgres_pid: int
    redis_pid: int
    owner_pid: int
    started_at: str

    @property
    def addresses(self) -> StackAddresses:
        """Return the part that clients need."""
        return StackAddresses(self.database_url, self.redis_url)


class StackLock:
    """An exclusive lock of a state folder for one process.

    `flock` rather than a pid file: the kernel releases it however its holder dies. The file stays behind, since
    removing it would let two processes lock two files of one name.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, state_dir: Path) -> Self:
        """Take the lock without waiting.

        Raises:
            StackHeld: another holds it; names its pid.

        """
        descriptor = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            written = os.pread(descriptor, 32, 0).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise StackHeld(state_dir, int(written) if written.isdigit() else None) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def prepare_state_folder(state_dir: Path) -> None:
    """Create the state folder, or check that the one that exists is ours alone to write.

    Raises:
        StateFolderRefused: it cannot be created or written, belongs to another user, or others can write to it.

    """
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = state_dir.stat()
    except OSError as error:
        raise StateFolderRefused(state_dir, f"cannot create it: {error.strerror}") from error
    if found.st_uid != os.geteuid():
        reason = f"it belongs to uid {found.st_uid} and this process runs as uid {os.geteuid()}"
        raise StateFolderRefused(state_dir, f"{reason}; run as its owner or choose another folder")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        reason = f"others can write to it (mode {stat.S_IMODE(found.st_mode):04o})"
        raise StateFolderRefused(state_dir, f"{reason}; it holds passwords: chmod 0700 it")
    if not os.access(state_dir, os.W_OK | os.X_OK):
        reason = f"its mode {stat.S_IMODE(found.st_mode):04o} keeps this process from writing to it"
        raise StateFolderRefused(state_dir, f"{reason}; chmod 0700 it or choose another folder")


def load_identity(state_dir: Path) -> StackIdentity:
    """Read the folder's identity, making one on first use."""
    path = state_dir / IDENTITY_FILE
    if path.exists():
        return StackIdentity(**_read_json(path))
    identity = StackIdentity(f"fte-{secrets.token_hex(8)}", secrets.token_hex(24), secrets.token_hex(24))
    save_identity(state_dir, identity)
    return identity


def save_identity(state_dir: Path, identity: StackIdentity) -> None:
    """Write the folder's identity so that it survives a power cut: without it the data cannot be opened."""
    _write_json(state_dir / IDENTITY_FILE, asdict(identity))


def write_running(state_dir: Path, running: RunningStack) -> None:
    """Write stack.json, by which other processes find this stack."""
    _write_json(state_dir / RUNNING_FILE, asdict(running))


def remove_running(state_dir: Path) -> None:
    """Remove stack.json, so that other processes find no stack."""
    (state_dir / RUNNING_FILE).unlink(missing_ok=True)


def read_running_stack(state_dir: Path) -> StackAddresses | None:
    """Return the addresses of the stack that runs on a state folder, or None when none does.

    stack.json alone proves nothing; it counts only while both pids are servers of the stack it names.

    Raises:
        StateFolderRefused: there is a stack.json that this user may not read.

    """
    try:
        running = RunningStack(**_read_json(state_dir / RUNNING_FILE))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise StateFolderRefused(state_dir, f"uid {os.geteuid()} may not read its {RUNNING_FILE}") from error
    alive = {server.pid for server in find_servers(running.name)}
    if {running.postgres_pid, running.redis_pid} <= alive:
        return running.addresses
    return None


def open_log(path: Path) -> int:
    """Open a log for appending and return its descriptor, setting an overgrown one aside first."""
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file atomically by way of a synced temporary one, readable by us alone from its first byte."""
    staged = path.with_suffix(".new")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    staged.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that its file names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
