"""Run a Redis primary, its replicas and the Sentinels that watch them, on loopback ports."""

from __future__ import annotations

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ops.embedded.account import ServerAccount
from ops.embedded.child import Child
from ops.embedded.ports import LOOPBACK, choose_port
from ops.embedded.programs import find_programs

if TYPE_CHECKING:
    from types import TracebackType

PRIMARY = "mymaster"
REPLICAS = 2
SENTINELS = 3
QUORUM = 2
DOWN_AFTER_MS = 2_000
"""How long a primary has to be silent before a Sentinel takes it for down."""

FAILOVER_TIMEOUT_MS = 6_000
WHOLE_SECONDS_MAX = 30.0
POLL_SECONDS = 0.05
PING_SECONDS = 1.0


class RedisNode:
    """One server of the set, a Redis or a Sentinel; it keeps its port and its folder."""

    def __init__(self, program: Path, folder: Path, password: str, *, is_sentinel: bool = False) -> None:
        self.port = choose_port(None)
        self._program = program
        self._folder = folder
        self._is_sentinel = is_sentinel
        folder.mkdir(mode=0o700)
        account = ServerAccount(os.geteuid(), os.getegid(), lent=False)
        self._child = Child(folder.name, folder.with_suffix(".log"), account)
        # No retries inside the client: the loop around it retries.
        retry = Retry(NoBackoff(), 0)
        options: dict[str, Any] = {"password": password, "socket_timeout": PING_SECONDS, "retry": retry}
        self.client: Any = redis.Redis(host=LOOPBACK, port=self.port, **options)

    @property
    def pid(self) -> int | None:
        """Return the pid while the server runs."""
        return self._child.pid

    def write_configuration(self, *lines: str) -> None:
        """Write the file that the server reads at each start, and in which it notes what it has become."""
        text = "\n".join([f"port {self.port}", f"bind {LOOPBACK}", f'dir "{self._folder}"', *lines, ""])
        self._configuration.write_text(text, encoding="utf-8")
        self._configuration.chmod(0o600)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        kind = ["--sentinel"] if self._is_sentinel else []
        self._child.launch([str(self._program), str(self._configuration), *kind], self._folder)
        self._child.wait_ready(self.answers)

    def kill(self) -> None:
        """Kill the server as `kill -9` does."""
        self._child.kill()

    def answers(self) -> bool:
        """Check whether the server answers."""
        try:
            return bool(self.client.ping())
        except (redis.ConnectionError, redis.TimeoutError):
            return False

    @property
    def _configuration(self) -> Path:
        return self._folder / "node.conf"


class SentinelRedis:
    """A primary, two replicas and three Sentinels; all ask for a random password."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        program = find_programs(ServerAccount(os.geteuid(), os.getegid(), lent=False)).redis_server
        self._password, self._sentinel_password = secrets.token_hex(24), secrets.token_hex(24)
        names = ["primary", *(f"replica-{number}" for number in range(1, REPLICAS + 1))]
        self.nodes = [RedisNode(program, folder / name, self._password) for name in names]
        self.sentinels = [
            RedisNode(program, folder / f"sentinel-{number}", self._sentinel_password, is_sentinel=True)
            for number in range(1, SENTINELS + 1)
        ]

    @property
    def url(self) -> str:
        """Return the address that names the Sentinels, passwords included."""
        places = ",".join(f"{LOOPBACK}:{sentinel.port}" for sentinel in self.sentinels)
        query = f"primary={PRIMARY}&sentinel_password={self._sentinel_password}"
        return f"redis+sentinel://:{self._password}@{places}/0?{query}"

    @property
    def passwords(self) -> tuple[str, str]:
        """Return the passwords of the servers and of the Sentinels."""
        return self._password, self._sentinel_password

    def __enter__(self) -> Self:
        """Start all servers, and wait until every Sentinel knows the others and every replica follows."""
        try:
            self._start()
        except BaseException:
            self._kill_all()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Kill all servers."""
        self._kill_all()

    def find_primary(self) -> RedisNode | None:
        """Return the node that most Sentinels take for the primary; None when they do not agree."""
        told = [self._ask(sentinel) for sentinel in self.sentinels]
        return next((node for node in self.nodes if told.count(node.port) >= QUORUM), None)

    def is_whole(self) -> bool:
        """Check whether the primary's replicas all follow it."""
        primary = self.find_primary()
        if primary is None or not primary.answers():
            return False
        about = primary.client.info("replication")
        followers = [about.get(f"slave{number}", {}).get("state") for number in range(REPLICAS)]
        return about["role"] == "master" and followers == ["online"] * REPLICAS

    def is_settled(self) -> bool:
        """Check whether every Sentinel has seen each replica as one.

        A Sentinel asks a server for its role every 10 s. One that has last seen a replica as a primary, takes it for an
        old primary that has come back when it is promoted, and turns it into a replica again: the switch fails.
        """
        roles = [self._roles_seen_by(sentinel) for sentinel in self.sentinels]
        return self.is_whole() and roles == [["slave"] * REPLICAS] * SENTINELS

    def _roles_seen_by(self, sentinel: RedisNode) -> list[str]:
        with suppress(redis.RedisError):
            return [replica["role-reported"] for replica in sentinel.client.sentinel_slaves(PRIMARY)]
        return []

    def _start(self) -> None:
        for_each = [f"requirepass {self._password}", f"masterauth {self._password}"]
        for_each += ["appendonly yes", "appendfsync everysec", 'save ""', "maxmemory-policy noeviction"]
        for_each += ["repl-diskless-sync yes", "repl-diskless-sync-delay 0"]
        for node in self.nodes:
            follows = [] if node is self.nodes[0] else [f"replicaof {LOOPBACK} {self.nodes[0].port}"]
            node.write_configuration(*for_each, *follows)
            node.start()
        for sentinel in self.sentinels:
            sentinel.write_configuration(
                f"requirepass {self._sentinel_password}",
                f"sentinel monitor {PRIMARY} {LOOPBACK} {self.nodes[0].port} {QUORUM}",
                f"sentinel auth-pass {PRIMARY} {self._password}",
                f"sentinel down-after-milliseconds {PRIMARY} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {PRIMARY} {FAILOVER_TIMEOUT_MS}",
                f"sentinel parallel-syncs {PRIMARY} {REPLICAS}",
            )
            sentinel.start()
        deadline = time.monotonic() + WHOLE_SECONDS_MAX
        while not (self.is_whole() and self._know_each_other()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Redis's replicas and Sentinels were not all there after {WHOLE_SECONDS_MAX:.0f} s")
            time.sleep(POLL_SECONDS)

    def _know_each_other(self) -> bool:
        known = [sentinel.client.sentinel_master(PRIMARY) for sentinel in self.sentinels]
        return all((about["num-other-sentinels"], about["num-slaves"]) == (SENTINELS - 1, REPLICAS) for about in known)

    def _ask(self, sentinel: RedisNode) -> int | None:
        with suppress(redis.RedisError):
            told = sentinel.client.sentinel_get_master_addr_by_name(PRIMARY)
            return int(told[1]) if told else None
        return None

    def _kill_all(self) -> None:
        for node in (*self.sentinels, *self.nodes):
            node.kill()
            node.client.close()
