"""Be a receiver of webhooks on loopback that misbehaves on demand, and log each request that comes.

`python -m ops.lab.webhook_receiver --log FILE` prints its URL and serves until it is killed. A POST to `/<anything>` is
a delivery. `PUT /control` takes a JSON list of steps, one for each delivery to come; without any the answer is 204:

    {"do": "status", "status": 503, "headers": {"retry-after": "2"}}
    {"do": "hang"}                   reads the request, and never answers
    {"do": "cut"}                    reads the request, and hangs up
    {"do": "huge"}, {"do": "slow"}   answers 200 with a body without end, as fast as it can, or a byte at a time
    {"do": "refuse", "seconds": 5}   hangs up, and takes no connection for so long
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONTROL: Final = "/control"
_SLOW_SECONDS: Final = 0.3
_CHUNK: Final = b"x" * 65_536


@dataclass
class Receiver:
    """Answers deliveries as the next step says, and logs each: time, path, headers and body."""

    log: Path
    steps: deque[dict[str, Any]] = field(default_factory=deque)
    port: int = 0
    _server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Listen on loopback, again on the same port after a while of refusing."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            method, path, headers, body = await _read(reader)
            if (method, path) == ("PUT", _CONTROL):
                self.steps = deque(json.loads(body))
                writer.write(_answer(204))
            else:
                step = self.steps.popleft() if self.steps else {"do": "status", "status": 204}
                self._note(step, path, headers, body)
                await self._act(step, writer)
            await writer.drain()
        writer.close()

    def _note(self, step: dict[str, Any], path: str, headers: dict[str, str], body: bytes) -> None:
        line = {"at": time.time(), "do": step["do"], "status": step.get("status"), "path": path, "headers": headers}
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({**line, "body": body.decode()}) + "\n")

    async def _act(self, step: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        what = step["do"]
        if what == "status":
            writer.write(_answer(step["status"], step.get("headers", {})))
        elif what == "hang":
            await asyncio.Event().wait()
        elif what == "refuse":
            await self._refuse(step["seconds"])
        elif what in {"huge", "slow"}:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
            while True:
                writer.write(_CHUNK if what == "huge" else b"x")
                await writer.drain()
                await asyncio.sleep(0 if what == "huge" else _SLOW_SECONDS)

    async def _refuse(self, seconds: float) -> None:
        if self._server is not None:
            self._server.close()
            asyncio.get_running_loop().call_later(seconds, self._listen_again)

    def _listen_again(self) -> None:
        self._listening = asyncio.ensure_future(self.listen())


def _answer(status: int, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} As told", "content-length: 0", "connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def _read(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return method, path, headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def _run(log: Path) -> None:
    receiver = Receiver(log)
    await receiver.listen()
    print(f"http://localhost:{receiver.port}", flush=True)  # noqa: T201 - whoever started it reads it
    await asyncio.Event().wait()


@contextmanager
def run_receiver(log: Path) -> Iterator[str]:
    """Run a receiver as a process of its own until the end of the block; yields its URL."""
    log.touch(mode=0o600)
    command = [sys.executable, "-P", "-m", "ops.lab.webhook_receiver", "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", start_new_session=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
            yield process.stdout.readline().strip()
        finally:
            process.kill()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Be a receiver of webhooks that misbehaves on demand.")
    parser.add_argument("--log", type=Path, required=True)
    asyncio.run(_run(parser.parse_args().log))
