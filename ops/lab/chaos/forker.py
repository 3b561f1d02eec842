"""Fork processes from one that has loaded their packages: loading takes seconds, and chaos kills hundreds.

A program: each line on its input is `{"role": …, "environment": {…}, "folder": path, "log": path, "arguments": […]}`,
which forks one process: a worker runs as `fte worker` does, a sender and a consumer as a gateway's do. It prints
`{"born": pid}` for each, `{"ready": pid}` when it is ready, and at its end `{"died": pid, "code": n}`, n being minus
the signal.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from ops.embedded.tether import tether
from ops.lab.chaos.consumer import run_consumer
from ops.lab.chaos.sender import run_sender
from runtime.configuration import load_settings
from runtime.encoding import dump_json, parse_json
from worker.agents.pool import GraphPool
from worker.app import run_worker
from worker.conversation.run_spans import configure_tracing
from worker.domains.airline.agents.graph import build_graph
from worker.domains.airline.domain import AIRLINE
from worker.guardrails.inputs import input_guardrails
from worker.pipeline.act import Brain
from worker.process.warmup import warm_up

_READ_BYTES_MAX = 65_536


def serve() -> None:
    """Fork processes until the input ends; the kernel ends them with this one."""
    asyncio.run(_load_everything())
    gc.collect()
    gc.freeze()
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    orders = b""
    while True:
        readable, _, _ = select.select([sys.stdin.fileno(), told], [], [])
        if told in readable:
            os.read(told, _READ_BYTES_MAX)
            _report_deaths()
        if sys.stdin.fileno() in readable:
            block = os.read(sys.stdin.fileno(), _READ_BYTES_MAX)
            if not block:
                return
            *lines, orders = (orders + block).split(b"\n")
            for line in lines:
                _say({"born": _hatch(parse_json(line))})


async def _load_everything() -> None:
    """Play a turn, so that modules loaded at first use are loaded once and not in each fork."""
    settings, nothing = load_settings(), _NOTHING
    configure_tracing(settings)  # the SDK's exporter has a thread, which would hold import locks while we fork
    brain = Brain(
        GraphPool(build_graph), nothing, input_guardrails(settings), nothing, nothing, nothing, settings, AIRLINE
    )
    await warm_up(brain)


def _hatch(order: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        tether(parent)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        silence = os.open(os.devnull, os.O_RDONLY)
        voice = os.dup(sys.stdout.fileno())
        os.chdir(order["folder"])
        for descriptor, place in ((silence, 0), (log, 1), (log, 2)):
            os.dup2(descriptor, place)
        os.environ.update(order["environment"])
        if "LD_PRELOAD" in order["environment"]:
            _begin_anew(order, voice)
        random.seed()  # without it, all forks would draw alike
        code = _run(voice, order["role"], *order["arguments"])
    except BaseException:  # noqa: BLE001 - the end of this process; the log says why
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _begin_anew(order: dict[str, Any], voice: int) -> NoReturn:
    """Load everything again by exec, since a preloaded library must be there before the rest."""
    os.set_inheritable(voice, True)  # noqa: FBT003 - the standard library's
    program = [sys.executable, "-P", "-m", "ops.lab.chaos.forker", str(voice), order["role"], *order["arguments"]]
    os.execv(sys.executable, program)  # noqa: S606 - no shell is wanted; the argument list is ours


def _run(voice: int, role: str, *arguments: str) -> int:
    settings = load_settings()

    def on_ready() -> None:
        _tell(voice, {"ready": os.getpid()})

    if role == "worker":
        return run_worker(settings, on_ready=on_ready)
    (argument,) = arguments
    if role == "sender":
        return run_sender(settings, int(argument), on_ready)
    return run_consumer(settings, Path(argument), on_ready)


def _report_deaths() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say({"died": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(fact: dict[str, Any]) -> None:
    _tell(sys.stdout.fileno(), fact)


def _tell(descriptor: int, fact: dict[str, Any]) -> None:
    """Write a line in one call: short enough for pipes not to mix it with another process's."""
    os.write(descriptor, dump_json(fact).encode() + b"\n")


_NOTHING: Any = None

if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(_run(int(sys.argv[1]), *sys.argv[2:]))
    serve()
