"""Run `fte` as a user does: processes of their own, output read as it comes, every wait bounded."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
RUN_SECONDS_MAX = 60.0
UP_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 45.0


def new_conversation() -> str:
    """Name a conversation that no other test has."""
    return f"c-{uuid.uuid4().hex[:12]}"


@dataclass
class Fte:
    """Run commands that share a state folder."""

    state_dir: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, stdin: str = "", seconds_max: float = RUN_SECONDS_MAX) -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            _command(arguments),
            input=stdin,
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=seconds_max,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def start(self, *arguments: str) -> Iterator[Running]:
        """Start a command; kill it at the end of the block, should it still run."""
        popen = subprocess.Popen(
            _command(arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment(),
            start_new_session=True,
        )
        with popen:
            try:
                yield Running(popen)
            finally:
                popen.kill()

    @contextmanager
    def up(self, *options: str) -> Iterator[Up]:
        """Run `fte up` until the end of the block, and stop it as Ctrl-C does."""
        with self.start("up", "--json", *options) as running:
            line = json.loads(running.read_line(seconds_max=UP_SECONDS_MAX))
            with ExitStack() as opened:
                yield Up(self, running, opened, line)
            if running.is_running:
                running.stop(signal.SIGINT)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FTE_", "OPENAI_"))}
        ours = {"FTE_STATE_DIR": str(self.state_dir), "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        return kept | ours | self.environment


@dataclass(frozen=True)
class Done:
    """Hold what a finished command said."""

    code: int
    output: str
    told: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Give the output of a command that was given --json."""
        return [json.loads(line) for line in self.output.splitlines()]


@dataclass
class Running:
    """Hold a command that runs."""

    popen: subprocess.Popen[bytes]
    _unread: bytes = b""

    @property
    def is_running(self) -> bool:
        """Say whether it has not ended yet."""
        return self.popen.poll() is None

    def read_line(self, *, seconds_max: float = RUN_SECONDS_MAX) -> str:
        """Read the next line of its output; raises AssertionError with what it told, when none comes."""
        assert self.popen.stdout is not None
        deadline = time.monotonic() + seconds_max
        with selectors.DefaultSelector() as selector:
            selector.register(self.popen.stdout, selectors.EVENT_READ)
            while b"\n" not in self._unread:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise AssertionError(f"no line within {seconds_max:.0f} s; so far {self._unread!r}")
                block = os.read(self.popen.stdout.fileno(), 65_536)
                if not block:
                    assert self.popen.stderr is not None
                    raise AssertionError(f"it ended and told {self.popen.stderr.read()!r}")
                self._unread += block
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def write_line(self, line: str) -> None:
        """Write a line to its input."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def stop(self, number: signal.Signals) -> int:
        """Signal it and wait for its end; gives its exit code."""
        self.popen.send_signal(number)
        return self.popen.wait(STOP_SECONDS_MAX)

    def family(self) -> list[psutil.Process]:
        """Give it and all its descendants."""
        process = psutil.Process(self.popen.pid)
        return [process, *process.children(recursive=True)]


class Up:
    """Hold a product that is up, one sender, and one follower of each stream: a process takes a second to start."""

    def __init__(self, fte: Fte, running: Running, opened: ExitStack, told: dict[str, Any]) -> None:
        self.fte = fte
        self.running = running
        self.told = told
        self.database_url = str(told["database_url"])
        self.redis_url = str(told["redis_url"])
        self._opened = opened
        self._sender: Running | None = None
        self._followers: dict[str, Running] = {}
        self._seen: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)

    def run(self, *arguments: str, stdin: str = "") -> Done:
        """Run a command against it."""
        return self.fte.run(*arguments, stdin=stdin)

    def say(self, conversation: str, text: str) -> None:
        """Send one message, and see it accepted."""
        if self._sender is None:
            self._sender = self._opened.enter_context(self.fte.start("send", "-", "--json"))
        message = {"conversation": conversation, "text": text, "message_id": f"m-{uuid.uuid4().hex}"}
        self._sender.write_line(json.dumps(message | {"tenant": "default", "channel": "chat", "sender": "ada"}))
        receipt = json.loads(self._sender.read_line())
        assert receipt.get("status") == "accepted", receipt

    def wait_for(self, kind: str, conversation: str, count: int) -> list[dict[str, Any]]:
        """Wait until `count` replies, escalations or events of a conversation are out, and give them."""
        if kind not in self._followers:
            started = self.fte.start(kind, "--follow", "--from-start", "--json")
            self._followers[kind] = self._opened.enter_context(started)
        while len(self._seen[kind, conversation]) < count:
            body = json.loads(self._followers[kind].read_line())
            self._seen[kind, body["conversation"]].append(body)
        return list(self._seen[kind, conversation])

    def wait_for_answers(self, conversation: str, message_ids: list[str]) -> list[dict[str, Any]]:
        """Wait until all these messages are answered, several by one reply or not, and give the replies."""
        replies = self.wait_for("replies", conversation, 1)
        while not set(message_ids) <= {name for reply in replies for name in reply["in_reply_to"]}:
            replies = self.wait_for("replies", conversation, len(replies) + 1)
        return replies


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "ops.cli.main", *arguments]
